"""Alert conditions with durations: pending, firing, kept firing and silent, from samples and timers alone."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.monitor import MonitorState
from engine.times import MINUTE

Phase = Literal["inactive", "pending", "firing"]


class ConditionState(MonitorState, gc=False):
    """What a condition remembers of one series; -1 stands for a time that is not set."""

    last: int = -1
    """Time of the newest sample."""
    value: float = 0.0
    """Its value."""
    true: bool = False
    """Whether the condition was true for it."""
    since: int = -1
    """When the condition became true; set while pending or firing."""
    firing: bool = False
    """Whether the alert fires."""
    until: int = -1
    """Set while the alert fires on after the condition became false: when it ends."""
    grid: int = -1
    """With `every`: the first time of the grid that was not evaluated yet."""

    @property
    def phase(self) -> Phase:
        """Name where the condition is."""
        if self.since < 0:
            return "inactive"
        return "firing" if self.firing else "pending"


class Transition(msgspec.Struct, frozen=True, gc=False):
    """An alert began or ended, and what it was seen by."""

    time: int
    firing: bool
    value: float
    """The value of the newest sample at that time."""
    since: int
    """When the condition had become true."""
    silent: bool = False
    """It ended because no sample came, not because one was false."""


class Condition:
    """Turns samples of one series, each true or false, into the times at which an alert fires and resolves.

    It keeps nothing itself; the caller keeps one `ConditionState` a series and calls `on_timer` at the time that
    `next_timer` names, before any later sample. Without `every` each sample is looked at:

        true     --x---x---x---x------
        false    ------------------x--
        pending    |<-- for -->|
        firing                 |---|        to the false sample, or keep_firing_for longer

    With `every` it looks at a grid of times counted from the first sample, as Prometheus does, and sees at each of
    them only the newest sample.

    >>> condition, state = Condition(for_=10), ConditionState()
    >>> condition.sample(state, 100, true=True, value=7.0), condition.next_timer(state)
    ([], 111)
    >>> condition.on_timer(state, 111)
    [Transition(time=110, firing=True, value=7.0, since=100, silent=False)]
    """

    __slots__ = ("_every", "_for", "_keep", "_stale")

    def __init__(
        self, *, for_: int = 0, keep_firing_for: int = 0, stale_after: int | None = 5 * MINUTE, every: int | None = None
    ) -> None:
        """Take the durations, all in microseconds.

        Args:
            for_: how long the condition has to be true before the alert fires.
            keep_firing_for: how much longer it fires after the condition became false.
            stale_after: how long a sample counts, its end included; None for always.
            every: distance of the grid on which to evaluate; None to look at each sample.
        """
        self._for = for_
        self._keep = keep_firing_for
        self._stale = stale_after
        self._every = every

    def sample(self, state: ConditionState, time: int, *, true: bool, value: float) -> list[Transition]:
        """Take a sample, after what was due before it; one that is older than the newest of its series is left out."""
        if time < state.last:
            return []
        every = self._every
        changes = [] if state.since < 0 and every is None else self.on_timer(state, time)
        state.last = time
        state.value = value
        state.true = true
        if every is not None:
            state.grid = time if state.grid < 0 else max(state.grid, _on_grid(state, time, every))
            return changes
        self._judge(state, time, true=true)
        if not (self._for if true else self._keep):  # else a timer decides, once all samples of its time are there
            changes += self._settle(state, time)
        return changes

    def next_timer(self, state: ConditionState) -> int | None:
        """Say when `on_timer` is wanted: a microsecond after a change, so that the samples of its time come first."""
        change = self._next_change(state)
        return None if change is None else change + 1

    def on_timer(self, state: ConditionState, now: int) -> list[Transition]:
        """Make all changes that are due by a time."""
        changes: list[Transition] = []
        while (change := self._next_change(state)) is not None and change < now:
            changes += self._change(state, change)
        return changes

    def _next_change(self, state: ConditionState) -> int | None:
        """Say when something changes next if no sample comes."""
        if self._every is not None:
            return self._next_on_grid(state, self._every)
        if state.since < 0:
            return None
        if state.until >= 0:
            return state.until
        stale = None if self._stale is None else state.last + self._stale
        return stale if state.firing else _earlier(state.since + self._for, stale)

    def _next_on_grid(self, state: ConditionState, every: int) -> int | None:
        """Say which evaluation changes something next, without walking the grid."""
        point = state.grid
        if point < 0:
            return None
        if not self._sees_true(state, point):
            if state.until >= 0:
                return max(point, _on_grid(state, state.until, every))
            return None if state.since < 0 else point
        if state.since < 0 or state.until >= 0:
            return point
        stale = None if self._stale is None else _on_grid(state, state.last + self._stale + 1, every)
        return stale if state.firing else _earlier(max(point, _on_grid(state, state.since + self._for, every)), stale)

    def _sees_true(self, state: ConditionState, time: int) -> bool:
        """Say whether an evaluation at a time sees a true sample."""
        return state.true and (self._stale is None or time <= state.last + self._stale)

    def _change(self, state: ConditionState, time: int) -> list[Transition]:
        if self._every is not None:
            self._judge(state, time, true=self._sees_true(state, time))
            state.grid = time + self._every
        elif state.until < 0 and (state.firing or time < state.since + self._for):
            self._judge(state, time, true=False)  # the sample has counted for long enough
        return self._settle(state, time)

    def _judge(self, state: ConditionState, time: int, *, true: bool) -> None:
        """Note that the condition is true or false at a time."""
        if true:
            state.until = -1
            if state.since < 0:
                state.since = time
        elif not state.firing:
            state.since = -1
        elif state.until < 0:
            state.until = time + self._keep

    def _settle(self, state: ConditionState, time: int) -> list[Transition]:
        """Begin or end the alert where the condition was true, or false, for long enough."""
        since = state.since
        if since < 0:
            return []
        if not state.firing and time >= since + self._for:
            state.firing = True
            return [Transition(time, firing=True, value=state.value, since=since)]
        if 0 <= state.until <= time:
            state.firing = False
            state.since = state.until = -1
            return [Transition(time, firing=False, value=state.value, since=since, silent=state.true)]
        return []


def _on_grid(state: ConditionState, time: int, every: int) -> int:
    """Give the first time of the grid that is not before a time."""
    return state.grid - (state.grid - time) // every * every


def _earlier(time: int, other: int | None) -> int:
    return time if other is None else min(time, other)
