"""One process that runs a workflow on Kafka: from its start to its end, and what it tells of itself."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Iterator
from threading import current_thread
from typing import Final

from engine.clock import Clock, SystemClock
from engine.coverage import uncaused
from engine.embedded.sampler import Sampler
from engine.kafka import stuck
from engine.kafka.clients import Kafka, KafkaError
from engine.kafka.lanes import Lanes
from engine.kafka.outlet import Outlet
from engine.kafka.revisions import Outdated, numbered
from engine.kafka.topics import expected, group_id, inputs, mistakes, read_by_groups
from engine.kafka.watch import STUCK_AFTER, Watch
from engine.plan import Plan
from engine.telemetry import (
    BEHIND,
    CHECKPOINT_AGE,
    CHECKPOINT_SECONDS,
    CHECKPOINTS,
    MONITOR_SECONDS,
    OFFSETS_SKIPPED,
    Reading,
    as_metrics,
    readings,
)

TELL_EVERY: Final = 10.0
"""Seconds between two tellings of the own telemetry."""
END_SECONDS: Final = 3.0
"""How long leaving the group may take; the partitions are handed over before."""
_LOOK: Final = 0.1


class WrongTopics(Exception):  # noqa: N818 - says what is wrong
    """The workflow cannot run on the topics as they are; each line says what to do."""


class Failed(Exception):  # noqa: N818 - says what happened
    """The worker could not go on; nothing was committed that is not saved."""


class Stuck(Exception):  # noqa: N818 - a state
    """There is work, and nothing gets on."""


class Worker:
    """One member of the consumer group of a workflow."""

    def __init__(
        self,
        plan: Plan,
        kafka: Kafka,
        *,
        clock: Clock | None = None,
        process: str = "worker",
        stuck_after: int = STUCK_AFTER,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            plan: the workflow.
            kafka: where its topics are.
            clock: tells how long nothing came.
            process: names this process in its own telemetry.
            stuck_after: seconds with work and without progress after which the process ends.
        """
        self.plan = plan
        self._kafka = kafka
        self._clock = clock or SystemClock()
        self._process = process
        self._outlet = Outlet(plan, kafka)
        self.lanes = Lanes(plan, kafka, self._outlet, clock=self._clock, failed=self._fail)
        self._watch = Watch(self._progress, self._behind, self._stuck, stuck_after)
        self._stuck_after = stuck_after
        self._stuck_seen: tuple[stuck.Mark | None, float] = (None, 0.0)
        self._sampler = Sampler(plan.monitors, self._clock)
        self._loop: asyncio.AbstractEventLoop
        self._log = logging.getLogger("manometer.kafka")
        self._failure: BaseException | None = None
        self._outdated: Outdated | None = None
        self._told_at = self._clock.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until it is told to stop; where a newer file has run, it waits for that without any partition.

        Raises:
            WrongTopics: the topics are not laid out for the workflow.
            Failed: it could not go on.
        """
        self._loop = asyncio.get_running_loop()
        await self._look_at_topics()
        if self._outdated is None:
            await self._work(stop)
        if self._outdated is not None and self._failure is None:
            await stop.wait()

    async def _work(self, stop: asyncio.Event) -> None:
        from engine.kafka.faust_app import FaustFeed  # noqa: PLC0415 - Faust starts a program when it is imported

        with tempfile.TemporaryDirectory(prefix="manometer-") as folder:
            topics = read_by_groups(self.plan)
            self.lanes.feed = FaustFeed(
                self.lanes, self._kafka.servers, group_id(self.plan), topics=topics, folder=folder
            )
            await self._outlet.start()
            self._sampler.start(current_thread())
            self._watch.start()
            try:
                await self.lanes.feed.start()
                await self._until(stop)
            finally:
                await self._end()
                self._watch.close()
                self._sampler.close()
        if self._failure is not None:
            raise Failed(f"{type(self._failure).__name__}: {self._failure}") from self._failure

    async def _look_at_topics(self) -> None:
        names = {*inputs(self.plan), *(topic.name for topic in expected(self.plan, {}))}
        found = await self._kafka.topics(names)
        wrong = mistakes(self.plan, found)
        if wrong:
            raise WrongTopics("\n".join(wrong))
        partitions = {name: topic.partitions for name, topic in found.items()}
        try:
            self.plan = await numbered(self.plan, self._kafka, partitions)
        except Outdated as error:
            self._fail(error)
        self.lanes.lay_out(self.plan, partitions)

    async def _until(self, stop: asyncio.Event) -> None:
        while not stop.is_set() and self._failure is None and self._outdated is None:
            await asyncio.sleep(_LOOK)
            if (ended := self.lanes.feed.trouble) is not None:
                self._fail(ended)
            if self._clock.monotonic() - self._told_at >= TELL_EVERY:
                self._told_at = self._clock.monotonic()
                metrics = as_metrics(self.readings(), self._clock.now(), self._process)
                await self._outlet.emit(uncaused(metrics, "", "telemetry"), 0)
            await self._look_after_stuck()

    async def _end(self) -> None:
        """Hand over in order; after a failure nothing is saved or committed any more."""
        self.lanes.feed.halt()
        if self._failure is None:
            await self.lanes.feed.commit(await self.lanes.revoked())
        else:
            await self.lanes.drop()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self.lanes.feed.stop()
                await self._outlet.stop()
        except TimeoutError:
            self._log.warning("left the group without a farewell: it took longer than %g s", END_SECONDS)

    def _fail(self, error: BaseException) -> None:
        """Remember the first failure; the process ends with it. To be outdated is none, but nothing more is done."""
        if isinstance(error, Outdated):
            self._log.warning("waits: %s", error)
            self._outdated = error
        elif self._failure is None:
            self._log.error("cannot go on: %s: %s", type(error).__name__, error)
            self._failure = error

    # --- from any thread

    def readings(self) -> list[Reading]:
        """Read the own telemetry."""
        lanes = list(self.lanes.running)
        return [*readings(lane.pipeline for lane in lanes), *self._own()]

    def _own(self) -> Iterator[Reading]:
        lanes = list(self.lanes.running)
        yield Reading(CHECKPOINTS, sum(lane.checkpoints for lane in lanes), {})
        yield Reading(CHECKPOINT_SECONDS, sum(lane.writing for lane in lanes), {})
        for name, seconds in self._sampler.seconds.items():
            yield Reading(MONITOR_SECONDS, seconds, {"of": name})
        for lane in lanes:
            tags = {"group": lane.pipeline.group.name, "partition": str(lane.pipeline.partition)}
            yield Reading(OFFSETS_SKIPPED, lane.skipped, tags)
            yield Reading(CHECKPOINT_AGE, lane.unsaved_seconds, tags)
        for topic, partition in sorted(self.lanes.places or ()):
            behind = self.lanes.feed.behind(topic, partition)
            if behind is not None:
                yield Reading(BEHIND, behind, {"topic": topic, "partition": str(partition)})
        for one in self.lanes.repartitioners:
            yield from one.readings(self.lanes.places or ())

    def alive(self) -> str | None:
        """Say why nothing goes on any more; None where all is well, also where nothing comes."""
        return self._watch.trouble or (None if self._failure is None else str(self._failure))

    def unready(self) -> list[str]:
        """Say why it is not ready to work; nothing where it is."""
        if self._outdated is not None:
            return [str(self._outdated)]
        found = [] if self.lanes.ready else ["partitions are being assigned or restored"]
        return [*found, *filter(None, [self.alive()])]

    # --- being watched

    def _progress(self) -> int:
        copied = sum(one.progress for one in self.lanes.repartitioners)
        return self.lanes.done + copied + sum(lane.progress + lane.checkpoints for lane in list(self.lanes.running))

    def _behind(self) -> int:
        places = self.lanes.places
        uncopied = sum(sum(one.behind.values()) for one in self.lanes.repartitioners)
        waiting = uncopied + sum(lane.waiting for lane in list(self.lanes.running))
        return waiting + sum(self.lanes.feed.behind(*place) or 0 for place in places or ())

    def _stuck(self, reason: str) -> None:
        """Tell it, then end; in the thread that watches."""
        try:
            stuck.tell(self.plan, self._kafka, self._process, reason, self._clock.now())
        except (KafkaError, OSError, TimeoutError) as error:
            self._log.warning("could not tell that this worker is stuck: %s: %s", type(error).__name__, error)
        self._loop.call_soon_threadsafe(self._fail, Stuck(reason))

    async def _look_after_stuck(self) -> None:
        """Resolve the alert of a stuck worker once none was stuck for twice the time in which it would show."""
        now, mark = self._clock.monotonic(), self.lanes.stuck
        if mark is None or mark != self._stuck_seen[0]:
            self._stuck_seen = mark, now
        elif now - self._stuck_seen[1] > 2 * self._stuck_after:
            try:
                self.lanes.stuck = await stuck.resolve(self.plan, self._kafka, mark, self._clock.now())
            except KafkaError as error:  # perhaps another worker does so; it is tried again
                self._log.warning("cannot tell that the workers get on: %s", error)
