"""How the topics of a workflow are made, what else is worth a look at them, and who needs which rights. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from engine.events import MESSAGE_BYTES
from engine.kafka.topics import (
    Topic,
    archive_group,
    expected,
    group_id,
    groups_on,
    inputs,
    repartition_group,
    repartitioned,
    state_topic,
    topics_of,
)
from engine.plan import Plan
from engine.times import DAY, duration_text

RETENTION: Final = 7 * DAY
REJECTS_RETENTION: Final = 30 * DAY
"""People look at rejects later than programs at the rest."""
SHORTEST: Final = DAY
"""A store may be away for a night, and a reject be found in the morning."""
_STATE: Final = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "segment.bytes": "67108864"}
"""Often cleaned, so that a new owner has little to read."""


def lacking(plan: Plan, found: Mapping[str, Topic], partitions: int) -> list[Topic]:
    """Give the topics that are not there, as they should be made.

    Args:
        plan: the workflow.
        found: the topics that are there.
        partitions: of each input whose monitors allow several; one that is read beside another gets as many as that.
    """
    counts = _counts(plan, found, partitions)
    given = {name: Topic(name, counts[name], MESSAGE_BYTES, retention=RETENTION) for name in inputs(plan)}
    copies = {name: Topic(name, counts[name]) for name in repartitioned(plan).values()}
    ours = [
        msgspec.structs.replace(topic, retention=_retention(topic))
        for topic in expected(plan, {**given, **copies, **found})
    ]
    return [topic for topic in (*given.values(), *ours) if topic.name not in found]


def _retention(topic: Topic) -> int | None:
    return {"archive": RETENTION, "rejects": REJECTS_RETENTION, "repartitioned": RETENTION}.get(topic.role)


def _counts(plan: Plan, found: Mapping[str, Topic], partitions: int) -> dict[str, int]:
    """Say how many partitions each input and each repartitioned topic gets.

    As many as what it is read with, one where a monitor must see it all; a repartitioned one else as many as its input.
    """
    copies = repartitioned(plan)
    together = {name: {name} for name in (*inputs(plan), *copies.values())}
    for group in groups_on(plan, {}):
        names = set().union(*(together[topic] for topic in topics_of(plan, group).values()))
        for name in names:
            together[name] = names
    whole = _whole(plan)
    counts: dict[str, int] = {}
    for name, names in together.items():  # inputs come first, so that those of a copy are known
        there = [found[other].partitions for other in names if other in found]
        beside = [counts[other] for other in names if other in counts]
        copied = [stream for stream, copy in copies.items() if copy in names and name in copies.values()]
        sources = [counts[plan.streams[stream].topic] for stream in copied]
        counts[name] = max(there or beside or ([1] if names & whole else sources) or [partitions])
    return counts


def _whole(plan: Plan) -> set[str]:
    """Name the topics of one partition: read by monitors that must see a whole stream, or said to have one."""
    groups = plan.groups(apart=plan.streams, repartitioned=True)
    seeing = [group for group in groups if len(group.streams) == 1 and (group.whole or group.repartitioned)]
    alone = {topics_of(plan, group)[group.streams[0]] for group in seeing}
    ones = {copy for stream, copy in repartitioned(plan).items() if plan.streams[stream].repartition == "one"}
    return alone | ones


def settings(topic: Topic) -> dict[str, str]:
    """Give Kafka's settings for a topic that is made."""
    told = {"max.message.bytes": str(topic.message_bytes)}
    if topic.compacted:
        return {**told, **_STATE}
    if topic.retention is not None:
        told["retention.ms"] = str(topic.retention // 1000)
    return {**told, "cleanup.policy": "delete", "message.timestamp.type": "CreateTime"}


def advice(plan: Plan, found: Mapping[str, Topic]) -> Iterator[str]:
    """Say what does not keep the workflow from running, and will be missed one day."""
    for name, topic in sorted(found.items()):
        if topic.retention is not None and topic.retention < SHORTEST and not topic.compacted:
            kept = duration_text(topic.retention)
            yield f"topic {name}: keeps messages for {kept}; expected 1d or more, or what waits over a night is lost"
    if plan.rejects in found and not found[plan.rejects].keeps_time:
        yield f"topic {plan.rejects}: expected message.timestamp.type=CreateTime, or a retry has lost its time"


class Right(msgspec.Struct, frozen=True):
    """What a process has to be allowed to do, in the words of Kafka's ACLs."""

    process: str
    kind: str
    """topic, group or transactional-id."""
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False
    """Whether the name is the beginning of names."""

    def __str__(self) -> str:
        """Write it as arguments of kafka-acls."""
        pattern = " --resource-pattern-type prefixed" if self.prefixed else ""
        return f"--{self.kind} {self.name}{pattern} {' '.join(f'--operation {one}' for one in self.operations)}"


def rights(plan: Plan) -> list[Right]:
    """Give the rights that each process needs, where the brokers have an authorizer."""
    read, write = ("Read", "Describe"), ("Write", "Describe")
    states = state_topic(plan)
    given = [Right("worker", "topic", name, (*read, "DescribeConfigs")) for name in inputs(plan)]
    given += [Right("worker", "topic", name, (*write, "DescribeConfigs")) for name in (plan.archive, plan.rejects)]
    given.append(Right("worker", "topic", states, ("Read", *write, "DescribeConfigs")))
    given += [
        Right("worker", "topic", name, ("Read", *write, "DescribeConfigs")) for name in repartitioned(plan).values()
    ]
    given.append(Right("worker", "group", group_id(plan), read))
    if repartitioned(plan):
        given.append(Right("worker", "group", repartition_group(plan), read))
    given.append(Right("worker", "transactional-id", f"{group_id(plan)}.", write, prefixed=True))
    given.append(Right("archiver", "topic", plan.archive, read))
    given.append(Right("archiver", "topic", plan.rejects, write))
    given.append(Right("archiver", "group", archive_group(plan, ""), read, prefixed=True))
    given += [Right("sensors", "topic", name, write) for name in _told_by_engines(plan)]
    given += [Right("operator", "topic", name, _operator(plan, name)) for name in (*inputs(plan), *_ours(plan))]
    given.append(Right("operator", "group", group_id(plan), ("Describe",)))
    if repartitioned(plan):
        given.append(Right("operator", "group", repartition_group(plan), ("Describe",)))
    given.append(Right("operator", "group", archive_group(plan, ""), ("Describe",), prefixed=True))
    return given


def _told_by_engines(plan: Plan) -> Iterable[str]:
    return sorted({stream.topic for stream in plan.streams.values() if stream.decode == "sensors"})


def _ours(plan: Plan) -> tuple[str, ...]:
    return *repartitioned(plan).values(), plan.archive, plan.rejects, state_topic(plan)


def _operator(plan: Plan, name: str) -> tuple[str, ...]:
    """Allow to create and look at topics, and to send rejects again to inputs."""
    common = ("Create", "Describe", "DescribeConfigs", "Read")
    return (*common, "Write") if name in inputs(plan) else common
