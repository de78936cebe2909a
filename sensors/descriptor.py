"""Sensor descriptors: what people write to say which tap is read, when, and what is reported; parsed strictly.

The vocabulary is that of FastScore (now ModelOp Center); `docs/sensors.md` says what each word means here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

SHORTEST: Final = 0.01
"""Seconds between two readings or reports, at least: a sensor must cost its model nothing that one would notice."""
LONGEST: Final = 366 * 86_400.0
MOST_VALUES: Final = 1_000
"""Values that one report may hold."""
REPORT_EVERY: Final = 5.0
"""Seconds between the reports of a permanent sensor that does not say."""

Seconds = Annotated[float, Meta(ge=SHORTEST, le=LONGEST)]
PerSecond = Annotated[float, Meta(ge=1 / LONGEST, le=1 / SHORTEST)]

_SIZE: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)([KMGTP]?)", re.ASCII)
_POWERS: Final = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_TYPES: Final = ("permanent", "regular", "random")
_COMPARISONS: Final = (">", ">=", "<", "<=")
_RANGES: Final = ("within-range", "outside-range")
_AGGREGATES: Final = ("accumulate", "sum", "count")


class DescriptorError(ValueError):
    """A sensor descriptor that does not say clearly what to do; the text names the place and what was expected."""


class Activate(Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """When the tap is read; times in seconds."""

    type: str
    interval: Seconds | None = None
    intensity: PerSecond | None = None
    """Readings a second: another way to write the interval."""
    duration: Seconds | None = None
    """How long the sensor is active, from its installation."""
    max_reads: Annotated[int, Meta(ge=1)] | None = None
    """After how many readings it is no longer active; readings that the filter drops count."""
    seed: int | None = None
    """Makes the times of a `random` sensor the same in each run."""

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        _one_of(self.type, "Type", _TYPES)
        given = (self.interval is not None) + (self.intensity is not None)
        if self.type == "permanent" and given:
            raise ValueError(
                "permanent has no rhythm of its own; leave Interval and Intensity out (see Report.Interval)"
            )
        if self.type != "permanent" and given != 1:
            raise ValueError(f"{self.type} needs Interval or Intensity, one of the two")
        if self.type != "random" and self.seed is not None:
            raise ValueError(f"Seed is for random, not for {self.type}")

    @property
    def every(self) -> float | None:
        """Seconds between two readings, of `random` on average; None for permanent."""
        return self.interval if self.intensity is None else 1 / self.intensity


class Report(Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """When what was read is reported."""

    interval: Seconds


class Filter(Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """Which readings count; bounds are numbers or sizes such as `1G`."""

    type: str
    threshold: float | str | None = None
    min_value: float | str | None = None
    max_value: float | str | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        _one_of(self.type, "Type", (*_COMPARISONS, *_RANGES))
        compares = self.type in _COMPARISONS
        bounds = (self.min_value, self.max_value)
        if compares and (self.threshold is None or bounds != (None, None)):
            raise ValueError(f"{self.type} needs Threshold and nothing else")
        if not compares and (self.threshold is not None or None in bounds):
            raise ValueError(f"{self.type} needs MinValue and MaxValue and nothing else")
        if not compares and size(self.min_value) > size(self.max_value):
            raise ValueError(f"MinValue {size(self.min_value):g} is above MaxValue {size(self.max_value):g}")
        if compares:
            size(self.threshold)

    def test(self) -> Callable[[float], bool]:
        """Make the function that says of a reading whether it counts; the ends of a range are within it."""
        if self.type in _RANGES:
            low, high = size(self.min_value), size(self.max_value)
            within = self.type == "within-range"
            return lambda value: (low <= value <= high) is within
        edge = size(self.threshold)
        tests: dict[str, Callable[[float], bool]] = {
            ">": lambda value: value > edge,
            ">=": lambda value: value >= edge,
            "<": lambda value: value < edge,
            "<=": lambda value: value <= edge,
        }
        return tests[self.type]


class Aggregate(Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """What becomes of the readings of one report."""

    type: str
    sample_size: Annotated[int, Meta(ge=1)] | None = None
    """A report goes out, whatever its interval, when it stands for so many values."""

    def __post_init__(self) -> None:
        """Refuse an unknown word, and bound what a report can hold."""
        _one_of(self.type, "Type", _AGGREGATES)
        if self.type == "accumulate" and (self.sample_size or 0) > MOST_VALUES:
            raise ValueError(f"SampleSize of accumulate is at most {MOST_VALUES}")

    @property
    def most(self) -> int | None:
        """Values that one report stands for at most."""
        return MOST_VALUES if self.type == "accumulate" and self.sample_size is None else self.sample_size


class Descriptor(Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """One sensor, as it is installed."""

    tap: Annotated[str, Meta(min_length=1, max_length=200)]
    activate: Activate = msgspec.field(default_factory=lambda: Activate(type="permanent"))
    report: Report | None = None
    filter: Filter | None = None
    aggregate: str | Aggregate = "accumulate"

    def __post_init__(self) -> None:
        """Refuse an unknown word."""
        if isinstance(self.aggregate, str):
            _one_of(self.aggregate, "Aggregate", _AGGREGATES)

    @property
    def report_every(self) -> float | None:
        """Seconds between reports; None where they follow the readings."""
        if self.report is not None:
            return self.report.interval
        return REPORT_EVERY if self.activate.type == "permanent" else None

    @property
    def at_once(self) -> bool:
        """Whether each reading is reported when it is taken: neither an interval nor a size of reports is given."""
        return self.report_every is None and self.aggregation.sample_size is None

    @property
    def aggregation(self) -> Aggregate:
        """The aggregation, short-hands written out."""
        return Aggregate(type=self.aggregate) if isinstance(self.aggregate, str) else self.aggregate


def parse(given: object) -> Descriptor:
    """Read a descriptor from what a JSON object becomes in Python.

    Raises:
        DescriptorError: it is not a descriptor.

    >>> parse({"Tap": "sys.memory", "Activate": {"Type": "regular", "Interval": 0.5}}).activate.every
    0.5
    """
    try:
        return msgspec.convert(given, Descriptor)
    except msgspec.ValidationError as error:
        raise DescriptorError(_explain(str(error), given)) from None


def size(given: float | str | None) -> float:
    """Read a number or a size; K, M, G, T and P are powers of 1024.

    Raises:
        ValueError: it is neither.

    >>> size("1G"), size("0.5K"), size(2)
    (1073741824, 512, 2)
    """
    if isinstance(given, str):
        found = _SIZE.fullmatch(given.strip())
        if found is None:
            raise ValueError(f"expected a number or a size such as 512K or 1G, got {given!r}")
        value = float(found[1]) * 1024 ** _POWERS[found[2]]
        return int(value) if value.is_integer() else value
    if given is None or given - given != 0:
        raise ValueError(f"expected a number or a size such as 512K or 1G, got {given}")
    return given


def _one_of(word: str, name: str, known: tuple[str, ...]) -> None:
    if word not in known:
        raise ValueError(f"{name}: expected {', '.join(known[:-1])} or {known[-1]}, got {word!r}")


def _explain(text: str, given: object) -> str:
    """Say where in the descriptor, what was expected and what came."""
    what, _, path = text.partition(" - at `$")
    place = path.strip("`.")
    value: Any = given
    for name in filter(None, place.split(".")):
        value = value.get(name) if isinstance(value, dict) else None
    came = f"; got {value!r}"[:80] if what.startswith("Expected") and ", got" not in what else ""
    expected = f"; it may have {', '.join(_FIELDS[place])}" if what.startswith("Object contains") else ""
    what = what[0].lower() + what[1:] if what.startswith(("Expected", "Object")) else what
    return f"sensor descriptor: {place}{': ' if place else ''}{what}{expected}{came}"


_FIELDS: Final = {
    "": Descriptor.__struct_encode_fields__,
    "Activate": Activate.__struct_encode_fields__,
    "Report": Report.__struct_encode_fields__,
    "Filter": Filter.__struct_encode_fields__,
    "Aggregate": Aggregate.__struct_encode_fields__,
}
