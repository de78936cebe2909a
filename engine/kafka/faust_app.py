"""The one file that knows Faust: a worker whose agent gets whole batches, from positions that are ours.

Faust gives groups, assignment and life cycle. Its transport is changed where it would lose or repeat: nothing is
handed over before the owner has said from where, nothing past a hole that is not real, and what is committed is what
the owner has saved. It overrides private methods, so faust-streaming is pinned exactly.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, Final, cast

import faust
from faust.app.base import BootStrategy
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from engine.events import Message
from engine.kafka.batch import Batch
from engine.kafka.fetching import give_messages
from engine.kafka.owner import Owner, Place

COMMIT_SECONDS: Final = 0.5
POLL_SECONDS: Final = 0.1


class FaustFeed:
    """A Faust worker that reads topics for an owner."""

    def __init__(self, owner: Owner, servers: str, group: str, *, topics: Collection[str], folder: str) -> None:
        """Prepare.

        Args:
            owner: whom partitions are given to.
            servers: HOST:PORT, several with commas.
            group: the consumer group.
            topics: what is read.
            folder: where Faust may make folders of its own.
        """
        self._app = _App(
            group,
            broker=";".join(f"kafka://{server}" for server in servers.split(",")),
            store="memory://",
            datadir=folder,
            autodiscover=False,
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            stream_wait_empty=False,
            stream_buffer_maxsize=64,
            stream_recovery_delay=0,
            broker_commit_interval=COMMIT_SECONDS,
        )
        self._app.owner = owner
        topic = self._app.topic(*topics, value_type=bytes, value_serializer="raw", acks=False)
        self._app.agent(topic, name="batches")(_handing_on_to(owner))

    async def start(self) -> None:
        """Join the group."""
        self._app.loop = asyncio.get_running_loop()
        await self._app.start()

    async def stop(self) -> None:
        """Leave the group."""
        await self._app.stop()

    @property
    def trouble(self) -> BaseException | None:
        """Why it ended by itself."""
        return self._app.crash_reason if self._app.crashed or self._app.should_stop else None

    def begin(self, offsets: Mapping[Place, int]) -> None:
        """Read partitions from these offsets on."""
        self._consumer.begin(offsets)

    def halt(self) -> None:
        """Hand over nothing more."""
        self._consumer.halt()

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Commit what was handed over."""
        await self._consumer.commit_at(offsets)

    async def starts(self, places: Collection[Place]) -> dict[Place, int]:
        """Ask where the logs begin."""
        found = await self._consumer.earliest_offsets(*(TP(*place) for place in places))
        return {(place.topic, place.partition): offset for place, offset in found.items()}

    def behind(self, topic: str, partition: int) -> int | None:
        """Say how many offsets were not fetched yet; None while nobody knows."""
        return self._consumer.behind(TP(topic, partition))

    @property
    def _consumer(self) -> _Consumer:
        return cast(_Consumer, self._app.consumer)


def _handing_on_to(owner: Owner) -> Any:
    async def batches(stream: Any) -> None:
        """Hand batches on; it never raises, because Faust would acknowledge what it raised on."""
        async for event in stream.noack().events():
            try:
                owner.take(event.value)
            except Exception as error:  # noqa: BLE001 - whatever it is, the owner ends the process
                owner.failed(error)
                await asyncio.Event().wait()

    return batches


class _Boot(BootStrategy):
    enable_kafka_producer = False  # what leaves goes through clients.py


class _App(faust.App):
    BootStrategy = _Boot
    owner: Owner

    def _new_transport(self) -> Any:
        return _Transport(self.conf.broker_consumer, self)


class _Thread(driver.AIOKafkaConsumerThread):
    """The thread in which aiokafka fetches and sends its signs of life."""

    def _create_worker_consumer(self, transport: Any) -> Any:  # noqa: ARG002 - Faust's own signature
        self._assignor = self.app.assignor
        return cast(_App, self.app).owner.consumer(self._assignor)

    async def _fetch_records(self, consumer: Any, *given: Any, **named: Any) -> Any:
        if consumer._fetcher is not None:  # noqa: SLF001 - as Faust does
            give_messages(consumer._fetcher)  # noqa: SLF001 - as above
        return await super()._fetch_records(consumer, *given, **named)

    def behind(self, place: TP) -> int | None:
        """Say how many offsets were not handed out yet; None while nobody knows."""
        subscription = self._ensure_consumer()._subscription.subscription  # noqa: SLF001 - the public way would wait
        assignment = None if subscription is None else subscription.assignment
        if assignment is None or place not in assignment.tps:
            return None
        state = assignment.state_value(place)
        end, position = state.lso, state._position  # noqa: SLF001 - read once: another thread changes them
        return None if end is None or position is None else max(0, int(end) - int(position))


