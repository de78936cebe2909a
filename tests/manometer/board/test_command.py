"""The board as people start it: by itself, and within an embedded run."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from archiver.sinks.influxdb import InfluxSink
from archiver.sinks.sqlite import SqliteSink
from engine.events import Metric
from tests.chaos.process import Process
from tests.engine.embedded.running import NOTIFY, report
from tests.house.source import ROOT
from tests.manometer.board.serving import milliseconds, some, tags
from tests.manometer.commands import run
from tests.services.influxdb import ORG, InfluxDB
from tests.services.influxdb import TOKEN as INFLUX_TOKEN

BOARD = (sys.executable, "-c", "from manometer.cli.main import main; main()", "board")
TOKEN = "of a file"  # noqa: S105 - of these tests


class Got(NamedTuple):
    """What came back."""

    status: int
    data: bytes

    @property
    def body(self) -> Any:
        """What is in it, where it is JSON."""
        return json.loads(self.data)


def get(address: str, **headers: str) -> Got:
    """Ask."""
    parts = urlsplit(address)
    with closing(HTTPConnection(parts.netloc, timeout=20)) as connection:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        reply = connection.getresponse()
        return Got(reply.status, reply.read())


@contextmanager
def serving(*words: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `manometer board` until the end of the block; gives its first line."""
    command = [*BOARD, *map(str, words), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().rstrip("\n")
        finally:
            process.kill()


def written(path: Path, emissions: Sequence[Any]) -> Path:
    """Write a store."""
    sink = SqliteSink(path)
    sink.write(emissions)
    sink.close()
    return path


@pytest.mark.parametrize("form", ["FILE", "--store"])
def test_a_store_is_shown_until_it_is_stopped(tmp_path: Path, form: str) -> None:
    """The first line is the address; SIGTERM ends it in order."""
    store = written(tmp_path / "a.db", some())
    with serving(*([store] if form == "FILE" else ["--store", f"sqlite={store}"])) as (process, first):
        found = re.fullmatch(r"the board: (http://127\.0\.0\.1:\d+)/", first)
        assert found is not None, process.communicate(timeout=10)
        health = get(f"{found[1]}/api/health").body
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=10)

    assert health["ok"]
    assert health["store"] == f"sqlite={store}"
    assert (process.returncode, rest) == (0, "")
    assert "Traceback" not in errors


def test_influxdb_is_shown_too(influxdb: InfluxDB, tmp_path: Path) -> None:
    """The same panels over the other store; the file of the token stays out of what is told."""
    influxdb.bucket("live-board")
    sink = InfluxSink(influxdb.url, org=ORG, bucket="live-board", token=INFLUX_TOKEN, seconds=60)
    assert not sink.write(some())
    sink.close()
    (tmp_path / "token").write_text(INFLUX_TOKEN, encoding="utf-8")
    with serving("--store", f"influxdb={influxdb.url},bucket=live-board,token-file={tmp_path / 'token'}") as (_, first):
        address = first.removeprefix("the board: ")
        now = milliseconds()
        health = get(f"{address}api/health").body
        series = get(f"{address}api/series?board=manometer-model&variable=engine").body
        alerts = get(f"{address}api/alerts?from={now - 600_000}&to={now}&state=firing").body["alerts"]

    assert (health["ok"], health["store"]) == (True, f"influxdb={influxdb.url}")
    assert series["values"] == ["e1", "e2", "e3"]
    assert [(one["name"], one["evidence"]) for one in alerts] == [("EngineError", {"since": 1.5})]
    assert alerts[0]["began"] == alerts[0]["time"]


def test_old_data_are_found(tmp_path: Path) -> None:
    """Where nothing is recent a second line leads to the newest there is."""
    store = written(tmp_path / "a.db", [Metric("cpu_utilization", 1_700_000_000_000_000, 0.5, tags())])
    with serving(store) as (process, _):
        assert process.stdout is not None
        second = process.stdout.readline()

    assert "?from=1699956800000&to=1700000000001" in second


