"""Runs of pipelines over messages: whole, in batches, and cut and resumed as a store would do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from engine.events import Emission, Message, Reject, encode_lines
from engine.memory import Memory
from engine.outcome import Counts, Outcome
from engine.pipeline import Pipeline
from engine.plan import Plan
from engine.testing import plan_of
from engine.testing.values import message
from engine.times import SECOND, time_text

STREAM: Final = "given"
"""The stream of the plans that `engine.testing.plan_of` makes."""
END: Final = "end"
COUNT: Final = "manifold.0.records.count"
Saved = dict[tuple[int, bytes], bytes]
"""A store of states: the last record of each partition and name."""


class Sent(NamedTuple):
    """A message on a stream."""

    stream: str
    message: Message


class Tick(NamedTuple):
    """The time of a stream moves to these microseconds without a message."""

    stream: str
    time: int


Item = Sent | Tick | str


def sent(values: Sequence[bytes | None], *, stream: str = STREAM, at: int | None = None) -> list[Sent]:
    """Put values on a stream of one partition, one offset after the other, each written at a message time."""
    return [Sent(stream, Message(stream, 0, offset, at, None, value)) for offset, value in enumerate(values)]


def to_the_end(items: Sequence[Item]) -> list[Item]:
    """Let all inputs end after these items."""
    return [*items, END]


class Came(NamedTuple):
    """What came of a run."""

    emissions: list[Emission]
    rejects: list[Reject]

    @property
    def lines(self) -> list[str]:
        """The emissions as they are written."""
        return encode_lines(self.emissions).decode().splitlines()

    @property
    def reasons(self) -> list[dict[str, str]]:
        """The headers of the rejects, by partition, offset and monitor."""
        return sorted((one.headers() for one in self.rejects), key=lambda one: sorted(one.items()))

    def take(self, outcome: Outcome) -> None:
        """Add what a call gave; each emission has a cause."""
        assert len(outcome.emissions) == len(outcome.causes)
        self.emissions.extend(outcome.emissions)
        self.rejects.extend(outcome.rejects)

    def named(self, name: str) -> list[Emission]:
        """Give the metrics or alerts of a name, without repeats."""
        return [item for item in self.emissions if item.name == name and not item.repeat]


class Runner:
    """One process after the other over a plan, with a store of states that survives them."""

    def __init__(self, make: Callable[[], Plan], partitions: dict[str, int] | None = None) -> None:
        """Begin with an empty store; each process makes its own plan, as it reads its own workflow file."""
        self._make = make
        self._partitions = partitions
        self.saved: Saved = {}
        self.came = Came([], [])
        self.memory = Memory(make(), partitions)

    def take(self, items: Sequence[Item]) -> None:
        """Apply messages of one stream in one call, or move time."""
        first = items[0]
        if isinstance(first, Sent):
            assert all(isinstance(item, Sent) and item.stream == first.stream for item in items)
            messages = [item.message for item in items if isinstance(item, Sent)]
            self.came.take(self.memory.apply(first.stream, messages))
        elif isinstance(first, Tick):
            self.came.take(self.memory.move(first.stream, first.time))
        else:
            self.came.take(self.memory.end())

    def save(self) -> None:
        """Put what changed into the store."""
        for partition, name, data in self.memory.snapshot():
            if data is None:
                self.saved.pop((partition, name), None)
            else:
                self.saved[partition, name] = data

    def resume(self) -> None:
        """Begin a new process from the store."""
        self.memory = Memory(self._make(), self._partitions)
        self.memory.restore((partition, name, data) for (partition, name), data in self.saved.items())

    @property
    def counts(self) -> Counts:
        """What the first pipeline of the process has counted."""
        return self.memory.pipelines[0].counts


def batches(items: Sequence[Item], sizes: Callable[[], int]) -> list[list[Item]]:
    """Cut items into calls: messages of one stream together, as many as `sizes` says."""
    calls: list[list[Item]] = []
    room = 0
    for item in items:
        last = calls[-1][-1] if calls else None
        joins = isinstance(item, Sent) and isinstance(last, Sent) and item.stream == last.stream
        if joins and room > 0:
            calls[-1].append(item)
            room -= 1
        else:
            calls.append([item])
            room = sizes() - 1
    return calls


def whole(make: Callable[[], Plan], items: Sequence[Item], *, size: int = 1_000_000, **parts: Any) -> Came:
    """Run everything in one process."""
    runner = Runner(make, **parts)
    for call in batches(items, lambda: size):
        runner.take(call)
    return runner.came


def cut_at_each(make: Callable[[], Plan], items: Sequence[Item], *, every: int = 1, **parts: Any) -> Came:
    """Run item by item; after each `every`-th of them the states are saved and a new process begins from them."""
    runner = Runner(make, **parts)
    for place, item in enumerate(items):
        runner.take([item])
        if place % every == 0:
            runner.save()
            runner.resume()
    return runner.came


def same(found: Came, expected: Came) -> None:
    """Check that two runs gave the same emissions in the same order, and the same rejects."""
    got, wanted = found.lines, expected.lines
    first = next((n for n, (one, other) in enumerate(zip(got, wanted, strict=False)) if one != other), -1)
    assert got == wanted, f"line {first}: expected {wanted[first]}, got {got[first]}"
    assert found.reasons == expected.reasons


def given(offset: int, value: dict[str, Any], *, at: float = 0, **parts: Any) -> Sent:
    """Put a message of an engine on the stream; `parts` are those of `message`."""
    stamped = {"timestamp": time_text(round(at * SECOND)), **value}
    return Sent(STREAM, message(STREAM, offset, stamped, time=round(at * SECOND), **parts))


def values(came: Came, name: str, **tags: str) -> list[tuple[float, float | None]]:
    """Give seconds and values of what has a name and these tags."""
    return [(item.time / SECOND, item.value) for item in came.named(name) if tags.items() <= item.tags.items()]


def pipeline(*monitors: Any, **parts: Any) -> Pipeline:
    """Make a pipeline of monitors on one stream; `parts` are those of `plan_of`."""
    plan = plan_of(*monitors, **parts)
    return Pipeline(plan, plan.groups()[0])
