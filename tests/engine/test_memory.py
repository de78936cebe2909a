"""Pipelines in memory: several groups and partitions of one workflow, run, cut, saved and restored together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.memory import Memory
from engine.plan import Attached, Plan
from engine.testing import plan_of, report, state
from engine.testing.values import message
from engine.times import SECOND, time_text
from monitors.arrival import Arrival
from monitors.health import Health
from monitors.record_count import RecordCount
from monitors.threshold import Threshold
from monitors.throughput import Throughput
from tests.engine.failing import Sums
from tests.engine.runs import COUNT, END, STREAM, Came, Item, Runner, Sent, Tick, batches, cut_at_each, same, whole

OTHER: Final = "numbers"
TWO: Final = {STREAM: 2}


def plan() -> Plan:
    """Attach monitors to a stream of engines and to one of numbers, and one to the metrics of both."""
    above = Threshold.Options.model_validate({"metric": "sum_total", "above": 20})
    given = plan_of(Throughput(), RecordCount(), Health(), Arrival(), Threshold(above), repeat=300 * SECOND)
    numbers = plan_of(Sums(), Arrival(), decode="json")
    stream = msgspec.structs.replace(numbers.streams[STREAM], name=OTHER, topic=OTHER)
    more = [
        Attached(name=f"{one.name}_of_numbers", use=one.use, monitor=one.monitor, sources={OTHER: OTHER})
        for one in numbers.monitors
    ]
    return Plan(
        workflow="w",
        streams={STREAM: given.streams[STREAM], OTHER: stream},
        monitors=(*given.monitors, *more),
        repeat=given.repeat,
    )


def items(partitions: int = 2) -> list[Item]:
    """Give messages of both streams in the order of their times; those of engines lie on several partitions."""
    offsets = [1_000 * n for n in range(partitions)]
    given: list[Item] = []
    for n in range(160):
        at = n * 5
        src = f"e{n % 3}"
        partition = n % 3 % partitions
        value = state(src, ("running", "error")[n // 20 % 2]) if n % 10 == 0 else report(src, COUNT, n, delta_time=5.0)
        value["timestamp"] = time_text(at * SECOND)
        given.append(
            Sent(STREAM, message(STREAM, offsets[partition], value, time=0, partition=partition, key=src.encode()))
        )
        offsets[partition] += 1
        if n % 4 == 0:
            given.append(Sent(OTHER, message(OTHER, n, {"n": n % 5, "of": "ab"[n % 3 % 2]}, time=at * SECOND)))
        if n % 25 == 7:
            given.append(Sent(STREAM, message(STREAM, offsets[0], b"broken", time=at * SECOND)))
            offsets[0] += 1
    return [*given, *(Tick(STREAM, 2_000 * SECOND) for _ in range(2)), END]


def test_each_stream_has_its_pipelines_made_as_messages_come() -> None:
    """One for each group and partition number, none before."""
    memory = Memory(plan(), TWO)
    before = len(memory.pipelines)
    first = items()[0]
    assert isinstance(first, Sent)
    memory.apply(first.stream, [first.message])

    assert before == 0
    assert [(one.group.name, one.partition) for one in memory.pipelines] == [(STREAM, 0), (f"{STREAM}@one", 0)]


def test_a_bad_message_is_one_reject_however_many_groups_read_it() -> None:
    """The stream of engines is read by two groups; the one that does not own a message counts it as foreign."""
    runner = Runner(plan, TWO)
    for call in batches(items(), lambda: 50):
        runner.take(call)

    assert len(runner.came.rejects) == 7
    assert sum(one.counts.undecodable for one in runner.memory.pipelines) == 7
    assert sum(one.counts.foreign for one in runner.memory.pipelines) == 7


def test_the_cut_into_calls_changes_not_even_the_order() -> None:
    """Also where a call has messages of several partitions, whose offsets say nothing of their order."""
    for partitions in (1, 2, 3):
        given = items(partitions)
        counts = {STREAM: partitions}
        expected = whole(plan, given, size=1, partitions=counts)

        assert len(expected.emissions) > 300
        for size in (2, 7, 1_000):
            same(whole(plan, given, size=size, partitions=counts), expected)


def test_cut_and_resumed_at_each_message_all_groups_and_partitions_give_the_same() -> None:
    """Each takes its own states out of what was saved, by group and partition."""
    for partitions in (1, 2, 3):
        counts = {STREAM: partitions}

        same(cut_at_each(plan, items(partitions), partitions=counts), whole(plan, items(partitions), partitions=counts))


def by_engine(came: Came) -> list[str]:
    """Give what the monitors of scope key emitted of the engines, in an order of its own."""
    pairs = zip(came.emissions, came.lines, strict=True)
    return sorted(line for item, line in pairs if "engine" in item.tags and not item.repeat)


def test_engines_do_not_care_on_how_many_partitions_they_are() -> None:
    """Their series follow the key; what reads the stream whole sees the same records in the same order."""
    one, three = (whole(plan, items(n), partitions={STREAM: n}) for n in (1, 3))
    end = 160 * 5 * SECOND  # silences after it come with the time of each partition

    assert by_engine(Came([item for item in one.emissions if item.time < end and item.name != "EngineSilent"], [])) == (
        by_engine(Came([item for item in three.emissions if item.time < end and item.name != "EngineSilent"], []))
    )
    assert told(one, "stream_records_total") == told(three, "stream_records_total")


def told(came: Came, name: str) -> list[tuple[int, float | None, str]]:
    """Give time, value and stream of a metric."""
    return [(item.time, item.value, item.tags["stream"]) for item in came.named(name)]


def test_a_monitor_of_metrics_runs_in_every_group() -> None:
    """It sees the sums, which another stream than its neighbours' gave."""
    fired = whole(plan, items()).named("ValueOutOfBounds")

    assert {item.tags["monitor"] for item in fired} == {"sums_of_numbers"}


