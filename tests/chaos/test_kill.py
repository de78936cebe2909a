from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from archiver.sinks.sqlite import read_alerts, read_points
from engine.embedded.store import Store
from engine.events import encode
from tests.chaos.process import Client, Process
from tests.engine.embedded.running import report

WORKFLOW = """
workflow: chaos
streams:
  notify: {topic: notify, decode: sensors, idle_after: off}
  requests: {topic: requests, decode: json, time: t, idle_after: off}
  values: {topic: values, decode: json, time: t, idle_after: off}
monitors:
  - {use: throughput, from: notify}
  - {use: record_count, from: notify}
  - {use: health, from: notify, with: {silent_after: 30s}}
  - {use: threshold, name: request_x, from: requests, with: {field: x, above: 95}}
  - {use: threshold, from: values, with: {field: x, above: 90, for: 200ms}}
archive: {topic: archive}
repeat: 5m
"""
BEGUN = 1_700_000_000
TOPICS = ("notify", "requests", "values")


def message(topic: str, number: int) -> bytes:
    """Give the message of an offset: mostly records, now and then what is none, or what makes an alert."""
    if number % 37 == 5:
        return b"garbage %d" % number
    if topic == "notify":
        return report(number / 20 + number // 500 * 45, data=number % 60, engine=f"e{number % 7}")
    return json.dumps({"t": BEGUN + number / 20 + number // 700 * 200, "x": number % 100}).encode()


class Load:
    """Clients that send without end and a file that grows without end, until they are told to stop."""

    def __init__(self, followed: Path, seed: int) -> None:
        self.followed = followed
        self.followed_lines = 0
        self.clients = [Client("notify"), Client("requests")]
        self._random = random.Random(seed)
        self._stop = Event()
        self._threads = [Thread(target=self._send, args=(client,)) for client in self.clients]
        self._threads.append(Thread(target=self._append))

    def aim(self, port: int) -> None:
        """Say where the process is by now."""
        for client in self.clients:
            client.port = port

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop once all that was sent is answered."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for client in self.clients:
            client.close()

    def _send(self, client: Client) -> None:
        sizes = random.Random(client.topic)
        while not self._stop.is_set():
            numbers = range(client.answered, client.answered + sizes.randrange(1, 60))
            client.send([message(client.topic, number) for number in numbers])

    def _append(self) -> None:
        with self.followed.open("ab", buffering=0) as file:
            while not self._stop.wait(0.003):
                whole = message("values", self.followed_lines) + b"\n"
                file.write(whole[:4])
                file.write(whole[4:])
                self.followed_lines += 1

    def sent(self) -> dict[str, int]:
        """Tell how many messages of each topic there were."""
        return {**{client.topic: client.answered for client in self.clients}, "values": self.followed_lines}


def run_with_kills(folder: Path, kills: int, seed: int) -> tuple[dict[str, int], int]:
    """Run under load, stop dead and start again so many times; gives what was sent, and the answers that were lost."""
    followed = folder / "values.jsonl"
    followed.touch()
    moments = random.Random(seed)
    load = Load(followed, seed)
    pause = Event()
    process = Process(folder / "chaos.yaml", folder / "killed", "--follow", f"values={followed}")
    load.aim(process.port)
    load.start()
    for _ in range(kills):
        pause.wait(moments.uniform(0.0, 0.6))
        process.kill()
        process = Process(folder / "chaos.yaml", folder / "killed", "--follow", f"values={followed}")
        load.aim(process.port)
    load.stop()
    settle(process, load.sent())
    return load.sent(), sum(client.replayed for client in load.clients)


def settle(process: Process, sent: dict[str, int]) -> None:
    """Wait until everything is applied and written, then end in order."""
    until(lambda: offsets(process) == sent)
    process.wait_for("sink_behind_parts", 0)
    assert process.stop() == 0


def offsets(process: Process) -> dict[str, int]:
    """Tell how many messages of each topic the process has."""
    return {str(name): int(number) for name, number in process.ask("/topics").items()}


def until(true: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    pause = Event()
    for _ in range(600):
        if true():
            return
        pause.wait(0.05)
    raise AssertionError("it did not happen within half a minute")


def run_in_one_go(folder: Path, sent: dict[str, int]) -> None:
    """Send the same messages to a process that nobody disturbs, in large deliveries."""
    process = Process(folder / "chaos.yaml", folder / "whole")
    for topic in TOPICS:
        client = Client(topic)
        client.port = process.port
        for start in range(0, sent[topic], 5_000):
            client.send([message(topic, number) for number in range(start, min(start + 5_000, sent[topic]))])
        client.close()
    settle(process, sent)


def archive(folder: Path) -> dict[str, Sequence[Any]]:
    """Read all that came of a run: points, alerts, rejects; what the process tells of itself left out."""
    path = folder / "archive.db"
    own = {"workflow": "chaos"}
    store = Store(folder)
    rejects = sorted(
        (one.message.topic, one.message.offset, one.reason, one.detail, one.monitor, one.message.value)
        for _, one in store.rejects()
    )
    store.close()
    return {
        "points": [encode(point) for point in read_points(path, tags=own)],
        "alerts": [encode(alert) for alert in read_alerts(path, tags=own)],
        "rejects": rejects,
    }


def see_the_same(folder: Path, kills: int, seed: int, record: Callable[[str, object], None]) -> None:
    """Run with and without kills and compare everything."""
    (folder / "chaos.yaml").write_text(WORKFLOW, encoding="utf-8")
    sent, replayed = run_with_kills(folder, kills, seed)
    run_in_one_go(folder, sent)

    killed, whole = archive(folder / "killed"), archive(folder / "whole")

    for kind in ("rejects", "alerts", "points"):
        assert len(killed[kind]) == len(whole[kind]) > 0, kind
        assert killed[kind] == whole[kind]
    record("messages", sum(sent.values()))
    record("points", len(whole["points"]))
    record("lost answers", replayed)


def test_kill_nine_under_load_changes_nothing(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """What was answered is there once, what was not is sent again and not twice: the archive is the undisturbed one."""
    see_the_same(tmp_path, kills=5, seed=random.randrange(2**32), record=record_property)


@pytest.mark.long
def test_a_hundred_kills_change_nothing(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """The same, at a hundred random moments."""
    see_the_same(tmp_path, kills=100, seed=random.randrange(2**32), record=record_property)