class _Consumer(driver.Consumer):
    """Gives whole batches of one partition, without gaps, from where the owner said."""

    _thread: _Thread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._owner = cast(_App, self.app).owner
        self._expected: dict[TP, int] = {}
        self._wanted: dict[TP, int] = {}
        self._sought: dict[TP, int] = {}
        self._turn = 0

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    def begin(self, offsets: Mapping[Place, int]) -> None:
        self._wanted.update(_by_tp(offsets))

    def halt(self) -> None:
        self._turn += 1
        for places in (self._expected, self._wanted, self._sought):
            places.clear()

    def behind(self, place: TP) -> int | None:
        return self._thread.behind(place)

    # --- what is handed over

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ARG002, ASYNC109 - Faust's own signature
        turn = self._turn
        if not self.flow_active:
            await self.wait(cast(Any, self.can_resume_flow))
            return
        await self._go_to_wanted()
        active = self._get_active_partitions()
        places = {place for place in self._expected if place in active and not self._owner.holds(*place)}
        if not places:
            await self.sleep(POLL_SECONDS / 5)
            return
        for found, records in (await self._getmany(places, POLL_SECONDS)).items():
            place = ensure_TP(found)
            batch = None if turn != self._turn else await self._admit(place, records)
            if batch is None or turn != self._turn or not self.flow_active:
                continue
            self._expected[place] = batch.last + 1
            self._sought.pop(place, None)
            self._read_offset[place] = None  # Faust would drop what it takes for a repeat
            yield place, self._wrapped(place, batch)

    async def _go_to_wanted(self) -> None:
        """Seek where it is wanted: in the task that fetches, so that the next answer is one to the seek."""
        turn, wanted = self._turn, dict(self._wanted)
        if not wanted:
            return
        try:
            await self.seek_wait(wanted)
        except Exception:
            if turn == self._turn and not self.app.rebalancing:
                raise
            return
        if turn == self._turn:
            for place in wanted:
                self._wanted.pop(place, None)
            self._expected.update(wanted)

    async def _admit(self, place: TP, messages: list[Message]) -> Batch | None:
        """Make a batch that goes on where the last one ended; None where it has to be fetched again."""
        expected = self._expected.get(place)
        if expected is None:
            return None
        fresh = messages
        if fresh and fresh[0].offset < expected:
            fresh = [message for message in messages if message.offset >= expected]
        if not fresh:
            return None
        lost_until = 0
        if fresh[0].offset > expected:
            if self._sought.get(place) != expected:
                self._sought[place] = self._wanted[place] = expected
                return None
            start = (await self.earliest_offsets(place))[place]
            lost_until = start if start > expected else 0
        return Batch(place.topic, place.partition, expected, fresh, lost_until)

    def _wrapped(self, place: TP, batch: Batch) -> ConsumerMessage:
        return ConsumerMessage(
            topic=place.topic,
            partition=place.partition,
            offset=batch.last,
            timestamp=0.0,
            timestamp_type=0,
            headers=None,
            key=None,
            value=cast(Any, batch),
            checksum=None,
            tp=place,
            generation_id=self.app.consumer_generation_id,
        )

    # --- positions and commits are the owner's

    async def perform_seek(self) -> None:
        return

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - Faust's own signature
        # While others join, a commit would be refused, and aiokafka would take that for a reason to join again.
        return False if self.app.rebalancing else await self.commit_at(self._owner.finished())

    async def commit_at(self, offsets: Mapping[Place, int]) -> bool:
        known = self._committed_offset
        newer = {place: at for place, at in _by_tp(offsets).items() if at > (known[place] or 0)}
        return await self._commit_offsets(newer) if newer else False

    def on_buffer_full(self, tp: TP) -> None:  # noqa: ARG002 - as above
        return

    def on_buffer_drop(self, tp: TP) -> None:  # noqa: ARG002 - as above
        return

    # --- assignment

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self.halt()
        await self.commit_at(await self._owner.revoked())
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.halt()
        await super().on_partitions_assigned(assigned, generation_id)
        self._owner.assigned([(place.topic, place.partition) for place in assigned])


class _Transport(driver.Transport):
    Consumer = _Consumer


def _by_tp(offsets: Mapping[Place, int]) -> dict[TP, int]:
    return {TP(*place): offset for place, offset in offsets.items()}
