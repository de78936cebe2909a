"""Fills the blanks of a query as Grafana does: time, interval and what was chosen on the board."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

_CHOSEN: Final = re.compile(r"\$\{(?P<variable>[a-z_]+):regex\}")
_SPECIAL: Final = re.compile(r"[.*+?^${}()|[\]\\/]")


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

    def _chosen(self, match: re.Match[str]) -> str:
        values = self.chosen.get(match["variable"], ())
        return f"({'|'.join(map(_escaped, values))})" if values else ".*"


def _escaped(value: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", value)
