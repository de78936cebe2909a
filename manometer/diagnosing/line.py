"""What a look at one thing tells."""

from __future__ import annotations

import msgspec


class Line(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    """broker, topics, rights, clock, workers, lag, file; influxdb, bucket, ...; grafana, boards, ..."""
    ok: bool
    told: str
    fix: str = ""