def test_saved_states_say_partition_and_group() -> None:
    """A record of one partition is not overwritten by that of another, and comes back to its own."""
    runner = Runner(plan, TWO)
    for call in batches(items(), lambda: 50):
        runner.take(call)
    runner.save()
    marks = sorted(
        (partition, msgspec.json.decode(name)[0]) for partition, name in runner.saved if b'"watermark"' in name
    )
    before = [(one.group.name, one.partition, dict(one.series), dict(one.offsets)) for one in runner.memory.pipelines]
    runner.resume()
    after = [(one.group.name, one.partition, dict(one.series), dict(one.offsets)) for one in runner.memory.pipelines]

    assert marks == [(0, STREAM), (0, f"{STREAM}@one"), (0, OTHER), (1, STREAM)]
    assert [one for one in after if one[3]] == before


def test_a_second_snapshot_has_only_what_changed() -> None:
    """Of a message of one engine: that engine, its series, the watermarks."""
    memory = Memory(plan())
    given: Sequence[Item] = items(1)
    for item in given[:40]:
        assert isinstance(item, Sent)
        memory.apply(item.stream, [item.message])
    first = len(list(memory.snapshot()))
    value = {**report("e1", COUNT, 1), "timestamp": time_text(10_000)}
    memory.apply(STREAM, [message(STREAM, 999, value, time=0)])
    names = sorted(tuple(msgspec.json.decode(name)[:3]) for _, name, _ in memory.snapshot())

    assert first > len(names)
    assert names == [
        (STREAM, "engine", "e1"),
        (STREAM, "series", "arrival"),
        (STREAM, "series", "health"),
        (STREAM, "series", "record_count"),
        (STREAM, "series", "throughput"),
        (STREAM, "watermark"),
        (OTHER, "watermark"),
    ]


def test_nothing_is_nothing() -> None:
    """No messages, no states, no pipelines: no emissions."""
    memory = Memory(plan())
    memory.restore([])

    assert memory.apply(STREAM, []).emissions == []
    assert Memory(plan()).end().emissions == []
    assert list(Memory(plan()).snapshot()) == []
