"""Conditions with durations: when alerts fire and resolve, to the microsecond, and that no cut changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alert_state import Condition, ConditionState, Transition
from engine.times import DAY, MINUTE

Samples = Sequence[tuple[int, bool]]
Table = dict[str, tuple[dict[str, Any], str, int, str]]
"""Name of the case -> durations, samples, where time ends, transitions."""
YEAR: Final = 365 * DAY


def run(condition: Condition, samples: Samples, end: int, cut: Callable[[], bool] = lambda: False) -> list[Transition]:
    """Feed samples, each after the timers that are due by its time, then move time to the end.

    Where `cut` says so, the state goes through its saved form before the next step.
    """
    state = ConditionState()
    seen: list[Transition] = []
    for time, true in [*samples, (end, None)]:
        while (due := condition.next_timer(state)) is not None and due <= time:
            state = _saved(state) if cut() else state
            seen += condition.on_timer(state, due)
        state = _saved(state) if cut() else state
        if true is not None:
            seen += condition.sample(state, time, true=true, value=time / 8)
    return seen


def _saved(state: ConditionState) -> ConditionState:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=ConditionState)


def brief(transitions: Iterable[Transition]) -> str:
    """Write transitions as the tables do: a plus where it fires, a minus where it resolves, then the time."""
    return " ".join(f"{'+' if item.firing else '-'}{item.time}" for item in transitions)


def read(samples: str) -> Samples:
    """Read samples as the tables write them: the time, then T or F."""
    return [(int(text[:-1]), text[-1] == "T") for text in samples.split()]


BY_SAMPLES: Final[Table] = {
    "without for it fires at the sample": ({}, "5T", 5, "+5"),
    "a false sample resolves": ({}, "5T 7T 9F", 9, "+5 -9"),
    "equal times are taken in order": ({}, "5T 5F", 5, "+5 -5"),
    "an older sample is left out": ({}, "5F 4T", 9, ""),
    "at since + for the samples of that time may still come": ({"for_": 10}, "5T", 15, ""),
    "a microsecond after since + for it fires": ({"for_": 10}, "5T", 16, "+15"),
    "false just before since + for: pending drops": ({"for_": 10}, "5T 14F", 99, ""),
    "false exactly at since + for: pending drops": ({"for_": 10}, "5T 15F", 99, ""),
    "false just after: it fired": ({"for_": 10}, "5T 16F", 99, "+15 -16"),
    "the last sample of that time decides": ({"for_": 10}, "5T 15T 15F", 99, ""),
    "a false sample starts anew": ({"for_": 10}, "5T 9F 10T 21T", 21, "+20"),
    "stale before since + for: pending drops": ({"for_": 10, "stale_after": 9}, "5T", 99, ""),
    "at the same time: for": ({"for_": 10, "stale_after": 10}, "5T", 99, "+15 -15"),
    "a sample counts to its end": ({"for_": 10, "stale_after": 9}, "5T 14T", 23, "+15"),
    "stale: it resolves where the sample stopped to count": ({"for_": 10, "stale_after": 9}, "5T 14T", 24, "+15 -23"),
    "samples in time go on": ({"stale_after": 9}, "5T 14T 22T", 31, "+5"),
    "off: a sample counts for ever": ({"stale_after": None}, "5T", 900 * DAY, "+5"),
    "five minutes are the default, inclusive": ({}, "0T", 5 * MINUTE, "+0"),
    "five minutes and a microsecond": ({}, "0T", 5 * MINUTE + 1, f"+0 -{5 * MINUTE}"),
    "kept firing, its end included": ({"keep_firing_for": 10}, "5T 6F 7F", 16, "+5"),
    "kept from the first false sample": ({"keep_firing_for": 10}, "5T 6F 9F", 17, "+5 -16"),
    "true at the very end keeps it": ({"keep_firing_for": 10}, "5T 6F 16T", 99, "+5"),
    "the last sample at the very end decides": ({"keep_firing_for": 10}, "5T 6F 16F 16T", 99, "+5"),
    "true after the end fires anew": ({"keep_firing_for": 10}, "5T 6F 17T", 99, "+5 -16 +17"),
    "true in between counts anew": ({"keep_firing_for": 10}, "5T 6F 8T 9F", 99, "+5 -19"),
    "kept after the sample stopped to count": ({"keep_firing_for": 10, "stale_after": 4}, "5T", 99, "+5 -19"),
    "pending is not kept": ({"for_": 10, "keep_firing_for": 10, "stale_after": None}, "5T 8F 9T", 19, ""),
}


@pytest.mark.parametrize(("durations", "samples", "end", "expected"), BY_SAMPLES.values(), ids=BY_SAMPLES)
def test_each_sample_is_looked_at(durations: dict[str, Any], samples: str, end: int, expected: str) -> None:
    """Without `every` the alert fires and resolves at the samples, or exactly where a duration ends."""
    assert brief(run(Condition(**durations), read(samples), end)) == expected


ON_GRID: Final[Table] = {
    "the samples of the first time may still come": ({}, "5T", 5, ""),
    "the first sample's time is on the grid": ({}, "5T", 6, "+5"),
    "only the newest sample of a time is seen": ({}, "5T 5F", 99, ""),
    "true between two evaluations is not seen": ({}, "5F 6T 14F", 99, ""),
    "only evaluations fire and resolve": ({}, "5F 6T 16F", 99, "+15 -25"),
    "for, before the second evaluation": ({"for_": 10}, "5T 15T", 15, ""),
    "for, at the second evaluation": ({"for_": 10}, "5T 15T", 16, "+15"),
    "for ends between two evaluations": ({"for_": 11}, "5T", 99, "+25"),
    "false in between is not seen": ({"for_": 20}, "5T 6F 14T", 99, "+25"),
    "false on the grid is": ({"for_": 20}, "5T 15F 16T", 99, "+45"),
    "visible to the end of stale_after": ({"stale_after": 10}, "5T", 25, "+5"),
    "resolved where it is not visible": ({"stale_after": 10}, "5T", 26, "+5 -25"),
    "not visible at the next evaluation": ({"stale_after": 9}, "5T", 99, "+5 -15"),
    "pending drops where it is not visible": ({"for_": 20, "stale_after": 10}, "5T", 99, ""),
    "kept from the first false evaluation": ({"keep_firing_for": 20}, "5T 6F", 99, "+5 -35"),
    "kept to the first evaluation that is not earlier": ({"keep_firing_for": 11}, "5T 6F", 99, "+5 -35"),
    "true at the evaluation that would end it": ({"keep_firing_for": 20}, "5T 6F 35T", 99, "+5"),
    "true between two evaluations does not count anew": ({"keep_firing_for": 20}, "5T 6F 16T 17F", 99, "+5 -35"),
    "years between two samples": (
        {"stale_after": 10},
        f"5F {40 * YEAR + 7}T",
        50 * YEAR,
        f"+{40 * YEAR + 15} -{40 * YEAR + 25}",
    ),
}


@pytest.mark.parametrize(("durations", "samples", "end", "expected"), ON_GRID.values(), ids=ON_GRID)
def test_a_grid_is_evaluated(durations: dict[str, Any], samples: str, end: int, expected: str) -> None:
    """With `every` (10 here) nothing counts but what the evaluations see, and all times lie on the grid."""
    assert brief(run(Condition(**{"stale_after": None, **durations}, every=10), read(samples), end)) == expected


def test_a_transition_says_what_made_it() -> None:
    """The value is that of the newest sample, `since` is when it began, and an end without a false sample is silent."""
    condition = Condition(for_=10, stale_after=20)

    seen = run(condition, read("8T 16T 24F 32T 40T"), 99)

    assert seen == [
        Transition(18, firing=True, value=2.0, since=8),
        Transition(24, firing=False, value=3.0, since=8),
        Transition(42, firing=True, value=5.0, since=32),
        Transition(60, firing=False, value=5.0, since=32, silent=True),
    ]


def test_phases_are_named() -> None:
    """A condition is inactive, then pending, then firing, and firing while it is kept."""
    condition, state = Condition(for_=10, keep_firing_for=10), ConditionState()
    phases = [state.phase]

    for time, true in read("0T 11T 12F 23F"):
        condition.sample(state, time, true=true, value=0.0)
        phases.append(state.phase)

    assert phases == ["inactive", "pending", "firing", "firing", "inactive"]


def test_a_sample_makes_what_was_due_before_it() -> None:
    """A sample that comes before an overdue timer was called still finds the alert as it was at its time."""
    condition, state = Condition(for_=10, stale_after=None), ConditionState()
    condition.sample(state, 0, true=True, value=1.0)

    seen = condition.sample(state, 50, true=False, value=0.0)

    assert brief(seen) == "+10 -50"


def test_time_without_change_has_no_timers() -> None:
    """While nothing can change no timer is asked for, so years on a grid of milliseconds cost nothing."""
    condition, state = Condition(for_=DAY, stale_after=None, every=1000), ConditionState()
    condition.sample(state, 0, true=False, value=0.0)
    quiet = condition.next_timer(state)
    condition.sample(state, 9000 * DAY, true=True, value=1.0)
    timers = []
    while (due := condition.next_timer(state)) is not None:
        timers.append(due)
        condition.on_timer(state, due)

    assert quiet is None
    assert timers == [9000 * DAY + 1, 9001 * DAY + 1]


DURATION = st.integers(0, 12)
OPTIONAL = st.none() | DURATION
EVERY = st.integers(1, 15)
UNSORTED = st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=25)
SAMPLES = UNSORTED.map(lambda samples: sorted(samples, key=lambda sample: sample[0]))
CONDITIONS = st.builds(
    Condition, for_=DURATION, keep_firing_for=DURATION, stale_after=OPTIONAL, every=st.none() | EVERY
)
END = 100


@given(SAMPLES, DURATION, DURATION, OPTIONAL)
def test_samples_agree_with_a_walk_over_every_time(samples: Samples, for_: int, keep: int, stale: int | None) -> None:
    """Timers give the same as looking at the state after the samples of each single microsecond."""
    condition = Condition(for_=for_, keep_firing_for=keep, stale_after=stale)

    assert brief(run(condition, samples, END)) == walk(samples, for_, keep, stale)


def walk(samples: Samples, for_: int, keep: int, stale: int | None) -> str:
    """Decide by walking over every microsecond."""
    walker = Walker(for_, keep, stale)
    for now in range(END):
        for time, true in samples:
            if time == now:
                walker.sample(now, true=true)
        walker.after_samples(now)
    return " ".join(walker.seen)


class Walker:
    """The rules in words: since when true, since when no longer true, and how long that has been."""

    def __init__(self, for_: int, keep: int, stale: int | None) -> None:
        self.for_, self.keep, self.stale = for_, keep, stale
        self.seen: list[str] = []
        self.firing = False
        self.begun: int | None = None
        self.ended: int | None = None
        self.last = 0

    def sample(self, now: int, *, true: bool) -> None:
        """Take one sample; where there is nothing to wait for it decides at once."""
        self.last = now
        if true:
            self.begun, self.ended = (now if self.begun is None else self.begun), None
        else:
            self.no_longer_true(now)
        if (self.for_ if true else self.keep) == 0:
            self.decide(now)

    def after_samples(self, now: int) -> None:
        """Look at the clock when all samples of a time were taken."""
        self.decide(now)
        counts = self.begun is not None and self.ended is None
        if counts and self.stale is not None and now >= self.last + self.stale:
            self.no_longer_true(now)
            self.decide(now)

    def no_longer_true(self, now: int) -> None:
        """Pending drops, firing begins to end."""
        if not self.firing:
            self.begun = None
        elif self.ended is None:
            self.ended = now

    def decide(self, now: int) -> None:
        """Fire, and resolve, where it has been long enough."""
        if not self.firing and self.begun is not None and now - self.begun >= self.for_:
            self.firing = True
            self.seen.append(f"+{now}")
        if self.firing and self.ended is not None and now - self.ended >= self.keep:
            self.firing, self.begun, self.ended = False, None, None
            self.seen.append(f"-{now}")


@given(SAMPLES, DURATION, DURATION, OPTIONAL, EVERY)
def test_a_grid_agrees_with_prometheus_rule(
    samples: Samples, for_: int, keep: int, stale: int | None, every: int
) -> None:
    """Timers give the same as evaluating every time of the grid by the rule of Prometheus."""
    condition = Condition(for_=for_, keep_firing_for=keep, stale_after=stale, every=every)

    assert brief(run(condition, samples, END)) == evaluate(samples, for_, keep, stale, every)


def evaluate(samples: Samples, for_: int, keep: int, stale: int | None, every: int) -> str:
    """Decide by evaluating the whole grid."""
    seen: list[str] = []
    active: int | None = None
    kept: int | None = None
    firing = False
    for now in range(samples[0][0] if samples else END, END, every):
        time, true = [sample for sample in samples if sample[0] <= now][-1]
        if true and (stale is None or now - time <= stale):
            kept = None
            active = now if active is None else active
            if not firing and now - active >= for_:
                firing = True
                seen.append(f"+{now}")
            continue
        if firing and kept is None:
            kept = now
        if firing and kept is not None and now - kept < keep:
            continue
        if firing:
            seen.append(f"-{now}")
        active, kept, firing = None, None, False
    return " ".join(seen)


@given(CONDITIONS, SAMPLES, st.data())
def test_any_cut_gives_the_same(condition: Condition, samples: Samples, data: st.DataObject) -> None:
    """A state that is saved and restored between any two steps goes on as if nothing had been."""
    cut = run(condition, samples, END, lambda: data.draw(st.booleans()))

    assert cut == run(condition, samples, END)


@given(CONDITIONS, UNSORTED)
def test_samples_out_of_order_are_left_out(condition: Condition, samples: list[tuple[int, bool]]) -> None:
    """A sample older than the newest changes nothing: the same as without it."""
    kept = [sample for place, sample in enumerate(samples) if sample[0] >= max(samples[:place], default=sample)[0]]

    assert run(condition, samples, END) == run(condition, kept, END)
