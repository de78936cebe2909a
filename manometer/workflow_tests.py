"""Tests that stand beside a workflow file: records in, emissions expected, time moved by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.events import Emission, Message, encode
from engine.memory import Memory
from engine.outcome import Outcome
from engine.plan import Plan
from engine.times import seconds
from manometer.workflow_cases import Case, Expected, Placed, as_time


class Result(msgspec.Struct):
    """What a test gave; it passed when nothing is wrong."""

    file: str
    line: int
    name: str
    wrong: list[str] = []


def run_case(plan: Plan, case: Case) -> list[str]:
    """Run one test; gives what is wrong, each as a line."""
    memory = Memory(plan)
    offsets = dict.fromkeys(plan.streams, 0)
    whole = Outcome()
    for step in case.given:
        outcome = _apply(memory, plan, step, offsets)
        whole.emissions += outcome.emissions
        whole.rejects += outcome.rejects
    whole.emissions += memory.end().emissions
    return [*_compared(case, whole.emissions), *_rejected(case, whole)]


def _apply(memory: Memory, plan: Plan, step: Mapping[str, Any], offsets: dict[str, int]) -> Outcome:
    time = as_time(step["at"]) if "at" in step else None
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
    missing = []
    # The one of which most is asked chooses first, so that one of which little is asked does not take its emission.
    for one in sorted(case.expect, key=lambda one: -one.asked):
        found = next((item for item in left if one.fits(item)), None)
        if found is None:
            missing.append(one)
        else:
            left.remove(found)
    for one in sorted(missing, key=case.expect.index):
        yield f"missing:    {_wanted(one)}"
        near = [item for item in left if item.name == one.name]
        yield from (f"  there is: {_told(item)}" for item in near[:3])
    yield from (f"unexpected: {_told(item)}" for item in left)


def _rejected(case: Case, whole: Outcome) -> Iterator[str]:
    reasons = [reject.reason for reject in whole.rejects]
    if case.rejects is not None and reasons != case.rejects:
        yield f"rejects:    expected {case.rejects}, got {reasons}"
        yield from (f"  {reject.reason}: {reject.detail}" for reject in whole.rejects)


def _wanted(one: Expected) -> str:
    parts = {name: part for name, part in one.model_dump(exclude_none=True).items() if part != {}}
    if one.time is not None:
        parts["time"] = seconds(one.time)
    return msgspec.json.encode(parts).decode()


def _told(item: Emission) -> str:
    return encode(item).decode()


def run_tests(path: Path, plan: Plan, cases: Sequence[Placed]) -> list[Result]:
    """Run all tests of a file."""
    return [Result(str(path), one.line, one.case.name, run_case(plan, one.case)) for one in cases]
