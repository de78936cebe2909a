"""Runs the joins of one pipeline: halves in, pairs out to the monitors, in one order of time with their timers."""

from __future__ import annotations

from collections.abc import Iterable

from engine.caller import Caller
from engine.events import Message, Pair, Record, Reject
from engine.firing import Firing
from engine.joined import Joined, Meeting
from engine.notices import PENDING_LIMIT
from engine.series import NEVER


class Joining:
    """Moves the time of a group of two streams.

    Its monitors know one time: that up to which the joins are decided, which is the smallest of the streams' times,
    each less its `lateness`. A timer due at a time comes before the pair of that time and after all earlier ones, as
    it does with the records of one stream, and whatever the interleaving.
    """

    def __init__(self, meeting: Meeting, caller: Caller, firing: Firing) -> None:
        """Act through the same caller as everything else in the pipeline."""
        self._meeting = meeting
        self._caller = caller
        self._firing = firing
        self._remembered = caller.remembered

    @property
    def now(self) -> int | None:
        """Stream time of the group; None where a stream has no time yet."""
        times, meeting = self._remembered.times, self._meeting
        if meeting.passed(times) is None:
            return None
        return min(time for name, time in times.items() if name not in meeting.closed)

    def due(self) -> int:
        """Say at which stream time a pair may go out or a timer fire; NEVER when nothing is waited for."""
        pair = self._meeting.due()
        due = min(self._remembered.timers.next, NEVER if pair is None else pair + 1)
        return due + max(self._meeting.lateness.values())

    # --- halves

    def apply(self, records: Iterable[tuple[Record, Message]]) -> None:
        """Take records, each after the time that it moved."""
        for record, message in records:
            self._take(record, message)

    def _take(self, record: Record, message: Message) -> None:
        counts, stream = self._caller.counts, record.stream
        earliest = self._remembered.times[stream] - self._meeting.lateness[stream]
        if record.time < earliest:
            record.late = True
            counts.late += 1
        only = message.retried
        readers = [one for one in self._meeting.joins if only is None or one.table.name == only]
        readers = [one for one in readers if isinstance(record.value, one.table.monitor.reads)]
        if not readers:
            counts.ignored += 1
        elif record.key is None:
            self._refuse(readers, message)
        else:
            time = max(record.time, earliest)
            added = [self._add(one, record, message, time, again=only is not None) for one in readers]
            counts.duplicates += not any(added)

    def _refuse(self, readers: Iterable[Joined], message: Message) -> None:
        """Reject what has no key, for each monitor that would have joined it."""
        self._caller.counts.undecodable += 1
        detail = "expected the fields of the stream's key, by which the record is joined, got none"
        rejects = self._caller.release.outcome.rejects
        rejects += [Reject(message, "schema", detail, joined.table.name) for joined in readers]

    def _add(self, joined: Joined, record: Record, message: Message, time: int, *, again: bool) -> bool:
        join = joined.join
        dropped = join.dropped
        added = join.add(joined.half(record, message, time), again=again)
        if join.dropped > dropped:
            self._caller.counts.halves_dropped += join.dropped - dropped
            name = joined.table.name
            summary = f"{join.pending} records of {name} wait for their other half, and the oldest have to leave"
            self._caller.notice(PENDING_LIMIT, name, summary)
        return added

    # --- time

    def move(self, stream: str, time: int, cause: int | None) -> None:
        """Move a stream's time; what is decided with that goes out."""
        times = self._remembered.times
        times[stream] = max(time, times.get(stream, -1))
        self._meeting.mark(stream, times[stream])
        self._advance(cause)

    def close(self, stream: str) -> None:
        """End the input of one stream: the other one is not held back by it any more."""
        self._meeting.closed.add(stream)
        self._advance(None)

    def end(self, time: int) -> None:
        """End all inputs: what a time makes due goes out, whatever the lateness."""
        meeting = self._meeting
        meeting.closed.clear()
        meeting.lateness = dict.fromkeys(meeting.lateness, 0)
        self._remembered.times.update(dict.fromkeys(meeting.lateness, time))
        for stream in meeting.lateness:
            meeting.mark(stream, time)
        self._advance(None)

    def _advance(self, cause: int | None) -> None:
        """Do all that lies before the time that is decided: repeats, timers and pairs, by time and in this order."""
        meeting = self._meeting
        passed = meeting.passed(self._remembered.times)
        if passed is None:
            return
        while True:
            mark, head = meeting.next_mark(passed), meeting.next(passed)
            if mark is not None and (head is None or mark <= head[0]):
                self._until(mark, cause)
                self._caller.release.repeat(mark, cause, self._remembered.notices.alerts())
                meeting.take_mark()
            elif head is not None:
                self._until(head[0], cause)
                self._release(head[1], cause)
            else:
                break
        self._until(passed, cause)

    def _until(self, time: int, cause: int | None) -> None:
        remembered = self._remembered
        if remembered.timers.next <= time:
            self._firing.until(time, cause)
        remembered.now = time if remembered.now is None else max(time, remembered.now)

    def _release(self, joined: Joined, cause: int | None) -> None:
        met = joined.join.take()
        pair = Pair(met.key, met.time, met.first, met.second)
        self._caller.take_pair(joined.table, pair, met.messages, cause)
