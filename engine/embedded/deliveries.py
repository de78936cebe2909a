"""What was sent and waits for the runner: in order, bounded by its size, each key once."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from threading import Condition
from typing import Final

import msgspec

from engine.embedded.checkpoint import Remembered

WAITING_BYTES: Final = 64 * 1024 * 1024
BATCH_BYTES: Final = 8 * 1024 * 1024
BATCH_MESSAGES: Final = 20_000
_MESSAGE_COSTS: Final = 150
"""Bytes that a message takes beside its value."""


class Receipt(msgspec.Struct, frozen=True):
    """What a sender is answered, once its messages are in a checkpoint."""

    topic: str
    messages: int
    first: int
    """Offset of the first message."""
    last: int
    replayed: bool = False
    """The key had come before; nothing was applied again."""


class UnknownTopic(Exception):  # noqa: N818 - says what was asked for
    """No stream of the workflow reads this topic."""


class Full(Exception):  # noqa: N818 - a state, not an error
    """Too much waits; send the same again after some seconds."""

    def __init__(self, after: float) -> None:
        """Keep the seconds to wait."""
        super().__init__(f"too much waits to be applied; send again in {after:g} s")
        self.after = after


class Ended(Exception):  # noqa: N818 - a state, not an error
    """The process takes nothing more: it is stopping, or its store has failed."""


class Delivery:
    """Messages of one topic that one sender sent together."""

    __slots__ = ("answer", "came", "idempotency", "key", "place", "size", "topic", "values")

    def __init__(  # noqa: PLR0913 - all that is known of what was sent
        self,
        topic: str,
        values: Sequence[bytes],
        *,
        came: int,
        key: bytes | None = None,
        idempotency: str | None = None,
        place: tuple[str, str, bytes] | None = None,
    ) -> None:
        """Take what was sent at a time of the wall clock; `place` is stream, file and place of a followed file."""
        self.topic = topic
        self.values = values
        self.came = came
        self.key = key
        self.idempotency = idempotency
        self.place = place
        self.size = sum(map(len, values)) + _MESSAGE_COSTS * (len(values) + 1)
        self.answer = _answer()


class Keys:
    """The idempotency keys of one topic: those that were answered, and those under way."""

    def __init__(self, kept: int) -> None:
        """Keep so many that were answered."""
        self._kept = kept
        self._count = 0
        self._answered: OrderedDict[str, Receipt] = OrderedDict()
        self._under_way: dict[str, Delivery] = {}

    def restore(self, known: Remembered) -> None:
        """Take one that was saved."""
        self._count = known.number
        last = known.first + known.messages - 1
        self._answered[known.key] = Receipt(known.topic, known.messages, known.first, last, replayed=True)

    def earlier(self, key: str) -> Future[Receipt] | None:
        """Give the answer to a key that came before, or None where it is new."""
        if (waiting := self._under_way.get(key)) is not None:
            return _again(waiting.answer)
        if (known := self._answered.get(key)) is not None:
            answer = _answer()
            answer.set_result(known)
            return answer
        return None

    def begin(self, delivery: Delivery) -> None:
        """Note that a delivery with a key is under way."""
        self._under_way[delivery.idempotency or ""] = delivery

    def number(self) -> int:
        """Count one more key."""
        self._count += 1
        return self._count

    def done(self, key: str, receipt: Receipt) -> None:
        """Note that a delivery is in a checkpoint."""
        self._under_way.pop(key, None)
        self._answered[key] = msgspec.structs.replace(receipt, replayed=True)
        while len(self._answered) > self._kept:
            self._answered.popitem(last=False)


def _answer() -> Future[Receipt]:
    """Make an answer that nobody can cancel: what was sent is applied, whether or not its sender still listens."""
    answer: Future[Receipt] = Future()
    answer.set_running_or_notify_cancel()
    return answer


def _again(answer: Future[Receipt]) -> Future[Receipt]:
    """Give an answer that follows that of an earlier delivery with the same key."""
    mine = _answer()

    def follow(done: Future[Receipt]) -> None:
        if (error := done.exception()) is not None:
            mine.set_exception(error)
        else:
            mine.set_result(msgspec.structs.replace(done.result(), replayed=True))

    answer.add_done_callback(follow)
    return mine


class Waiting:
    """Deliveries in the order in which they came; senders put, one runner takes."""

    def __init__(self, topics: Iterable[str], *, kept: int, limit: int = WAITING_BYTES) -> None:
        """Begin empty.

        Args:
            topics: those that there are.
            kept: idempotency keys remembered of each.
            limit: bytes that may wait; one delivery may always wait alone.
        """
        self.keys = {topic: Keys(kept) for topic in topics}
        self.size = 0
        self._limit = limit
        self._waiting: deque[Delivery] = deque()
        self._changed = Condition()
        self._ended = False

    def put(self, delivery: Delivery) -> Future[Receipt]:
        """Let a delivery wait, or give the answer of an earlier one with its key.

        Raises:
            UnknownTopic: there is no such topic.
            Full: too much waits.
            Ended: nothing more is taken.
        """
        keys = self.keys.get(delivery.topic)
        if keys is None:
            raise UnknownTopic(delivery.topic)
        with self._changed:
            if delivery.idempotency is not None and (known := keys.earlier(delivery.idempotency)) is not None:
                return known
            if self._ended:
                raise Ended("nothing more is taken: the process is ending")
            if self.size and self.size + delivery.size > self._limit:
                raise Full(1.0)
            if delivery.idempotency is not None:
                keys.begin(delivery)
            self.size += delivery.size
            self._waiting.append(delivery)
            self._changed.notify()
        return delivery.answer

    def take(self, timeout: float) -> list[Delivery]:
        """Take what fits into one checkpoint; wait so many seconds where there is nothing."""
        with self._changed:
            if not self._waiting and not self._ended:
                self._changed.wait(timeout)
            taken: list[Delivery] = []
            size = messages = 0
            while self._waiting and size < BATCH_BYTES and messages < BATCH_MESSAGES:
                delivery = self._waiting.popleft()
                taken.append(delivery)
                size += delivery.size
                messages += len(delivery.values)
            return taken

    def done(self, deliveries: Sequence[Delivery], receipts: Sequence[Receipt]) -> None:
        """Answer deliveries whose checkpoint is on the disk."""
        with self._changed:
            for delivery, receipt in zip(deliveries, receipts, strict=True):
                self.size -= delivery.size
                if delivery.idempotency is not None:
                    self.keys[delivery.topic].done(delivery.idempotency, receipt)
        for delivery, receipt in zip(deliveries, receipts, strict=True):
            delivery.answer.set_result(receipt)

    def topics(self) -> set[str]:
        """Name the topics of which something waits."""
        with self._changed:
            return {delivery.topic for delivery in self._waiting}

    @property
    def ended(self) -> bool:
        """Whether nothing more is taken, and nothing waits."""
        return self._ended and not self._waiting

    def end(self, error: Exception | None = None, taken: Sequence[Delivery] = ()) -> None:
        """Take nothing more; with an error, tell it to all that wait, and to those that were taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            if error is None:
                return
            failed = [*taken, *self._waiting]
            self._waiting.clear()
        for delivery in failed:
            delivery.answer.set_exception(error)
