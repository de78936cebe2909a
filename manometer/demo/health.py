"""From the points of `engine_state` to how an engine was over the day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from engine.times import MINUTE
from manometer.demo.curves import MINUTES, parted
from manometer.demo.report import Health

STATES: Final = ("init", "running", "error", "silent")
"""Names of the values of `engine_state`."""
NONE: Final = "none"
"""Nothing was heard of the engine."""
_WORST: Final = {"none": 0, "running": 1, "init": 2, "silent": 3, "error": 4}


def health(engine: str, points: Iterable[tuple[int, float]], reported: Iterable[int], *, begin: int) -> Health:
    """Tell how an engine was.

    An engine that leaves in order is neither in error nor silent; it is seen by what it reports no more.

    Args:
        engine: its id.
        points: times and values of its state.
        reported: times of its other metrics.
        begin: when the day began.
    """
    changes = sorted((time - begin, STATES[int(value)]) for time, value in points if 0 <= value < len(STATES))
    heard = sorted(time - begin for time in reported)
    minutes = {time // MINUTE for time in heard}
    states = [_seen(state, minute, minutes) for minute, state in enumerate(_worst_of_minutes(changes))]
    return Health(
        engine=engine,
        state="left" if states[-1] == NONE else states[-1],
        running=_running(changes, max([*heard[-1:], *(time for time, _ in changes[-1:])], default=0)),
        states=states,
    )


def _running(changes: Sequence[tuple[int, str]], until: int) -> float:
    """Give the share of running from the first state to the last word."""
    ends = [time for time, _ in changes[1:]] + [until]
    running = sum(end - time for (time, state), end in zip(changes, ends, strict=bool(changes)) if state == "running")
    return running / (until - changes[0][0]) if changes and until > changes[0][0] else 0.0


def _seen(state: str, minute: int, heard: set[int]) -> str:
    """Give the state of a minute, or none where it is only remembered: reports come at least once in two minutes."""
    if state not in {"running", "init"} or not heard.isdisjoint((minute - 1, minute, minute + 1)):
        return state
    return NONE


def _worst_of_minutes(changes: Sequence[tuple[int, str]]) -> list[str]:
    """Let each state hold until the next, and give the worst of each minute."""
    states = [NONE] * MINUTES
    ends = [time for time, _ in changes[1:]] + [MINUTES * MINUTE]
    for (time, state), end in zip(changes, ends, strict=True):
        for minute in range(max(0, time // MINUTE), min(MINUTES, -(-end // MINUTE))):
            states[minute] = worst((states[minute], state))
    return states


def worst(states: Iterable[str]) -> str:
    """Give the state that a person would want to see first.

    >>> worst(["running", "error", "silent"])
    'error'
    """
    return max(states, key=_WORST.__getitem__)


def in_columns(states: Sequence[str], columns: int) -> list[str]:
    """Give the worst state of each column of a strip."""
    return [worst(part) for part in parted(states, columns)]
