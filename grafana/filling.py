"""Fills the blanks of a query as Grafana does: time, interval and what was chosen on the board."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

_CHOSEN: Final = re.compile(r"\$\{(?P<variable>[a-z_]+):regex\}")
_SPECIAL: Final = re.compile(r"[.*+?^${}()|[\]\\/]")
_CONTROL: Final = re.compile(r"[\x00-\x1f]")


class Blanks(msgspec.Struct, frozen=True, kw_only=True):
    """What is filled in. Times are milliseconds since 1970."""

    start: int
    end: int
    interval: int
    """Seconds."""
    chosen: Mapping[str, Sequence[str]] = {}
    """Variable -> its values; one that is not named has all."""

    def fill(self, query: str) -> str:
        r"""Give a statement that InfluxDB understands.

        >>> blanks = Blanks(start=0, end=9, interval=60, chosen={"a": ["x.y", "z"]})
        >>> print(blanks.fill('"a" =~ /^${a:regex}$/ AND $timeFilter'))
        "a" =~ /^(x\.y|z)$/ AND time >= 0ms AND time <= 9ms
        """
        for blank, value in (
            ("$timeFilter", f"time >= {self.start}ms AND time <= {self.end}ms"),
            ("$__interval", f"{self.interval}s"),
            ("${__to}", str(self.end)),
        ):
            query = query.replace(blank, value)
        return _CHOSEN.sub(self._chosen, query)

    def parameters(self) -> dict[str, Any]:
        """Give the named parameters of a statement in SQL: times in microseconds, what is chosen as JSON.

        >>> filled = Blanks(start=0, end=9, interval=60, chosen={"a": ["x.y"]}).parameters()
        >>> filled["end"], filled["a"], filled["another"]
        (9000, '["x.y"]', None)
        """
        chosen = {name: msgspec.json.encode(list(values)).decode() for name, values in self.chosen.items() if values}
        return _Parameters(chosen, start=self.start * 1_000, end=self.end * 1_000, interval=self.interval * 1_000_000)

    def _chosen(self, match: re.Match[str]) -> str:
        values = self.chosen.get(match["variable"], ())
        return f"({'|'.join(map(_escaped, values))})" if values else ".*"


class _Parameters(dict[str, Any]):
    """Parameters, of which any that is not there is NULL: all values of that variable."""

    def __missing__(self, name: str) -> None:
        return None


def _escaped(value: str) -> str:
    """Write a value as a pattern in one line, which InfluxQL wants."""
    return _CONTROL.sub(lambda sign: f"\\x{ord(sign[0]):02x}", _SPECIAL.sub(r"\\\g<0>", value))
