"""What an InfluxDB bucket holds, as emissions, for the tests of its sink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from archiver.line_protocol import ALERTS
from archiver.sinks.influxdb import InfluxSink
from engine.events import Alert, Emission, Metric, Tags
from tests.services.influxdb import BUCKET, ORG, TOKEN, InfluxDB


def sink_of(server: InfluxDB, bucket: str = BUCKET, *, token: str = TOKEN, seconds: float = 10.0) -> InfluxSink:
    """Open a sink on a bucket."""
    return InfluxSink(server.url, org=ORG, bucket=bucket, token=token, seconds=seconds)


def read_back(server: InfluxDB, bucket: str = BUCKET) -> list[Emission]:
    """Read all that a bucket holds."""
    return [
        emission for series in server.select("SELECT * FROM /.*/ GROUP BY *", bucket) for emission in _emissions(series)
    ]


def bucket_of(server: InfluxDB, folder: Path, *, seconds: int = 0) -> str:
    """Make a bucket that nobody else uses, named like the folder of the test; gives its name."""
    name = "-".join(folder.parts[-2:])
    server.bucket(name, seconds=seconds)
    return name


def _emissions(series: Mapping[str, Any]) -> Iterator[Emission]:
    tags = {name: value for name, value in series.get("tags", {}).items() if value}
    for values in series["values"]:
        row = dict(zip(series["columns"], values, strict=True))
        time, rest = divmod(int(row["time"]), 1000)
        if series["name"] == ALERTS:
            assert rest == (0 if row["firing"] else 1)
            yield _alert(time, dict(tags), row)
        else:
            assert rest == 0
            yield Metric(series["name"], time, row["value"], Tags(tags))


def _alert(time: int, tags: dict[str, str], fields: Mapping[str, Any]) -> Alert:
    assert fields["state"] == ("firing" if fields["firing"] else "resolved")
    evidence = fields.get("evidence")
    return Alert(
        name=tags.pop("alert"),
        time=time,
        firing=bool(fields["firing"]),
        severity=tags.pop("severity"),
        value=fields.get("value"),
        summary=fields["summary"],
        runbook=fields["runbook"],
        tags=Tags(tags),
        evidence=None if evidence is None else msgspec.json.decode(evidence),
        repeat=bool(fields["repeat"]),
    )
