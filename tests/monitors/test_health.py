"""`health`: states as engines tell them, and silence, which begins and ends on the microsecond."""

from __future__ import annotations

from typing import Any

import pytest

from engine.events import Alert, Message, Metric
from engine.partitioner import partition_of
from engine.times import DAY, MINUTE, SECOND
from monitors.health import Health
from tests.monitors.sensor_messages import Item, Ran, Tick, Told, config, pipeline, report, run, state, written

MICRO = 1e-6


def health(**options: Any) -> Health:
    """Make the monitor with options as a workflow file gives them."""
    return Health(Health.Options.model_validate(options))


def followed(*items: Item, **options: Any) -> Ran:
    """Run the monitor over messages."""
    return run(health(**options), items)


def brief(ran: Ran) -> list[tuple[float, str]]:
    """Write all emissions in their order: a state as its number, an alert with a plus or a minus."""
    return [
        (
            item.time / SECOND,
            f"{'+' if item.firing else '-'}{item.name}" if isinstance(item, Alert) else f"{item.value:g}",
        )
        for item in ran.emissions
    ]


@pytest.mark.parametrize(("word", "code"), [("init", 0), ("running", 1), ("error", 2)])
def test_states_are_numbers(word: str, code: float) -> None:
    """Init is 0, running is 1, error is 2."""
    assert followed(state(10, word)).told("engine_state") == [(10, code)]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param(
            [state(10, "running"), state(12, "running")], [(10, 1), (12, 1)], id="each is told, changed or not"
        ),
        pytest.param([state(10, "running"), state(8, "error")], [(10, 1)], id="an older one is left out"),
        pytest.param([state(10, "running"), state(10, "error")], [(10, 1)], id="one of the same time too"),
        pytest.param([state(10, "running"), state(10, "running")], [(10, 1)], id="and one that comes twice"),
        pytest.param([state(10, "paused")], [], id="a state without a number is none"),
        pytest.param(
            [state(10, "running"), state(12, "paused"), state(11, "init")], [(10, 1), (11, 0)], id="nor newer"
        ),
        pytest.param([state(10, "RUNNING"), state(11, "Error"), state(12, " init")], [], id="words are exact"),
        pytest.param(
            [report(10, 1), config(11, "lstm"), written("log", 12, src="e")], [], id="other messages are none"
        ),
    ],
)
def test_each_newer_state_is_told(items: list[Item], expected: list[Told]) -> None:
    """`engine_state` comes at every state message that is newer than the newest and has a number."""
    assert followed(*items).told("engine_state") == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([state(10, "error")], [(10, True)], id="error fires"),
        pytest.param([state(10, "error"), state(11, "error")], [(10, True)], id="once"),
        pytest.param([state(10, "error"), state(11, "running")], [(10, True), (11, False)], id="running resolves"),
        pytest.param([state(10, "error"), state(11, "init")], [(10, True), (11, False)], id="init resolves"),
        pytest.param([state(10, "error"), state(11, "paused")], [(10, True)], id="a state without a number does not"),
        pytest.param([state(10, "error"), state(11, "stopped")], [(10, True)], id="nor does leaving"),
        pytest.param([state(10, "error"), state(9, "running")], [(10, True)], id="nor an older state"),
        pytest.param([state(10, "error"), report(11, 1)], [(10, True)], id="nor a report"),
        pytest.param([state(10, "running"), state(9, "error")], [], id="an older error does not fire"),
        pytest.param([state(10, "running")], [], id="nothing resolves that did not fire"),
    ],
)
def test_error_fires_and_any_other_number_resolves(items: list[Item], expected: list[tuple[float, bool]]) -> None:
    """`EngineError` fires with error and resolves with any other state that has a number."""
    assert followed(*items).alerts("EngineError") == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([report(10, 1), Tick(70 - MICRO)], [], id="a microsecond before it is not silent"),
        pytest.param([report(10, 1), Tick(70)], [(70, True)], id="at silent_after it is"),
        pytest.param([report(10, 1), Tick(1000)], [(70, True)], id="with that time, however far time moves"),
        pytest.param([report(10, 1), report(69, 1), Tick(70)], [], id="a report puts it off"),
        pytest.param([report(10, 1), report(69, 1), Tick(129)], [(129, True)], id="until it is over"),
        pytest.param([report(10, 1), report(5, 1), Tick(70)], [(70, True)], id="a late report does not"),
        pytest.param([report(10, 1), state(60, "paused"), Tick(119)], [], id="any state does"),
        pytest.param([report(10, 1), written("log", 60, src="e"), Tick(119)], [], id="any other message does"),
        pytest.param([report(10, 1), b'{"type": "sensor-report", "src": "e"}', Tick(70)], [(70, True)], id="no reject"),
        pytest.param([report(10, 1), report(60, 1, src="f"), Tick(70)], [(70, True)], id="no other engine"),
        pytest.param([report(10, 1, tap="x.y"), Tick(70)], [(70, True)], id="a tap that nobody knows counts"),
        pytest.param([written("health", 10, src="e"), Tick(70)], [(70, True)], id="and a message that nobody reads"),
        pytest.param([Tick(70)], [], id="who was never seen is not silent"),
    ],
)
def test_silence_begins_on_the_microsecond(items: list[Item], expected: list[tuple[float, bool]]) -> None:
    """`EngineSilent` fires when stream time reaches the newest message of the engine, of any kind, plus 60 s."""
    assert followed(*items).alerts("EngineSilent") == expected


