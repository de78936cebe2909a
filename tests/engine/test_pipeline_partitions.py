"""Several partitions: misplaced messages, groups that read all of them as one, engines that are expected."""

from __future__ import annotations

from engine.events import Alert
from engine.partitioner import partition_of
from engine.pipeline import Pipeline
from engine.testing import plan_of, report
from engine.testing.values import message
from engine.times import SECOND
from monitors.arrival import Arrival
from monitors.health import Health
from monitors.throughput import Throughput
from tests.engine.runs import COUNT, STREAM, Runner, Sent, given, pipeline, values


def on(partition: int, offset: int, src: str, key: bytes | None, *, at: float) -> Sent:
    """Put a report on a partition, under a key."""
    return given(offset, report(src, COUNT, 5, delta_time=10.0), at=at, key=key, partition=partition)


def test_messages_that_are_not_keyed_by_their_field_are_counted_told_and_applied() -> None:
    """On several partitions; the cause of the alert is the message. With one partition nobody asks."""
    running = Pipeline(plan := plan_of(Throughput()), plan.groups()[0], 1, partitions=2)
    items = [on(1, 4, "e1", b"e1", at=10), on(1, 5, "e1", b"e2", at=20), on(1, 6, "e1", None, at=30)]
    outcome = running.apply(STREAM, [item.message for item in items])
    told = [
        (item, cause) for item, cause in zip(outcome.emissions, outcome.causes, strict=True) if isinstance(item, Alert)
    ]

    assert [(item.name, item.time / SECOND, item.tags, cause) for item, cause in told] == [
        ("RecordsMisplaced", 20, {"workflow": "test", "partition": "1", "stream": STREAM}, 5)
    ]
    assert running.counts.misplaced == 2
    assert len(outcome.emissions) == 3 + 1
    assert pipeline(Throughput()).apply(STREAM, [item.message for item in items]).rejects == []


def test_a_stream_of_two_partitions_has_a_group_of_its_own_for_what_reads_it_whole() -> None:
    """Series of scope key follow the partition, arrival reads both as one; undecodable bytes are one reject."""
    runner = Runner(lambda: plan_of(Throughput(), Arrival()), {STREAM: 2})
    for n in range(10):
        src = f"e{n % 2}"
        runner.take([on(n % 2, n // 2, src, src.encode(), at=10 * n)])
    runner.take([Sent(STREAM, message(STREAM, 5, b"broken", partition=1))])
    runner.take(["end"])
    groups = {(running.group.name, running.partition): dict(running.series) for running in runner.memory.pipelines}

    assert groups == {
        (STREAM, 0): {"throughput": 1},
        (STREAM, 1): {"throughput": 1},
        (f"{STREAM}@one", 0): {"arrival": 1},
    }
    assert values(runner.came, "stream_records_total") == [(60, 6)]
    assert len(values(runner.came, "records_per_second", engine="e1")) == 5
    assert [one.headers()["partition"] for one in runner.came.rejects] == ["1"]
    assert dict(runner.memory.pipelines[2].offsets) == {f"{STREAM}/0": 5, f"{STREAM}/1": 6}


def test_expected_engines_are_those_of_the_partition() -> None:
    """With two partitions each engine that never comes is silent once, on the partition of its key."""
    engines = {f"engine-{n}": "m" for n in range(20)}
    silent = {}
    for partition in (0, 1):
        plan = plan_of(Health(Health.Options(expected=True)), engines=engines)
        running = Pipeline(plan, plan.groups()[0], partition, partitions=2)
        running.move({STREAM: 0})
        told = running.move({STREAM: 60 * SECOND}).emissions
        silent[partition] = {item.tags["engine"] for item in told if item.name == "EngineSilent"}

    assert silent == {n: {engine for engine in engines if partition_of(engine, 2) == n} for n in (0, 1)}
    assert silent[0] | silent[1] == set(engines)
