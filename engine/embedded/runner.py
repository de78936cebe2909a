"""The embedded process: one thread takes what was sent, applies it, writes a checkpoint, and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from threading import Event, Thread
from typing import Final

from engine.clock import Clock, SystemClock
from engine.coverage import uncaused
from engine.embedded.checkpoint import Checkpoint, Remembered
from engine.embedded.deliveries import WAITING_BYTES, Delivery, Ended, Receipt, Waiting
from engine.embedded.idle import Idle
from engine.embedded.sampler import Sampler
from engine.embedded.store import KEYS_KEPT, Store, StoreFailed
from engine.embedded.topics import Heard, Made, Topics, nobody
from engine.embedded.view import View, Watch
from engine.pipeline import Pipeline
from engine.plan import Plan
from engine.telemetry import (
    CHECKPOINT_SECONDS,
    CHECKPOINTS,
    MONITOR_SECONDS,
    WAITING,
    Reading,
    as_metrics,
    readings,
)
from engine.times import SECOND

LOOK_EVERY: Final = 1.0
"""Seconds between two looks for idle streams."""
TELL_EVERY: Final = 10.0
"""Seconds between two tellings of the own telemetry."""
STUCK_AFTER: Final = 60.0
"""Seconds after which a runner that does not come round counts as stuck."""
RETRIES: Final = (0.1, 0.4, 1.5, 3.0, 5.0)
"""Seconds to wait before a checkpoint that could not be written is tried again; after the last the process ends."""


class Embedded:
    """Runs one workflow over topics in memory.

    All pipelines belong to one thread. What it applied is in the store, with its emissions, before anyone is answered.
    """

    def __init__(  # noqa: PLR0913 - what it runs, where that is kept, and how it is watched
        self,
        plan: Plan,
        store: Store,
        *,
        clock: Clock | None = None,
        process: str = "embedded",
        waiting: int = WAITING_BYTES,
        more: Callable[[], Iterable[Reading]] = tuple,
        heard: Heard = nobody,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            plan: the workflow.
            store: what is known from before, and where checkpoints go.
            clock: tells when messages come, and how long a stream is idle.
            process: names this process in its own telemetry.
            waiting: bytes that may wait to be applied.
            more: telemetry of what runs beside it.
            heard: called in the runner's thread with messages and ticks, in the order in which they are applied.
        """
        self.plan = plan
        self.ended: Future[None] = Future()
        """Done when the thread has ended; with the reason where it could not go on."""
        self.trouble: str | None = None
        """Why the store cannot be written, while it is tried again."""
        self._store = store
        self._clock = clock or SystemClock()
        self._process = process
        self._more = more
        self._topics = Topics(plan, heard)
        self._waiting = Waiting(self._topics.streams, kept=KEYS_KEPT, limit=waiting)
        self._watch = Watch(plan, self._clock)
        self._idle = Idle(plan, self._topics.pipelines, self._micros())
        self._told = self._looked = self._turned = self._clock.monotonic()
        self._checkpoints = 0
        self._writing = 0.0
        self._sampler = Sampler(plan.monitors, self._clock)
        self._stop = Event()
        self._thread = Thread(target=self._run, name="manometer-runner", daemon=True)

    # --- from any thread

    def start(self) -> None:
        """Go on where the store says, then take what is sent.

        Raises:
            StoreFailed: the store cannot be read or written.
        """
        self._restore()
        self._thread.start()
        self._sampler.start(self._thread)

    def send(
        self, topic: str, values: Sequence[bytes], *, key: bytes | None = None, idempotency: str | None = None
    ) -> Future[Receipt]:
        """Send messages; the answer comes when their checkpoint is on the disk.

        Args:
            topic: a topic of the workflow.
            values: the bytes of each message, at least one.
            key: the key of all of them.
            idempotency: names this delivery; the same name on this topic again is answered and not applied.

        Raises:
            UnknownTopic: no stream reads it.
            Full: too much waits to be applied.
            Ended: the process takes nothing more.
        """
        return self.deliver(Delivery(topic, values, came=self._clock.now(), key=key, idempotency=idempotency))

    def deliver(self, delivery: Delivery) -> Future[Receipt]:
        """Send a delivery; as `send`."""
        return self._waiting.put(delivery)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that there are."""
        return tuple(self._topics.streams)

    def offsets(self) -> dict[str, int]:
        """Give the next offset of each topic."""
        return {topic: self._topics.next.get(topic, 0) for topic in self.topics}

    @property
    def pipelines(self) -> Sequence[Pipeline]:
        """All pipelines: to be looked at, not called."""
        return self._topics.pipelines

    @property
    def waiting(self) -> int:
        """How many bytes wait to be applied."""
        return self._waiting.size

    def view(self) -> View:
        """Show rates, last values and firing alerts as of the last checkpoint."""
        return self._watch.view(self._topics.times())

    def readings(self) -> list[Reading]:
        """Read the own telemetry."""
        own = [
            Reading(CHECKPOINTS, self._checkpoints, {}),
            Reading(CHECKPOINT_SECONDS, self._writing, {}),
            Reading(WAITING, self.waiting, {}),
            *(Reading(MONITOR_SECONDS, seconds, {"of": name}) for name, seconds in self._sampler.seconds.items()),
        ]
        return [*readings(self.pipelines), *own, *self._more()]

    def alive(self) -> str | None:
        """Say why nothing goes on any more; None where all is well, also where nothing comes."""
        if self.ended.done():
            error = self.ended.exception()
            return "the process is ending" if error is None else str(error)
        still = self._clock.monotonic() - self._turned
        return None if still < STUCK_AFTER else f"the runner has been at the same work for {still:.0f} s"

    def close(self, timeout: float | None = None) -> None:
        """Take nothing more, answer what waits, and end; says nothing of a failure, `ended` does."""
        self._waiting.end()
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        self._sampler.close()

    # --- the runner's thread

    def _restore(self) -> None:
        self._topics.restore(self._store.states(), self._store.topics())
        for known in self._store.remembered():
            if known.topic in self._waiting.keys:
                self._waiting.keys[known.topic].restore(known)
        self._idle = Idle(self.plan, self.pipelines, self._micros())
        for pipeline in self.pipelines:
            self._watch.adopt(pipeline.firing)
        pending = {stream: time for stream, time in self._store.tick().items() if stream in self.plan.streams}
        if pending:
            self._write(self._topics.move(pending))

    def _run(self) -> None:
        taken: list[Delivery] = []
        try:
            while not self._waiting.ended:
                self._turned = self._clock.monotonic()
                taken = self._waiting.take(LOOK_EVERY / 2)
                if taken:
                    self._commit(taken)
                taken = []
                self._look()
            self._tell()
        except BaseException as error:  # noqa: BLE001 - whatever it is, senders are told and the process ends with it
            self._waiting.end(Ended(f"nothing more is taken: {error}"), taken)
            self.ended.set_exception(error)
        else:
            self.ended.set_result(None)

    def _commit(self, taken: Sequence[Delivery]) -> None:
        """Apply deliveries, write their checkpoint, answer them."""
        made, receipts = self._topics.apply(taken)
        for stream in made.counts:
            self._idle.came(stream, self._micros())
        keys = [
            Remembered(d.topic, self._waiting.keys[d.topic].number(), d.idempotency, receipt.messages, receipt.first)
            for d, receipt in zip(taken, receipts, strict=True)
            if d.idempotency is not None
        ]
        self._write(made, keys=keys, places={d.place[:2]: d.place[2] for d in taken if d.place is not None})
        self._waiting.done(taken, receipts)

    def _look(self) -> None:
        """Look for idle streams, and tell the own telemetry, when it is time to."""
        now = self._clock.monotonic()
        if now - self._looked >= LOOK_EVERY:
            self._looked = now
            waiting = {stream for topic in self._waiting.topics() for stream in self._topics.streams[topic]}
            targets = self._idle.tick(self._micros(), waiting)
            if targets:
                self._keep(Checkpoint(tick=targets))
                self._write(self._topics.move(targets))
        if now - self._told >= TELL_EVERY:
            self._tell()

    def _tell(self) -> None:
        """Put the own telemetry on the archive."""
        self._told = self._clock.monotonic()
        made = Made()
        made.emissions += as_metrics(self.readings(), self._clock.now(), self._process)
        made.parts += uncaused(made.emissions, "", "telemetry")
        self._write(made)

    def _write(
        self,
        made: Made,
        *,
        keys: Sequence[Remembered] = (),
        places: Mapping[tuple[str, str], bytes] | None = None,
    ) -> None:
        """Write all that changed, then show it."""
        checkpoint = Checkpoint(
            workflow=self.plan.workflow,
            states=self._topics.snapshot(),
            topics=self._topics.next,
            keys=keys,
            places=places or {},
            parts=made.parts,
            rejects=made.rejects,
        )
        self._keep(checkpoint)
        self._watch.take(made.counts, made.emissions, len(made.rejects))

    def _keep(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, and try the very same again where the store cannot be written now.

        Raises:
            StoreFailed: it still cannot.
        """
        for pause in (*RETRIES, None):
            began = self._clock.monotonic()
            try:
                self._store.checkpoint(checkpoint)
            except StoreFailed as error:
                self.trouble = str(error)
                if pause is None:
                    raise
                self._stop.wait(pause)
            else:
                self.trouble = None
                self._checkpoints += 1
                self._writing += self._clock.monotonic() - began
                return

    def _micros(self) -> int:
        return round(self._clock.monotonic() * SECOND)
