"""`manometer demo`, live: real processes, real sensors, a real intake; sped up, so that the story takes 12 seconds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, NamedTuple

import psutil
import pytest

from archiver.sinks.sqlite import read_alerts, read_points
from engine.embedded.store import Store
from engine.events import Emission, encode
from engine.recording.files import open_input
from manometer.demo.half_year import TELLING
from tests.house.source import ROOT
from tests.manometer.commands import start
from tests.manometer.terminals import seen

SPEED: Final = "7200"
"""A day in 12 seconds."""
FIRST_NUMBERS: Final = 5.0
IMPORTS: Final = 0.5
"""Seconds that the imports of the demo take on a machine that has nothing else to do."""


class Told(NamedTuple):
    """A whole run on a pipe, and what it left."""

    code: int
    lines: list[tuple[float, str]]
    """Seconds after the command was given, and a line."""
    errors: str
    data: Path
    record: Path
    left: list[int]
    """Its child processes that were still there at its end."""
    load: float
    """How many times longer than alone everything takes on this machine just now."""

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(line for _, line in self.lines)

    def first(self, words: str) -> float:
        """Give when a line with these words came."""
        return next(when for when, line in self.lines if words in line)


def command(*words: str | Path) -> list[str]:
    """Write the command as a process of its own."""
    return [sys.executable, "-c", "from manometer.cli.main import main; main()", "demo", *map(str, words)]


def load_of_this_machine() -> float:
    """Compare how long imports take with how long they take where nothing else runs."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import manometer.cli.demo_live"], cwd=ROOT, check=True)
    return max(1.0, (time.monotonic() - began) / IMPORTS)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Let the whole story be told once."""
    folder = tmp_path_factory.mktemp("demo")
    load = load_of_this_machine()
    data, record = folder / "data", folder / "rec"
    began = time.monotonic()
    words = command("--speed", SPEED, "--data", data, "--record", record)
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines, children = [], set[psutil.Process]()
        for line in process.stdout:
            lines.append((time.monotonic() - began, line.rstrip("\n")))
            if process.poll() is None:
                children.update(psutil.Process(process.pid).children())
        errors = process.stderr.read()
    left = [child.pid for child in children if child.is_running()]
    return Told(process.returncode, lines, errors, data, record, left, load)


def test_the_story_ends_by_itself_in_order(told: Told) -> None:
    """On a pipe it ends when the story is told, with exit code 0; nothing on standard error, no process left."""
    assert (told.code, told.errors, told.left) == (0, "", [])
    assert (told.data / "engines.log").read_text(encoding="utf-8") == ""


def test_the_first_numbers_come_within_five_seconds(told: Told) -> None:
    """From the command on; on a machine that is busy with other things, as much longer as its imports take."""
    assert told.first("first numbers") < FIRST_NUMBERS * told.load


def test_the_first_line_is_the_address_of_the_board(told: Told) -> None:
    """Before anything else, on standard output; the last lines say how to open it again."""
    assert re.fullmatch(r"the board: http://127\.0\.0\.1:\d+/ \(open it in a browser\)", told.lines[0][1])
    assert f"board {told.data / 'archive.db'}" in told.text


def test_the_alerts_of_the_story_fire(told: Told) -> None:
    """The one that fails recovers, the killed one is silent, the one that left is not, and the drift is noticed."""
    alerts = read_alerts(told.data / "archive.db", tags={"workflow": "demo"})
    changes = {(one.name, one.tags["engine"], one.firing) for one in alerts if not one.repeat}

    assert {
        ("EngineError", "taxi-2", True),
        ("EngineError", "taxi-2", False),
        ("EngineSilent", "taxi-5", True),
        ("InputTooLarge", "taxi-3", True),
        ("ForecastsOff", "taxi-3", True),
    } <= changes
    assert not any(name in {"InputTooLarge", "ForecastsOff"} and engine != "taxi-3" for name, engine, _ in changes)
    assert ("EngineSilent", "taxi-4", True) not in changes


def test_what_happens_is_printed_with_its_seconds(told: Told) -> None:
    """Each turn of the story and each change of an alert is a line, then come the alerts, the rejects and hints."""
    for words in (
        "taxi-2 cannot reach its feature store",
        "EngineError of taxi-2 critical fired",
        "EngineError of taxi-2 resolved",
        "taxi-4 is shut down in order",
        "EngineSilent of taxi-5 critical fired",
        "ForecastsOff of taxi-3 critical fired",
    ):
        assert re.search(rf"^ *\d+\.\d s .*{re.escape(words)}", told.text, re.MULTILINE), words
    assert "What to try next" in told.text
    assert f"--input notify={told.record / 'notify.jsonl'}" in told.text


def test_half_a_year_of_forecasts_is_replayed_beside_the_story(told: Told) -> None:
    """It comes after the first numbers, is told again at the end with the command, and its emissions are kept."""
    headline = r"half a year of forecasts, replayed in \d+\.\d s: 19 alerts"

    assert len(re.findall(headline, told.text)) == 2
    assert told.first("half a year of forecasts, replayed") > told.first("first numbers")
    assert all(re.search(rf"20\d\d-\d\d-\d\d {name} +\S", told.text) for name in TELLING)
    assert "replay workflows/forecast.yaml" in told.text
    assert "docs/forecast.md" in told.text
    assert (told.data / "forecast.db").is_file()


def test_engines_reject_what_does_not_fit_and_forecast_the_rest(told: Told) -> None:
    """Both reasons occur, in the engines' own counts as among the rejects of the workflow; forecasts are all others."""
    points = read_points(told.data / "archive.db", name="records_rejected_total")
    by_reason = {
        reason: max(p.value for p in points if p.tags["reason"] == reason) for reason in ("schema", "encoding")
    }
    with closing(Store(told.data)) as store:
        rejects = [reject for _, reject in store.rejects()]
    inputs, forecasts = (len(messages(told.record / f"{name}.jsonl")) for name in ("inputs", "predictions"))

    assert min(by_reason.values()) > 0
    assert {reject.reason for reject in rejects} == {"schema", "encoding"}
    assert inputs - forecasts == len(rejects)
    assert forecasts > 5_000


