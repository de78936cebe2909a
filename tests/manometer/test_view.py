"""The view of a running workflow: what it says, and that it fits every terminal."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import ManualClock
from engine.embedded.view import Watch
from engine.events import Alert, Emission, Metric, Tags
from engine.plan import Plan
from engine.telemetry import (
    CHECKPOINT_SECONDS,
    CHECKPOINTS,
    MESSAGES,
    MONITOR_ERRORS,
    MONITOR_SECONDS,
    WAITING,
    Reading,
)
from engine.times import SECOND
from engine.workflow import load
from manometer.demo.charts import ASCII, UNICODE
from manometer.resources import resource
from manometer.view.drawing import Sheet, draw
from manometer.view.picture import EngineSeen, Picture, look
from manometer.view.tracks import KEPT, Tracks

BEGIN = 1_000 * SECOND


class Seen:
    """A workflow that is looked at, its clock moved by hand."""

    def __init__(self) -> None:
        """Begin at a time with nothing seen."""
        self.clock = ManualClock(BEGIN)
        self.plan: Plan = load(resource("workflows/demo.yaml"))
        self._watch = Watch(self.plan, self.clock)
        self._tracks = Tracks()
        self.telemetry: list[Reading] = []

    def take(self, *emissions: Emission, **counts: int) -> None:
        """Let a checkpoint be written with these emissions and messages of streams."""
        self._watch.take(counts, emissions, 0)

    def look(self, seconds: float = 0.0) -> Picture:
        """Move the clock, then look."""
        self.clock.advance(round(seconds * SECOND))
        view = self._watch.view({})
        self._tracks.take(view, self.telemetry)
        return look(self.plan, view, self.telemetry, self._tracks)


def metric(name: str, value: float, seconds: float, **tags: str) -> Metric:
    """Make a metric of the workflow, so many seconds after the begin."""
    whole = {"workflow": "demo", "monitor": "m", "model": "taxi-demand", **tags}
    return Metric(name, BEGIN + round(seconds * SECOND), value, shared(tuple(whole.items())))


@cache
def shared(tags: tuple[tuple[str, str], ...]) -> Tags:
    """Give the one object that the tags of a series are, as the engine does."""
    return Tags(dict(tags))


def alert(name: str, seconds: float, *, firing: bool, engine: str = "e1") -> Alert:
    """Make an alert."""
    tags = Tags({"workflow": "demo", "monitor": "health", "model": "taxi-demand", "engine": engine})
    return Alert(
        name, BEGIN + round(seconds * SECOND), firing, "critical", None, "Something is wrong with it.", tags=tags
    )


def report(engine: str, seconds: float, rate: float) -> list[Emission]:
    """Make what the monitors emit for one look at an engine."""
    return [
        metric("records_per_second", rate, seconds, engine=engine, slot="0"),
        metric("records_per_second", 99.0, seconds, engine=engine, slot="1"),
        metric("records_total", 10 * seconds, seconds, engine=engine, slot="0"),
        metric("records_rejected_total", 2.0, seconds, engine=engine, slot="0", reason="schema"),
        metric("records_rejected_total", 1.0, seconds, engine=engine, slot="0", reason="encoding"),
        metric("cpu_utilization", 0.25, seconds, engine=engine),
        metric("memory_bytes", 41.8e6, seconds, engine=engine),
        metric("engine_state", 1.0, 0.0, engine=engine),
    ]


def lines(picture: Picture, width: int = 80, height: int = 40) -> list[str]:
    """Draw without colours."""
    return [line.plain for line in draw(picture, Sheet(width, UNICODE), height)]


def test_an_engine_is_one_line_with_its_first_slot() -> None:
    """Rate, records and history are those of slot 0, rejects of all reasons together."""
    seen = Seen()
    seen.take(*report("e1", 1.0, 5.0))
    seen.look(1.0)
    seen.take(*report("e1", 2.0, 7.0))

    (engine,) = seen.look(1.0).engines

    assert engine == EngineSeen(
        name="e1",
        model="taxi-demand",
        state="running",
        rate=7.0,
        rates=[5.0, 7.0],
        records=20.0,
        rejected=3.0,
        cpu=0.25,
        memory=41.8e6,
    )
    shown = next(line for line in lines(seen.look()) if line.startswith(" e1"))
    assert shown.split() == ["e1", "running", "7.00", "▆█", "20", "3", "25%", "41.8", "MB"]


@pytest.mark.parametrize(
    ("told", "after", "state"),
    [(0, 1.0, "init"), (1, 5.0, "running"), (1, 6.5, "left"), (2, 60.0, "error"), (3, 60.0, "silent")],
)
def test_the_state_is_what_was_told_or_left(told: int, after: float, state: str) -> None:
    """An engine that runs and is not heard for as long as the workflow allows, and is not silent, has left."""
    seen = Seen()
    seen.take(metric("engine_state", float(told), 0.0, engine="e1"), metric("cpu_utilization", 0.1, 1.0, engine="e1"))

    (engine,) = seen.look(after).engines

    assert engine.state == state


def test_an_engine_whose_model_was_renamed_is_one_line() -> None:
    """The old series with the old name of the model does not count any more."""
    seen = Seen()
    seen.take(metric("records_total", 5.0, 1.0, engine="e1", slot="0", model="e1"))
    seen.take(metric("records_total", 6.0, 2.0, engine="e1", slot="0", model="taxi-demand"))

    (engine,) = seen.look().engines

    assert (engine.model, engine.records) == ("taxi-demand", 6.0)


def test_a_repeat_is_no_sign_of_life() -> None:
    """A state that is only told again does not make an engine look as if it were heard."""
    seen = Seen()
    again = metric("engine_state", 1.0, 300.0, engine="e1")
    again.repeat = True
    seen.take(metric("cpu_utilization", 0.1, 1.0, engine="e1"), again)

    (engine,) = seen.look(301.0).engines

    assert engine.state == "left"


def test_a_stream_shows_rate_messages_and_rejects() -> None:
    """Messages a second are sampled once a second; rejects are those of the group with the stream's name."""
    seen = Seen()
    seen.telemetry = [
        Reading(MESSAGES, 3, {"group": "inputs", "partition": "0", "outcome": "undecodable"}),
        Reading(MESSAGES, 8, {"group": "inputs", "partition": "0", "outcome": "applied"}),
    ]
    seen.look()
    seen.take(inputs=10)
    seen.look(1.0)
    seen.take(inputs=30)

    inputs = next(stream for stream in seen.look(1.0).streams if stream.name == "inputs")

    assert (inputs.messages, inputs.rejects, list(inputs.rates)) == (40, 3, [10.0, 30.0])


