"""The keys of a workflow file: what each means, its type and its default. The reference page is made from here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from engine.catalogue import Severity
from engine.findings import did_you_mean, show
from engine.plan import METRICS
from engine.times import DAY, HOUR, SECOND, Duration, Micros, OptionalDuration

NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_TOPIC: Final = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}")
_TAG: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,199}")
_ALERT: Final = re.compile(r"(?:[A-Z][a-z0-9]*){1,200}")
_PAGE: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_WHEN: Final = re.compile(r"\s*([a-z][a-z0-9_]*)\s*(>=|<=|>|<)\s*(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)\s*")
_OPTIONS: Final[dict[str, tuple[str, bool]]] = {
    ">": ("above", False),
    ">=": ("above", True),
    "<": ("below", False),
    "<=": ("below", True),
}
_LONGEST_WHEN: Final = 300


def _fits(pattern: re.Pattern[str], expected: str) -> AfterValidator:
    def check(given: str) -> str:
        if not pattern.fullmatch(given):
            raise ValueError(f"expected {expected}, got {show(given)}")
        return given

    return AfterValidator(check)


def _zone(given: str) -> str:
    try:
        ZoneInfo(given)
    except (OSError, ValueError, LookupError):
        near = did_you_mean(given, available_timezones())
        raise ValueError(f"unknown zone {show(given)}; expected an IANA name such as Europe/Berlin.{near}") from None
    return given


def _several(given: object) -> object:
    members = [given] if isinstance(given, str) else given
    if not isinstance(members, list) or not members or not all(isinstance(name, str) and name for name in members):
        raise ValueError(f"expected the name of a field or a list of names, got {show(given)}")
    return tuple(members)


def _longer_than_nothing(given: int | None) -> int | None:
    if given == 0:
        raise ValueError('expected a duration above 0, or "off"')
    return given


class When(msgspec.Struct, frozen=True):
    """The condition of an alert, taken apart."""

    metric: str
    option: str
    """The option of `threshold` that it becomes: above or below."""
    bound: float
    inclusive: bool


def parse_when(text: str) -> When:
    """Take METRIC, one of > >= < <=, NUMBER apart.

    Raises:
        ValueError: it is nothing of this form.

    >>> parse_when("cpu_utilization >= 0.9")
    When(metric='cpu_utilization', option='above', bound=0.9, inclusive=True)
    """
    found = _WHEN.fullmatch(text) if len(text) <= _LONGEST_WHEN else None
    bound = float(found[3]) if found else float("inf")
    if found is None or abs(bound) == float("inf"):
        raise ValueError(
            f"expected METRIC, one of > >= < <=, and NUMBER, such as cpu_utilization > 0.9, got {show(text)}"
        )
    option, inclusive = _OPTIONS[found[2]]
    return When(found[1], option, bound, inclusive)


def _when(given: str) -> str:
    parse_when(given)
    return given


def _source(given: object) -> object:
    roles = given if isinstance(given, dict) else {"stream": given}
    if not roles or not all(isinstance(name, str) and name for name in roles.values()):
        raise ValueError(
            f"expected the name of a stream, {METRICS}, or a map of an input to its stream, got {show(given)}"
        )
    return given


Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, _fits(NAME, 'at most 200 letters, digits, "-", "_" or "."')]
Topic = Annotated[str, _fits(_TOPIC, 'a topic name: at most 249 letters, digits, ".", "_" or "-"')]
TagName = Annotated[str, _fits(_TAG, 'a letter, then at most 199 letters, digits, "_", "." or "-"')]
Forget = Annotated[OptionalDuration, AfterValidator(_longer_than_nothing)]


class WorkflowKeys(BaseModel):
    """Base of what stands in a workflow file; unknown keys are refused, and required ones have an example."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", use_attribute_docstrings=True)


class TopicKeys(WorkflowKeys):
    """Where emissions or rejects go."""

    topic: Topic = Field(examples=["archive"])
    """The topic."""


class RejectsKeys(WorkflowKeys):
    """Where rejects go."""

    topic: Topic = "rejects"
    """The topic."""


