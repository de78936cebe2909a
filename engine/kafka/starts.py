"""Where groups of a workflow begin that are new on Kafka, and the end of those that are gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, Literal

import msgspec

from engine.kafka.clients import Kafka
from engine.kafka.looking import LogSeen, logs_seen
from engine.kafka.positions import encode_positions, ident_of, name_of
from engine.kafka.topics import (
    groups_on,
    inputs,
    read_by_groups,
    repartitioned,
    state_topic,
    topics_of,
    transactional_id,
)
from engine.plan import Group, Plan
from engine.remembered import Remembered, Watermark

Start = Literal["end", "beginning"]
PREPARED: Final = 0
"""The revision of a watermark with which nothing has run yet."""
_KIND: Final = 2
"""A watermark's name has two parts, its group and its kind; longer names are of series that are called so."""


async def prepare(plan: Plan, kafka: Kafka, names: Collection[str], start: Start) -> None:
    """Save where groups begin that no worker runs yet: at the end of their topics, as of now, or at the beginning.

    Raises:
        KafkaError: the topics cannot be read, or the states not be written.
    """
    await _begin(plan, kafka, names, start, keep=lambda mark: mark.revision > PREPARED)


async def begin_at_end(plan: Plan, kafka: Kafka, names: Collection[str]) -> None:
    """Save that groups begin at the end of their topics, as of now; not of those for which it was prepared otherwise.

    Raises:
        ProducerFenced: somebody else does so.
        KafkaError: the topics cannot be read, or the states not be written.
    """
    await _begin(plan, kafka, names, "end", keep=lambda mark: mark.revision == PREPARED)


async def forget(plan: Plan, kafka: Kafka, group: str, partition: int) -> None:
    """Forget all that is saved of a group that a workflow no longer has.

    Raises:
        ProducerFenced: somebody else does so.
        KafkaError: the states cannot be read or written.
    """
    await _replace(plan, kafka, (group, partition), {}, keep=lambda mark: mark.revision > plan.revision)


def watermarks_in(records: Mapping[bytes, bytes]) -> dict[str, Watermark]:
    """Find the watermark of each group among the records of one partition of the state topic."""
    found: dict[str, Watermark] = {}
    for name, data in records.items():
        if name.endswith(b',"watermark"]') and len(parts := _parts(name)) == _KIND:
            found[parts[0]] = msgspec.msgpack.decode(data, type=Watermark)
    return found


def watermark_of(group: str, records: Mapping[bytes, bytes]) -> Watermark | None:
    """Find the watermark of one group among the records of one partition of the state topic."""
    data = records.get(msgspec.json.encode((group, "watermark")))
    return None if data is None else msgspec.msgpack.decode(data, type=Watermark)


def groups_in(records: Mapping[bytes, bytes]) -> set[str]:
    """Name the groups of which one partition of the state topic holds something."""
    return {parts[0] for name in records if len(parts := _parts(name)) >= _KIND and parts[0]}


def _parts(name: bytes) -> list[str]:
    try:
        return msgspec.json.decode(name, type=list[str])
    except msgspec.DecodeError:  # whoever wrote that, it is no state
        return []


async def _begin(
    plan: Plan, kafka: Kafka, names: Collection[str], start: Start, keep: Callable[[Watermark], bool]
) -> None:
    found = await kafka.topics({*inputs(plan), *read_by_groups(plan)})
    counts = {name: topic.partitions for name, topic in found.items()}
    await _begin_copies(plan, kafka, names, counts, start=start, keep=keep)
    coming = _coming(plan, counts)
    counts |= coming
    for group in groups_on(plan, counts):
        topics = set(topics_of(plan, group).values())
        if group.name not in names or not topics <= counts.keys():
            continue
        logs = await logs_seen(kafka, {topic: counts[topic] for topic in topics - coming.keys()})
        logs |= {(topic, number): LogSeen(0, 0, None) for topic in topics for number in range(coming.get(topic, 0))}
        for partition in range(min(counts[topic] for topic in topics)):
            records = _fresh(plan, group, partition, logs, start)
            await _replace(plan, kafka, (group.name, partition), records, keep)


def _coming(plan: Plan, counts: Mapping[str, int]) -> dict[str, int]:
    """Give the repartitioned topics that are yet to be made, with the partitions that they will have."""
    sources = {copy: plan.streams[stream] for stream, copy in repartitioned(plan).items() if copy not in counts}
    return {copy: 1 if one.repartition == "one" else counts.get(one.topic, 1) for copy, one in sources.items()}


async def _begin_copies(  # noqa: PLR0913 - as where a group begins
    plan: Plan,
    kafka: Kafka,
    names: Collection[str],
    counts: Mapping[str, int],
    *,
    start: Start,
    keep: Callable[[Watermark], bool],
) -> None:
    """Let streams that only new groups read from repartitioned topics be copied from there on, too."""
    known = await kafka.read_all(state_topic(plan), 0)
    for stream in repartitioned(plan):
        topic, way = plan.streams[stream].topic, plan.streams[stream].way
        readers = {group.name for group in groups_on(plan, {}) if stream in group.repartitioned}
        if topic not in counts or not readers <= {*names} or any(_kept(known, name, keep) for name in readers):
            continue
        logs = await logs_seen(kafka, {topic: counts[topic]})
        offsets = {number: seen.end if start == "end" else seen.start for (_, number), seen in logs.items()}
        states = kafka.states(state_topic(plan), 0, ident_of(plan, way))
        try:
            await states.start()
            await states.write([(name_of(way), encode_positions(offsets))])
        finally:
            await states.stop()


def _fresh(
    plan: Plan, group: Group, partition: int, logs: Mapping[tuple[str, int], LogSeen], start: Start
) -> dict[bytes, bytes | None]:
    fresh = Remembered(msgspec.structs.replace(plan, revision=PREPARED), group, partition)
    seen = {stream: logs[topic, partition] for stream, topic in topics_of(plan, group).items()}
    fresh.offsets = {stream: log.end if start == "end" else log.start for stream, log in seen.items()}
    return dict(fresh.save())


async def _replace(
    plan: Plan,
    kafka: Kafka,
    owned: tuple[str, int],
    records: Mapping[bytes, bytes | None],
    keep: Callable[[Watermark], bool],
) -> None:
    """Put records in the place of all that a group and partition number have, as their owner, unless that is kept."""
    topic, (group, partition) = state_topic(plan), owned
    states = kafka.states(topic, partition, transactional_id(plan, group, partition))
    if _kept(await kafka.read_all(topic, partition), group, keep):
        return
    try:
        await states.start()
        found = await kafka.read_all(topic, partition)
        if not _kept(found, group, keep):
            gone: dict[bytes, bytes | None] = {name: None for name in found if _parts(name)[:1] == [group]}
            await states.write((gone | dict(records)).items())
    finally:
        await states.stop()


def _kept(found: Mapping[bytes, bytes], group: str, keep: Callable[[Watermark], bool]) -> bool:
    mark = watermark_of(group, found)
    return mark is not None and keep(mark)
