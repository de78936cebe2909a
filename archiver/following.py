"""From the archive topic into one sink: a consumer group of its own, which commits what is written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any, Final, TypeVar

import msgspec

from archiver.patience import PACE, Pace, PatientWriter
from archiver.pump import Status
from archiver.sink import Refused, Sink
from archiver.tally import Tally, read_tally
from archiver.trouble import Trouble
from engine.events import Emission, Message, Reject, Tags, decode_emissions, encode
from engine.kafka.batch import as_messages
from engine.kafka.clients import Kafka, TopicPartition
from engine.kafka.outlet import Outlet
from engine.kafka.topics import archive_group
from engine.plan import Plan

MESSAGES: Final = 500
"""At most so many messages of the archive topic are written in one call of the sink; as a rule a fetch has fewer."""
LOOK_MS: Final = 200
"""After so long without messages it is looked whether it should stop."""
AGAIN_SECONDS: Final = 2.0
"""After so long the topic is read again where that failed."""
_KNOWN_TAGS: Final = 100_000

Result = TypeVar("Result")


class _Read(msgspec.Struct, frozen=True):
    """One message of the archive topic, and what it holds; None where it holds no emissions."""

    message: Message
    emissions: Sequence[Emission] | None


class Follower:
    """Reads the archive topic for one sink: written, rejects acknowledged, then committed; for ever, at its own pace.

    While a store cannot take anything nothing more is fetched: Kafka is the buffer. After a crash what was not
    committed is written again, which a sink takes without harm. Used from one event loop.
    """

    def __init__(self, name: str, sink: Sink, plan: Plan, kafka: Kafka, *, pace: Pace = PACE) -> None:
        """Take a sink that is open, to write to it and to close it.

        Args:
            name: names the consumer group; another name begins with the oldest message that the topic still has.
            sink: the store; the follower owns it from now on.
            plan: the workflow.
            kafka: where its archive topic is.
            pace: seconds between tries.
        """
        self.name = name
        self.group = archive_group(plan, name)
        self._sink = sink
        self._plan = plan
        self._kafka = kafka
        self._writer = PatientWriter(sink, name=name, pace=pace)
        self._outlet = Outlet(plan, kafka)
        self._known: dict[bytes, Tags] = {}
        self._tallies: dict[TopicPartition, Tally] = {}
        self._next: dict[TopicPartition, int] = {}
        """Of each partition the offset behind what is written."""
        self._done: dict[TopicPartition, int] = {}
        """And behind what is committed."""
        self._committing: asyncio.Task[None] | None = None
        self._consumer: Any = None
        self._trouble = ""
        self._unread = Trouble(name)
        self._log = logging.getLogger("manometer.archive")
        self.lost = 0
        """Messages that had left the topic before they were read, since the start."""

    def stop(self) -> None:
        """Ask it to end; what is being written is committed if the sink comes back in time."""
        self._writer.stop()

    async def run(self) -> None:
        """Follow the topic until asked to stop, and close the sink."""
        while not self._writer.stopped:
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001 - whatever it is, it delays this sink alone: told, and tried again
                self._trouble = f"the archive topic: {type(error).__name__}: {error}"
                self._unread.begins(self._trouble, type(error).__name__)
                await asyncio.sleep(AGAIN_SECONDS)
        await _in_thread(self._sink.close)

    def status(self) -> Status:
        """Tell how the sink is doing."""
        writer = self._writer
        return Status(
            name=self.name,
            state="broken" if self._trouble else writer.state,
            error=self._trouble or writer.error,
            position=sum(self._done.values()),
            behind=sum(self._behind()),
            written=writer.written,
            refused=writer.refused,
            expired=writer.expired,
            retries=writer.retries,
        )

    async def _follow(self) -> None:
        self._consumer = self._kafka.follower(self.group)
        self._consumer.subscribe([self._plan.archive])
        ahead: asyncio.Task[list[tuple[TopicPartition, list[_Read]]]] | None = None
        try:
            await self._outlet.start()
            await self._consumer.start()
            ahead = asyncio.create_task(self._fetch())
            while not self._writer.stopped:
                fetched = await ahead
                self._trouble = ""
                self._unread.ends()
                ahead = asyncio.create_task(self._fetch())
                for place, read in fetched:
                    await self._move(place, read)
                if self._committing is not None and self._committing.done():
                    await self._committed()
            await self._committed()
        finally:
            if ahead is not None:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
            committing, self._committing = self._committing, None
            if committing is not None:
                await asyncio.gather(committing, return_exceptions=True)
            consumer, self._consumer = self._consumer, None
            self._next.clear()
            self._done.clear()
            await consumer.stop()
            with suppress(Exception):  # it was perhaps never started; what it had to send was waited for
                await self._outlet.stop()

    async def _fetch(self) -> list[tuple[TopicPartition, list[_Read]]]:
        """Fetch and decode what comes next, while what came before is written."""
        found = await self._consumer.getmany(timeout_ms=LOOK_MS, max_records=MESSAGES)
        return [
            (place, [_Read(one, self._emissions(one)) for one in as_messages(place.topic, place.partition, records)])
            for place, records in found.items()
        ]

    async def _move(self, place: TopicPartition, fetched: Sequence[_Read]) -> None:
        """Write messages and commit them, unless it is stopped before they are written."""
        done = self._next.get(place)
        read = [one for one in fetched if one.message.offset >= (done or 0)]  # after a rebalance some may come again
        if not read:
            return
        if read[0].message.offset != done:
            await self._resume(place, read[0].message.offset)
        emissions = [emission for one in read for emission in one.emissions or ()]
        before = self._writer.expired
        refused = await _in_thread(self._writer.write, emissions) if emissions else ()
        if refused is None:
            return
        await self._reject(read, refused)
        expired = self._writer.expired - before
        tally = Tally(
            emissions=len(emissions),
            written=len(emissions) - len(refused) - expired,
            refused=len(refused),
            expired=expired,
            unreadable=sum(one.emissions is None for one in read),
        )
        self._tallies[place] = self._tallies[place].plus(tally)
        self._next[place] = read[-1].message.offset + 1
        await self._committed()
        self._committing = asyncio.create_task(self._commit(place, self._next[place], self._tallies[place].text()))

    async def _commit(self, place: TopicPartition, end: int, text: str) -> None:
        """Commit what is written, while what comes next is being written."""
        await self._consumer.commit({place: (end, text)})
        self._done[place] = end

    async def _committed(self) -> None:
        """Wait for the commit under way: one that fails ends the reading, and the next follows it."""
        committing, self._committing = self._committing, None
        if committing is not None:
            await committing

    async def _resume(self, place: TopicPartition, offset: int) -> None:
        """Go on with a partition where its last owner committed, and see what has left the topic since."""
        await self._committed()
        committed, text = (await self._kafka.commits(self.group)).get((place.topic, place.partition), (-1, ""))
        tally = read_tally(text) or Tally()
        gap = offset - committed if 0 <= committed < offset else 0
        if gap:
            self.lost += gap
            self._log.error("sink %s: %d messages had left %s before they were written", self.name, gap, place.topic)
        self._tallies[place] = tally.plus(Tally(lost=gap))
        self._next[place] = self._done[place] = offset

    def _emissions(self, message: Message) -> Sequence[Emission] | None:
        if len(self._known) > _KNOWN_TAGS:
            self._known.clear()
        try:
            return decode_emissions(message.value or b"", self._known)
        except (msgspec.DecodeError, ValueError):
            return None

    async def _reject(self, read: Sequence[_Read], refused: Sequence[Refused]) -> None:
        rejects = [*_unreadable(read), *_refused(self.name, read, refused)]
        for sent in await self._outlet.reject(rejects) if rejects else ():
            await sent

    def _behind(self) -> Iterator[int]:
        for place, position in self._done.items():
            end = None if self._consumer is None else self._consumer.highwater(place)
            yield max(0, (end or position) - position)


def _unreadable(read: Sequence[_Read]) -> Iterator[Reject]:
    for one in read:
        if one.emissions is None:
            yield Reject(one.message, "encoding", "expected a JSON array of emissions on the archive topic")


def _refused(sink: str, read: Sequence[_Read], refused: Sequence[Refused]) -> Iterator[Reject]:
    """Give what a store refused as rejects, each with the place of the message that it came in."""
    if not refused:
        return
    places = {id(emission): one.message for one in read for emission in one.emissions or ()}
    for one in refused:
        message = msgspec.structs.replace(places[id(one.emission)], value=encode(one.emission), headers=())
        yield Reject(message, "store", f"{sink}: {one.reason}")


async def _in_thread(work: Callable[..., Result], *given: object) -> Result:
    """Run what blocks in a thread that keeps neither other sinks nor the end of the process waiting."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def run() -> None:
        try:
            result = work(*given)
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            _tell(loop, done, None, error)
        else:
            _tell(loop, done, result, None)

    Thread(target=run, name="sink", daemon=True).start()
    return await done


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    def settle() -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    with suppress(RuntimeError):  # nobody waits any more: the loop has ended
        loop.call_soon_threadsafe(settle)
