"""Copies stay whole while the workers that make them are killed, frozen, or share them."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from threading import Thread

from engine.kafka.clients import SESSION_SECONDS
from engine.kafka.topics import copy_of
from tests.kafka import cluster
from tests.kafka.chaos import gaps, pairs
from tests.kafka.repartitioning import (
    PARTITIONS,
    copies,
    covered,
    first_of_each,
    joined,
    on,
    orders,
    origins,
    trickle,
    wait_until,
    whole,
)
from tests.kafka.working import Oracle, ends, plan_of, program
from tests.manometer.commands import run
from tests.services.broker import Broker


def test_hand_over_and_death_change_nothing(broker: Broker, tmp_path: Path) -> None:
    """Workers that are killed, or end in order, while orders flow: every offset covered, no result twice or missing."""
    plan, path = plan_of(tmp_path, whole(cluster.fresh("killed")))
    cluster.create_all(broker.address, plan, PARTITIONS)
    topic = plan.streams["orders"].topic
    given = orders(6_000)
    flow = Thread(target=trickle, args=(broker, topic, given, 20.0), daemon=True)
    numbers, count = random.Random(7), iter(range(100))
    workers = [program(broker, path, tmp_path / f"log{next(count)}") for _ in range(2)]
    try:
        workers[0].wait_for(lambda: b"goes on at" in workers[0].log.read_bytes() + workers[1].log.read_bytes())
        flow.start()
        while flow.is_alive():
            time.sleep(numbers.uniform(1.5, 3))
            old = workers.pop(numbers.randrange(2))
            if numbers.random() < 0.7:
                old.kill()
            else:
                assert old.stop(12) in {0, 143, -15}, old.tail()
            workers.append(program(broker, path, tmp_path / f"log{next(count)}"))
        wait_until(lambda: covered(broker, plan), workers)
        assert run("audit", path, "--kafka", broker.address).exit_code == 0
    finally:
        for worker in workers:
            worker.stop(12)

    source, made = on(broker, plan, "orders"), copies(broker, plan, "orders")
    assert len(source) == len(given)
    assert sorted(origins(first_of_each(made))) == sorted(f"{topic}/{one.partition}/{one.offset}" for one in source)
    archived = cluster.archive(broker.address, plan)
    assert set(cluster.emissions(archived)) == set(Oracle(plan, made).emissions)
    for (_, partition), end in ends(source).items():
        assert gaps(archived, ("orders@one", topic, str(partition)), end) == []
    assert gaps(archived, ("orders@one", copy_of(plan, "orders"), "0"), made[-1].offset + 1) == []


def test_a_frozen_worker_can_copy_nothing_any_more(broker: Broker, tmp_path: Path) -> None:
    """One that is stopped while it copies, and wakes when another has taken over, changes nothing."""
    plan, path = plan_of(tmp_path, whole(cluster.fresh("frozen")))
    cluster.create_all(broker.address, plan, PARTITIONS)
    topic = plan.streams["orders"].topic
    flow = Thread(target=trickle, args=(broker, topic, orders(3_000), 15.0), daemon=True)
    frozen = program(broker, path, tmp_path / "log0")
    workers = [frozen]
    try:
        frozen.wait_for(lambda: b"copies orders: goes on at" in frozen.log.read_bytes())
        flow.start()
        workers.append(program(broker, path, tmp_path / "log1"))
        time.sleep(5)
        for _ in range(2):
            frozen.process.send_signal(signal.SIGSTOP)
            time.sleep(SESSION_SECONDS + 4)
            frozen.process.send_signal(signal.SIGCONT)
            time.sleep(1)
        flow.join()
        wait_until(lambda: covered(broker, plan), workers)
    finally:
        for worker in workers:
            worker.stop(12)

    source, made = on(broker, plan, "orders"), copies(broker, plan, "orders")
    assert sorted(origins(made)) == sorted(f"{topic}/{one.partition}/{one.offset}" for one in source)
    assert set(cluster.emissions(cluster.archive(broker.address, plan))) == set(Oracle(plan, made).emissions)


def test_three_workers_share_what_is_copied(broker: Broker, tmp_path: Path) -> None:
    """Each stream has one repartitioner, and the partitions of the copies are shared like all others."""
    plan, path = plan_of(tmp_path, joined(cluster.fresh("shared")))
    cluster.create_all(broker.address, plan, PARTITIONS)
    predictions, truths = pairs(2_000, 3)
    workers = [program(broker, path, tmp_path / f"log{number}") for number in range(3)]
    try:
        for stream, sent in {"predictions": predictions, "truth": truths}.items():
            cluster.write(broker.address, plan.streams[stream].topic, [one._replace(key=None) for one in sent])
        wait_until(lambda: covered(broker, plan), workers)
    finally:
        codes = [worker.stop(12) for worker in workers]

    assert set(codes) <= {0, 143, -15}
    made = copies(broker, plan, "predictions", "truth")
    assert set(cluster.emissions(cluster.archive(broker.address, plan))) == set(
        Oracle(plan, made, PARTITIONS).emissions
    )
