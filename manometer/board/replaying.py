"""The command that shows an alert again, from what is recorded; pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from engine.plan import METRICS, Plan

RECORDINGS: Final = "RECORDINGS"
"""Stands for the folder of the recordings."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow, and where its messages are recorded."""

    file: str
    """The workflow's file."""
    inputs: Mapping[str, str]
    """Stream -> its recording, or what stands for it."""
    monitors: Mapping[str, Sequence[str]]
    """Monitor -> the streams that it reads."""


class Replays:
    """Knows the workflows that can be replayed."""

    def __init__(self, workflows: Mapping[str, Replayed] | None = None) -> None:
        """Keep them, by the workflow's name."""
        self._workflows = workflows or {}

    def command(self, tags: Mapping[str, str], name: str, time: int) -> str | None:
        """Write the command for an alert; None where its workflow is not known, or its monitor reads no stream.

        Args:
            tags: of the alert.
            name: of the alert.
            time: when it changed, in milliseconds.
        """
        replayed = self._workflows.get(tags.get("workflow", ""))
        streams = () if replayed is None else replayed.monitors.get(tags.get("monitor", ""), ())
        if replayed is None or not streams:
            return None
        words = ["manometer", "replay", shlex.quote(replayed.file)]
        for stream in streams:
            words += ["--input", f"{stream}={replayed.inputs[stream]}"]
        found = f'"name":"{name}","time":{time // 1_000}.'
        return f"{' '.join(words)} --out - | grep -F {shlex.quote(found)}"


def replayed(plan: Plan, file: Path, recordings: Mapping[str, Path] | None = None) -> Replayed:
    """Say how a workflow is replayed; streams without a recording get a place to fill in."""
    known = {stream: shlex.quote(str(path.absolute())) for stream, path in (recordings or {}).items()}
    every = tuple(plan.streams)
    return Replayed(
        file=str(file.absolute()),
        inputs={stream: known.get(stream, f"{RECORDINGS}/{stream}.jsonl") for stream in every},
        monitors={
            attached.name: every if METRICS in attached.sources else tuple(attached.sources.values())
            for attached in plan.monitors
        },
    )
