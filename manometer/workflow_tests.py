"""Tests that stand beside a workflow file: records in, emissions expected, time moved by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from engine.events import Alert, Emission, Message, Metric, Reason, encode
from engine.findings import Finding, Notes, did_you_mean
from engine.memory import Memory
from engine.nodes import Map, place, plain
from engine.outcome import Outcome
from engine.plan import Plan
from engine.times import SECOND, parse_time, seconds
from engine.workflow import read_nodes

_CLOSE: Final = 1e-9
"""Relative difference that two values may have."""


def _as_time(given: object) -> object:
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise ValueError(f"expected RFC 3339 text or seconds since 1970, got {given!r}")  # noqa: TRY004 - pydantic tells values
    return parse_time(given) if isinstance(given, str) else round(given * SECOND)


Time = Annotated[int, BeforeValidator(_as_time)]


class _Keys(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", populate_by_name=True)


class Expected(_Keys):
    """An emission that has to come; what is left out may be anything."""

    metric: str | None = Field(None, description="Name of the metric.")
    alert: str | None = Field(None, description="Name of the alert.")
    state: Literal["firing", "resolved"] | None = Field(None, description="State of the alert.")
    time: Time | None = Field(None, description="Its time: RFC 3339 text, or seconds since 1970.")
    value: float | None = Field(None, description="Its value.")
    tags: dict[str, str | int] = Field(default_factory=dict, description="Tags that it has, perhaps among others.")

    @property
    def name(self) -> str:
        """The name of the metric or alert."""
        return self.metric or self.alert or ""

    def fits(self, found: Emission) -> bool:
        """Say whether an emission is the one that is expected."""
        if found.name != self.name or isinstance(found, Alert) != (self.alert is not None):
            return False
        if self.time is not None and found.time != self.time:
            return False
        if self.state is not None and isinstance(found, Alert) and found.firing != (self.state == "firing"):
            return False
        if self.value is not None and (found.value is None or not _close(found.value, self.value)):
            return False
        return all(found.tags.get(name) == str(text) for name, text in self.tags.items())


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= _CLOSE * max(abs(one), abs(other))


class Case(_Keys):
    """One test: what comes in, and what has to come out."""

    name: str = Field(description="What is promised, as a sentence.")
    given: list[dict[str, Any]] = Field(
        description="What comes, in order: `STREAM: record` with the message's time in `at:` where it matters, or "
        "`at: TIME` alone, which moves time."
    )
    expect: list[Expected] = Field(default_factory=list, description="Emissions that have to come.")
    only: list[str] | None = Field(
        None, description="Names that are compared; of these nothing else may come. Left out: those in `expect`."
    )
    rejects: list[Reason] | None = Field(None, description="Reasons of the rejects, in order. Left out: not compared.")


class Result(msgspec.Struct):
    """What a test gave; it passed when nothing is wrong."""

    file: str
    line: int
    name: str
    wrong: list[str] = []


def tests_of(workflow: Path) -> Path:
    """Name the file with the tests of a workflow: NAME.test.yaml beside NAME.yaml."""
    return workflow.with_name(f"{workflow.stem}.test.yaml")


def read_cases(path: Path, streams: Sequence[str]) -> tuple[list[tuple[int, Case]], list[Finding]]:
    """Read a file of tests: its tests with their lines, and its mistakes."""
    notes = Notes(str(path))
    node, _ = read_nodes(path, notes)
    if node is None or notes.failed:
        return [], notes.sorted()
    tests = node.get("tests") if isinstance(node, Map) else None
    given = plain(tests) if tests is not None else None
    if not isinstance(given, list) or not isinstance(node, Map) or list(node.entries) != ["tests"]:
        notes.error(node.line, "file", "expected `tests:` with a list of tests, and nothing else")
        return [], notes.sorted()
    found: list[tuple[int, Case]] = []
    for number, item in enumerate(given):
        where = f"tests[{number}]"
        line = place(node, "", ("tests", number)).line
        try:
            case = Case.model_validate(item)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                spot = place(node, "", ("tests", number, *one["loc"]))
                notes.error(spot.line, spot.path, one["msg"])
            continue
        for mistake in _mistakes(case, streams):
            notes.error(line, where, mistake)
        found.append((line, case))
    return found, notes.sorted()


def _mistakes(case: Case, streams: Sequence[str]) -> Iterator[str]:
    for step in case.given:
        named = [key for key in step if key != "at"]
        if len(named) > 1 or (not named and "at" not in step):
            yield f"given: expected one stream, or `at:` alone, got {', '.join(step) or 'nothing'}"
        for name in named:
            if name not in streams:
                yield f"given: no stream is called {name!r}.{did_you_mean(name, streams)}"
        if "at" in step:
            try:
                _as_time(step["at"])
            except ValueError as error:
                yield f"given: at: {error}"
    for one in case.expect:
        if (one.metric is None) == (one.alert is None):
            yield "expect: expected either `metric:` or `alert:`"


def run_case(plan: Plan, case: Case) -> list[str]:
    """Run one test; gives what is wrong, each as a line."""
    memory = Memory(plan)
    offsets = dict.fromkeys(plan.streams, 0)
    whole = Outcome()
    for step in case.given:
        outcome = _apply(memory, plan, step, offsets)
        whole.emissions += outcome.emissions
        whole.rejects += outcome.rejects
    return [*_compared(case, whole.emissions), *_rejected(case, whole)]


def _apply(memory: Memory, plan: Plan, step: Mapping[str, Any], offsets: dict[str, int]) -> Outcome:
    time = _as_time(step["at"]) if "at" in step else None
    assert time is None or isinstance(time, int)  # noqa: S101 - that is what _as_time gives
    named = [name for name in step if name != "at"]
    if not named:
        whole = Outcome()
        for stream in plan.streams:
            outcome = memory.move(stream, time or 0)
            whole.emissions += outcome.emissions
        return whole
    stream = named[0]
    value = step[stream]
    data = value.encode() if isinstance(value, str) else None if value is None else msgspec.json.encode(value)
    offset = offsets[stream]
    offsets[stream] = offset + 1
    return memory.apply(stream, [Message(plan.streams[stream].topic, 0, offset, time, None, data)])


def _compared(case: Case, emissions: Sequence[Emission]) -> Iterator[str]:
    names = set(case.only) if case.only is not None else {one.name for one in case.expect}
    left = [item for item in emissions if item.name in names and not item.repeat]
    for one in case.expect:
        found = next((item for item in left if one.fits(item)), None)
        if found is None:
            yield f"missing:    {_wanted(one)}"
            near = [item for item in left if item.name == one.name]
            yield from (f"  there is: {_told(item)}" for item in near[:3])
        else:
            left.remove(found)
    yield from (f"unexpected: {_told(item)}" for item in left)


def _rejected(case: Case, whole: Outcome) -> Iterator[str]:
    reasons = [reject.reason for reject in whole.rejects]
    if case.rejects is not None and reasons != case.rejects:
        yield f"rejects:    expected {case.rejects}, got {reasons}"
        yield from (f"  {reject.reason}: {reject.detail}" for reject in whole.rejects)


def _wanted(one: Expected) -> str:
    parts = one.model_dump(exclude_none=True)
    if one.time is not None:
        parts["time"] = seconds(one.time)
    return msgspec.json.encode(parts).decode()


def _told(item: Metric | Alert) -> str:
    return encode(item).decode()


def run_tests(path: Path, plan: Plan, cases: Sequence[tuple[int, Case]]) -> list[Result]:
    """Run all tests of a file."""
    return [Result(str(path), line, case.name, run_case(plan, case)) for line, case in cases]
