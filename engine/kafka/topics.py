"""The topics of a workflow on Kafka: their names, and how each has to be laid out. Pure: no client in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from engine.coverage import PART_BYTES
from engine.events import MESSAGE_BYTES
from engine.plan import Group, Plan

ENVELOPE_BYTES: Final = 65_536
"""What headers and key of a reject, or of a copy on a repartitioned topic, may take beside the message itself."""
STATE_BYTES: Final = MESSAGE_BYTES
ARCHIVE_BYTES: Final = 2 * PART_BYTES

Role = str
"""`input`, `repartitioned`, `archive`, `rejects` or `state`."""


class Topic(msgspec.Struct, frozen=True):
    """A topic as it is on the broker, or as it should be."""

    name: str
    partitions: int
    message_bytes: int = MESSAGE_BYTES
    """The largest message that it takes: `max.message.bytes`."""
    compacted: bool = False
    role: Role = "input"
    retention: int | None = None
    """How long messages are kept, in microseconds; None for ever, or as the broker has it."""
    keeps_time: bool = True
    """Whether messages keep the time that their sender gave them."""


def state_topic(plan: Plan) -> str:
    """Name the compacted topic of the states."""
    return f"{plan.workflow}.state"


def group_id(plan: Plan) -> str:
    """Name the consumer group of the workers."""
    return f"manometer.{plan.workflow}"


def archive_group(plan: Plan, sink: str) -> str:
    """Name the consumer group that reads the archive for one sink."""
    return f"{group_id(plan)}.archive.{sink}"


def repartition_group(plan: Plan) -> str:
    """Name the consumer group that tells how far inputs were copied to repartitioned topics; it has no members."""
    return f"{group_id(plan)}.repartition"


def transactional_id(plan: Plan, group: str, partition: int) -> str:
    """Name the transactional producer of a group and partition number: who has it owns them."""
    return f"manometer.{plan.workflow}.{group}.{partition}"


def archive_key(plan: Plan, group: str, partition: int) -> bytes:
    """Give the key of all messages of a group and partition number on the archive topic."""
    return f"{plan.workflow}/{group}/{partition}".encode()


def inputs(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Give each input topic with the streams that read it."""
    found: dict[str, tuple[str, ...]] = {}
    for stream in plan.streams.values():
        found[stream.topic] = (*found.get(stream.topic, ()), stream.name)
    return found


def groups_on(plan: Plan, partitions: Mapping[str, int]) -> tuple[Group, ...]:
    """Cut a workflow into the groups that it has where its input topics have so many partitions."""
    several = [stream.name for stream in plan.streams.values() if partitions.get(stream.topic, 1) > 1]
    return plan.groups(apart=several, repartitioned=True)


def topics_of(plan: Plan, group: Group) -> dict[str, str]:
    """Give the topic from which a group reads each of its streams."""
    return {
        stream: copy_of(plan, stream) if stream in group.repartitioned else plan.streams[stream].topic
        for stream in group.streams
    }


def copy_of(plan: Plan, stream: str) -> str:
    """Name the repartitioned topic of a stream."""
    return f"{plan.workflow}.{stream}.{plan.streams[stream].repartition}"


def repartitioned(plan: Plan) -> dict[str, str]:
    """Give the streams that some group reads from a repartitioned topic, with the names of these."""
    streams = {stream for group in groups_on(plan, {}) for stream in group.repartitioned}
    return {stream: copy_of(plan, stream) for stream in sorted(streams)}


def read_by_groups(plan: Plan) -> set[str]:
    """Name all topics that groups read: inputs, and in place of some of them repartitioned ones."""
    return {topic for group in groups_on(plan, {}) for topic in topics_of(plan, group).values()}


