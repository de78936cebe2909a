"""Single lines of the live view: numbers stay whole, words follow them."""

from __future__ import annotations

import pytest

from manometer.demo.charts import UNICODE
from manometer.view.drawing import Sheet, draw
from manometer.view.picture import Picture, StreamSeen, Telemetry


def picture(rejects: int = 0) -> Picture:
    """Make what is seen of one busy stream."""
    return Picture(
        workflow="demo",
        time=0,
        emissions=123_456,
        rejects=rejects,
        engines=[],
        streams=[StreamSeen(name="inputs", messages=1_000, rate=50.0, rates=[50.0], rejects=rejects)],
        numbers=[],
        firing=[],
        changes=[],
        telemetry=Telemetry(rate=73.2, checkpoint_age=0.1, checkpoint_seconds=0.0125, waiting=0.0, monitors=[]),
    )


def shown(seen: Picture, width: int) -> list[str]:
    """Draw without colours."""
    return [line.plain for line in draw(seen, Sheet(width, UNICODE), 40)]


def test_a_number_is_never_cut() -> None:
    """The line of Manometer itself leaves out how long a checkpoint took, where that does not fit whole."""
    own = [next(line for line in shown(picture(1_234), width) if "messages/s" in line) for width in range(80, 120)]

    assert all(line.endswith((" took 12.5 ms", " ago")) for line in own)
    assert (own[0].endswith(" ago"), own[-1].endswith(" took 12.5 ms")) == (True, True)


@pytest.mark.parametrize(("rejects", "word"), [(0, "rejects"), (1, "reject"), (2, "rejects")])
def test_one_reject_is_one(rejects: int, word: str) -> None:
    """The word follows the number."""
    assert any(line.endswith(f" {rejects} {word}") for line in shown(picture(rejects), 100))
