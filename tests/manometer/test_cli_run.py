from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from archiver.sinks.json_lines import read_emissions
from archiver.sinks.sqlite import read_alerts, read_points
from tests.chaos.process import Client, Process
from tests.engine.embedded.running import NOTIFY, report
from tests.manometer.commands import run


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """Write a workflow file."""
    path = tmp_path / "workflow.yaml"
    path.write_text(NOTIFY, encoding="utf-8")
    return path


@pytest.fixture
def process(workflow: Path, tmp_path: Path) -> Iterator[Process]:
    """Run it with a second sink and a followed file, and end it if the test has not."""
    (tmp_path / "followed.jsonl").write_bytes(report(2) + b"\n")
    words = ["--sink", f"json-lines={tmp_path / 'out.jsonl'}", "--follow", f"notify={tmp_path / 'followed.jsonl'}"]
    process = Process(workflow, tmp_path / "data", *words)
    yield process
    process.stop()


def refused(*words: str | Path) -> str:
    """Run the command, see that it ends with 2, and give what it says."""
    result = run(*words)
    assert result.exit_code == 2
    return result.stderr


def send(process: Process, *values: bytes) -> None:
    """Send messages and wait for the answer."""
    connection = HTTPConnection("127.0.0.1", process.port, timeout=20)
    connection.request("POST", "/topics/notify", b"\n".join(values), {"Content-Type": "application/x-ndjson"})
    assert connection.getresponse().status == 200
    connection.close()


def test_a_process_writes_to_all_its_sinks_and_ends_in_order(process: Process, tmp_path: Path) -> None:
    """What was sent and what was followed is in the archive and in the other sink; SIGTERM ends it with 0."""
    send(process, report(1), report(50, engine="e2"), b"garbage")
    while process.ask("/topics") != {"notify": 4}:
        pass
    process.wait_for("sink_behind_parts", 0)

    assert process.ask("/readyz") == {"ready": True, "reasons": []}
    assert process.stop() == 0
    points = read_points(tmp_path / "data" / "archive.db", name="records_per_second")
    alerts = read_alerts(tmp_path / "data" / "archive.db")
    assert len(points) == 3
    assert {(alert.name, alert.tags["engine"]) for alert in alerts} == {("EngineSilent", "e1")}
    lines = read_emissions(tmp_path / "out.jsonl")
    assert {e.time for e in lines if e.name == "records_per_second"} == {point.time for point in points}


def test_a_process_goes_on_where_it_was(workflow: Path, tmp_path: Path) -> None:
    """Offsets go on, keys are known, and the folder belongs to one process at a time."""
    client = Client("notify")
    for start in (0, 1):
        process = Process(workflow, tmp_path / "data")
        client.port = process.port
        client.send([report(start)])
        if start == 0:
            second = refused("run", str(workflow), "--embedded", "--data", str(tmp_path / "data"), "--port", "0")
            assert "another process runs on it" in second
        assert process.stop() == 0
    client.close()

    stats = run("monitors", "--stats", "--data", str(tmp_path / "data"), "--json")
    found = {one["monitor"]: one for one in json.loads(stats.stdout)}
    assert set(found) == {"throughput", "health"}
    assert found["throughput"]["series"] == 1


def test_monitors_of_a_process_are_asked_for(process: Process) -> None:
    """`monitors --stats --url` shows time, errors and series of each."""
    send(process, report(1))

    shown = run("monitors", "--stats", "--url", f"http://127.0.0.1:{process.port}").stdout

    head, *lines = [line.split() for line in shown.splitlines()]
    assert head == ["monitor", "seconds", "errors", "series"]
    assert {name: (errors, series) for name, _, errors, series in lines} == {
        "throughput": ("0", "1"),
        "health": ("0", "1"),
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "give --token-file FILE as well"),  # noqa: S104 - nothing listens
        (["--token-file", "nowhere"], "--token-file nowhere: no such file"),
        (["--follow", "notify"], "expected STREAM=FILE"),
        (["--follow", "notfy=file"], 'Did you mean "notify"?'),
        (["--sink", "sqlit=x"], 'Did you mean "sqlite"?'),
        (["--sink", "webhook"], "expected a URL after"),
        (["--sink", "webhook=nowhere"], "sink webhook:"),
        (["--keep", "long"], "--keep long: "),
    ],
)
def test_options_that_make_no_sense_are_told(workflow: Path, tmp_path: Path, words: list[str], said: str) -> None:
    """In one sentence, with exit code 2, before anything runs."""
    result = refused("run", str(workflow), "--embedded", "--data", str(tmp_path / "data"), "--port", "0", *words)

    assert said in result


def test_a_port_that_is_taken_is_told(process: Process, workflow: Path, tmp_path: Path) -> None:
    """With the advice to choose another."""
    words = ["--data", str(tmp_path / "other"), "--port", str(process.port)]

    result = refused("run", str(workflow), "--embedded", *words)

    assert f"127.0.0.1:{process.port}: cannot listen" in result
    assert "choose another --port" in result


def test_the_way_to_run_has_to_be_named(workflow: Path) -> None:
    """Without --embedded the command says that it is missing."""
    assert "--embedded" in refused("run", str(workflow))


def test_an_address_where_nothing_listens_is_told() -> None:
    """In the words of the operating system."""
    said = refused("monitors", "--stats", "--url", "http://127.0.0.1:1")

    assert said.endswith("--url http://127.0.0.1:1: no answer of manometer run: connection refused\n")


@pytest.mark.parametrize(
    "words", [["--stats"], ["--stats", "--data", "a", "--url", "b"], ["--data", "a"], ["--stats", "--data", "nowhere"]]
)
def test_stats_need_one_place(words: list[str]) -> None:
    """A folder or an address, one of the two, and only with --stats."""
    assert refused("monitors", *words).count("\n") <= 3
