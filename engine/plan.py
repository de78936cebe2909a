"""A workflow that was read and checked: what runs, ready to be cut into groups and pipelines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from engine.decoders import Decoder
from engine.monitor import Monitor
from engine.times import DAY, HOUR, SECOND

METRICS = "metrics"
"""`from: metrics`: the emissions of the other monitors; no stream has this name."""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A topic under the workflow's name for it, with its decoder."""

    name: str
    topic: str
    decoder: Decoder
    decode: str
    """Name of the decoder, for people."""
    key: tuple[str, ...] = ()
    repartition: str | None = None
    idle_after: int | None = 5 * SECOND
    ahead: int | None = HOUR
    lateness: int = 10 * SECOND

    @property
    def gives_time(self) -> bool:
        """Whether records have an event time of their own."""
        return self.decoder.gives_time


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor as an entry of the workflow file attaches it."""

    name: str
    use: str
    monitor: Monitor
    sources: Mapping[str, str]
    """Role -> stream; one stream has its own name as its role; {metrics: metrics} for `from: metrics`."""
    tags: Mapping[str, str] = {}
    forget_after: int | None = 7 * DAY
    max_series: int = 1_000_000


class Group(msgspec.Struct, frozen=True):
    """The streams that some monitors read together, and those monitors; metrics monitors are in every group."""

    name: str
    streams: tuple[str, ...]
    monitors: tuple[Attached, ...]
    owns: frozenset[str]
    """Streams whose undecodable messages this group rejects and counts, so that each is one reject."""

    @property
    def whole(self) -> bool:
        """Whether it reads all partitions of its stream as one."""
        return self.name.endswith("@one")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One workflow, ready to run."""

    workflow: str
    streams: Mapping[str, Stream]
    monitors: tuple[Attached, ...]
    """In the order of the file, then one threshold for each entry of `alerts:`."""
    engines: Mapping[str, str] = {}
    archive: str = "archive"
    rejects: str = "rejects"
    repeat: int | None = None
    hash: str = ""
    """SHA-256 of the workflow file, kept in the watermark."""

    def groups(self, *, apart: Iterable[str] = ()) -> tuple[Group, ...]:
        """Cut the workflow into groups.

        Args:
            apart: streams of several partitions; their monitors of scope `stream` get a group `NAME@one` of their own.
        """
        split = frozenset(apart)
        readers = tuple(m for m in self.monitors if METRICS in m.sources)
        members: dict[tuple[str, tuple[str, ...]], list[Attached]] = {}
        for attached in self.monitors:
            if METRICS in attached.sources:
                continue
            streams = tuple(sorted(set(attached.sources.values())))
            name = "+".join(streams)
            if len(streams) == 1 and name in split and self._scope(attached, name) == "stream":
                name = f"{name}@one"
            members.setdefault((name, streams), []).append(attached)
        for name in self.streams:
            if not any(name in streams for _, streams in members):
                members[(name, (name,))] = []
        owned: set[str] = set()
        groups = []
        for (name, streams), monitors in sorted(members.items()):
            mine = frozenset(streams) - owned
            owned |= mine
            groups.append(Group(name, streams, (*monitors, *readers), mine))
        return tuple(groups)

    def _scope(self, attached: Attached, stream: str) -> str:
        source = self.streams[stream]
        return attached.monitor.scope_on(source.decoder.key_fields or source.key)