def test_silence_is_a_state_too() -> None:
    """With the alert `engine_state` is 3, and neither comes again while the silence lasts."""
    ran = followed(state(10, "running"), Tick(70), Tick(130), Tick(1000))

    assert brief(ran) == [(10, "1"), (70, "3"), (70, "+EngineSilent")]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([report(70, 1)], [], id="a message at the very time it begins does not"),
        pytest.param([report(50, 1)], [], id="an older one does not"),
        pytest.param(
            [report(70 + MICRO, 1)], [(70 + MICRO, "-EngineSilent"), (70 + MICRO, "1")], id="the next one does"
        ),
        pytest.param([report(80, 1)], [(80, "-EngineSilent"), (80, "1")], id="a report: with the last state"),
        pytest.param([written("log", 80, src="e")], [(80, "-EngineSilent"), (80, "1")], id="any message"),
        pytest.param([state(80, "init")], [(80, "-EngineSilent"), (80, "0")], id="a state: with that"),
        pytest.param([state(80, "paused")], [(80, "-EngineSilent"), (80, "1")], id="a state without number: the last"),
        pytest.param(
            [state(80, "error")], [(80, "-EngineSilent"), (80, "2"), (80, "+EngineError")], id="an error fires as well"
        ),
        pytest.param([b'{"src": "e"}'], [], id="a reject does not"),
        pytest.param([report(80, 1, src="f")], [], id="another engine does not"),
    ],
)
def test_silence_ends_with_a_later_message(items: list[Item], expected: list[tuple[float, str]]) -> None:
    """The first message later than the beginning of the silence ends it at its own time and tells the last state."""
    begun: list[Item] = [state(10, "running"), Tick(75)]

    assert brief(followed(*begun, *items))[len(brief(followed(*begun))) :] == expected


def test_silence_begins_before_the_message_that_ends_it() -> None:
    """A message that comes after a gap finds the engine silent first, at the right time."""
    ran = followed(state(10, "running"), report(100, 1))

    assert brief(ran) == [(10, "1"), (70, "3"), (70, "+EngineSilent"), (100, "-EngineSilent"), (100, "1")]


def test_a_report_ends_a_silence_without_any_state() -> None:
    """An engine that never told a state is silent and comes back, and no state is made up for it."""
    ran = followed(report(10, 1), report(100, 1))

    assert brief(ran) == [(70, "3"), (70, "+EngineSilent"), (100, "-EngineSilent")]


def test_silence_may_come_again() -> None:
    """After the end of a silence the time counts from the message that ended it."""
    ran = followed(report(10, 1), report(100, 1), Tick(160))

    assert ran.alerts("EngineSilent") == [(70, True), (100, False), (160, True)]


@pytest.mark.parametrize("time", [20, 70])
def test_while_silent_an_older_state_is_remembered(time: float) -> None:
    """A state not later than the beginning of the silence is not told, and is told when the engine is back."""
    ran = followed(state(10, "running"), Tick(75), state(time, "init"), report(80, 1))

    assert brief(ran)[3:] == [(80, "-EngineSilent"), (80, "0")]


