"""The forecast workflow on its recorded data: what New York did is what the alerts say."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import pytest

from tests.house.source import ROOT
from tools import make_forecast

STREAMS: Final = ("inputs", "predictions", "truth")
MARATHON: Final = date(2014, 11, 2)
"""Two hours were counted as one in this night too."""
STORIES: Final = {
    date(2014, 9, 1): "Labor Day",
    date(2014, 11, 1): "the night of Halloween",
    MARATHON: "the marathon, and the end of summer time",
    date(2014, 11, 27): "Thanksgiving",
    date(2014, 12, 24): "Christmas Eve",
    date(2014, 12, 25): "Christmas",
    date(2015, 1, 1): "New Year",
    date(2015, 1, 26): "the blizzard comes",
}
"""Days of which something has to be said; all but the first lie in the windows that NAB's labels have."""


@pytest.fixture(scope="module")
def alerts() -> list[dict[str, Any]]:
    """Replay the data as the head of the workflow file says; gives the alerts, without repeats."""
    given = [f"--input={name}=data/forecast.{name}.csv.gz" for name in STREAMS]
    command = [sys.executable, "-m", "manometer", "replay", "workflows/forecast.yaml", *given]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    emissions = [json.loads(line) for line in done.stdout.splitlines()]
    assert json.loads(done.stderr.splitlines()[-1])["rejects"] == 0
    return [one for one in emissions if one["type"] == "alert" and not one.get("repeat")]


def days(alerts: list[dict[str, Any]], *names: str) -> set[date]:
    """Give the days in which alerts fired; a window of a day tells at its end."""
    times = [one["time"] for one in alerts if one["name"] in names and one["state"] == "firing"]
    return {(datetime.fromtimestamp(time, timezone.utc) - timedelta(microseconds=1)).date() for time in times}


def test_each_story_of_the_half_year_is_told(alerts: list[dict[str, Any]]) -> None:
    """Holidays, the marathon and the blizzard: drift of the input, a drop of quality, or both."""
    told = days(alerts, "InputDrifted", "QualityDropped", "PredictionDiverged")

    assert STORIES.keys() <= told
    assert len(told - STORIES.keys()) <= 5, "ordinary days are quiet"


def test_the_monitors_see_different_things(alerts: list[dict[str, Any]]) -> None:
    """The blizzard is strange to the model and forecast well; on New Year single forecasts are far off."""
    blizzard = date(2015, 1, 26)

    assert blizzard in days(alerts, "InputDrifted")
    assert blizzard not in days(alerts, "QualityDropped")
    assert days(alerts, "PredictionDiverged") == {date(2015, 1, 1)}
    assert MARATHON in days(alerts, "QualityDropped")


def test_nothing_fires_for_ever(alerts: list[dict[str, Any]]) -> None:
    """What fires resolves by the end of the data."""
    firing: dict[str, bool] = defaultdict(bool)
    for one in alerts:
        firing[one["name"] + json.dumps(one["tags"], sort_keys=True)] = one["state"] == "firing"

    assert not any(firing.values())


def test_the_files_are_made_as_the_tool_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made anew from the taxi counts they are the same, line by line."""
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(make_forecast, "ROOT", tmp_path)
    monkeypatch.setattr(make_forecast, "PROFILE", tmp_path / "forecast.reference.json")

    make_forecast.main()

    for name in STREAMS:
        file = f"data/forecast.{name}.csv.gz"
        assert gzip.decompress((tmp_path / file).read_bytes()) == gzip.decompress((ROOT / file).read_bytes())
    profile = (tmp_path / "forecast.reference.json").read_text(encoding="utf-8")
    assert profile == (ROOT / "workflows" / "forecast.reference.json").read_text(encoding="utf-8")
