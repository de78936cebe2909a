"""Monitors with two inputs: the options that the engine reads, and streams that can be joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.findings import Notes, listing
from engine.lint.fields import note_all, validate
from engine.lint.streams import SeenStream
from engine.monitor import Monitor, PairOptions
from engine.nodes import Map

Note = Callable[..., None]
"""Takes a sentence and the steps to where it belongs in the entry."""


def parted(cls: type[Monitor], options: Map) -> tuple[Map, Map]:
    """Part options into those of the monitor and those that only the engine reads."""
    own = cls.Options.model_fields
    ours = {key for key in PairOptions.model_fields if key not in own} if cls.inputs else set()
    mine = {key: entry for key, entry in options.entries.items() if key not in ours}
    theirs = {key: entry for key, entry in options.entries.items() if key in ours}
    return Map(options.line, mine), Map(options.line, theirs)


def pair_options(given: Map, path: str, *, owner: str, notes: Notes) -> PairOptions:
    """Read what the engine reads; what is wrong becomes notes."""
    options, mistakes = validate(PairOptions, given, path, owner=owner)
    note_all(mistakes, notes)
    return options or PairOptions()


def settings(monitor: Monitor, besides: PairOptions | None) -> dict[str, Any]:
    """Give `wait` and `pending` of a monitor with two inputs: from its own options, else from those besides."""
    if not monitor.inputs:
        return {}
    given = besides or PairOptions()
    return {name: getattr(monitor.options, name, getattr(given, name)) for name in PairOptions.model_fields}


def check_joined(sources: Mapping[str, str], streams: Mapping[str, SeenStream], error: Note) -> None:
    """Refuse streams that cannot be joined: without a key, the same twice, or of different numbers of partitions."""
    if len(sources) > len(set(sources.values())):
        error(f"expected two streams, got {listing(set(sources.values()))} for both inputs", "from")
        return
    found = {role: stream for role, name in sources.items() if (stream := streams[name].stream) is not None}
    for role, stream in found.items():
        if not stream.key and not stream.decoder.key_fields:
            error(f"the stream {stream.name} has no key:, by which its records are joined; give it one", "from", role)
    whole = [stream.name for stream in found.values() if stream.repartition == "one"]
    if whole and len(whole) < len(found):
        told = f"only {whole[0]} says repartition: one"
        error(f"{told}; joined streams have equal numbers of partitions, so both say it or none", "from")