def test_while_silent_an_older_error_is_remembered() -> None:
    """An error that comes too late to be told fires when the engine is back."""
    ran = followed(state(10, "running"), Tick(75), state(20, "error"), report(80, 1))

    assert brief(ran)[3:] == [(80, "-EngineSilent"), (80, "2"), (80, "+EngineError")]


def test_while_silent_a_state_that_is_not_newer_is_left_out() -> None:
    """What is remembered is the newest state, not the one that came last."""
    ran = followed(state(10, "running"), Tick(75), state(9, "error"), report(80, 1))

    assert brief(ran)[3:] == [(80, "-EngineSilent"), (80, "1")]


def test_silence_does_not_resolve_an_error() -> None:
    """An engine that failed and is silent has both alerts; the error ends with a state that says so."""
    ran = followed(state(10, "error"), report(100, 1), state(110, "running"))

    assert brief(ran) == [
        (10, "2"),
        (10, "+EngineError"),
        (70, "3"),
        (70, "+EngineSilent"),
        (100, "-EngineSilent"),
        (100, "2"),
        (110, "1"),
        (110, "-EngineError"),
    ]


def test_a_message_that_comes_long_after_its_time_is_silent_at_its_time() -> None:
    """An engine whose only message is older than `silent_after` is silent as of then, once time moves on."""
    ran = followed(report(1000, 1, src="f"), state(10, "running"), report(1001, 1, src="f"))

    assert brief(ran) == [(10, "1"), (70, "3"), (70, "+EngineSilent")]


def test_engines_that_are_silent_at_one_time_come_in_their_order() -> None:
    """Timers of one time fire in the order of the series."""
    ran = followed(report(10, 1, src="b"), report(10, 1, src="a"), Tick(70))

    assert [item.tags["engine"] for item in ran.emissions] == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([state(10, "stopped"), Tick(1000)], [], id="neither 3 nor the alert"),
        pytest.param([state(10, "stopped"), report(20, 1), Tick(1000)], [], id="also after a report"),
        pytest.param(
            [state(10, "stopped"), state(20, "paused"), Tick(1000)], [(80, True)], id="another word: it is here"
        ),
        pytest.param([state(10, "stopped"), state(20, "running"), Tick(80)], [(80, True)], id="or a number"),
        pytest.param([state(10, "stopped"), state(9, "running"), Tick(1000)], [], id="but not an older one"),
        pytest.param([state(10, "running"), state(9, "stopped"), Tick(1000)], [(70, True)], id="nor was it then"),
        pytest.param(
            [state(10, "stopped"), Tick(1000), state(1001, "running"), Tick(1061)],
            [(1061, True)],
            id="it may come back",
        ),
        pytest.param([report(10, 1), Tick(75), state(60, "stopped")], [(70, True)], id="once silent it stays silent"),
    ],
)
def test_an_engine_that_leaves_is_not_silent(items: list[Item], expected: list[tuple[float, bool]]) -> None:
    """After the state `stopped` an engine may say nothing for as long as it likes."""
    ran = followed(*items)

    assert ran.alerts("EngineSilent") == expected
    assert (3 in [value for _, value in ran.told("engine_state")]) == bool(expected)


def test_leaving_may_be_any_words() -> None:
    """With `leaving` other states mean it, numbered ones too, and `stopped` does no more."""
    items: list[Item] = [
        state(10, "error", src="a"),
        state(10, "gone", src="b"),
        state(10, "stopped", src="c"),
        Tick(70),
    ]
    ran = run(health(leaving=["error", "gone"]), items)

    assert [item.tags["engine"] for item in ran.emissions if item.name == "EngineSilent"] == ["c"]
    assert ran.told("engine_state", engine="a") == [(10, 2)]


def test_leaving_may_be_nothing() -> None:
    """With an empty list every silence counts."""
    assert followed(state(10, "stopped"), Tick(70), leaving=[]).alerts("EngineSilent") == [(70, True)]


LISTED = {"a": "lstm", "b": "gru"}


