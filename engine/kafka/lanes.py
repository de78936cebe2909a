"""The lanes of one worker: made when partitions are assigned, ended when they are given back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Final

from engine.clock import Clock
from engine.kafka.batch import Batch
from engine.kafka.clients import Kafka, ProducerFenced
from engine.kafka.lane import Lane
from engine.kafka.outlet import Outlet
from engine.kafka.owner import Feed, Place
from engine.kafka.topics import group_id, groups_on, state_topic, transactional_id
from engine.pipeline import Pipeline
from engine.plan import Group, Plan

HAND_OVER_SECONDS: Final = 6.0


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
        self.places: frozenset[Place] | None = None
        """Topics and partitions that are assigned; None before the first assignment, and between two of them."""
        self.done = 0
        """Batches applied by lanes that have ended."""
        self._plan = plan
        self._kafka = kafka
        self._outlet = outlet
        self._clock = clock
        self._log = logging.getLogger("manometer.kafka")
        self._partitions: Mapping[str, int] = {}
        self._groups: tuple[Group, ...] = ()
        self._tasks: set[asyncio.Task[None]] = set()
        self._beginning: set[asyncio.Task[None]] = set()
        self._turn = 0

    def lay_out(self, partitions: Mapping[str, int]) -> None:
        """Learn how many partitions each topic has."""
        self._partitions = partitions
        self._groups = groups_on(self._plan, partitions)

    @property
    def ready(self) -> bool:
        """Whether all that is assigned was restored and is being read."""
        return self.places is not None and not self._beginning

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
        topics = {self._plan.streams[stream].topic for stream in group.streams}
        here = {topic for topic in topics if (topic, number) in (self.places or ())}
        if here and here != topics:
            told = f"partition {number}: {sorted(here)} were assigned without {sorted(topics - here)}"
            self.failed(RuntimeError(told))
        return here == topics

    def _lane(self, group: Group, number: int) -> Lane:
        count = max(self._partitions[self._plan.streams[stream].topic] for stream in group.streams)
        ident = transactional_id(self._plan, group.name, number)
        return Lane(
            Pipeline(self._plan, group, number, partitions=count),
            self._kafka.states(state_topic(self._plan), number, ident),
            self._outlet,
            clock=self._clock,
            unread=lambda topic: self.feed.behind(topic, number) != 0,
        )

    async def _begin(self, number: int, lanes: list[Lane], turn: int) -> None:
        """Fence earlier owners, restore, and read on from where the last checkpoints were."""
        await asyncio.gather(*(lane.own() for lane in lanes))
        records = await self._kafka.read_all(state_topic(self._plan), number)
        for lane in lanes:
            await lane.restore(records)
        topics = {topic for lane in lanes for topic in lane.topics.values()}
        starts = await self.feed.starts([(topic, number) for topic in topics])
        if turn != self._turn:
            return
        offsets = {place: _first(lanes, place[0], start) for place, start in starts.items()}
        for lane in lanes:
            self._spawn(lane.run(), self._tasks)
        self._log.info("partition %d: %d groups go on at %s", number, len(lanes), offsets)
        self.feed.begin(offsets)

    async def revoked(self) -> dict[Place, int]:
        """Let all lanes checkpoint and end; gives up to where they are saved."""
        self._turn += 1
        for task in self._beginning:
            task.cancel()
        for lane in self.running:
            lane.end()
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
        tasks = [*self._tasks, *self._beginning]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self.done += sum(lane.progress for lane in lanes)
        await asyncio.gather(*(lane.close() for lane in lanes), return_exceptions=True)

    def take(self, batch: Batch) -> None:
        """Give a batch to the lanes that read its topic."""
        for lane in self.running:
            if lane.pipeline.partition == batch.partition:
                lane.take(batch)

    def holds(self, topic: str, partition: int) -> bool:
        """Say whether some lane has enough of a topic."""
        return any(lane.pipeline.partition == partition and lane.full(topic) for lane in self.running)

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
            self._log.warning("another worker has taken over: %s", error)
        elif error is not None:
            self.failed(error)


def _first(lanes: list[Lane], topic: str, log_start: int) -> int:
    """Say from where a topic has to be read, for all groups that read it."""
    readers = [(lane, stream) for lane in lanes for stream, name in lane.topics.items() if name == topic]
    return min(lane.begins(stream, log_start) for lane, stream in readers)
