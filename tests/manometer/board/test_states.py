"""A state holds until the next: also the one from before the time that is shown, from either store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from archiver.sinks.influxdb import InfluxSink
from archiver.sinks.sqlite import SqliteSink
from engine.events import Emission, Metric, Tags
from engine.times import DAY, HOUR, MINUTE, SECOND
from grafana.boards import boards
from manometer.board.answering import Answer, Asker, held
from manometer.board.asking import Frame
from manometer.board.influxdb_reader import InfluxReader
from manometer.board.reading import MOST_LINES, Line, Lines, Reader
from manometer.board.sqlite_reader import SqliteReader
from manometer.cli.catalogue import declared
from tests.services.influxdb import ORG, TOKEN, InfluxDB

END = 1_782_907_200 * SECOND
START = END - 30 * MINUTE


def state(engine: str, time: int, value: float) -> Metric:
    """Make a state of an engine."""
    tags = {"workflow": "w", "monitor": "health", "model": "m", "engine": engine}
    return Metric("engine_state", time, value, Tags(tags))


STATES: Sequence[Emission] = (
    state("before", START - 3 * HOUR, 0.0),
    state("before", START - 2 * HOUR, 2.0),
    state("both", START - HOUR, 1.0),
    state("both", START + 20 * MINUTE, 2.0),
    state("first", START, 1.0),
    state("first", START - SECOND, 2.0),
    state("long-ago", START - DAY - MINUTE, 1.0),
    state("within", START + 10 * MINUTE, 3.0),
)


def asked(reader: Reader, since: int | None = None) -> Answer:
    """Ask for the panel of states over half an hour."""
    (board,) = (one for one in boards(declared()) if one.uid == "manometer-overview")
    ((number, panel),) = [(number, panel) for number, panel in enumerate(board.panels) if panel.kind == "states"]
    frame = Frame(START // 1_000, END // 1_000, 240, (END - START) // 1_000, since)
    return Asker(reader, board.uid, number, panel, ()).answer(frame)


def changes(answer: Answer) -> dict[str, list[Any]]:
    """Give the known states of each line, with minutes since the start."""
    shown = msgspec.to_builtins(answer)
    minutes = [(time - START // 1_000) // 60_000 for time in shown["times"]]
    return {
        line["name"]: [one for one in zip(minutes, line["values"], strict=True) if one[1] is not None]
        for line in shown["lines"]
    }


def test_the_last_state_from_before_is_there(tmp_path: Path, influxdb: InfluxDB) -> None:
    """Each engine has at the start the state that it had then, from a day back at most; both stores say the same."""
    influxdb.bucket("states")
    sqlite, influx = (
        SqliteSink(tmp_path / "store.db"),
        InfluxSink(influxdb.url, org=ORG, bucket="states", token=TOKEN, seconds=60),
    )
    for sink in (sqlite, influx):
        assert not sink.write(STATES)
    one = asked(SqliteReader(tmp_path / "store.db"))
    other = asked(InfluxReader(influxdb.url, bucket="states", token=TOKEN, longest=60))
    sqlite.close()
    influx.close()

    assert changes(one) == {
        "before": [(0, 2.0)],
        "both": [(0, 1.0), (20, 2.0)],
        "first": [(0, 1.0)],
        "within": [(10, 3.0)],
    }
    assert other == one


def test_ends_of_lines_have_no_state_from_before(tmp_path: Path) -> None:
    """What is asked for a tick is not begun anew: the page knows what held."""
    sink = SqliteSink(tmp_path / "store.db")
    sink.write(STATES)
    sink.close()

    found = changes(asked(SqliteReader(tmp_path / "store.db"), END // 1_000 - 900_000))

    assert found == {"both": [(20, 2.0)]}


def test_lines_that_only_had_a_state_before_count() -> None:
    """No more lines than anywhere else, and how many there are."""
    lines = Lines(Line({"engine": f"{number:04}"}, (5,), (1.0,)) for number in range(MOST_LINES))
    before = Lines([Line({"engine": "0000a"}, (1,), (2.0,))])

    found = held(lines, before, 3)

    assert (len(found), found.of) == (MOST_LINES, MOST_LINES + 1)
    assert found[1] == Line({"engine": "0000a"}, (3,), (2.0,))
