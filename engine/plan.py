"""A workflow that was read and checked: what runs, ready to be cut into groups and pipelines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from engine.decoders import Decoder
from engine.monitor import Monitor
from engine.times import DAY, END, HOUR, SECOND, duration_text, time_text

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
    def way(self) -> str:
        """Its name, with how it is repartitioned: `NAME@one` or `NAME@key`."""
        return self.name if self.repartition is None else f"{self.name}@{self.repartition}"

    @property
    def gives_time(self) -> bool:
        """Whether records have an event time of their own."""
        return self.decoder.gives_time

    def out_of_time(self, time: int, message_time: int | None) -> str:
        """Say why an event time cannot be."""
        if not 0 <= time < END:
            return f"event time: expected 1970 to 2242, got {time / SECOND:.0f} s since 1970"
        written = message_time or 0
        told = time_text(written) if written >= 0 else f"{written / SECOND:.0f} s since 1970"
        latest = f"{duration_text(self.ahead or 0)} after the message's time {told}"
        return f"event time: expected at most {latest}, got {time_text(time)}"


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
    wait: int = HOUR
    """With two inputs: how far apart in event time two records of one key may be."""
    pending: int = 100_000
    """With two inputs: how many records may wait for their other half."""


class Group(msgspec.Struct, frozen=True):
    """The streams that some monitors read together, and those monitors; metrics monitors are in every group."""

    name: str
    streams: tuple[str, ...]
    monitors: tuple[Attached, ...]
    owns: frozenset[str]
    """Streams whose undecodable messages this group rejects and counts, so that each is one reject."""
    repartitioned: frozenset[str] = frozenset()
    """Streams that it reads from their repartitioned topics."""

    @property
    def whole(self) -> bool:
        """Whether it reads all partitions of its stream as one."""
        return self.name.endswith("@one") and not self.repartitioned

    def on(self, partition: int) -> Group:
        """Give the group on one of several partitions: what monitors of joined streams emit there has a tag for it."""
        if len(self.streams) == 1:
            return self
        tag = {"partition": str(partition)}
        tagged = [
            one if METRICS in one.sources else msgspec.structs.replace(one, tags={**one.tags, **tag})
            for one in self.monitors
        ]
        return msgspec.structs.replace(self, monitors=tuple(tagged))


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One workflow, ready to run."""

    workflow: str
    streams: Mapping[str, Stream]
    monitors: tuple[Attached, ...]
    """In the order of the file, then one threshold for each entry of `alerts:`."""
    alerts: int = 0
    """How many of the monitors, the last ones, are entries of `alerts:`."""
    engines: Mapping[str, str] = {}
    archive: str = "archive"
    rejects: str = "rejects"
    repeat: int | None = None
    hash: str = ""
    """SHA-256 of the workflow file, kept in the watermark."""
    revision: int = 0
    """Which of the workflow's files it is, in the order in which they ran on Kafka; 0 where nobody counts."""

    def groups(self, *, apart: Iterable[str] = (), repartitioned: bool = False) -> tuple[Group, ...]:
        """Cut the workflow into groups.

        Args:
            apart: streams of several partitions; their monitors of scope `stream` get a group `NAME@one` of their own.
            repartitioned: whether streams that say `repartition` have a topic for it, which monitors of scope `stream`
                read in place of the stream's: as `NAME@one` or `NAME@key`.
        """
        readers = tuple(m for m in self.monitors if METRICS in m.sources)
        members: dict[tuple[str, tuple[str, ...]], list[Attached]] = {}
        for attached in self.monitors:
            if METRICS not in attached.sources:
                streams = tuple(sorted(set(attached.sources.values())))
                name = self._name(attached, streams, frozenset(apart), repartitioned=repartitioned)
                members.setdefault((name, streams), []).append(attached)
        for name in self.streams:
            if not any(name in streams for _, streams in members):
                members[(name, (name,))] = []
        owned: set[str] = set()
        groups = []
        for (name, streams), monitors in sorted(members.items()):
            mine = frozenset(streams) - owned
            owned |= mine
            ways = name.split("+") if repartitioned else ()
            through = frozenset(s for s in streams if self.streams[s].way != s and self.streams[s].way in ways)
            groups.append(Group(name, streams, (*monitors, *readers), mine, through))
        return tuple(groups)

    def _name(self, attached: Attached, streams: tuple[str, ...], apart: frozenset[str], *, repartitioned: bool) -> str:
        """Name the group of a monitor."""
        name = "+".join(streams)
        if len(streams) == 1 and self._scope(attached, name) == "key":
            return name
        if repartitioned:
            name = "+".join(self.streams[stream].way for stream in streams)
        return f"{name}@one" if name in apart else name

    def _scope(self, attached: Attached, stream: str) -> str:
        source = self.streams[stream]
        return attached.monitor.scope_on(source.decoder.key_fields or source.key)
