"""Logs as they really are: marks of transactions, what was taken back, compacted, deleted, broken, or too large."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from engine.events import Alert
from engine.kafka.clients import Kafka
from engine.kafka.worker import Worker
from engine.plan import Plan
from tests.engine.embedded.running import report
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.working import Oracle, plan_of, run_to, saved, work
from tests.services.broker import Broker


@pytest.fixture
def plan(broker: Broker, tmp_path: Path) -> Plan:
    """Give a workflow with the topics that it needs."""
    found, _ = plan_of(tmp_path, keys(cluster.fresh("holes")))
    cluster.create_all(broker.address, found)
    return found


def keys(name: str, **more: Any) -> dict[str, Any]:
    """Write a workflow that counts the records of engines."""
    return {
        "workflow": name,
        "streams": {"notify": {"topic": f"{name}.notify", "decode": "sensors", "idle_after": "off"}},
        "monitors": [{"use": "record_count", "from": "notify"}],
        "archive": {"topic": f"{name}.archive"},
        "rejects": {"topic": f"{name}.rejects"},
        **more,
    }


def sent(first: int, count: int) -> list[Written]:
    """Make reports, one a second."""
    return [Written(report(second), b"e1") for second in range(first, first + count)]


def applied(broker: Broker, plan: Plan, end: int) -> set[str]:
    """Run a worker until it has saved up to an offset, and check what it emitted against one run."""
    topic = plan.streams["notify"].topic
    run_to(broker, plan, {(topic, 0): end})

    found = set(cluster.emissions(cluster.archive(broker.address, plan)))
    assert found == set(Oracle(plan, cluster.messages(broker.address, topic)).emissions)
    return found


def test_marks_of_transactions_are_real_holes(broker: Broker, plan: Plan) -> None:
    """Behind each transaction lies an offset without a message: reading goes on; what was taken back is not read."""
    topic = plan.streams["notify"].topic
    for number in range(4):
        cluster.write(broker.address, topic, sent(number * 5, 5), ident=f"commit-{topic}")
    cluster.write(broker.address, topic, sent(1000, 5), ident=f"abort-{topic}")
    cluster.write(broker.address, topic, sent(20, 5))

    assert len(applied(broker, plan, 24 + 6 + 5)) == 25


def test_holes_are_counted(broker: Broker, plan: Plan) -> None:
    """Offsets without a message are in a number that people see."""
    topic = plan.streams["notify"].topic
    for number in range(3):
        cluster.write(broker.address, topic, sent(number * 5, 5), ident=f"commit-{topic}")

    worker = Worker(plan, Kafka(broker.address))
    skipped: list[float] = []

    def seen() -> bool:
        skipped[:] = [one.value for one in worker.readings() if one.spec.name == "offsets_skipped_total"]
        return saved(worker, {(topic, 0): 17})

    asyncio.run(work(worker, seen))

    assert skipped == [2.0]  # the marks behind the first two; behind that of the third no message came


def test_a_compacted_topic_is_read(broker: Broker, tmp_path: Path) -> None:
    """What compaction took away is a hole; a tombstone is a reject like every message without a value."""
    name = cluster.fresh("compacted")
    plan, _ = plan_of(tmp_path, keys(name))
    topic = plan.streams["notify"].topic
    settings = {"cleanup_policy": "compact", "min_cleanable_dirty_ratio": 0.01, "segment_ms": 100}
    cluster.create(broker.address, topic, retention_ms=-1, max_message_bytes=cluster.LARGEST, **settings)
    cluster.create_all(broker.address, plan, only_ours=True)
    cluster.write(broker.address, topic, [Written(report(second), b"same") for second in range(20)])
    time.sleep(0.3)  # a segment has to be old before it is closed, and only closed ones are compacted
    cluster.write(broker.address, topic, [Written(report(20), b"same"), Written(None, b"gone")])
    time.sleep(0.3)
    cluster.write(broker.address, topic, [Written(report(30), b"other")])
    _wait_until_compacted(broker, topic)

    run_to(broker, plan, {(topic, 0): 23})

    messages = cluster.messages(broker.address, topic)
    assert len(messages) < 23
    assert set(cluster.emissions(cluster.archive(broker.address, plan))) == set(Oracle(plan, messages).emissions)
    assert [headers["reason"] for headers, _ in cluster.rejects(broker.address, plan)] == ["schema"]


def _wait_until_compacted(broker: Broker, topic: str) -> None:
    until = time.monotonic() + 30
    while len(cluster.read(broker.address, topic)) > 5 and time.monotonic() < until:
        time.sleep(0.3)


def test_what_was_deleted_before_it_was_read_is_told(broker: Broker, plan: Plan) -> None:
    """A log that begins beyond the last checkpoint is an incident: `InputLost` with the range, then reading goes on."""
    topic = plan.streams["notify"].topic
    cluster.write(broker.address, topic, sent(0, 10))
    run_to(broker, plan, {(topic, 0): 10})
    cluster.write(broker.address, topic, sent(10, 10))
    asyncio.run(_delete_before(broker, topic, 15))

    run_to(broker, plan, {(topic, 0): 20})

    alerts = [e for one in cluster.archive(broker.address, plan) for e in one.emissions if isinstance(e, Alert)]
    assert [alert.name for alert in alerts] == ["InputLost"]
    assert [alert.summary for alert in alerts] == ["notify: offsets 10 to 14 were deleted before they were read"]
    sums = [json.loads(line) for line in cluster.emissions(cluster.archive(broker.address, plan))]
    assert [one["value"] for one in sums if one["type"] == "metric"] == [float(number) for number in range(1, 16)]


async def _delete_before(broker: Broker, topic: str, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=offset)})
    await admin.close()


def test_a_group_without_checkpoint_begins_where_the_log_does(broker: Broker, plan: Plan) -> None:
    """Nothing was lost by someone who has never read."""
    topic = plan.streams["notify"].topic
    cluster.write(broker.address, topic, sent(0, 10))
    asyncio.run(_delete_before(broker, topic, 4))

    assert len(applied(broker, plan, 10)) == 6


def test_what_is_no_record_lies_on_the_rejects_topic(broker: Broker, plan: Plan) -> None:
    """The original bytes, key and time, and where it came from; what is near the limit of a message too."""
    topic = plan.streams["notify"].topic
    moment = 1_700_000_000_123_000
    large = b'{"type": "sensor-report", "src": "' + b"x" * 900_000 + b'"}'
    cluster.write(
        broker.address,
        topic,
        [Written(b"\xff\xfe", b"key", time=moment), Written(large, b"big"), Written(None, b"tomb"), Written(b"", None)],
    )

    run_to(broker, plan, {(topic, 0): 4})

    found = {int(headers["offset"]): (headers, record) for headers, record in cluster.rejects(broker.address, plan)}
    assert sorted(found) == [0, 1, 2, 3]
    headers, record = found[0]
    assert (headers["reason"], headers["topic"], headers["partition"]) == ("encoding", topic, "0")
    assert (record.value, record.key, record.timestamp) == (b"\xff\xfe", b"key", moment // 1000)
    assert found[1][0]["reason"] == "schema"
    assert found[1][1].value == large
    assert found[2][1].value is None


def test_a_monitor_that_raises_costs_only_itself(broker: Broker, tmp_path: Path) -> None:
    """Its record is a reject of that monitor; the other monitor counts it."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "raising.py").write_text(RAISING, encoding="utf-8")
    name = cluster.fresh("raising")
    monitors = [{"use": "record_count", "from": "notify"}, {"use": "raising", "from": "notify"}]
    plan, _ = plan_of(tmp_path, keys(name, plugins=["./plugins"], monitors=monitors))
    cluster.create_all(broker.address, plan)
    topic = plan.streams["notify"].topic
    cluster.write(broker.address, topic, sent(0, 3))

    assert len(applied(broker, plan, 3)) == 3
    told = [(headers["reason"], headers["monitor"]) for headers, _ in cluster.rejects(broker.address, plan)]
    assert told == [("monitor", "raising")] * 3


RAISING = '''
from engine.monitor import Monitor, MonitorOptions, MonitorState
from engine.reports import SensorReport


class Raising(Monitor):
    """Raises on each record."""

    class Options(MonitorOptions):
        """None."""

    class State(MonitorState):
        """None."""

    scope = "key"
    reads = SensorReport
    series = ("engine",)

    def key(self, record):
        return (record.value.src,)

    def on_record(self, record, state):
        raise RuntimeError("on purpose")
'''


def test_a_topic_without_messages_keeps_nobody_waiting(broker: Broker, tmp_path: Path) -> None:
    """Beside a stream from which nothing ever came the other is read and saved."""
    name = cluster.fresh("empty")
    whole = keys(name)
    whole["streams"]["quiet"] = {"topic": f"{name}.quiet", "decode": "sensors", "idle_after": "off"}
    whole["monitors"].append({"use": "throughput", "from": "quiet"})
    plan, _ = plan_of(tmp_path, whole)
    cluster.create_all(broker.address, plan)
    cluster.write(broker.address, plan.streams["notify"].topic, sent(0, 5))

    assert len(applied(broker, plan, 5)) == 5
