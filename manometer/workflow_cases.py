"""Files of tests that stand beside workflow files: what may be written there, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from engine.events import Alert, Emission, Reason
from engine.findings import Finding, Notes, TooManyFindings, did_you_mean, listing, show
from engine.lint.fields import note_all, validate
from engine.nodes import Map, Node, place, plain
from engine.times import SECOND, parse_time
from engine.workflow import read_nodes

_CLOSE: Final = 1e-9
"""Relative difference that two values may have."""


def as_time(given: object) -> int:
    """Read a time of a test: RFC 3339 text, or seconds since 1970.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise ValueError(f"expected RFC 3339 text or seconds since 1970, got {show(given)}")  # noqa: TRY004 - pydantic tells values
    return parse_time(given) if isinstance(given, str) else round(given * SECOND)


Time = Annotated[int, BeforeValidator(as_time)]


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

    @property
    def asked(self) -> int:
        """How much is asked of the emission."""
        return sum(part is not None for part in (self.state, self.time, self.value)) + len(self.tags)

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


class Cases(_Keys):
    """A file of tests."""

    tests: list[Case]


class Placed(msgspec.Struct, frozen=True):
    """A test, and the line where it begins."""

    line: int
    case: Case


def tests_of(workflow: Path) -> Path:
    """Name the file with the tests of a workflow: NAME.test.yaml beside NAME.yaml."""
    return workflow.with_name(f"{workflow.stem}.test.yaml")


def workflow_of(tests: Path) -> Path:
    """Name the workflow beside a file of tests; where there is none, the one that would be."""
    name = tests.name.removesuffix(".test.yaml")
    beside = [tests.with_name(name + ending) for ending in (".yaml", ".yml", ".json")]
    return next((path for path in beside if path.exists()), beside[0])


def read_cases(path: Path, streams: Sequence[str]) -> tuple[list[Placed], list[Finding]]:
    """Read a file of tests of a workflow that has these streams: its tests, or all its mistakes."""
    notes = Notes(str(path))
    try:
        root, _ = read_nodes(path, notes)
        cases = None if root is None or notes.failed else _fit(root, notes)
        if cases is not None and root is not None:
            for loc, sentence in _mistakes(cases, streams):
                found = place(root, "", loc)
                notes.error(found.line, found.path, sentence)
            placed = [Placed(place(root, "", ("tests", n)).line, case) for n, case in enumerate(cases.tests)]
            return [] if notes.failed else placed, notes.sorted()
    except TooManyFindings:
        pass
    return [], notes.sorted()


def _fit(root: Node, notes: Notes) -> Cases | None:
    if not isinstance(root, Map):
        notes.error(root.line, "", f"expected `tests:` with a list of tests, got {show(plain(root))}")
        return None
    cases, mistakes = validate(Cases, root, "", owner="")
    note_all(mistakes, notes)
    return cases


def _mistakes(cases: Cases, streams: Sequence[str]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for number, case in enumerate(cases.tests):
        for step, given in enumerate(case.given):
            for loc, sentence in _of_step(given, streams):
                yield ("tests", number, "given", step, *loc), sentence
        for step, one in enumerate(case.expect):
            if (one.metric is None) == (one.alert is None):
                yield ("tests", number, "expect", step), "expected either `metric:` or `alert:`"


def _of_step(given: dict[str, Any], streams: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    named = [key for key in given if key != "at"]
    if len(named) > 1 or not given:
        yield (), f"expected one stream, or `at:` alone, got {listing(given) or 'nothing'}"
    for name in named:
        if name not in streams:
            there = f"The workflow has: {listing(streams)}.{did_you_mean(name, streams)}"
            yield (name,), f"unknown stream {show(name)}. {there}"
    if "at" in given:
        try:
            as_time(given["at"])
        except ValueError as error:
            yield ("at",), str(error)
