"""A process that has work and does not get on is ended, even where its loop hangs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from engine.events import Alert, decode_emissions
from engine.kafka.clients import Kafka
from engine.kafka.watch import EXIT_CODE, Watch
from engine.kafka.worker import Worker
from engine.plan import Plan
from tests.engine.embedded.running import report
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.working import plan_of, saved, work
from tests.services.broker import Broker

HANGS = """
import time
from engine.kafka.watch import Watch

Watch(lambda: 0, lambda: 1, print, looks=1, every=0.05, grace=0.1).start()
time.sleep(60)
"""

STUCK = """
import asyncio, sys
from pathlib import Path
from engine.kafka.clients import Kafka
from engine.kafka.worker import Worker
from engine.workflow import load

worker = Worker(load(Path(sys.argv[1])), Kafka(sys.argv[2]), process="p1", stuck_after=2)
asyncio.run(worker.run(asyncio.Event()))
"""
HANGING = '''
import time
from pathlib import Path

from engine.catalogue import MetricSpec
from engine.monitor import Monitor

SEEN = MetricSpec(name="seen_total", kind="counter", unit="records", help="Records seen.")


class Hanging(Monitor):
    """Waits for ever while a file is there."""

    emits = (SEEN,)

    def key(self, record):
        return ()

    def on_record(self, record, state):
        while Path(__file__).with_suffix(".hang").exists():
            time.sleep(0.1)
        yield SEEN.at(record.time, 1.0)
'''


def watched(progress: object, behind: int, looks: int = 3) -> tuple[list[str], Event]:
    """Watch for a moment; gives what was told."""
    told: list[str] = []
    came = Event()

    def stuck(reason: str) -> None:
        told.append(reason)
        came.set()

    watch = Watch(progress, lambda: behind, stuck, looks, every=0.02)  # type: ignore[arg-type]  # a callable of each case
    watch.start()
    came.wait(0.5)
    watch.close()
    return told, came


@pytest.mark.parametrize(
    ("progress", "behind"),
    [(count().__next__, 5), (lambda: 7, 0)],
    ids=["it gets on", "it has nothing to do"],
)
def test_a_worker_that_is_well_is_left_alone(progress: object, behind: int) -> None:
    """With progress, or without work, nothing is told."""
    told, _ = watched(progress, behind)

    assert told == []


def test_a_worker_that_is_stuck_is_told_of_once() -> None:
    """Work and no progress for some looks: the reason has the number of messages."""
    told, _ = watched(lambda: 7, 5)

    assert len(told) == 1
    assert told[0].startswith("5 messages wait and nothing was done for")


def test_a_loop_that_hangs_is_ended_by_force() -> None:
    """Where nobody reacts the process ends all the same, with an exit code of its own."""
    begun = time.monotonic()

    done = subprocess.run([sys.executable, "-c", HANGS], cwd=Path(__file__).parents[2], check=False)

    assert done.returncode == EXIT_CODE
    assert time.monotonic() - begun < 30


def hanging(broker: Broker, folder: Path) -> tuple[Plan, Path]:
    """Make a workflow whose monitor hangs."""
    name = cluster.fresh("stuck")
    (folder / "hanging.py").write_text(HANGING, encoding="utf-8")
    (folder / "hanging.hang").touch()
    keys: dict[str, Any] = {
        "workflow": name,
        "plugins": ["."],
        "streams": {"notify": {"topic": f"{name}.notify", "decode": "sensors", "idle_after": "off"}},
        "monitors": [{"use": "hanging", "from": "notify"}],
        "archive": {"topic": f"{name}.archive"},
        "rejects": {"topic": f"{name}.rejects"},
    }
    plan, path = plan_of(folder, keys)
    cluster.create_all(broker.address, plan)
    return plan, path


def test_a_worker_that_is_stuck_tells_it_on_the_archive(broker: Broker, tmp_path: Path) -> None:
    """Its loop hangs in a monitor: an alert fires, it ends; the alert resolves once a worker has got on for a while."""
    plan, path = hanging(broker, tmp_path)
    place = plan.streams["notify"].topic, 0
    cluster.write(broker.address, place[0], [Written(report(0), b"e1")])

    words = [sys.executable, "-c", STUCK, str(path), broker.address]
    done = subprocess.run(words, cwd=Path(__file__).parents[2], check=False, timeout=90, capture_output=True)

    assert done.returncode == EXIT_CODE, done.stderr
    assert [
        (firing, "p1: 1 messages wait and nothing was done for 2 s" in summary)
        for firing, summary in told(broker, plan)
    ] == [(True, True)]
    (tmp_path / "hanging.hang").unlink()
    worker = Worker(plan, Kafka(broker.address), stuck_after=4)
    asyncio.run(work(worker, lambda: saved(worker, {place: 1}) and worker.lanes.stuck is None))
    assert [firing for firing, _ in told(broker, plan)] == [True, False]


def told(broker: Broker, plan: Plan) -> list[tuple[bool, str]]:
    """Give whether alerts of stuck workers fire, and their summaries."""
    found = [one for record in cluster.read(broker.address, plan.archive) for one in decode_emissions(record.value)]
    alerts = [one for one in found if isinstance(one, Alert) and one.name == "WorkerStuck"]
    assert all(one.tags["workflow"] == plan.workflow for one in alerts)
    return [(one.firing, one.summary) for one in alerts]
