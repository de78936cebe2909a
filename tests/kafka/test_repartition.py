"""Streams that say `repartition`: copied in step to a topic of ours, where the same monitors see what they must see."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from engine.events import Alert
from engine.kafka.clients import Kafka
from engine.kafka.positions import name_of
from engine.kafka.topics import copy_of
from engine.kafka.uncopied import uncopied
from engine.partitioner import partition_of
from engine.plan import Plan
from tests.engine.embedded.running import BEGUN, report
from tests.kafka import cluster
from tests.kafka.chaos import gaps, pairs
from tests.kafka.cluster import Written
from tests.kafka.repartitioning import (
    ORDERS,
    PARTITIONS,
    copies,
    first_of_each,
    joined,
    on,
    orders,
    origins,
    run_through,
    whole,
)
from tests.kafka.working import Oracle, ends, plan_of
from tests.manometer.commands import run
from tests.services.broker import Broker


def test_monitors_of_a_whole_stream_see_all_partitions(broker: Broker, tmp_path: Path) -> None:
    """Four partitions become one topic in the order of event time; what is emitted is what one run over it emits."""
    plan, _ = plan_of(tmp_path, whole(cluster.fresh("whole")))
    cluster.create_all(broker.address, plan, PARTITIONS)
    topic = plan.streams["orders"].topic
    given = orders(1000)
    cluster.write(broker.address, topic, given)
    source = on(broker, plan, "orders")

    run_through(broker, plan, ends(source))

    made = copies(broker, plan, "orders")
    assert [json.loads(one.value or b"")["id"] for one in made] == list(range(1000))
    assert [(one.value, one.key, one.time) for one in made] == [(one.value, one.key, one.time) for one in given]
    assert Counter(origins(made)) == Counter(f"{topic}/{one.partition}/{one.offset}" for one in source)
    archived = cluster.archive(broker.address, plan)
    oracle = Oracle(plan, made)
    assert Counter(cluster.emissions(archived)) == Counter(oracle.emissions)
    assert any("InputDrift" in line for line in oracle.emissions)
    for place, end in ends(source).items():
        assert gaps(archived, ("orders@one", place[0], str(place[1])), end) == []
    assert gaps(archived, ("orders@one", copy_of(plan, "orders"), "0"), made[-1].offset + 1) == []


def test_joined_streams_meet_on_copies_that_are_keyed(broker: Broker, tmp_path: Path) -> None:
    """Halves that lie anywhere, under any key, meet on the partition that their field leads to; none is left alone."""
    plan, _ = plan_of(tmp_path, joined(cluster.fresh("joined")))
    cluster.create_all(broker.address, plan, PARTITIONS)
    predictions, truths = pairs(600, 1)
    numbers = random.Random(2)
    for stream, sent in {"predictions": predictions, "truth": truths}.items():
        lost = [one._replace(key=None, partition=numbers.randrange(PARTITIONS)) for one in sent]
        cluster.write(broker.address, plan.streams[stream].topic, lost)
    source = on(broker, plan, "predictions", "truth")

    run_through(broker, plan, ends(source))

    made = copies(broker, plan, "predictions", "truth")
    keys = [json.loads(one.value or b"")["id"] for one in made]
    assert [(one.key or b"").decode() for one in made] == keys
    assert [one.partition for one in made] == [partition_of(key, PARTITIONS) for key in keys]
    assert sorted(origins(made)) == sorted(f"{one.topic}/{one.partition}/{one.offset}" for one in source)
    archived = cluster.archive(broker.address, plan)
    oracle = Oracle(plan, made, PARTITIONS)
    assert Counter(cluster.emissions(archived)) == Counter(oracle.emissions)
    assert any("prediction_divergence" in line or "prediction_error" in line for line in oracle.emissions)
    for (topic, partition), end in ends(source).items():
        way = "predictions@key" if topic.endswith("predictions") else "truth@key"
        assert gaps(archived, (way, topic, str(partition)), end) == []
    for (topic, partition), end in ends(made).items():
        assert gaps(archived, ("predictions@key+truth@key", topic, str(partition)), end) == []


def test_monitors_that_follow_the_key_stay_on_the_source(broker: Broker, tmp_path: Path) -> None:
    """`throughput` reads the four partitions itself, `arrival` beside it the one copy; each as if it were alone."""
    name = cluster.fresh("beside")
    stream = {"topic": f"{name}.notify", "decode": "sensors", "idle_after": "off", "repartition": "one"}
    monitors = [{"use": "throughput", "from": "notify"}, {"use": "arrival", "from": "notify"}]
    plan, _ = plan_of(tmp_path, whole(name, streams={"notify": stream}, monitors=monitors))
    cluster.create_all(broker.address, plan, PARTITIONS)
    sent = [
        Written(report(second, engine=f"e{second % 9}"), f"e{second % 9}".encode(), partition_of(f"e{second % 9}", 4))
        for second in range(300)
    ]
    cluster.write(broker.address, plan.streams["notify"].topic, sent)
    source = on(broker, plan, "notify")

    run_through(broker, plan, ends(source))

    archived = cluster.archive(broker.address, plan)
    oracle = Oracle(plan, [*source, *copies(broker, plan, "notify")], PARTITIONS)
    assert Counter(cluster.emissions(archived)) == Counter(oracle.emissions)
    groups = {(one.headers["group"], one.headers["topic"]) for one in archived}
    topic = plan.streams["notify"].topic
    assert groups == {("notify", topic), ("notify@one", topic), ("notify@one", copy_of(plan, "notify"))}


def test_what_is_copied_twice_is_applied_once(broker: Broker, tmp_path: Path) -> None:
    """Where the positions are lost everything is copied again, and no result changes."""
    plan, _ = plan_of(tmp_path, whole(cluster.fresh("twice")))
    cluster.create_all(broker.address, plan, PARTITIONS)
    topic = plan.streams["orders"].topic
    cluster.write(broker.address, topic, orders(600)[:300])
    run_through(broker, plan, ends(on(broker, plan, "orders")))
    _forget_positions(broker, plan)
    cluster.write(broker.address, topic, orders(600)[300:])
    source = on(broker, plan, "orders")

    run_through(broker, plan, ends(source))

    made = copies(broker, plan, "orders")
    assert (len(made), len(set(origins(made)))) == (900, 600)
    assert Counter(cluster.emissions(cluster.archive(broker.address, plan))) == Counter(Oracle(plan, made).emissions)
    assert Oracle(plan, made).emissions == Oracle(plan, first_of_each(made)).emissions


def _forget_positions(broker: Broker, plan: Plan) -> None:
    async def write() -> None:
        states = Kafka(broker.address).states(f"{plan.workflow}.state", 0, "somebody")
        await states.start()
        await states.write([(name_of("orders@one"), None)])
        await states.stop()

    asyncio.run(write())


@pytest.mark.parametrize("beside", ["a monitor on the source", "nobody"])
def test_what_is_no_record_is_one_reject(broker: Broker, tmp_path: Path, beside: str) -> None:
    """However many groups read it, it is rejected once, by the name of the source message; a retry goes there."""
    name = cluster.fresh("rejected")
    stream = {"topic": f"{name}.orders", **ORDERS, "key": "id", "repartition": "one"}
    by = {"use": "threshold", "from": "orders", "with": {"field": "price", "above": 100, "by": "id"}}
    more = {
        "streams": {"orders": stream},
        "monitors": [{"use": "arrival", "from": "orders"}, *([by] if beside != "nobody" else [])],
    }
    plan, path = plan_of(tmp_path, whole(name, **more))
    cluster.create_all(broker.address, plan, PARTITIONS)
    bad = [Written(b"\xff", b"k", 2, BEGUN), Written(None, b"k", 1, BEGUN), Written(b"[]", None, 3, BEGUN)]
    late = Written(json.dumps({"id": "x", "time": "2200-01-01T00:00:00Z"}).encode(), None, 0, BEGUN)
    topic = plan.streams["orders"].topic
    cluster.write(broker.address, topic, [*orders(40), *bad, late])
    run_through(broker, plan, ends(on(broker, plan, "orders")))
    (one,) = [found for headers, found in cluster.rejects(broker.address, plan) if headers["partition"] == "2"]
    retry = run(
        "rejects", "retry", path, f"{topic}/2/{dict(one.headers)['offset'].decode()}", "--kafka", broker.address
    )
    source = on(broker, plan, "orders")

    run_through(broker, plan, ends(source))

    assert retry.exit_code == 0, retry.stderr
    undecodable = [
        one for one in source if one.value is None or not one.value.startswith(b'{"id": ') or b"2200" in one.value
    ]
    told = Counter(
        (headers["topic"], int(headers["partition"]), int(headers["offset"]))
        for headers, _ in cluster.rejects(broker.address, plan)
    )
    assert told == Counter((one.topic, one.partition, one.offset) for one in undecodable)
    assert len(undecodable) == 5
    assert {(found.value, found.key) for _, found in cluster.rejects(broker.address, plan)} == {
        (one.value, one.key if one.value is not None or one.key is not None else b"") for one in undecodable
    }
    assert all("origin" not in headers for headers, _ in cluster.rejects(broker.address, plan))


def test_what_a_source_has_lost_is_told(broker: Broker, tmp_path: Path) -> None:
    """Messages that were deleted before they were copied are an incident, by topic, partition and offsets."""
    plan, _ = plan_of(tmp_path, whole(cluster.fresh("lost")))
    cluster.create_all(broker.address, plan, PARTITIONS)
    topic = plan.streams["orders"].topic
    first = [one._replace(partition=1) for one in orders(60)]
    cluster.write(broker.address, topic, first[:20])
    run_through(broker, plan, {(topic, 1): 20})
    cluster.write(broker.address, topic, first[20:40])
    asyncio.run(delete_before(broker, topic, 1, 30))
    cluster.write(broker.address, topic, first[40:])

    run_through(broker, plan, {(topic, 1): 60})

    found = [emission for one in cluster.archive(broker.address, plan) for emission in one.emissions]
    alerts = [one for one in found if isinstance(one, Alert) and one.name == "InputLost"]
    assert [(one.firing, one.summary) for one in alerts] == [
        (True, f"{topic}/1: offsets 20 to 29 were deleted before they were read")
    ]


async def delete_before(broker: Broker, topic: str, partition: int, offset: int) -> None:
    """Let a log begin later."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(before_offset=offset)})
    await admin.close()


def test_marks_of_transactions_are_copied_past(broker: Broker, tmp_path: Path) -> None:
    """Offsets without a message are no work that waits: a source of transactions is copied to its end, and covered."""
    plan, _ = plan_of(tmp_path, whole(cluster.fresh("marked")))
    cluster.create_all(broker.address, plan, PARTITIONS)
    topic = plan.streams["orders"].topic
    cluster.write(broker.address, topic, orders(100), ident=f"commit-{topic}")
    cluster.write(broker.address, topic, orders(100), ident=f"abort-{topic}")
    waiting = partial(uncopied, plan, Kafka(broker.address), ["orders"], {topic: PARTITIONS})
    before = asyncio.run(waiting())

    run_through(broker, plan, ends(on(broker, plan, "orders")))

    assert (before, asyncio.run(waiting())) == ({"orders"}, set())
    assert len(copies(broker, plan, "orders")) == 100
    audited = run("audit", tmp_path / f"{plan.workflow}.json", "--kafka", broker.address)
    assert audited.exit_code == 0, audited.stdout
