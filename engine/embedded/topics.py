"""The topics of an embedded process and the pipelines that read them: offsets given, messages applied, time moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

import msgspec

from engine.coverage import Part, covering, uncaused
from engine.embedded.deliveries import Delivery, Receipt
from engine.events import Emission, Message, Reject
from engine.memory import Memory
from engine.outcome import Outcome
from engine.pipeline import Pipeline
from engine.plan import Plan
from engine.recording.lines import Tick

Saved = tuple[int, bytes, bytes | None]
"""Partition, name and data of one state."""
Heard = Callable[[Sequence[Message | Tick]], None]
"""Takes inputs before they are applied, in their order; `demo --record` keeps them."""


def nobody(_: Sequence[Message | Tick]) -> None:
    """Take inputs where nobody wants them."""


class Made:
    """What comes together for one checkpoint."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.parts: list[Part] = []
        self.emissions: list[Emission] = []
        self.rejects: list[Reject] = []
        self.counts: dict[str, int] = {}
        """Messages by stream."""

    def add(self, outcome: Outcome, parts: Iterable[Part]) -> None:
        """Take what one pipeline gave."""
        self.parts += parts
        self.emissions += outcome.emissions
        self.rejects += outcome.rejects


class Topics:
    """All topics of a workflow, one partition each; belongs to one thread."""

    def __init__(self, plan: Plan, heard: Heard = nobody) -> None:
        """Begin with empty topics."""
        self._heard = heard
        self.plan = plan
        self.next: dict[str, int] = {}
        """Next offset of each topic."""
        self._memory = Memory(plan)
        self.pipelines: Sequence[Pipeline] = [self._memory.pipeline(group, 0) for group in plan.groups()]
        self.streams: dict[str, list[str]] = {}
        """Topic -> the streams that read it."""
        for stream in plan.streams.values():
            self.streams.setdefault(stream.topic, []).append(stream.name)
        self._gone: list[Saved] = []

    def restore(self, states: Iterable[Saved], offsets: Mapping[str, int]) -> None:
        """Take what was saved; states of groups that the workflow no longer has are forgotten at the next snapshot."""
        groups = {pipeline.group.name for pipeline in self.pipelines}
        kept: list[Saved] = []
        for partition, name, data in states:
            if str(msgspec.json.decode(name)[0]) in groups:
                kept.append((partition, name, data))
            else:
                self._gone.append((partition, name, None))
        self._memory.restore(kept)
        self.next = dict(offsets)

    def snapshot(self) -> list[Saved]:
        """Give what changed since the last call."""
        gone, self._gone = self._gone, []
        return [*gone, *self._memory.snapshot()]

    def apply(self, deliveries: Sequence[Delivery]) -> tuple[Made, list[Receipt]]:
        """Give deliveries their offsets and apply them, those of one topic that follow each other in one go."""
        made = Made()
        receipts: list[Receipt] = []
        for topic, run in groupby(deliveries, lambda delivery: delivery.topic):
            messages: list[Message] = []
            receipts += [self._number(delivery, messages) for delivery in run]
            self._heard(messages)
            for stream in self.streams[topic] if messages else ():
                self._apply(stream, messages, made)
        return made, receipts

    def _number(self, delivery: Delivery, messages: list[Message]) -> Receipt:
        topic = delivery.topic
        first = self.next.get(topic, 0)
        for offset, value in enumerate(delivery.values, first):
            messages.append(Message(topic, 0, offset, delivery.came, delivery.key, value))
        self.next[topic] = first + len(delivery.values)
        return Receipt(topic, len(delivery.values), first, self.next[topic] - 1)

    def _apply(self, stream: str, messages: Sequence[Message], made: Made) -> None:
        for pipeline in self.pipelines:
            if stream in pipeline.group.streams:
                outcome = pipeline.apply(stream, messages)
                offsets = (messages[0].offset, messages[-1].offset)
                made.add(outcome, covering(outcome, pipeline.group.name, messages[0].topic, offsets))
        made.counts[stream] = made.counts.get(stream, 0) + len(messages)

    def move(self, times: Mapping[str, int]) -> Made:
        """Move the time of streams without a message."""
        self._heard([Tick(self.plan.streams[stream].topic, 0, time) for stream, time in times.items()])
        made = Made()
        for pipeline in self.pipelines:
            outcome = pipeline.move(times)
            made.add(outcome, uncaused(outcome.emissions, pipeline.group.name, "tick"))
        return made

    def times(self) -> dict[str, int]:
        """Give the newest time of each stream that has one."""
        found: dict[str, int] = {}
        for pipeline in self.pipelines:
            for stream, time in list(pipeline.times.items()):
                found[stream] = max(time, found.get(stream, time))
        return found