def expected(plan: Plan, found: Mapping[str, Topic]) -> list[Topic]:
    """Say how the topics that are not inputs should be laid out, beside inputs as they were found."""
    copies = [_copy(plan, stream, name, found) for stream, name in repartitioned(plan).items()]
    given = [found[name] for name in inputs(plan) if name in found]
    states = max((topic.partitions for topic in (*given, *copies)), default=1)
    largest = max((topic.message_bytes for topic in given), default=MESSAGE_BYTES)
    return [
        *copies,
        Topic(plan.archive, 1, ARCHIVE_BYTES, role="archive"),
        Topic(plan.rejects, 1, largest + ENVELOPE_BYTES, role="rejects"),
        Topic(state_topic(plan), states, STATE_BYTES, compacted=True, role="state"),
    ]


def _copy(plan: Plan, stream: str, name: str, found: Mapping[str, Topic]) -> Topic:
    """Say how a repartitioned topic should be; how many partitions one by key has is said by what is read with it."""
    source = found.get(plan.streams[stream].topic, Topic("", 1))
    partitions = 1 if plan.streams[stream].repartition == "one" else found.get(name, source).partitions
    return Topic(name, partitions, source.message_bytes + ENVELOPE_BYTES, role="repartitioned")


def mistakes(plan: Plan, found: Mapping[str, Topic]) -> list[str]:
    """Say all that keeps a workflow from running on topics as they were found, each with what to do."""
    wrong = [f"topic {name}: there is none; `manometer topics --create` makes it" for name in _missing(plan, found)]
    wrong += _uneven(plan, found)
    wrong += _scattered(plan, found)
    for topic in expected(plan, found):
        if topic.name in found:
            wrong += _differs(topic, found[topic.name])
    return wrong


def _missing(plan: Plan, found: Mapping[str, Topic]) -> Iterable[str]:
    named = [*inputs(plan), *(topic.name for topic in expected(plan, found))]
    return sorted({name for name in named if name not in found})


def _uneven(plan: Plan, found: Mapping[str, Topic]) -> Iterable[str]:
    for group in groups_on(plan, {}):
        topics = sorted(topics_of(plan, group).values())
        counts = {name: found[name].partitions for name in topics if name in found}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} has {count}" for name, count in counts.items())
            yield f"group {group.name}: expected equal numbers of partitions, but {told}"


def _scattered(plan: Plan, found: Mapping[str, Topic]) -> Iterable[str]:
    for group in groups_on(plan, {name: topic.partitions for name, topic in found.items()}):
        stream = group.streams[0]
        topic = found.get(topics_of(plan, group)[stream])
        if (
            len(group.streams) == 1
            and topic is not None
            and topic.partitions > 1
            and (group.whole or group.repartitioned)
        ):
            names = ", ".join(attached.name for attached in group.monitors)
            fix = "give it one partition"
            if plan.streams[stream].repartition != "one":
                fix += f", or say repartition: one on {stream}"
            yield (
                f"topic {topic.name}: it has {topic.partitions} partitions, but {names} must see the whole stream "
                f"{stream}; {fix}"
            )


def _differs(topic: Topic, real: Topic) -> Iterable[str]:
    if topic.role == "state" and real.partitions < topic.partitions:
        yield f"topic {topic.name}: expected at least {topic.partitions} partitions, found {real.partitions}"
    if topic.role == "repartitioned" and real.partitions != topic.partitions:
        yield f"topic {topic.name}: expected one partition, for repartition: one, found {real.partitions}"
    if topic.role == "repartitioned" and not real.keeps_time:
        yield f"topic {topic.name}: expected message.timestamp.type=CreateTime, or messages lose their time"
    if topic.compacted and not real.compacted:
        yield f"topic {topic.name}: expected cleanup.policy=compact, or states are lost with their age"
    if not topic.compacted and real.compacted:
        yield f"topic {topic.name}: expected cleanup.policy=delete, found compact: messages would vanish"
    if real.message_bytes < topic.message_bytes:
        found = f"expected max.message.bytes of at least {topic.message_bytes}, found {real.message_bytes}"
        yield f"topic {topic.name}: {found}"
