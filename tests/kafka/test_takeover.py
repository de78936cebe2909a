"""How long partitions stand still when a worker ends: in order, or as if the power had failed."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

from engine.kafka.clients import SESSION_SECONDS
from engine.plan import Plan
from tests.engine.embedded.running import report
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.test_checkpoints import made
from tests.kafka.working import program
from tests.services.broker import Broker
from tests.services.running import Missing, Program, absent

PARTITIONS = 4
EVERY = 0.2
MOST = 20.0
"""Seconds that an end may take: ten, and what a busy machine adds; without the bound it takes forty and more."""


class Trickle(Thread):
    """Writes a report to each partition a few times a second."""

    def __init__(self, broker: Broker, plan: Plan) -> None:
        """Prepare."""
        super().__init__(daemon=True)
        self._broker = broker
        self._topic = plan.streams["notify"].topic
        self.stop = Event()

    def run(self) -> None:
        """Write until it is stopped."""
        second = 0
        while not self.stop.is_set():
            second += 1
            sent = [
                Written(report(second, engine=f"e{number}"), f"e{number}".encode(), number)
                for number in range(PARTITIONS)
            ]
            cluster.write(self._broker.address, self._topic, sent)
            self.stop.wait(EVERY)


def longest_pause(broker: Broker, plan: Plan) -> float:
    """Give the longest time in seconds without emissions of one partition."""
    times: dict[str, list[int]] = defaultdict(list)
    for record in cluster.read(broker.address, plan.archive):
        headers = dict(record.headers)
        if "partition" in headers:
            times[headers["partition"].decode()].append(record.timestamp)
    assert len(times) == PARTITIONS
    return max(after - before for found in times.values() for before, after in itertools.pairwise(found)) / 1e3


def owned(worker: Program) -> bool:
    """Say whether a worker has told that it reads a partition."""
    return b"groups go on at" in worker.log.read_bytes()


@pytest.mark.long
@pytest.mark.parametrize(("end", "most"), [("stop", 3.0), ("kill", SESSION_SECONDS + 3.0)])
def test_others_go_on_soon(
    broker: Broker, tmp_path: Path, end: str, most: float, record_property: Callable[[str, object], None]
) -> None:
    """After SIGTERM within three seconds and without repeats; after SIGKILL within the session and three seconds."""
    plan, path = made(broker, tmp_path, PARTITIONS)
    workers = [program(broker, path, tmp_path / f"log{number}") for number in range(2)]
    trickle = Trickle(broker, plan)
    try:
        for worker in workers:
            worker.wait_for(lambda worker=worker: owned(worker))  # type: ignore[misc]  # bound at once
        time.sleep(3)  # until the last rebalance is over
        trickle.start()
        time.sleep(3)
        getattr(workers[0], end)()
        time.sleep(most + 5)
    finally:
        trickle.stop.set()
        trickle.join()
        for worker in workers:
            worker.stop(12)

    pause = longest_pause(broker, plan)
    record_property("seconds", pause)
    assert pause < most
    if end == "stop":
        found = cluster.emissions(cluster.archive(broker.address, plan))
        assert len(found) == len(set(found))


def test_a_broker_that_does_not_answer_holds_up_no_end(tmp_path: Path) -> None:
    """SIGTERM ends a worker in ten seconds, as a supervisor would kill it soon after; it says that nothing is lost."""
    try:
        frozen = Broker(tmp_path)
    except Missing as missing:
        absent(missing)
    frozen.start()
    _, path = made(frozen, tmp_path, PARTITIONS)
    worker = program(frozen, path, tmp_path / "log")
    try:
        worker.wait_for(lambda: owned(worker))
        os.kill(frozen.pid, signal.SIGSTOP)
        began = time.monotonic()
        code = worker.stop(30)
        seconds = time.monotonic() - began
    finally:
        worker.kill()
        os.kill(frozen.pid, signal.SIGCONT)
        frozen.stop()

    assert (code, seconds < MOST) == (143, True)
    assert "nothing is lost" in worker.tail()
