"""What fires is told again at each multiple of `repeat`, but never in the place of its own beginning."""

from __future__ import annotations

from engine.events import Alert
from engine.testing import plan_of, report
from engine.times import SECOND
from monitors.health import Health
from tests.engine.runs import COUNT, Runner, given


def test_an_alert_that_begins_at_a_repeat_is_told_once_there() -> None:
    """Stores keep one of a name, tags and time: a repeat at the same time would take the change out of the history."""
    plan = plan_of(Health(Health.Options(silent_after="50s")), repeat=60 * SECOND)  # type: ignore[arg-type]  # as text
    runner = Runner(lambda: plan)
    runner.take([given(0, report("gone", COUNT, 1), at=10)])
    for number, at in enumerate((40, 80, 120, 130), start=1):
        runner.take([given(number, report("here", COUNT, 1), at=at)])

    told = [one for one in runner.came.emissions if isinstance(one, Alert) and one.tags["engine"] == "gone"]
    assert [(one.time // SECOND, one.repeat) for one in told] == [(60, False), (120, True)]
