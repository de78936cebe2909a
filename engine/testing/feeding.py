"""Feeds a table of records to monitors and gives what they emit; time is moved by hand, crashes are lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, final

import msgspec

from engine.events import Alert, Emission, Message, Metric, Reject, encode, encode_lines
from engine.memory import Memory
from engine.monitor import Monitor
from engine.outcome import Outcome
from engine.plan import METRICS, Attached, Plan
from engine.testing.plans import plan_of
from engine.testing.table import CHECKPOINT, CRASH, END, At, Line, Mark, Step, steps_of
from engine.testing.values import micros
from engine.times import SECOND

BATCH: Final = 1_000_000
Subject = Monitor | Attached | Plan
Saved = dict[tuple[int, bytes], bytes | None]
"""What snapshots gave, by partition and name."""


class Different(AssertionError):  # noqa: N818 - it says what the runs were
    """Two runs over the same records that should have given the same, and the first place where they did not."""

    def __init__(self, how: str, expected: Sequence[str], found: Sequence[str]) -> None:
        """Keep both sides; the text shows the first difference."""
        pairs = zip([*expected, *[""] * len(found)], [*found, *[""] * len(expected)], strict=False)
        first = next(((one, other) for one, other in pairs if one != other), ("", ""))
        super().__init__(f"{how}: expected {first[0] or 'nothing more'}, got {first[1] or 'nothing'}")
        self.how = how
        self.expected = expected
        self.found = found


@final
class Fed(msgspec.Struct):
    """What came of a table."""

    emissions: list[Emission] = []
    rejects: list[Reject] = []
    causes: list[int | None] = []
    """Of each emission the offset of the message that caused it; None where time was moved."""

    def metrics(self, name: str, /, **tags: str) -> list[tuple[float, float]]:
        """Give seconds and values of one metric, of the series that have all these tags; repeats are left out."""
        found = [item for item in self.emissions if isinstance(item, Metric)]
        return [(item.time / SECOND, item.value) for item in found if _is(item, name, tags)]

    def alerts(self, name: str, /, **tags: str) -> list[tuple[float, str]]:
        """Give seconds of one alert and whether it is then `firing` or `resolved`; repeats are left out."""
        found = [item for item in self.emissions if isinstance(item, Alert)]
        words = ("resolved", "firing")
        return [(item.time / SECOND, words[item.firing]) for item in found if _is(item, name, tags)]

    def lines(self) -> list[str]:
        """Give the emissions as they are written, for comparing and for people."""
        return encode_lines(self.emissions).decode().splitlines()

    def reasons(self) -> list[tuple[int, str, str | None]]:
        """Give offset, reason and monitor of each reject, in the order of offsets."""
        found = [(one.message.offset, one.reason, one.monitor) for one in self.rejects]
        return sorted(found, key=lambda one: (one[0], one[2] or ""))

    def take(self, outcome: Outcome) -> None:
        """Add what a call gave."""
        self.emissions += outcome.emissions
        self.rejects += outcome.rejects
        self.causes += outcome.causes


def _is(item: Metric | Alert, name: str, tags: dict[str, str]) -> bool:
    return item.name == name and not item.repeat and tags.items() <= item.tags.items()


def feed(subject: Subject, table: Sequence[Line], *, batch: int = BATCH, **parts: Any) -> Fed:
    """Feed a table and give the emissions and rejects.

    What is due in stream time fires before the record that moves it. After `CRASH` all that came since the last
    `CHECKPOINT` (or the beginning) is sent again; what is emitted again must be what was emitted before, and is in the
    result once.

    Args:
        subject: a monitor, an attached monitor, or a plan, such as `engine.workflow.load` gives.
        table: the lines; their seconds are message times, and event times where a record does not say its own.
        batch: how many messages are applied in one call at most.
        parts: of `plan_of`, where the subject is a monitor.

    Raises:
        Different: after a crash something else was emitted.

    >>> from engine.testing import At, CRASH, feed, state
    >>> from monitors.health import Health
    >>> table = [(0, state("e1", "running")), CRASH, At(59), At(60), CRASH, (90, state("e1", "running"))]
    >>> fed = feed(Health(), table)
    >>> fed.metrics("engine_state"), fed.alerts("EngineSilent")
    ([(0.0, 1.0), (60.0, 3.0), (90.0, 1.0)], [(60.0, 'firing'), (90.0, 'resolved')])
    """
    plan = as_plan(subject, table, parts)
    return run_of(plan, steps_of(plan, table), batch)


def run_of(plan: Plan, steps: Sequence[Step | Mark], batch: int = BATCH) -> Fed:
    """Run a plan over the steps of a table."""
    run = Run(plan)
    for item in batches(steps, batch):
        run.take(item)
    return run.fed


def as_plan(subject: Subject, table: Sequence[Line], parts: dict[str, Any] | None = None) -> Plan:
    """Give the plan that a subject is, or make one around it."""
    if isinstance(subject, Plan):
        return subject
    names = {line[-1].name for line in table if isinstance(line, tuple) and isinstance(line[-1], Metric)}
    return plan_of(subject, metrics=names, **(parts or {}))


def feed_every_way(subject: Subject, table: Sequence[Line], **parts: Any) -> Fed:
    """Feed a table in several ways that must give the same, and give what it gave.

    In one batch, one by one, in batches of two, three and seven; where streams are joined with either of them ahead;
    and one by one where each line is followed by a checkpoint and a crash, so that everything has to survive in the
    saved states. The order of emissions has to be
    the same too, except where a monitor takes its records in batches, series after series.

    Raises:
        Different: one way gave something else; the text says which, and the first difference.
    """
    plan = as_plan(subject, table, parts)
    ordered = not any(in_batches(attached.monitor) for attached in plan.monitors)
    fed = feed(plan, table)
    for size in (1, 2, 3, 7):
        same(f"in batches of {size}", fed, feed(plan, table, batch=size), ordered=ordered)
    for stream in plan.streams if joins(plan) else ():
        same(f"with {stream} ahead", fed, run_of(plan, [*ahead(steps_of(plan, table), stream)]), ordered=ordered)
    cut = [mark for line in table for mark in (line, CHECKPOINT, CRASH)]
    same("cut and resumed at each line", fed, feed(plan, cut, batch=1), ordered=ordered)
    return fed


def joins(plan: Plan) -> bool:
    """Say whether a plan does nothing but join streams, so that it does not matter how they interleave."""
    readers = [attached for attached in plan.monitors if METRICS not in attached.sources]
    return bool(readers) and all(attached.monitor.inputs for attached in readers)


def ahead(steps: Sequence[Step | Mark], stream: str) -> Iterator[Step | Mark]:
    """Let the messages of one stream come before those of the others, as far as no mark stands between them."""
    waiting: list[Step] = []
    for step in steps:
        if isinstance(step, Mark) or not isinstance(step[1], Message):
            yield from waiting
            waiting = []
        elif step[0] != stream:
            waiting.append(step)
            continue
        yield step
    yield from waiting


def in_batches(monitor: Monitor) -> bool:
    """Say whether a monitor takes several records at once."""
    return type(monitor).on_batch is not Monitor.on_batch


def same(how: str, expected: Fed, found: Fed, *, ordered: bool = True) -> None:
    """Check that two runs gave the same emissions, where it matters in the same order, and the same rejects.

    Raises:
        Different: they did not.
    """
    one, other = expected.lines(), found.lines()
    if one != other and (ordered or sorted(one) != sorted(other)):
        raise Different(how, one, other)
    if expected.reasons() != found.reasons():
        raise Different(f"{how}, rejects", _shown(expected), _shown(found))


def _shown(fed: Fed) -> list[str]:
    return [f"offset {offset}: {reason} {monitor or ''}".strip() for offset, reason, monitor in fed.reasons()]


def batches(steps: Sequence[Step | Mark], size: int) -> Iterator[tuple[str, list[Message]] | At | Mark]:
    """Join messages of one stream that follow each other."""
    waiting: tuple[str, list[Message]] = ("", [])
    for step in steps:
        stream, item = ("", step) if isinstance(step, Mark) else step
        if waiting[1] and (not isinstance(item, Message) or stream != waiting[0] or len(waiting[1]) >= size):
            yield waiting
            waiting = ("", [])
        if isinstance(item, Message):
            waiting = (stream, [*waiting[1], item]) if size == 1 or not waiting[1] else waiting
            if waiting[1][-1] is not item:
                waiting[1].append(item)
        else:
            yield item
    if waiting[1]:
        yield waiting


class Run:
    """One process after the other over a table: what was emitted, what was saved, what came since."""

    def __init__(self, plan: Plan) -> None:
        """Begin without anything saved."""
        self.fed = Fed()
        self.memory = Memory(plan)
        self._plan = plan
        self._saved: Saved = {}
        self._since: list[tuple[str, list[Message]] | At | Mark] = []
        self._acknowledged = (0, 0)

    def take(self, item: tuple[str, list[Message]] | At | Mark) -> None:
        """Take messages of one stream, or a mark."""
        if item is CHECKPOINT:
            self._checkpoint()
        elif item is CRASH:
            self._crash()
        else:
            self._since.append(item)
            self._apply(self.memory, item, self.fed)

    def _apply(self, memory: Memory, item: tuple[str, list[Message]] | At | Mark, fed: Fed) -> None:
        if item is END:
            fed.take(memory.end())
        elif isinstance(item, At):
            for stream in [item.stream] if item.stream else self._plan.streams:
                fed.take(memory.move(stream, micros(item.seconds)))
        elif isinstance(item, tuple):
            fed.take(memory.apply(*item))

    def _checkpoint(self) -> None:
        self._saved.update({(partition, name): data for partition, name, data in self.memory.snapshot()})
        self._since = []
        self._acknowledged = (len(self.fed.emissions), len(self.fed.rejects))

    def _crash(self) -> None:
        """Begin a new process, send it again what came since the checkpoint, and compare."""
        self.memory = Memory(self._plan)
        self.memory.restore((partition, name, data) for (partition, name), data in self._saved.items())
        again = Fed()
        for item in self._since:
            self._apply(self.memory, item, again)
        emissions, rejects = self._acknowledged
        before = Fed(self.fed.emissions[emissions:], self.fed.rejects[rejects:])
        same("sent again after a crash", before, again)


def shown(emission: Emission) -> str:
    """Write an emission as one line of JSON."""
    return encode(emission).decode()
