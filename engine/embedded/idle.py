"""Finds out how far the time of idle streams may move: by the wall time since their last message, no further."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from engine.pipeline import Pipeline
from engine.plan import Plan


class Idle:
    """Knows when the last message of each stream came, and which ticks are worth making.

    Wall time is that of a clock that never goes back, in microseconds. Time in which no process ran does not count.
    """

    def __init__(self, plan: Plan, pipelines: Iterable[Pipeline], now: int) -> None:
        """Begin as if the last message of each stream had come now."""
        self._pipelines = list(pipelines)
        self._after = {name: stream.idle_after for name, stream in plan.streams.items()}
        self._last: dict[str, tuple[int, int | None]] = {name: (now, self._time(name)) for name in plan.streams}

    def came(self, stream: str, now: int) -> None:
        """Note that messages of a stream were applied."""
        self._last[stream] = (now, self._time(stream))

    def tick(self, now: int, waiting: Collection[str]) -> dict[str, int]:
        """Say how far to move which streams; nothing where no timer may be due by then.

        Args:
            now: wall time.
            waiting: streams that are not read to their end.
        """
        idle = {
            stream: began
            for stream, after in self._after.items()
            if after is not None and stream not in waiting and now - (began := self._last[stream][0]) >= after
        }
        targets: dict[str, int] = {}
        for stream, began in idle.items():
            target = self._target(stream, now - began, idle)
            if target is not None:
                targets[stream] = target
        return targets if any(_acts(pipeline, targets) for pipeline in self._pipelines) else {}

    def _target(self, stream: str, passed: int, idle: Mapping[str, int]) -> int | None:
        """Move a stream by the time that passed; beside one that flows at least to that one's time."""
        at_last = self._last[stream][1]
        found = [] if at_last is None else [at_last + passed]
        for pipeline in self._pipelines:
            if stream in pipeline.group.streams:
                found += [time for other, time in pipeline.times.items() if other not in idle]
        return max(found, default=None)

    def _time(self, stream: str) -> int | None:
        times = [pipeline.times[stream] for pipeline in self._pipelines if stream in pipeline.times]
        return max(times, default=None)


def _acts(pipeline: Pipeline, targets: Mapping[str, int]) -> bool:
    """Say whether a tick begins the stream time of a group, or makes something due in it."""
    times = {**pipeline.times}
    for stream in pipeline.group.streams:
        if stream in targets:
            times[stream] = max(targets[stream], times.get(stream, -1))
    if len(times) < len(pipeline.group.streams):
        return False
    due = pipeline.due()
    return pipeline.now is None or (due is not None and min(times.values()) >= due > 0)
