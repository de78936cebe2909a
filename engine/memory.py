"""Runs the pipelines of a workflow over topics in memory: for replay, tests and the embedded process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from engine.events import Message
from engine.outcome import Outcome
from engine.pipeline import Pipeline
from engine.plan import Group, Plan


class Memory:
    """All pipelines of one workflow: one for each group and partition number, made when its first message comes.

    Where a stream has several partitions, its monitors of scope `stream` read all of them as one, in the order in
    which the messages are given.
    """

    def __init__(self, plan: Plan, partitions: Mapping[str, int] | None = None) -> None:
        """Prepare for streams with so many partitions (default: one each)."""
        self.plan = plan
        self._partitions = {stream: max(1, (partitions or {}).get(stream, 1)) for stream in plan.streams}
        self._even_out()
        self._groups = plan.groups(apart=[stream for stream, count in self._partitions.items() if count > 1])
        self._of_stream = {name: [group for group in self._groups if name in group.streams] for name in plan.streams}
        self._pipelines: dict[tuple[str, int], Pipeline] = {}
        self._closed: list[str] = []

    def apply(self, stream: str, messages: Sequence[Message]) -> Outcome:
        """Apply messages of one stream, in order; they may lie on several partitions."""
        runs = [(0, messages)] if self._partitions[stream] == 1 else _runs(messages)
        groups = self._of_stream[stream]
        outcomes = [
            merged([self.pipeline(group, number).apply(stream, run) for group in groups]) for number, run in runs
        ]
        return merged(outcomes, ordered=False)  # offsets of two partitions say nothing of their order

    def move(self, stream: str, time: int, partition: int = 0, group: str | None = None) -> Outcome:
        """Move the time of one stream and partition without a message: in one group, or in all that read it."""
        moved = [one for one in self._of_stream[stream] if group in (None, one.name)]
        return merged([self.pipeline(one, partition).move({stream: time}) for one in moved])

    def close(self, stream: str) -> Outcome:
        """End the input of one stream; those that are joined with it are not held back by it any more."""
        self._closed.append(stream)
        of_stream = [pipeline for pipeline in self._ordered() if stream in pipeline.group.streams]
        return merged([pipeline.close(stream) for pipeline in of_stream], ordered=False)

    def end(self) -> Outcome:
        """End all inputs."""
        return merged([pipeline.end() for pipeline in self._ordered()], ordered=False)

    def snapshot(self) -> Iterator[tuple[int, bytes, bytes | None]]:
        """Give partition, name and state of what changed since the last call; None for what is forgotten."""
        for pipeline in self._ordered():
            for name, data in pipeline.snapshot():
                yield pipeline.partition, name, data

    def restore(self, records: Iterable[tuple[int, bytes, bytes | None]]) -> None:
        """Take what snapshots gave, the last of each partition and name, before the first message."""
        for partition, of_partition in groupby(sorted(records, key=lambda record: record[0]), lambda record: record[0]):
            saved = [(name, data) for _, name, data in of_partition]
            for group in self._groups:
                if partition == 0 or not group.whole:
                    self.pipeline(group, partition).restore(saved)

    def pipeline(self, group: Group, partition: int) -> Pipeline:
        """Give the pipeline of a group and partition number."""
        key = (group.name, 0 if group.whole else partition)
        found = self._pipelines.get(key)
        if found is None:
            count = 1 if group.whole else max(self._partitions[stream] for stream in group.streams)
            found = self._pipelines[key] = Pipeline(self.plan, group, key[1], partitions=count)
            for stream in self._closed:
                found.close(stream)
        return found

    @property
    def pipelines(self) -> Sequence[Pipeline]:
        """All pipelines there are by now."""
        return self._ordered()

    def _even_out(self) -> None:
        """Give joined streams equal numbers of partitions: a recording only tells how many there are at least."""
        joined = [group.streams for group in self.plan.groups() if len(group.streams) > 1]
        for _ in joined:
            for streams in joined:
                count = max(self._partitions[stream] for stream in streams)
                self._partitions.update(dict.fromkeys(streams, count))

    def _ordered(self) -> list[Pipeline]:
        return [self._pipelines[key] for key in sorted(self._pipelines)]


def merged(outcomes: Sequence[Outcome], *, ordered: bool = True) -> Outcome:
    """Put outcomes of several groups together, in the order of the messages that caused them."""
    if len(outcomes) == 1:
        return outcomes[0]
    whole = Outcome()
    for outcome in outcomes:
        whole.emissions += outcome.emissions
        whole.causes += outcome.causes
        whole.rejects += outcome.rejects
    if ordered:
        whole.sort()
    return whole


def _runs(messages: Sequence[Message]) -> list[tuple[int, Sequence[Message]]]:
    """Cut messages where the partition changes."""
    return [(number, list(run)) for number, run in groupby(messages, lambda message: message.partition)]
