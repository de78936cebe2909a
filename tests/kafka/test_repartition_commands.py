"""What the commands make of repartitioned streams: topics, recordings, attached monitors, and what a worker refuses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.kafka.clients import Kafka
from engine.kafka.layout import rights
from engine.kafka.security import Secret, Security
from engine.kafka.topics import copy_of, repartition_group
from engine.kafka.worker import Worker, WrongTopics
from engine.workflow import load
from tests.engine.embedded.running import report
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.repartitioning import (
    ORDERS,
    PARTITIONS,
    copies,
    joined,
    on,
    orders,
    origins,
    run_through,
    wait_until,
    whole,
)
from tests.kafka.working import ends, plan_of, run_to, work
from tests.manometer.commands import run
from tests.manometer.test_kafka_rights import give, words
from tests.services.broker import Broker
from tests.services.secured import USERS, Secured


def test_copies_are_recorded_and_replayed(broker: Broker, tmp_path: Path) -> None:
    """What `manometer record` writes of the copies replays to what the worker gave; the source is replayed as it is."""
    plan, path = plan_of(tmp_path, whole(cluster.fresh("replayed")))
    cluster.create_all(broker.address, plan, PARTITIONS)
    cluster.write(broker.address, plan.streams["orders"].topic, orders(500))
    run_through(broker, plan, ends(on(broker, plan, "orders")))

    recorded = run("record", path, "--kafka", broker.address, "--out", tmp_path / "out", "--until-end")
    assert recorded.exit_code == 0, recorded.stderr
    given = {
        name: run("replay", path, "--input", f"orders={tmp_path / 'out' / name}.jsonl")
        for name in ("orders", "orders@one")
    }

    emitted = cluster.emissions(cluster.archive(broker.address, plan))
    assert set(emitted) <= set(given["orders@one"].stdout.splitlines())
    assert given["orders"].exit_code == 0, given["orders"].stderr


def test_silence_is_noticed_on_the_copy(broker: Broker, tmp_path: Path) -> None:
    """A stream from which nothing comes ticks behind its repartitioned topic too, and the recording has the ticks."""
    name = cluster.fresh("silent")
    stream = {"topic": f"{name}.orders", **ORDERS, "idle_after": "1s", "repartition": "one"}
    monitors = [{"use": "arrival", "from": "orders", "with": {"silent_after": "3s"}}]
    plan, path = plan_of(tmp_path, whole(name, streams={"orders": stream}, monitors=monitors))
    cluster.create_all(broker.address, plan, PARTITIONS)
    cluster.write(broker.address, plan.streams["orders"].topic, orders(20))
    worker = Worker(plan, Kafka(broker.address))

    asyncio.run(work(worker, lambda: any(lane.pipeline.firing for lane in worker.lanes.running)))

    recorded = run("record", path, "--kafka", broker.address, "--out", tmp_path / "out", "--until-end")
    assert recorded.exit_code == 0, recorded.stderr
    replayed = run("replay", path, "--input", f"orders={tmp_path / 'out' / 'orders@one'}.jsonl")
    emitted = cluster.emissions(cluster.archive(broker.address, plan))
    assert sorted(emitted) == sorted(replayed.stdout.splitlines())
    assert any('"StreamSilent"' in line for line in emitted)


def test_a_monitor_that_comes_later_begins_at_the_end(broker: Broker, tmp_path: Path) -> None:
    """`manometer attach` to a stream that nobody needed a copy of: what was before is not copied for it."""
    name = cluster.fresh("later")
    stream = {"topic": f"{name}.notify", "decode": "sensors", "idle_after": "off", "repartition": "one"}
    monitors = [{"use": "throughput", "from": "notify"}]
    plan, path = plan_of(tmp_path, whole(name, streams={"notify": stream}, monitors=monitors))
    cluster.create_all(broker.address, plan, 1)
    topic = plan.streams["notify"].topic
    cluster.write(broker.address, topic, [Written(report(second), b"e1") for second in range(50)])
    run_to(broker, plan, {(topic, 0): 50})
    attached = run("attach", "arrival", "--to", "notify", path, "--kafka", broker.address)
    laid = run("topics", path, "--kafka", broker.address, "--create")
    cluster.write(broker.address, topic, [Written(report(second), b"e1") for second in range(50, 60)])
    plan = load(path)

    wait_until(lambda: run("topics", path, "--kafka", broker.address).exit_code < 2, ())
    run_through(broker, plan, {(topic, 0): 60})

    assert attached.exit_code == 0, attached.stderr
    assert "the group notify@one is new: it begins at the end" in attached.stderr
    assert laid.exit_code == 0, laid.stdout
    assert origins(copies(broker, plan, "notify")) == [f"{topic}/0/{offset}" for offset in range(50, 60)]


@pytest.mark.parametrize(
    ("kind", "count", "words"),
    [
        ("one", 2, ".one: expected one partition, for repartition: one, found 2"),
        ("key", 2, "must see the whole stream orders; give it one partition, or say repartition: one on orders"),
        (None, 4, ".orders: it has 4 partitions, but arrival, input_statistics, input_drift must see the whole stream"),
    ],
)
def test_a_worker_refuses_a_wrong_layout(
    broker: Broker, tmp_path: Path, kind: str | None, count: int, words: str
) -> None:
    """Several partitions where one is needed: the sentence says which topic, why, and what to do."""
    name = cluster.fresh("refused")
    stream = {"topic": f"{name}.orders", **ORDERS, "key": "id", **({} if kind is None else {"repartition": kind})}
    plan, _ = plan_of(tmp_path, whole(name, streams={"orders": stream}))
    copy = copy_of(plan, "orders")
    if kind is not None:
        cluster.create(broker.address, copy, partitions=count, max_message_bytes=cluster.LARGEST + 65_536)
    cluster.create_all(broker.address, plan, PARTITIONS, without=[copy])

    with pytest.raises(WrongTopics) as caught:
        run_to(broker, plan, {})

    assert words in str(caught.value)


def test_topics_are_made_as_workers_need_them(broker: Broker, tmp_path: Path) -> None:
    """`manometer topics --create` makes the copies' topics, and a worker finds nothing wrong with them."""
    plan, path = plan_of(tmp_path, joined(cluster.fresh("laid")))

    made = run("topics", path, "--kafka", broker.address, "--create", "--partitions", "3")

    assert made.exit_code == 0, made.stdout + made.stderr
    rows = [line.split() for line in made.stdout.splitlines() if copy_of(plan, "truth") in line]
    assert rows[0][:3] == [copy_of(plan, "truth"), "repartitioned", "3"]
    assert f"worker: --topic {copy_of(plan, 'truth')} --operation Read --operation Write" in made.stdout
    assert f"worker: --group {repartition_group(plan)}" in made.stdout
    wait_until(lambda: run("topics", path, "--kafka", broker.address).exit_code == 0, ())  # others learn of them later
    run_through(broker, plan, {})


def test_the_rights_that_are_printed_are_enough(broker: Secured, tmp_path: Path) -> None:
    """A worker with them copies and tells how far; an operator looks at all of it."""
    plan, path = plan_of(tmp_path, whole(cluster.fresh("allowed")))
    cluster.create_all(broker.address, plan, PARTITIONS)
    cluster.write(broker.address, plan.streams["orders"].topic, orders(100))
    last = ends(on(broker, plan, "orders"))
    give(broker, rights(plan))
    security = Security(
        protocol="SASL_SSL", user="worker", password=Secret(USERS["worker"]), ca_file=str(broker.certificate)
    )

    run_through(broker, plan, last, Kafka(broker.sasl_ssl, security))

    who = words(broker, "operator")
    told = {name: run(name, path, *who) for name in ("topics", "audit", "state", "doctor")}
    assert [(name, result.exit_code) for name, result in told.items()] == [
        ("topics", 0),
        ("audit", 0),
        ("state", 0),
        ("doctor", 1),  # no worker runs
    ], told["doctor"].stdout
    assert f"{copy_of(plan, 'orders')}: nothing waits" in told["doctor"].stdout
    assert "orders: nothing waits" in told["doctor"].stdout
    assert "orders@one" in told["audit"].stdout
