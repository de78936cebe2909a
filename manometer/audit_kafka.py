"""Audits a workflow on Kafka: reads its archive topic once, and asks each sink's group how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from archiver.audit_metrics import INCOMPLETE
from archiver.reconciliation import Coverage, covers_of, missing
from archiver.tally import Tally, read_tally
from engine.coverage import uncaused
from engine.events import Alert, Message, Tags, decode_emissions
from engine.kafka.clients import Kafka
from engine.kafka.outlet import Outlet
from engine.kafka.reading import read
from engine.kafka.topics import archive_group, group_id, repartition_group, repartitioned
from engine.plan import Plan
from manometer.audit import Audit, Points, SinkSeen, stored, sums
from manometer.audit_telling import emissions
from manometer.on_kafka import NoTopic

Commits = Mapping[tuple[str, int], tuple[int, str]]


async def audit(plan: Plan, kafka: Kafka, counts: Mapping[str, int]) -> Audit:
    """Look at everything.

    Args:
        plan: the workflow.
        kafka: where it runs.
        counts: name of a sink -> points of the workflow in its store, where it was asked.

    Raises:
        NoTopic: there is no archive topic.
        KafkaError: the brokers cannot be asked, or do not let this client see something.
    """
    if not await kafka.topics([plan.archive]):
        raise NoTopic(f"topic {plan.archive}: there is none; `manometer topics --create` makes it")
    saved = await _next(kafka, group_id(plan))
    copied = await _next(kafka, repartition_group(plan)) if repartitioned(plan) else {}
    commits = {name: await kafka.commits(archive_group(plan, name)) for name in await _sinks(plan, kafka)}
    found = _Archive(plan, commits, points=bool(counts))
    async for messages in read(kafka, [plan.archive]):
        for message in messages:
            found.take(message)
    covered = found.coverage.result()
    sinks = [_seen(plan, name, told, found.pending[name], counts.get(name)) for name, told in commits.items()]
    points = found.points.count if counts else None
    ways = {(stream.way, stream.topic) for stream in plan.streams.values() if stream.repartition}
    gaps = [
        *missing([one for one in covered if (one.group, one.topic) not in ways], saved),
        *missing([one for one in covered if (one.group, one.topic) in ways], copied),
    ]
    findings = [*found.strangers, *gaps, *sums(sinks, found.emissions, whole=found.whole)]
    return Audit(
        workflow=plan.workflow,
        coverage=covered,
        emissions=found.emissions,
        points=points,
        sinks=sinks,
        findings=[*findings, *stored(sinks, points if found.whole else None, counts)],
        alerted=found.alerted[1],
    )


async def send(plan: Plan, kafka: Kafka, found: Audit, now: int) -> None:
    """Put it onto the archive topic, from where every sink takes it.

    Raises:
        KafkaError: the brokers do not take it.
    """
    outlet = Outlet(plan, kafka)
    await outlet.start()
    try:
        for sent in await outlet.emit(uncaused(emissions(found, now), "", "telemetry"), 0):
            await sent
    finally:
        await outlet.stop()


async def _next(kafka: Kafka, group: str) -> dict[tuple[str, int], int]:
    """Give the offsets that a group has committed as the next."""
    return {place: offset for place, (offset, _) in (await kafka.commits(group)).items()}


async def _sinks(plan: Plan, kafka: Kafka) -> list[str]:
    """Name the sinks that have a consumer group, whether a process of it runs or not."""
    prefix = archive_group(plan, "")
    async with kafka.admin() as admin:
        found: Sequence[Any] = await admin.list_consumer_groups()
    return sorted(group[0].removeprefix(prefix) for group in found if group[0].startswith(prefix))


class _Archive:
    """What the archive topic holds."""

    def __init__(self, plan: Plan, commits: Mapping[str, Commits], *, points: bool) -> None:
        self.coverage = Coverage()
        self.emissions = 0
        self.pending = dict.fromkeys(commits, 0)
        self.points = Points(plan.workflow)
        self.strangers: list[str] = []
        """What says nothing that can be understood."""
        self.whole = True
        """Whether each partition still begins with its first message."""
        self.alerted = (0, False)
        """When an audit last told its alert, and whether it fired."""
        self._workflow = plan.workflow
        self._commits = commits
        self._counts_points = points
        self._seen: set[int] = set()
        self._known: dict[bytes, Tags] = {}

    def take(self, message: Message) -> None:
        """Count one message."""
        if message.partition not in self._seen:
            self._seen.add(message.partition)
            self.whole = self.whole and message.offset == 0
        try:
            covers = covers_of({name: value.decode() for name, value in message.headers})
            emissions = decode_emissions(message.value or b"", self._known)
        except (ValueError, msgspec.DecodeError) as error:
            self.strangers.append(f"{message.topic}/{message.partition}/{message.offset}: no archive: {error}")
            return
        if covers is not None:
            self.coverage.add(covers)
        self.emissions += len(emissions)
        for one in emissions:
            if one.name == INCOMPLETE.name and isinstance(one, Alert) and one.tags.get("workflow") == self._workflow:
                self.alerted = max(self.alerted, (one.time, one.firing))
        if self._counts_points:
            self.points.add(emissions)
        for name, told in self._commits.items():
            if message.offset >= told.get((message.topic, message.partition), (0, ""))[0]:
                self.pending[name] += len(emissions)


def _seen(plan: Plan, name: str, told: Commits, pending: int, points: int | None) -> SinkSeen:
    texts = [text for (topic, _), (_, text) in told.items() if topic == plan.archive]
    tallies = [read_tally(text) for text in texts]
    if None in tallies:  # somebody moved its offsets with a tool
        return SinkSeen(name=name, read=None, written=None, rejected=None, expired=None, pending=pending, points=points)
    whole = Tally()
    for tally in tallies:
        whole = whole.plus(tally or Tally())
    return SinkSeen(
        name=name,
        read=whole.emissions,
        written=whole.written,
        rejected=whole.refused,
        expired=whole.expired,
        pending=pending,
        lost=whole.lost,
        points=points,
    )
