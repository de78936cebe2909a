"""The topics of a workflow on Kafka: their names, and how each has to be laid out. Pure: no client in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from engine.coverage import PART_BYTES
from engine.events import MESSAGE_BYTES
from engine.plan import Group, Plan

ENVELOPE_BYTES: Final = 65_536
"""What headers and key of a reject may take beside the message itself."""
STATE_BYTES: Final = MESSAGE_BYTES
ARCHIVE_BYTES: Final = 2 * PART_BYTES

Role = str
"""`input`, `archive`, `rejects` or `state`."""


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
    return plan.groups(apart=several)


def expected(plan: Plan, found: Mapping[str, Topic]) -> list[Topic]:
    """Say how the topics that are not inputs should be laid out, beside inputs as they were found."""
    given = [found[name] for name in inputs(plan) if name in found]
    states = max((topic.partitions for topic in given), default=1)
    largest = max((topic.message_bytes for topic in given), default=MESSAGE_BYTES)
    return [
        Topic(plan.archive, 1, ARCHIVE_BYTES, role="archive"),
        Topic(plan.rejects, 1, largest + ENVELOPE_BYTES, role="rejects"),
        Topic(state_topic(plan), states, STATE_BYTES, compacted=True, role="state"),
    ]


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
    for group in plan.groups():
        topics = sorted({plan.streams[stream].topic for stream in group.streams})
        counts = {name: found[name].partitions for name in topics if name in found}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} has {count}" for name, count in counts.items())
            yield f"group {group.name}: expected equal numbers of partitions, but {told}"


def _scattered(plan: Plan, found: Mapping[str, Topic]) -> Iterable[str]:
    for group in groups_on(plan, {name: topic.partitions for name, topic in found.items()}):
        if group.whole:
            topic = plan.streams[group.streams[0]].topic
            names = ", ".join(attached.name for attached in group.monitors)
            yield (
                f"topic {topic}: it has {found[topic].partitions} partitions, but {names} must see the whole stream "
                f"{group.streams[0]}; give it one partition"
            )


def _differs(topic: Topic, real: Topic) -> Iterable[str]:
    if topic.role == "state" and real.partitions < topic.partitions:
        yield f"topic {topic.name}: expected at least {topic.partitions} partitions, found {real.partitions}"
    if topic.compacted and not real.compacted:
        yield f"topic {topic.name}: expected cleanup.policy=compact, or states are lost with their age"
    if not topic.compacted and real.compacted:
        yield f"topic {topic.name}: expected cleanup.policy=delete, found compact: messages would vanish"
    if real.message_bytes < topic.message_bytes:
        found = f"expected max.message.bytes of at least {topic.message_bytes}, found {real.message_bytes}"
        yield f"topic {topic.name}: {found}"
