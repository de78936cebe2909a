"""Streams that say `repartition`: whether a monitor needs it, and where the copies lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from engine.findings import Notes, listing
from engine.lint.attaching import SeenMonitor
from engine.lint.streams import SeenStream
from engine.nodes import Map, place
from engine.plan import METRICS, Attached, Stream
from engine.workflow_keys import TopKeys

LONGEST_TOPIC: Final = 249
"""Kafka takes no longer name."""


def check_repartition(
    root: Map, keys: TopKeys, streams: Mapping[str, SeenStream], monitors: Sequence[SeenMonitor], notes: Notes
) -> None:
    """Refuse copies that cannot have their topic; warn of those that nobody needs, or that part what must be whole."""
    known = not any(seen.lost or seen.attached is None for seen in monitors)
    taken = {keys.archive.topic: "the topic of the archive", keys.rejects.topic: "the topic of the rejects"}
    taken |= {seen.topic: f"read by the stream {seen.name}" for seen in streams.values()}
    attached = [seen.attached for seen in monitors if seen.attached is not None and METRICS not in seen.streams]
    for seen in streams.values():
        stream = seen.stream
        if stream is None or stream.repartition is None:
            continue
        found = place(root, "", ("streams", stream.name, "repartition"))
        topic = f"{keys.workflow}.{stream.name}.{stream.repartition}"
        if len(topic) > LONGEST_TOPIC:
            told = f"its topic would be called {topic}, which has more than {LONGEST_TOPIC} characters"
            notes.error(found.line, found.path, f"{told}; give the stream or the workflow a shorter name")
        elif topic in taken:
            told = f'its topic would be called "{topic}", which is {taken[topic]}'
            notes.error(found.line, found.path, f"{told}; choose another")
        readers = [one for one in attached if stream.name in one.sources.values()]
        if known and readers and (warning := _not_meant(stream, readers)):
            notes.warn(found.line, found.path, warning)


def _not_meant(stream: Stream, readers: Iterable[Attached]) -> str | None:
    """Say what is probably not meant."""
    needing = [one for one in readers if len(one.sources) > 1 or _sees_all(stream, one)]
    if not needing:
        return "no monitor needs it: those of this stream follow its key, and read its own topic"
    alone = [one.name for one in needing if len(one.sources) == 1]
    if alone and stream.repartition == "key":
        told = f"{listing(alone)} must see the whole stream, so the copy can only have one partition"
        return f"{told}; say repartition: one"
    return None


def _sees_all(stream: Stream, attached: Attached) -> bool:
    return attached.monitor.scope_on(stream.decoder.key_fields or stream.key) == "stream"
