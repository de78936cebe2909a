"""`manometer run --kafka`: what it refuses, how it ends, and what it tells while it runs."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from tests.engine.embedded.running import NOTIFY, report
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.test_checkpoints import made
from tests.kafka.working import program
from tests.manometer.commands import run
from tests.services.broker import Broker
from tests.services.running import Program, free_port


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """Give a workflow file."""
    path = tmp_path / "workflow.yaml"
    path.write_text(NOTIFY, encoding="utf-8")
    return path


@pytest.mark.parametrize("words", [(), ("--embedded", "--kafka", "127.0.0.1:1")])
def test_a_workflow_runs_in_one_way(workflow: Path, words: tuple[str, ...]) -> None:
    """Neither way, or both, is a mistake that says what there is."""
    result = run("run", workflow, *words)

    assert result.exit_code == 2
    assert "expected either --embedded or --kafka HOST:PORT" in result.stderr


@pytest.mark.parametrize("words", [("--data", "x"), ("--follow", "notify=x"), ("--sink", "jsonl=x")])
def test_options_of_one_process_are_refused(workflow: Path, words: tuple[str, ...]) -> None:
    """What belongs to the embedded run is told by its name."""
    result = run("run", workflow, "--kafka", "127.0.0.1:1", *words)

    assert result.exit_code == 2
    assert f"{words[0]} belongs to --embedded" in result.stderr


def test_a_broker_that_is_not_there_is_told(workflow: Path) -> None:
    """The address is in the sentence, and the exit code is 2."""
    address = f"127.0.0.1:{free_port()}"

    result = run("run", workflow, "--kafka", address, "--port", "0")

    assert result.exit_code == 2
    assert f"--kafka {address}" in result.stderr


def test_missing_topics_are_told(broker: Broker, tmp_path: Path) -> None:
    """A worker does not start without its topics, and names the command that makes them."""
    path = tmp_path / "workflow.yaml"
    path.write_text(NOTIFY.replace("workflow: test", f"workflow: {cluster.fresh('missing')}"), encoding="utf-8")

    result = run("run", path, "--kafka", broker.address, "--port", "0")

    assert result.exit_code == 2
    assert "manometer topics" in result.stderr


def test_health_readiness_and_numbers_are_told(broker: Broker, tmp_path: Path) -> None:
    """/readyz says when partitions are read, /metrics what was done; nothing can be sent to a worker."""
    plan, path = made(broker, tmp_path)
    cluster.write(broker.address, plan.streams["notify"].topic, [Written(report(second), b"e1") for second in range(9)])
    worker = program(broker, path, tmp_path / "log")

    try:
        worker.wait_for(lambda: b"http://" in worker.log.read_bytes())
        place = worker.log.read_text(encoding="utf-8").partition("http://")[2].partition("/")[0]
        worker.wait_for(lambda: _ready(place))
        worker.wait_for(lambda: 'outcome="applied",partition="0"} 9.0' in _get(place, "/metrics"))

        assert json.loads(_get(place, "/healthz"))["alive"] is True
        assert 'manometer_messages_behind{partition="0"' in _get(place, "/metrics")
    finally:
        code = _end(worker)
    assert code == 0, worker.tail()


def _get(place: str, path: str) -> str:
    with urllib.request.urlopen(f"http://{place}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def _ready(place: str) -> bool:
    try:
        return bool(json.loads(_get(place, "/readyz"))["ready"])
    except OSError:
        return False


def _end(worker: Program) -> int:
    return worker.stop(15)
