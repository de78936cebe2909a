"""The lanes of one worker: made when partitions are assigned, ended when they are given back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Final

from engine.clock import Clock
from engine.kafka.batch import Batch
from engine.kafka.clients import REBALANCE_SECONDS, SESSION_SECONDS, Kafka, ProducerFenced
from engine.kafka.lane import Lane
from engine.kafka.outlet import Outlet
from engine.kafka.owner import Feed, Place
from engine.kafka.reading import read_on
from engine.kafka.repartitioner import Repartitioner, in_step
from engine.kafka.revisions import see_newest
from engine.kafka.starts import forget, groups_in
from engine.kafka.stuck import Mark, mark_in
from engine.kafka.topics import copy_of, group_id, groups_on, read_by_groups, state_topic, topics_of, transactional_id
from engine.kafka.uncopied import Ahead, Copying
from engine.pipeline import Pipeline
from engine.plan import Group, Plan

HAND_OVER_SECONDS: Final = 6.0
ASSIGNED_SECONDS: Final = SESSION_SECONDS + REBALANCE_SECONDS + 4.0
"""So long after a lane was fenced, whoever did that has joined the group, or is gone."""


APART: Final = 100_000
"""Groups of a topic that are no more offsets apart begin where the last of them is; it costs a moment."""


_log: Final = logging.getLogger("manometer.kafka")


class Lanes:
    """Owns the pipelines of the partitions that Faust assigns to this worker."""

    def __init__(
        self, plan: Plan, kafka: Kafka, outlet: Outlet, *, clock: Clock, failed: Callable[[BaseException], None]
    ) -> None:
        """Begin without any.

        Args:
            plan: the workflow.
            kafka: where its topics are.
            outlet: where emissions and rejects go.
            clock: tells how long nothing came.
            failed: hears what the worker cannot go on with.
        """
        self.feed: Feed
        self.failed = failed
        self.running: list[Lane] = []
        self.repartitioners: list[Repartitioner] = []
        self.places: frozenset[Place] | None = None
        """Topics and partitions that are assigned; None before the first assignment, and between two of them."""
        self.stuck: Mark | None = None
        """That some worker was stuck, where partition 0 is here."""
        self.done = 0
        """Batches applied by lanes that have ended."""
        self._plan = plan
        self._kafka = kafka
        self._outlet = outlet
        self._clock = clock
        self._partitions: Mapping[str, int] = {}
        self._groups: tuple[Group, ...] = ()
        self._tasks: set[asyncio.Task[None]] = set()
        self._beginning: set[asyncio.Task[None]] = set()
        self._turn = 0

    def lay_out(self, plan: Plan, partitions: Mapping[str, int]) -> None:
        """Learn how many partitions each topic has, and which revision the workflow is."""
        self._plan = plan
        self._partitions = partitions
        self._groups = groups_on(plan, partitions)
        self._copying = Copying(plan, self._kafka, partitions, self._clock)

    @property
    def ready(self) -> bool:
        """Whether all that is assigned was restored and is being read."""
        return self.places is not None and not self._beginning and all(one.begun for one in self.repartitioners)

    # --- what Faust tells

    def consumer(self, assignor: Any) -> Any:
        """Make the consumer."""
        return self._kafka.consumer(group_id(self._plan), assignor)

    def assigned(self, places: Collection[Place]) -> None:
        """Make the lanes of partitions, and start them."""
        self._turn += 1
        self.places = frozenset(places)
        for number in sorted({partition for _, partition in places}):
            lanes = [self._lane(group, number) for group in self._groups if self._here(group, number)]
            self.running += lanes
            self._spawn(self._begin(number, lanes, self._turn), self._beginning)

    def _here(self, group: Group, number: int) -> bool:
        """Say whether a group is ours on a partition number: all its topics, or none of them."""
        topics = set(topics_of(self._plan, group).values())
        here = {topic for topic in topics if (topic, number) in (self.places or ())}
        if here and here != topics:
            told = f"partition {number}: {sorted(here)} were assigned without {sorted(topics - here)}"
            self.failed(RuntimeError(told))
        return here == topics

    def _lane(self, group: Group, number: int) -> Lane:
        count = max(self._partitions[topic] for topic in topics_of(self._plan, group).values())
        ident = transactional_id(self._plan, group.name, number)
        return Lane(
            Pipeline(self._plan, group, number, partitions=count),
            self._kafka.states(state_topic(self._plan), number, ident),
            self._outlet,
            clock=self._clock,
            ahead=Ahead(
                unread=lambda topic: self.feed.behind(topic, number) != 0,
                uncopied=lambda: self._copying.uncopied(group.repartitioned),
                read_on=lambda topic, offset: read_on(self._kafka, (topic, number), offset),
            ),
        )

    async def _begin(self, number: int, lanes: list[Lane], turn: int) -> None:
        """Fence earlier owners, restore, and read on from where the last checkpoints were.

        A worker with a newer file is not fenced: it is looked for before, and once more by what it has saved.
        """
        async with self._kafka.last_values(state_topic(self._plan), number) as read:
            see_newest(self._plan, await read())
            await asyncio.gather(*(lane.own() for lane in lanes))
            records = await read()
        see_newest(self._plan, records)
        self.stuck = mark_in(records) if number == 0 else self.stuck
        for lane in lanes:
            await lane.restore(records)
        topics = {topic for lane in lanes for topic in lane.topics.values()}
        starts = await self.feed.starts([(topic, number) for topic in topics])
        if turn != self._turn:
            return
        offsets = {place: _first(lanes, place[0], start) for place, start in starts.items()}
        for lane in lanes:
            self._spawn(lane.run(), self._tasks)
        _log.info("partition %d: %d groups go on at %s", number, len(lanes), offsets)
        self.feed.begin(offsets)
        if number == 0:
            self._repartition()
        await self._forget(number, records)

    def _repartition(self) -> None:
        """Begin to copy to the repartitioned topics whose first partition is ours."""
        for streams in in_step(self._plan):
            if (copy_of(self._plan, streams[0]), 0) in (self.places or ()):
                one = Repartitioner(
                    self._plan,
                    streams,
                    self._kafka,
                    self._outlet,
                    partitions=self._partitions,
                    clock=self._clock,
                    lost=self._lost,
                )
                self.repartitioners.append(one)
                self._spawn(one.run(), self._tasks)

    def _lost(self, stream: str, partition: int, first: int, start: int) -> None:
        """Tell what a source has lost, by a lane that reads the stream's repartitioned topic."""
        readers = [lane for lane in self.running if stream in lane.pipeline.group.repartitioned]
        source = f"{self._plan.streams[stream].topic}/{partition}"
        for lane in readers[:1]:
            lane.lose(stream, first, start, source)

    async def _forget(self, number: int, records: Mapping[bytes, bytes]) -> None:
        """Forget groups that the workflow no longer has; number 0 does so on partitions that have no input any more."""
        topic = state_topic(self._plan)
        for gone in sorted(groups_in(records) - {group.name for group in self._groups}):
            _log.info("partition %d: the group %s is gone, and forgotten", number, gone)
            await forget(self._plan, self._kafka, gone, number)
        if number == 0:
            used = max(self._partitions[name] for name in read_by_groups(self._plan))
            for left in range(used, self._partitions[topic]):
                await self._forget(left, await self._kafka.read_all(topic, left))

    async def revoked(self) -> dict[Place, int]:
        """Let all lanes checkpoint and end; gives up to where they are saved."""
        self._turn += 1
        for task in self._beginning:
            task.cancel()
        for lane in self.running:
            lane.end()
        for one in self.repartitioners:
            one.end()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=HAND_OVER_SECONDS)
        offsets = self.finished()
        await self.drop()
        return offsets

    async def drop(self) -> None:
        """Let go of all lanes, whatever they are at."""
        self._turn += 1
        self.places = None
        lanes, self.running = self.running, []
        copying, self.repartitioners = self.repartitioners, []
        tasks = [*self._tasks, *self._beginning]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self.done += sum(lane.progress for lane in lanes) + sum(one.progress for one in copying)
        closing = [*(lane.close() for lane in lanes), *(one.close() for one in copying)]
        await asyncio.gather(*closing, return_exceptions=True)

    def take(self, batch: Batch) -> None:
        """Give a batch to the lanes that read its topic."""
        for lane in self.running:
            if lane.pipeline.partition == batch.partition:
                lane.turns.take(batch)

    def holds(self, topic: str, partition: int) -> bool:
        """Say whether some lane has enough of a topic; one that waits for another stream steps aside for others."""
        here = [lane for lane in self.running if lane.pipeline.partition == partition and lane.turns.read(topic)]
        full = [lane for lane in here if lane.turns.full(topic)]
        if full and len(full) < len(here) and all(lane.turns.stalled(topic) for lane in full):
            for lane in full:
                _log.info("partition %d: the group %s reads %s by itself", partition, lane.pipeline.group.name, topic)
                lane.turns.step_aside(topic)
            return False
        return bool(full)

    def finished(self) -> dict[Place, int]:
        """Say up to where topics are saved: by each group that reads them."""
        found: dict[Place, list[int]] = {}
        for lane in self.running:
            for stream, topic in lane.topics.items():
                found.setdefault((topic, lane.pipeline.partition), []).append(lane.saved.get(stream, 0))
        return {place: min(offsets) for place, offsets in found.items() if min(offsets)}

    # --- tasks

    def _spawn(self, work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(lambda done: self._ended(done, among))

    def _ended(self, task: asyncio.Task[None], among: set[asyncio.Task[None]]) -> None:
        among.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, ProducerFenced):
            _log.warning("another worker has taken over: %s", error)
            asyncio.get_running_loop().call_later(ASSIGNED_SECONDS, self._see_assigned, self._turn)
        elif error is not None:
            self.failed(error)

    def _see_assigned(self, turn: int) -> None:
        """See that partitions were assigned anew since a lane was fenced: nobody else would read them."""
        if turn == self._turn and self.places is not None:
            self.failed(RuntimeError(f"a partition was taken over, and {ASSIGNED_SECONDS:g} s later is still assigned"))


def _first(lanes: list[Lane], topic: str, log_start: int) -> int:
    """Say from where a topic has to be read for all groups that read it; one that is far behind begins aside."""
    readers = [(lane, stream) for lane in lanes for stream, name in lane.topics.items() if name == topic]
    offsets = [lane.begins(stream, log_start) for lane, stream in readers]
    feed = min(offset for offset in offsets if offset >= max(offsets) - APART)
    for (lane, stream), offset in zip(readers, offsets, strict=True):
        if offset < feed:
            _log.info("the group %s reads %s by itself from %d", lane.pipeline.group.name, topic, offset)
        lane.turns.begin(stream, offset, feed)
    return feed
