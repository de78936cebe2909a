"""SIGHUP: a changed workflow file is taken up, one with mistakes is not."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from archiver.sinks.sqlite import read_points
from tests.engine.embedded.running import NOTIFY, report
from tests.kafka import cluster
from tests.manometer.commands import run
from tests.manometer.on_kafka import BAD, GOOD, case
from tests.services.running import Program
from tests.services.secured import Secured


class Running:
    """A `manometer run` of its own."""

    def __init__(self, workflow: Path, log: Path, *words: str) -> None:
        """Start it, and wait until it says that it runs."""
        self.workflow = workflow
        self.program = Program([sys.executable, "-m", "manometer", "run", str(workflow), "--port", "0", *words], log)
        self.wait_for("to end: Ctrl-C")

    @property
    def said(self) -> str:
        """What it has written so far."""
        return self.program.tail(100_000)

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until it has said something so many times."""
        self.program.wait_for(lambda: self.said.count(text) >= times)

    def change(self, workflow: Callable[[str], str]) -> None:
        """Change its file, and tell it."""
        self.workflow.write_text(workflow(self.workflow.read_text(encoding="utf-8")), encoding="utf-8")
        self.hang_up()

    def post(self, topic: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
        """Send messages; gives status and answer."""
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", self.said)
        assert found is not None
        connection = HTTPConnection("127.0.0.1", int(found[1]), timeout=20)
        connection.request("POST", f"/topics/{topic}", body, {"Content-Type": "application/x-ndjson", **headers})
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        return answer.status, told

    def get(self, path: str) -> tuple[int, str]:
        """Ask it something; gives status and answer."""
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", self.said)
        assert found is not None
        connection = HTTPConnection("127.0.0.1", int(found[1]), timeout=20)
        connection.request("GET", path)
        answer = connection.getresponse()
        told = answer.read().decode()
        connection.close()
        return answer.status, told

    def hang_up(self) -> None:
        """Send SIGHUP."""
        self.program.process.send_signal(signal.SIGHUP)


def test_an_embedded_process_takes_up_a_changed_file(tmp_path: Path) -> None:
    """One with mistakes, of another name or not changed is told of; one more monitor is run, on the same port."""
    path = tmp_path / "workflow.yaml"
    path.write_text(NOTIFY, encoding="utf-8")
    running = Running(path, tmp_path / "log", "--embedded", "--data", str(tmp_path / "data"))

    running.post("notify", report(1))
    running.hang_up()
    running.wait_for("has not changed; the workflow goes on as it was")
    running.change(lambda text: f"{text}\nfoo: bar\n")
    running.wait_for("foo: unknown key")
    running.wait_for("the workflow goes on as it was", 2)
    running.change(lambda text: text.replace("foo: bar", "").replace("workflow: ", "workflow: other", 1))
    running.wait_for("start it as a new one")
    path.write_text(NOTIFY, encoding="utf-8")
    assert run("attach", "record_count", "--to", "notify", "--name", "more", path).exit_code == 0
    running.hang_up()
    running.wait_for("to end: Ctrl-C", 2)
    running.post("notify", report(2))

    assert running.program.stop() == 0
    points = read_points(tmp_path / "data" / "archive.db", name="records_total")
    assert "more" in {one.tags["monitor"] for one in points}


def test_a_worker_takes_up_a_changed_file(broker: Secured, tmp_path: Path) -> None:
    """It goes on where it was: nothing is read twice, and the new monitor sees what comes from then on."""
    given = case(broker, tmp_path)
    given.write(*GOOD[:2])
    running = Running(given.path, tmp_path / "log", *given.kafka)
    running.wait_for("go on at")
    running.change(lambda text: text.replace('"throughput"', '"thruput"'))
    running.wait_for("the workflow goes on as it was")
    running.change(lambda text: text.replace('"thruput"', '"throughput"'))
    assert run("attach", "record_count", "--to", "notify", given.path).exit_code == 0
    running.program.wait_for(lambda: cluster.committed(broker.address, given.plan, given.topic) == 2)
    running.hang_up()
    running.wait_for("go on at", 2)
    running.post(given.topic, GOOD[2])
    running.program.wait_for(lambda: cluster.committed(broker.address, given.plan, given.topic) == 3)

    assert running.program.stop() == 0
    found = cluster.emissions(cluster.archive(broker.address, given.plan))
    assert len(found) == len(set(found))
    assert [line for line in found if '"records_total"' in line and '"value":300.0' in line]
    assert sum('"records_per_second"' in line for line in found) == 3


def test_a_worker_with_an_older_file_waits_for_the_newer_one(broker: Secured, tmp_path: Path) -> None:
    """It lets go, is not ready, and says why; SIGHUP with the newer file ends that, with an older one it does not."""
    given = case(broker, tmp_path)
    given.write(GOOD[0])
    older = Running(given.path, tmp_path / "older.log", *given.kafka)
    older.wait_for("go on at")
    text = given.path.read_text(encoding="utf-8")
    path = tmp_path / "newer.json"
    path.write_text(text.replace('"throughput"', '"record_count"'), encoding="utf-8")
    newer = Running(path, tmp_path / "newer.log", *given.kafka)
    newer.wait_for("go on at")
    older.wait_for("waits: the workflow file of")
    told = older.get("/readyz")
    given.write(GOOD[1])
    newer.change(lambda _: text)
    newer.wait_for("is outdated: it is revision 1, and revision 2 has run")
    newer.wait_for("the workflow goes on as it was")
    older.change(lambda _: text.replace('"throughput"', '"record_count"'))
    older.program.wait_for(lambda: older.get("/readyz")[0] == 200)

    assert (told[0], "put the newer file in its place and send SIGHUP" in told[1]) == (503, True)
    assert older.get("/healthz")[0] == 200
    newer.program.wait_for(lambda: cluster.committed(broker.address, given.plan, given.topic) == 2)
    assert (older.program.stop(), newer.program.stop()) == (0, 0)
    names = [one for one in cluster.emissions(cluster.archive(broker.address, given.plan)) if '"records_total"' in one]
    assert len(names) == 1


def test_what_is_posted_to_a_worker_goes_to_kafka(broker: Secured, tmp_path: Path) -> None:
    """Keyed by its field, in order, once a key; what the brokers or the workflow do not take is told."""
    given = case(broker, tmp_path)
    running = Running(given.path, tmp_path / "log", *given.kafka)
    running.wait_for("go on at")
    body, again = b"\n".join([*GOOD, BAD]), {"Idempotency-Key": "k1"}
    first = running.post(given.topic, body, **again)
    second = running.post(given.topic, body, **again)
    unknown = running.post("other", body)
    large = running.post(given.topic, b"[%s]" % (b"1" * 1_500_000))
    running.program.wait_for(lambda: cluster.committed(broker.address, given.plan, given.topic) == 4)
    messages = cluster.messages(broker.address, given.topic)

    assert first == second == (200, {"messages": 4, "topic": given.topic, "first": 0, "last": 3})
    assert (unknown[0], large[0]) == (404, 400)
    assert [(one.key, one.value) for one in messages] == [*((b"e1", value) for value in GOOD), (None, BAD)]
    assert running.program.stop() == 0
    assert len(cluster.rejects(broker.address, given.plan)) == 1
