"""Makes the files of workflows/forecast.yaml: what a forecasting model read, what it predicted, and what then was.

    python -m tools.make_forecast

The model is that of the live demo (`manometer/demo/forecast.py`), trained on the first four weeks of the taxi counts
in data/demo-taxi.csv.gz; the files hold all half hours after them, and the profile those that it was trained on. The
counts are real. When a forecast is ready and when a count is known is made up, from a seed: some come late.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any, Final

from manometer.demo.arrivals import read_counts
from manometer.demo.forecast import TRAINED_ON, WEEK, Forecaster
from monitors.stats.learning import FIRST_OF_FILE, Learner, Learning
from monitors.stats.profile import write_profile

ROOT: Final = Path(__file__).resolve().parents[1]
COUNTS: Final = ROOT / "data" / "demo-taxi.csv.gz"
PROFILE: Final = ROOT / "workflows" / "forecast.reference.json"
FIELDS: Final = ("passengers", "deviation")
BEGIN: Final = datetime(2014, 7, 1, tzinfo=timezone.utc)
HALF_HOUR: Final = timedelta(minutes=30)
SEED: Final = 20140729

Records = Iterable[Mapping[str, Any]]


def when(number: int, after: float = 0.0) -> str:
    """Write the end of a half hour, and some seconds after it."""
    time = BEGIN + (number + 1) * HALF_HOUR + timedelta(seconds=after)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(forecaster: Forecaster, number: int, passengers: int) -> dict[str, Any]:
    """Give what the model reads when a half hour is over: what was counted, and how far from a usual week that is."""
    deviation = math.log(max(passengers, 1)) - forecaster.profile[number % WEEK]
    half_hour = number % WEEK
    return {
        "time": when(number),
        "id": number,
        "half_hour": half_hour,
        "passengers": passengers,
        "deviation": round(deviation, 4),
    }


def inputs(forecaster: Forecaster, counts: list[int]) -> Iterator[dict[str, Any]]:
    """Give all inputs after the training; for the last half hour there would be no truth."""
    for number in range(TRAINED_ON, len(counts) - 1):
        yield read(forecaster, number, counts[number])


def predictions(forecaster: Forecaster, counts: list[int]) -> Iterator[dict[str, Any]]:
    """Give a forecast of the next half hour for each input, a moment after it."""
    chance = Random(SEED)
    for number in range(TRAINED_ON, len(counts) - 1):
        value = forecaster.forecast(number % WEEK, counts[number])
        yield {"time": when(number, chance.lognormvariate(-1, 0.5)), "id": number, "passengers": round(value, 1)}


def truths(counts: list[int]) -> Iterator[dict[str, Any]]:
    """Give what was counted in the half hour that each forecast was for, some seconds after its end."""
    chance = Random(SEED + 1)
    for number in range(TRAINED_ON, len(counts) - 1):
        yield {"time": when(number + 1, chance.expovariate(1 / 20)), "id": number, "passengers": counts[number + 1]}


def write(name: str, given: Records) -> None:
    """Write a file of data/, compressed the same way each time."""
    table = list(given)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    path = ROOT / "data" / f"forecast.{name}.csv.gz"
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    sys.stdout.write(f"{path.name}: {len(table)} records\n")


def main() -> None:
    """Write the three files and the profile."""
    counts = read_counts(COUNTS)
    forecaster = Forecaster.trained(counts[:TRAINED_ON])
    write("inputs", inputs(forecaster, counts))
    write("predictions", predictions(forecaster, counts))
    write("truth", truths(counts))
    learning, learner = Learning(), Learner(FIELDS, first=FIRST_OF_FILE)
    learner.take(learning, [read(forecaster, number, counts[number]) for number in range(TRAINED_ON)])
    profile = learner.finish(learning)
    profile.seconds = (TRAINED_ON - 1) * HALF_HOUR.total_seconds()
    PROFILE.write_text(write_profile(profile), encoding="utf-8")
    sys.stdout.write(f"{PROFILE.name}: {TRAINED_ON} records\n")


if __name__ == "__main__":
    main()