def test_beyond_this_machine_it_asks_for_the_token(tmp_path: Path) -> None:
    """The token of the file; without it there is nothing to see."""
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    store = written(tmp_path / "a.db", some())
    with serving(store, "--host", "0.0.0.0", "--token-file", tmp_path / "token") as (_, first):  # noqa: S104 - guarded
        port = first.rpartition(":")[2]
        address = f"http://127.0.0.1:{port}api/health"
        without, having = get(address), get(address, Authorization=f"Bearer {TOKEN}")

    assert without.status == 401
    assert having.body["ok"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected either FILE.db or --store KIND=TARGET"),
        (["a.db", "--store", "sqlite=a.db"], "expected either FILE.db or --store KIND=TARGET"),
        (["nowhere.db"], "nowhere.db: no such file"),
        (["a.db", "--host", "0.0.0.0"], "give --token-file FILE as well"),  # noqa: S104 - nothing listens
        (["a.db", "--token-file", "nowhere"], "--token-file nowhere: no such file"),
        (["a.db", "--workflow", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["--store", "sqlit=a.db"], 'Did you mean "sqlite"?'),
    ],
)
def test_options_that_make_no_sense_are_told(words: list[str], said: str) -> None:
    """In one sentence, with exit code 2, before anything listens."""
    result = run("board", *words)

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    """It is not ours to show."""
    (tmp_path / "a.db").write_bytes(b"no database, but long enough for a header of one" * 10)

    result = run("board", tmp_path / "a.db", "--port", "0")

    assert result.exit_code == 2
    assert "a.db" in result.stderr


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """Write a workflow file."""
    path = tmp_path / "workflow.yaml"
    path.write_text(NOTIFY, encoding="utf-8")
    return path


def test_an_embedded_run_shows_the_board_on_its_address(workflow: Path, tmp_path: Path) -> None:
    """One address for messages and for the page; what was sent is on it."""
    process = Process(workflow, tmp_path / "data")
    address = f"http://127.0.0.1:{process.port}"
    with closing(HTTPConnection("127.0.0.1", process.port, timeout=20)) as connection:
        kind = {"Content-Type": "application/x-ndjson"}
        connection.request("POST", "/topics/notify", report(1) + b"\n" + report(11), kind)
        assert connection.getresponse().status == 200
    process.wait_for("sink_behind_parts", 0)

    page = get(f"{address}/")
    series = get(f"{address}/api/series?board=manometer-model&variable=workflow")
    ready = get(f"{address}/readyz")

    assert process.stop() == 0
    assert b"<title>" in page.data
    assert series.body["values"] == ["test"]
    assert ready.body["ready"]


def test_an_embedded_run_without_a_board(workflow: Path, tmp_path: Path) -> None:
    """`--no-board` leaves only the intake."""
    process = Process(workflow, tmp_path / "data", "--no-board")
    for path in ("/", "/api/health"):
        assert get(f"http://127.0.0.1:{process.port}{path}").status == 404
    process.stop()

    assert "belongs to --embedded" in run("run", workflow, "--kafka", "127.0.0.1:1", "--no-board").stderr


def test_the_command_of_an_alert_shows_it_again(workflow: Path, tmp_path: Path) -> None:
    """What `replay` says, with the placeholder filled in and run by a shell, prints that alert and nothing else."""
    notify = tmp_path / "notify.jsonl"
    state = b'{"type":"engine-state","timestamp":"2026-01-01T00:00:%02dZ","src":"e1","state":"%b"}\n'
    notify.write_bytes(b"".join(state % (at, word) for at, word in ((1, b"running"), (2, b"error"), (9, b"running"))))
    text = NOTIFY.replace("monitors:", "monitors:\n  - {use: health, from: notify, name: watching}", 1)
    workflow.write_text(text, encoding="utf-8")
    store = tmp_path / "a.db"
    assert run("replay", workflow, "--input", f"notify={notify}", "--store", store).exit_code == 0
    with serving(store, "--workflow", workflow) as (_, first):
        address = first.removeprefix("the board: ")
        alerts = get(f"{address}api/alerts?from=1767225600000&to=1767225700000").body["alerts"]

    firing = next(one for one in alerts if one["state"] == "firing" and one["tags"]["monitor"] == "watching")
    command = firing["replay"].replace("RECORDINGS", str(tmp_path))
    command = command.replace("manometer ", f"{sys.executable} -m manometer ", 1)
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 - any sh

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["name"], one["state"]) for one in lines if one["tags"]["monitor"] == "watching"] == [
        ("EngineError", "firing")
    ]
    assert lines[0]["time"] == firing["time"] / 1_000
