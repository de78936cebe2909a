"""Rejects as people handle them: named by where they came from, chosen, and made into messages that go again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, get_args

import msgspec

from engine.events import Message, Reason, Reject

REASONS: Final[tuple[str, ...]] = get_args(Reason)
_IDENTITY: Final = re.compile(r"([a-zA-Z0-9._-]+)/([0-9]+)/(-?[0-9]+)(?::([a-z]+)(?::(.+))?)?")


class Identity(msgspec.Struct, frozen=True, order=True):
    """Names a reject; without a reason it names all of one message.

    >>> print(Identity("notify", 0, 17, "monitor", "throughput"))
    notify/0/17:monitor:throughput
    """

    topic: str
    partition: int
    offset: int
    reason: str = ""
    monitor: str = ""

    def __str__(self) -> str:
        """Write it in the form that `parse` reads."""
        told = ":".join(filter(None, (self.reason, self.monitor)))
        return f"{self.topic}/{self.partition}/{self.offset}{':' if told else ''}{told}"

    def names(self, other: Identity) -> bool:
        """Say whether it names a reject."""
        mine, theirs = msgspec.structs.astuple(self), msgspec.structs.astuple(other)
        return all(part in ("", found) for part, found in zip(mine, theirs, strict=True))


def parse(text: str) -> Identity:
    """Read TOPIC/PARTITION/OFFSET, then maybe :REASON and :MONITOR.

    Raises:
        ValueError: it is nothing of this form.

    >>> parse("notify/0/17:schema").reason
    'schema'
    """
    found = _IDENTITY.fullmatch(text)
    if found is None or (found[4] and found[4] not in REASONS):
        raise ValueError(f"expected TOPIC/PARTITION/OFFSET:REASON such as notify/0/17:schema, got {text!r}")
    return Identity(found[1], int(found[2]), int(found[3]), found[4] or "", found[5] or "")


def identity(reject: Reject) -> Identity:
    """Name a reject."""
    message = reject.message
    return Identity(message.topic, message.partition, message.offset, reject.reason, reject.monitor or "")


def read_reject(message: Message) -> Reject | None:
    """Read a message of the rejects topic; None where it is not of ours."""
    told = {name: value.decode("utf-8", "replace") for name, value in message.headers}
    if told.get("reason") not in REASONS:
        return None
    try:
        place = told["topic"], int(told["partition"]), int(told["offset"])
    except (KeyError, ValueError):
        return None
    original = Message(*place, message.time, message.key, message.value)
    return Reject(original, told["reason"], told.get("detail", ""), told.get("monitor"))  # type: ignore[arg-type]  # one of them


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which rejects are asked for; what is left out lets all pass."""

    identities: tuple[Identity, ...] = ()
    reason: str | None = None
    monitor: str | None = None
    topic: str | None = None
    since: int | None = None
    """Microseconds; the time is that of the message."""
    until: int | None = None

    def chosen(self, rejects: Iterable[Reject]) -> Iterator[Reject]:
        """Give those that are asked for."""
        return (reject for reject in rejects if self._takes(reject))

    def _takes(self, reject: Reject) -> bool:
        name, time = identity(reject), reject.message.time
        pairs = ((self.reason, name.reason), (self.monitor, name.monitor), (self.topic, name.topic))
        if any(wanted is not None and wanted != found for wanted, found in pairs):
            return False
        if self.since is not None and (time is None or time < self.since):
            return False
        if self.until is not None and (time is None or time >= self.until):
            return False
        return not self.identities or any(one.names(name) for one in self.identities)


def again(reject: Reject) -> Message:
    """Make the message of a retry: the original, which says what it repeats and for which monitor alone."""
    headers = [("retry-of", str(identity(reject)).encode())]
    if reject.monitor is not None:
        headers.append(("retry-monitor", reject.monitor.encode()))
    return msgspec.structs.replace(reject.message, headers=tuple(headers))


def recorded(rejects: Sequence[Reject]) -> Iterator[Message]:
    """Give the messages of rejects as a recording holds them: each once, in the order of their partitions."""
    for _, same in groupby(sorted(rejects, key=identity), _place):
        first, *others = same
        yield first.message if others else again(first)


def _place(reject: Reject) -> tuple[str, int, int]:
    return reject.message.topic, reject.message.partition, reject.message.offset
