"""Draws the pictures of docs/monitors/: what a monitor tells while real data drift. Read from replays, not made up.

    python -m tools.draw_monitors [SHARED]

Most are of workflows/forecast.yaml and its data. SHARED is a folder that holds azure-vm-noise, for the latency.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from engine.clock import SystemClock
from engine.events import Alert, Emission
from engine.recording.files import open_input
from engine.workflow import load
from manometer.replay import replay
from tools.pictures import Drawing, draw

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = ROOT / "docs" / "monitors"
STREAMS: Final = ("inputs", "predictions", "truth")
DATABASE: Final = "PostgreSQL_Scaling-Factor-25-Clients-25-Mode-Read-Only-Average-Latency_westus2_B8ms_ms.csv.gz"
LATENCY: Final = """\
workflow: database
streams:
  asked: {topic: asked, decode: json, time: time, key: id}
  answered: {topic: answered, decode: json, time: time, key: id}
monitors:
  - {use: prediction_latency, from: {input: asked, prediction: answered}, with: {window: 7d}}
archive: {topic: archive}
"""


class View(NamedTuple):
    """What a picture shows of a replay."""

    page: str
    title: str
    metric: str
    tags: Mapping[str, str] = {}
    alert: str = ""
    measure: str | None = None
    """The tag `measure` of the alert."""
    bound: float | None = None
    since: float = 0.0
    until: float = 1e12
    scale: float = 1.0
    """Values are multiplied with it."""


def _day(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, tzinfo=timezone.utc).timestamp()


VIEWS: Final = (
    View(
        "input_drift",
        "input_drift_score of passengers; min_effect; InputDrifted",
        "input_drift_score",
        alert="InputDrifted",
        bound=0.44,
    ),
    View(
        "input_statistics",
        "input_mean of passengers; where input_drift fires InputDrifted",
        "input_mean",
        {"field": "passengers"},
        alert="InputDrifted",
    ),
    View(
        "prediction_divergence",
        "prediction_error in passengers; PredictionDiverged",
        "prediction_error",
        alert="PredictionDiverged",
        since=_day(2014, 12, 29),
        until=_day(2015, 1, 5),
    ),
    View(
        "prediction_quality",
        "quality_mae in passengers; QualityDropped",
        "quality_mae",
        alert="QualityDropped",
        measure="mae",
    ),
)
OF_LATENCY: Final = View(
    "prediction_latency",
    "prediction_latency_seconds, p95 of each week, shown in microseconds",
    "prediction_latency_seconds",
    {"statistic": "p95"},
    scale=1e6,
)


def replayed(workflow: Path, files: Mapping[str, Path]) -> list[Emission]:
    """Replay files through a workflow; gives all emissions but repeats."""
    plan, found = load(workflow), list[Emission]()
    with ExitStack() as stack:
        inputs = [
            (name, stack.enter_context(open_input(file, plan.streams[name].topic))) for name, file in files.items()
        ]
        replay(plan, inputs, lambda outcome: found.extend(outcome.emissions), clock=SystemClock())
    return [one for one in found if not one.repeat]


def forecast() -> list[Emission]:
    """Replay the forecasts of half a year."""
    files = {name: ROOT / "data" / f"forecast.{name}.csv.gz" for name in STREAMS}
    return replayed(ROOT / "workflows" / "forecast.yaml", files)


def database(source: Path) -> list[Emission]:
    """Replay how long a database took to answer, on one machine for 16 months."""
    with gzip.open(source, "rt", encoding="utf-8") as file:
        table = [line for line in csv.DictReader(file) if line["VM_id"] == "0"]
    with TemporaryDirectory() as folder:
        workflow = Path(folder) / "database.yaml"
        workflow.write_text(LATENCY, encoding="utf-8")
        files = {"asked": Path(folder) / "asked.jsonl", "answered": Path(folder) / "answered.jsonl"}
        lines = sorted((datetime.fromisoformat(f"{one['starttime']}+00:00"), float(one["value"])) for one in table)
        files["asked"].write_text("".join(_line(time, n) for n, (time, _) in enumerate(lines)), encoding="utf-8")
        files["answered"].write_text(
            "".join(_line(time + timedelta(milliseconds=took), n) for n, (time, took) in enumerate(lines)),
            encoding="utf-8",
        )
        return replayed(workflow, files)


def _line(time: datetime, number: int) -> str:
    return json.dumps({"time": time.isoformat(), "id": number}) + "\n"


def picture(view: View, emissions: Sequence[Emission]) -> str:
    """Draw what a view shows of a replay."""
    points = [
        (one.time / 1e6, one.value * view.scale)
        for one in emissions
        if not isinstance(one, Alert)
        and one.name == view.metric
        and view.tags.items() <= one.tags.items()
        and view.since <= one.time / 1e6 <= view.until
    ]
    return draw(Drawing(view.title, points, _spans(view, emissions), view.bound, from_zero=view is not OF_LATENCY))


def _spans(view: View, emissions: Sequence[Emission]) -> list[tuple[float, float]]:
    """Give from when to when its alert fires; each firing has its end in these data."""
    found = [
        one.time / 1e6
        for one in emissions
        if isinstance(one, Alert) and one.name == view.alert and one.tags.get("measure") == view.measure
    ]
    ends = zip(found[::2], found[1::2], strict=True)
    return [(begins, ended) for begins, ended in ends if view.since <= begins <= view.until]


def pictures(shared: Path | None) -> Iterator[tuple[str, str]]:
    """Give the name of each file and its text."""
    emissions = forecast()
    for view in VIEWS:
        yield f"{view.page}.svg", picture(view, emissions)
    if shared is not None:
        yield f"{OF_LATENCY.page}.svg", picture(OF_LATENCY, database(shared / "azure-vm-noise" / DATABASE))


def main() -> None:
    """Write the pictures."""
    for name, text in pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else None):
        (PAGES / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{name}: {len(text)} bytes\n")


if __name__ == "__main__":
    main()
