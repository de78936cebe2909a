from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from engine.kafka.clients import Kafka
from engine.kafka.worker import Worker
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.working import saved
from tests.manometer.commands import run
from tests.manometer.on_kafka import GOOD, Case, case
from tests.services.secured import Secured


def seen(given: Case, *words: str) -> dict[str, dict[str, Any]]:
    """Run the command; gives what it says of each thing."""
    return {one["what"]: one for one in json.loads(run("doctor", given.path, *given.kafka, "--json", *words).stdout)}


def test_all_is_well_while_a_worker_has_taken_everything(broker: Secured, tmp_path: Path) -> None:
    """Exit code 0, and each thing that was looked at is told."""
    given = case(broker, tmp_path)
    given.write(*GOOD)

    async def beside_a_worker() -> Any:
        worker = Worker(given.plan, Kafka(broker.address))
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        while not saved(worker, {(given.topic, 0): 3}):  # noqa: ASYNC110 - as tests.kafka.working waits
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)  # the commit comes behind the checkpoint
        result = await asyncio.to_thread(run, "doctor", given.path, *given.kafka)
        stop.set()
        await running
        return result

    result = asyncio.run(beside_a_worker())

    assert (result.exit_code, result.stdout.count("finding")) == (0, 0), result.stdout
    told = [line.split()[1] for line in result.stdout.splitlines()]
    assert told == ["broker:", "topics:", "rights:", "clock:", "workers:", "lag:", "file:"]


def test_each_finding_has_its_fix(broker: Secured, tmp_path: Path) -> None:
    """No worker, a message that waits since long ago, another version of the file, states that are not compacted."""
    given = case(broker, tmp_path)
    given.write(*GOOD)
    given.work()
    cluster.write(broker.address, given.topic, [Written(GOOD[0], b"e1", 0, int((time.time() - 3_600) * 1e6))])
    given.path.write_text(given.path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    found = seen(given)

    assert {what for what, one in found.items() if not one["ok"]} == {"workers", "lag", "file"}
    assert "1 offsets wait, the oldest message for 3600 s" in found["lag"]["told"].replace("3601", "3600")
    assert all(one["fix"] for one in found.values() if not one["ok"])


def test_a_clock_that_is_ahead_is_found(broker: Secured, tmp_path: Path) -> None:
    """A message of in half an hour tells of a clock that is wrong, here or there."""
    given = case(broker, tmp_path)
    cluster.write(broker.address, given.topic, [Written(GOOD[0], b"e1", 0, int((time.time() + 1_800) * 1e6))])

    assert not seen(given)["clock"]["ok"]


def test_topics_that_are_missing_are_findings(broker: Secured, tmp_path: Path) -> None:
    """With the command that makes them."""
    given = case(broker, tmp_path, create=False)
    found = seen(given)["topics"]

    assert (found["ok"], found["fix"]) == (False, "`manometer topics --create` makes it")


def test_without_a_broker_there_is_nothing_to_look_at(broker: Secured, tmp_path: Path) -> None:
    """Exit code 2, and why."""
    given = case(broker, tmp_path, create=False)
    result = run("doctor", given.path, "--kafka", "127.0.0.1:1")

    assert (result.exit_code, "Connect call failed" in result.stderr) == (2, True)