def messages(path: Path) -> list[object]:
    """Read a recording."""
    with open_input(path, "") as given:
        return [item for batch in given.batches() for item in batch]


def emissions(store: Path) -> set[bytes]:
    """Read what lies in a store, of this workflow."""
    found: list[Emission] = [
        *read_points(store, tags={"workflow": "demo"}),
        *read_alerts(store, tags={"workflow": "demo"}),
    ]
    return {encode(emission) for emission in found}


def test_its_recordings_replay_to_the_same_emissions(told: Told, tmp_path: Path) -> None:
    """`manometer replay` of what was recorded gives the set of emissions that the live archive has."""
    inputs = [f"--input={name}={told.record / name}.jsonl" for name in ("notify", "inputs", "predictions")]

    done = start("replay", "workflows/demo.yaml", *inputs, "--store", tmp_path / "again.db")

    assert done.returncode == 0, done.stderr
    live = emissions(told.data / "archive.db")
    assert len(live) > 200
    assert live == emissions(tmp_path / "again.db")


@pytest.fixture
def broken_demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a demo that somebody is going to break; its story goes so slowly that nothing else happens."""
    words = command("--speed", "300", "--data", tmp_path / "data", "--record", tmp_path / "rec")
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[str], words: str) -> str:
    """Read lines up to one with these words."""
    assert process.stdout is not None
    return next(line for line in process.stdout if words in line)


def test_what_a_user_breaks_is_seen_and_ctrl_c_ends_it_in_order(
    broken_demo: subprocess.Popen[str], tmp_path: Path
) -> None:
    """An engine killed by hand falls silent, garbage is a reject; Ctrl-C for all its processes leaves none of them."""
    page = re.search(r"127\.0\.0\.1:\d+", until(broken_demo, "the board: "))
    address = re.search(r"http://\S+/topics/", until(broken_demo, "POST"))
    assert page is not None
    assert address is not None
    until(broken_demo, "first numbers")
    engines = psutil.Process(broken_demo.pid).children()
    next(one for one in engines if one.cmdline()[-1] == "taxi-1").kill()
    answer = subprocess.run(
        ["curl", "-s", "--json", "garbage", f"{address[0]}notify"],  # noqa: S607 - curl of the PATH
        capture_output=True,
        check=True,
    ).stdout
    until(broken_demo, "EngineSilent of taxi-1 critical fired")
    with closing(HTTPConnection(page[0], timeout=20)) as connection:
        connection.request("GET", "/api/health")
        shown = json.load(connection.getresponse())
    os.killpg(broken_demo.pid, signal.SIGINT)
    rest, _ = broken_demo.communicate(timeout=30)

    assert b'"messages":1' in answer
    assert shown["ok"]
    assert abs(shown["now"] - shown["newest"]) < 60_000
    assert broken_demo.returncode == 0
    assert "Traceback" not in rest
    assert re.search(r"1 +notify +encoding +expected JSON", rest)
    assert [one.pid for one in engines if one.is_running()] == []
    assert sorted(path.name for path in (tmp_path / "rec").iterdir()) == [
        "inputs.jsonl",
        "notify.jsonl",
        "predictions.jsonl",
    ]
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {"archive.db", "state.db"}


def test_on_a_terminal_it_is_a_view_that_leaves_the_terminal_as_it_was() -> None:
    """The view takes the other screen, shows engines, streams and alerts, and gives the first one back."""
    shown = seen(["demo", "--for", "4s", "--speed", SPEED], columns=80)
    _, _, taken = shown.partition("\x1b[?1049h")
    view, _, after = taken.partition("\x1b[?1049l")

    assert "\x1b[?25h" in shown  # the cursor is back
    assert re.search(r"taxi-1 .*running", view)
    assert all(
        words in view
        for words in ("predictions", "EngineError", "messages/s", "kill -9", "curl --json garbage", "board: ")
    )
    assert "What to try next" in after
    assert "Traceback" not in shown
