"""`health`: states as engines tell them, and silence, which begins and ends on the microsecond."""

from __future__ import annotations

import pytest

from tests.monitors.health_runs import MICRO, brief, followed, health
from tests.monitors.sensor_messages import Item, Tick, Told, config, report, run, state, written


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