def test_alerts_that_fire_and_their_history_are_shown_newest_first() -> None:
    """What fires is above, with how long it does; what fired and resolved is below."""
    seen = Seen()
    seen.take(alert("EngineError", 1, firing=True), alert("EngineSilent", 2, firing=True, engine="e2"))
    seen.take(alert("EngineError", 4, firing=False))

    picture = seen.look(14.0)

    assert [one.name for one in picture.firing] == ["EngineSilent"]
    assert [(one.name, one.firing) for one in picture.changes] == [
        ("EngineError", False),
        ("EngineSilent", True),
        ("EngineError", True),
    ]
    shown = lines(picture)
    assert any(line.split()[:4] == ["critical", "EngineSilent", "e2", "12s"] for line in shown)
    assert any("resolved EngineError" in line for line in shown)


def test_telemetry_tells_checkpoints_and_the_time_and_errors_of_monitors() -> None:
    """The age is that of the last checkpoint, the time that of the last seconds; monitors that fail come first."""
    seen = Seen()

    def told(checkpoints: int, seconds: float) -> list[Reading]:
        return [
            Reading(CHECKPOINTS, checkpoints, {}),
            Reading(CHECKPOINT_SECONDS, checkpoints * 0.004, {}),
            Reading(WAITING, 7, {}),
            Reading(MONITOR_SECONDS, seconds, {"of": "health"}),
            Reading(MONITOR_ERRORS, 2, {"group": "notify", "partition": "0", "of": "throughput"}),
        ]

    seen.telemetry = told(1, 1.0)
    seen.look()
    seen.telemetry = told(5, 1.02)
    seen.look(2.0)
    own = seen.look(3.0).telemetry

    assert own.checkpoint_seconds == pytest.approx(0.004)
    assert (own.checkpoint_age, own.waiting) == (3.0, 7)
    assert [(one.name, one.errors) for one in own.monitors[:2]] == [("throughput", 2), ("health", 0)]
    assert own.monitors[1].busy == pytest.approx(0.02 / 5)
    assert "throughput 0.0 ms/s 2 errors, health 4.0 ms/s" in "\n".join(lines(seen.look()))