def test_expected_engines_count_as_seen_at_the_first_message() -> None:
    """Engines of the workflow file that never say anything are silent from the stream's first message on."""
    items: list[Item] = [report(10, 1, src="a"), report(60, 1, src="a"), Tick(70)]
    ran = run(health(expected=True), items, engines=LISTED)

    assert [(item.time / SECOND, item.name, item.tags["engine"]) for item in ran.emissions] == [
        (70, "engine_state", "b"),
        (70, "EngineSilent", "b"),
    ]
    assert {item.tags["model"] for item in ran.emissions} == {"gru"}


def test_an_expected_engine_that_comes_late_is_back() -> None:
    """Its first message ends the silence like any other."""
    items = [report(10, 1, src="a"), report(80, 1, src="b")]
    ran = run(health(expected=True), items, engines={"b": "gru"})

    assert [item[:2] for item in ran.alerts("EngineSilent") if item[0] != 70] == [(80, False)]
    assert ran.told("engine_state", engine="b") == [(70, 3)]


def test_nobody_is_expected_unless_asked_for() -> None:
    """Without `expected` an engine of the workflow file that was never seen is never silent."""
    ran = run(Health(), [report(10, 1, src="c"), Tick(70)], engines=LISTED)

    assert [item.tags["engine"] for item in ran.emissions if isinstance(item, Alert)] == ["c"]


def test_expected_engines_are_expected_on_their_own_partition() -> None:
    """Where there are several partitions an engine counts as seen only on the one its id falls to."""
    engines = {f"engine-{number}": "m" for number in range(20)}
    found = {}
    for partition in range(3):
        running = pipeline(health(expected=True), engines, partition=partition, partitions=3)
        running.apply("notify", [Message("notify", partition, 0, None, b"x", report(10, 1, src="x"))])
        emissions = running.move({"notify": 70 * SECOND}).emissions
        found[partition] = {item.tags["engine"] for item in emissions if isinstance(item, Metric)} - {"x"}

    assert found == {
        partition: {engine for engine in engines if partition_of(engine, 3) == partition} for partition in range(3)
    }
    assert all(found.values())


def test_other_durations_are_kept_to_the_microsecond() -> None:
    """`silent_after` is any duration."""
    assert followed(report(10, 1), Tick(20), silent_after="1500ms").alerts("EngineSilent") == [(11.5, True)]
    assert Health().silent_after == MINUTE


def test_at_the_end_of_a_replay_silence_needs_another_engine_to_show() -> None:
    """The end of the input moves time by a microsecond and no more: what was not silent by then is not."""
    quiet = run(Health(), [report(10, 1)], end=True)
    shown = run(Health(), [report(10, 1), report(69.999999, 1, src="f")], end=True)

    assert (quiet.alerts("EngineSilent"), shown.alerts("EngineSilent")) == ([], [(70, True)])


def test_alerts_say_what_is_wrong() -> None:
    """Value, severity, summary and runbook are there for the person who reads the alert."""
    ran = followed(state(10, "error"), report(100, 1), state(110, "running"), silent_after="90s")
    found = [
        (item.value, item.severity, item.summary, item.runbook) for item in ran.emissions if isinstance(item, Alert)
    ]

    assert found == [
        (2, "critical", "The engine says that it is in error.", "engine-error"),
        (3, "critical", "Nothing came from the engine for 90s.", "engine-silent"),
        (None, "critical", "The engine is back.", "engine-silent"),
        (1, "critical", "The engine is no longer in error.", "engine-error"),
    ]


def test_a_firing_alert_keeps_the_name_of_its_model() -> None:
    """An alert that fires while the model is renamed ends under its old name; new points have the new one."""
    ran = run(Health(), [config(9, "old"), state(10, "error"), config(11, "new"), state(12, "running")])

    assert [(item.name, item.tags["model"]) for item in ran.emissions] == [
        ("engine_state", "old"),
        ("EngineError", "old"),
        ("engine_state", "new"),
        ("EngineError", "old"),
    ]


def test_an_engine_is_forgotten_after_a_week_but_not_while_an_alert_fires() -> None:
    """One that left is forgotten, one that is silent is not; so who is missing is never lost from sight."""
    items: list[Item] = [state(10, "stopped", src="left"), report(10, 1, src="silent"), Tick(10 + 8 * DAY / SECOND)]
    ran = run(Health(), items)

    assert ran.pipeline.series == {"m": 1}
    assert [item.tags["engine"] for item in ran.emissions if isinstance(item, Alert)] == ["silent"]
