"""How long a worker may go on without a proof that it still owns a group and partition."""

from __future__ import annotations

from typing import Final

from engine.pipeline import Pipeline
from engine.times import SECOND

LEASE: Final = 3.0
"""Half a session: so long after it proved that it is the owner, nobody else can have become it."""


def lease_of(pipeline: Pipeline) -> float | None:
    """Say how long a proof lasts; where nothing ticks a second owner emits nothing else, so none is needed."""
    idle = [pipeline.plan.streams[name].idle_after for name in pipeline.group.streams]
    shortest = min((after for after in idle if after is not None), default=None)
    return None if shortest is None else min(LEASE, shortest / SECOND / 2)