def test_numbers_of_other_monitors_are_shown_too() -> None:
    """A metric that belongs to no engine, or that is none of its usual ones, is a number of its own."""
    seen = Seen()
    seen.take(metric("stream_delay_seconds", 0.5, 1.0, stream="inputs"), metric("drift_score", 2.5, 1.0, engine="e1"))

    picture = seen.look()

    assert [(one.name, one.whose, one.value) for one in picture.numbers] == [
        ("drift_score", "e1", 2.5),
        ("stream_delay_seconds", "inputs", 0.5),
    ]


def test_what_another_workflow_emits_is_not_shown() -> None:
    """The own telemetry, which is of the workflow `manometer`, makes no line of its own."""
    seen = Seen()
    seen.take(Metric("emissions_total", BEGIN, 1.0, Tags({"workflow": "manometer", "process": "p"})))

    assert seen.look().numbers == []


def test_a_terminal_that_is_too_small_shows_trouble_first() -> None:
    """Of many engines those in error and silent come first, and the rest is counted."""
    seen = Seen()
    for number in range(200):
        state = {7: 2.0, 150: 3.0}.get(number, 1.0)
        seen.take(metric("engine_state", state, 1.0, engine=f"e{number:03}"))

    shown = lines(seen.look(2.0), height=24)

    assert len(shown) <= 24
    places = [place for place, line in enumerate(shown) if line.startswith((" e007", " e150"))]
    assert [shown[place].split()[:2] for place in places] == [["e007", "error"], ["e150", "silent"]]
    assert any("engines more" in line for line in shown)


def busy_picture(engines: int, alerts: int) -> Picture:
    """Make a picture with a lot in it."""
    seen = Seen()
    seen.take(*(one for n in range(engines) for one in report(f"engine-with-a-long-name-{n}", 1.0, 1e6 / (n + 1))))
    seen.take(*(alert("SomethingIsVeryWrongHere", n, firing=True, engine=f"e{n}") for n in range(alerts)))
    return seen.look(2.0)


@given(st.integers(40, 200), st.integers(10, 80), st.sampled_from([busy_picture(3, 0), busy_picture(60, 30)]))
def test_it_fits_every_terminal(width: int, height: int, picture: Picture) -> None:
    """No line is longer than the terminal and there are no more of them, in any size, with either set of characters."""
    for glyphs in (UNICODE, ASCII):
        drawn = draw(picture, Sheet(width, glyphs), height)

        assert len(drawn) <= height
        assert max(line.cell_len for line in drawn) < max(width, 41)


def test_tracks_are_bounded_and_forget_what_is_gone() -> None:
    """A series keeps so many values, and nothing once the view no longer has it."""
    tracks, seen = Tracks(), Seen()
    for second in range(2 * KEPT):
        seen.take(metric("drift_score", float(second), float(second), engine="e1"))
        tracks.take(seen._watch.view({}), [])
    score = metric("drift_score", 0.0, 0.0, engine="e1")

    assert tracks.values(score) == [float(second) for second in range(KEPT, 2 * KEPT)]
    tracks.take(Seen()._watch.view({}), [])
    assert tracks.values(score) == []


def test_nothing_seen_is_drawn_too() -> None:
    """Before the first message there is a picture that says so."""
    shown = "\n".join(lines(Seen().look()))

    assert "nothing was heard of an engine yet" in shown
    assert "no alert fires" in shown
    assert "checkpoint none yet" in shown