class StreamKeys(WorkflowKeys):
    """One entry of `streams:`: a topic under the workflow's name for it."""

    topic: Topic = Field(examples=["notify"])
    """The topic that the records come from."""
    decode: Text = Field(examples=["sensors"])
    """The decoder: sensors, json, or a plugin."""
    time: Text | None = None
    """The field that holds the event time; without it a record takes the time of its message."""
    unit: Literal["s", "ms", "us", "ns"] = "s"
    """The unit of a number in that field."""
    zone: Annotated[str, AfterValidator(_zone)] | None = None
    """The zone of a text in that field that has no offset; an IANA name, UTC where it is left out."""
    key: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    """The field, or the fields, that key the stream."""
    schema_: Text | None = Field(None, alias="schema")
    """A file with the JSON Schema that each record must fit."""
    repartition: Literal["one", "key"] | None = None
    """Send the stream through a topic of one partition, or of partitions by `key:`, first."""
    idle_after: OptionalDuration = Micros(5 * SECOND)
    """After this time without a message stream time moves on its own; off for recorded data."""
    ahead: OptionalDuration = Micros(HOUR)
    """A record later than its message by more than this is a reject; off to take all."""
    lateness: Duration = Micros(10 * SECOND)
    """How far behind the newest a record of a joined stream may be and still count at its own time."""


class MonitorKeys(WorkflowKeys):
    """One entry of `monitors:`: a monitor attached to a stream."""

    use: Text = Field(examples=["throughput"])
    """The monitor: one of ours, of a plugin folder, of an installed package, or package.module:Class."""
    name: (
        Annotated[str, _fits(re.compile(r"[A-Za-z0-9_.:-]{1,200}"), 'letters, digits, "-", "_", "." or ":"')] | None
    ) = None
    """Its name, unique in the file; the same as `use` where it is left out."""
    from_: Annotated[str | Mapping[str, str], BeforeValidator(_source)] = Field(alias="from", examples=["notify"])
    """The stream it reads, `metrics` for what other monitors emit, or a map of its inputs to streams."""
    with_: dict[str, Any] = Field({}, alias="with")
    """Its options; `manometer monitors NAME` and its page list them."""
    tags: dict[TagName, Text] = {}
    """Tags that everything it emits carries."""
    forget_after: Forget = Micros(7 * DAY)
    """A series without input for this long is forgotten; off to keep it, the default of monitors of a whole stream."""
    max_series: int = Field(1_000_000, ge=1)
    """Series that it may have in one partition."""


class AlertKeys(WorkflowKeys):
    """One entry of `alerts:`: short-hand for the monitor `threshold` on metrics."""

    alert: Annotated[str, _fits(_ALERT, "CamelCase such as CpuSaturated")] = Field(examples=["CpuSaturated"])
    """The name of the alert: CamelCase, what is wrong."""
    when: Annotated[str, AfterValidator(_when)] = Field(examples=["cpu_utilization > 0.9"])
    """METRIC, one of > >= < <=, NUMBER."""
    for_: Duration = Field(Micros(0), alias="for")
    """How long the condition must hold before the alert fires."""
    keep_firing_for: Duration = Micros(0)
    """How long the alert goes on after the condition has ended."""
    stale_after: OptionalDuration = Micros(300 * SECOND)
    """How long a value counts; off to let it count until the next."""
    severity: Severity = "warning"
    """How bad it is."""
    runbook: Annotated[str, _fits(_PAGE, "the name of a page such as cpu-saturated")] | None = None
    """The page of docs/runbooks/ that says what to do, without its ending."""
    summary: Text | None = None
    """What people read; a sentence."""
    tags: dict[TagName, Text] = {}
    """Tags that the alert carries."""


class TopKeys(WorkflowKeys):
    """The keys of the file itself."""

    workflow: Name = Field(examples=["lstm"])
    """The name of the workflow: letters, digits, - _ and . only."""
    plugins: list[Text] = []
    """Folders to look in for monitors and decoders after ours, relative to the file."""
    streams: dict[str, Any] = Field(min_length=1, examples=[{"notify": {"topic": "notify", "decode": "sensors"}}])
    """The streams, by the workflow's names for them."""
    engines: dict[Text, Text] = {}
    """Engine id to model name; engine-config messages add to it."""
    monitors: list[Any] = Field(examples=[[{"use": "throughput", "from": "notify"}]])
    """The monitors and what they are attached to."""
    alerts: list[Any] = []
    """Alerts on metrics."""
    archive: TopicKeys = Field(examples=[{"topic": "archive"}])
    """The topic that all emissions go to."""
    rejects: RejectsKeys = RejectsKeys()
    """The topic that messages go to that could not become records."""
    repeat: Forget = None
    """Emit firing alerts and states again at each multiple of this; off by default."""
