"""What may be wrong between a workflow and its Kafka, each finding with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from engine.clock import Clock
from engine.kafka.clients import Kafka, KafkaError
from engine.kafka.layout import advice
from engine.kafka.looking import GroupSeen, LogSeen, Place, brokers, group_seen, logs_seen, message_at
from engine.kafka.topics import (
    Topic,
    expected,
    group_id,
    inputs,
    mistakes,
    read_by_groups,
    repartition_group,
    repartitioned,
    state_topic,
)
from engine.plan import Plan
from engine.times import SECOND
from manometer.diagnosing.line import Line
from manometer.on_kafka import saved
from manometer.states import workflow_hashes

AHEAD: Final = 2 * SECOND
"""A message that is newer than now by more than this tells of a clock that is wrong."""
WAITING: Final = 60 * SECOND
"""A message that waits for longer tells of workers that are too few or do not get on."""


async def diagnosis(plan: Plan, kafka: Kafka, clock: Clock) -> list[Line]:
    """Look at everything; what cannot be looked at because of something before it is left out.

    Raises:
        KafkaError: the brokers cannot be reached.
    """
    lines = [Line("broker", True, f"{await brokers(kafka)} at {kafka.servers}")]
    names = {*inputs(plan), *(topic.name for topic in expected(plan, {}))}
    try:
        topics = await kafka.topics(names)
        lines += _topics(plan, topics)
        group = await group_seen(kafka, group_id(plan))
        copied = await kafka.commits(repartition_group(plan)) if repartitioned(plan) else {}
        read = {*inputs(plan), *read_by_groups(plan)}
        given = {name: topic.partitions for name, topic in topics.items() if name in read}
        logs = await logs_seen(kafka, given)
    except KafkaError as error:
        fix = "give this user the rights that `manometer topics` prints for a worker"
        return [*lines, Line("rights", False, str(error), fix)]
    lines.append(Line("rights", True, "topics and group may be read; writing was not tried"))
    lines += [_clock(logs, clock.now()), _workers(group, topics, plan)]
    lines += await _lag(kafka, _next(group, copied), logs, clock.now())
    if state_topic(plan) in topics:
        lines.append(await _file(plan, kafka))
    return lines


def _next(group: GroupSeen, copied: Mapping[Place, tuple[int, str]]) -> dict[Place, int]:
    """Give from where each partition is read on, by the slowest of those that read it."""
    found = dict(group.committed)
    for place, (offset, _) in copied.items():
        found[place] = min(offset, found.get(place, offset))
    return found


def _topics(plan: Plan, found: Mapping[str, Topic]) -> Iterator[Line]:
    wrong = [*mistakes(plan, found), *advice(plan, found)]
    if not wrong:
        yield Line("topics", True, f"{len(found)} as they should be")
    for text in wrong:
        told, _, fix = text.partition("; ")
        yield Line("topics", False, told, fix or "change it with kafka-configs or kafka-topics")


def _clock(logs: Mapping[tuple[str, int], LogSeen], now: int) -> Line:
    """Compare the newest messages with this machine's clock."""
    times = [seen.newest.time for seen in logs.values() if seen.newest is not None and seen.newest.time is not None]
    ahead = max(times, default=now) - now
    if ahead <= AHEAD:
        return Line("clock", True, "no message is newer than this machine's clock")
    told = f"a message is {ahead / SECOND:.0f} s newer than this machine's clock"
    return Line("clock", False, told, "let NTP set the clocks of this machine and of the senders")


def _workers(group: GroupSeen, topics: Mapping[str, Topic], plan: Plan) -> Line:
    most = max((topic.partitions for name, topic in topics.items() if name in read_by_groups(plan)), default=0)
    if not group.members:
        fix = f"start one: manometer run WORKFLOW --kafka HOST:PORT (workflow {plan.workflow})"
        return Line("workers", False, f"none is in the group {group_id(plan)}", fix)
    if group.members > most > 0:
        told = f"{group.members} workers for {most} partitions: some have nothing to do"
        return Line("workers", True, told)
    return Line("workers", True, f"{group.members} in the group {group_id(plan)}")


async def _lag(kafka: Kafka, read: Mapping[Place, int], logs: Mapping[Place, LogSeen], now: int) -> list[Line]:
    """Say how much waits on each topic, and for how long its oldest message has."""
    behind: dict[str, int] = {}
    longest: dict[str, int] = {}
    for (topic, number), seen in logs.items():
        next_offset = max(read.get((topic, number), 0), seen.start)
        end = seen.end if seen.newest is None else seen.newest.offset + 1  # behind it are only marks of transactions
        behind[topic] = behind.get(topic, 0) + max(0, end - next_offset)
        first = None if next_offset >= end else await message_at(kafka, (topic, number), next_offset)
        if first is not None and first.time is not None:
            longest[topic] = max(longest.get(topic, 0), now - first.time)
    return [_waits(topic, count, longest.get(topic, 0)) for topic, count in behind.items()]


def _waits(topic: str, count: int, longest: int) -> Line:
    if not count:
        return Line("lag", True, f"{topic}: nothing waits")
    told = f"{topic}: {count} offsets wait, the oldest message for {longest / SECOND:.0f} s"
    fix = "see that workers run and what they log; more partitions and workers share the load"
    return Line("lag", longest <= WAITING, told, "" if longest <= WAITING else fix)


async def _file(plan: Plan, kafka: Kafka) -> Line:
    """Compare the workflow file with the one that the last checkpoints were made with."""
    hashes = workflow_hashes(await saved(plan, kafka))
    if hashes <= {plan.hash}:
        return Line("file", True, "the workers run this version of the file" if hashes else "nothing was saved yet")
    told = f"{len(hashes - {plan.hash})} other version of the file was run with"
    return Line("file", False, told, "give the workers this file, then send them SIGHUP or start them again")
