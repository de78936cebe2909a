"""The workflow file: read, checked and turned into a plan.

`check` tells everything that is wrong with a file at once; `load` gives the plan of a file with which nothing is.
The keys are described in `engine.workflow_keys`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from engine.findings import WHOLE, Finding, Notes, TooManyFindings, WorkflowError
from engine.lint.alerts import read_alerts
from engine.lint.attaching import Plugins, SeenMonitor
from engine.lint.fields import Fitted, fit
from engine.lint.monitors import read_monitors
from engine.lint.repartition import check_repartition
from engine.lint.streams import SeenStream, Streams
from engine.lint.whole import check_alerts, check_metrics, check_names, check_topics, check_unused, tell_what_holds
from engine.nodes import Items, Map, Node, place
from engine.plan import Plan
from engine.strict_json import is_json, read_json, syntax_mistake
from engine.strict_yaml import read_yaml
from engine.variables import Variables
from engine.workflow_keys import TopKeys

__all__ = ["Finding", "WorkflowError", "check", "load", "read_nodes"]

FILE_BYTES: Final = 1_048_576
_EMPTY: Final = "it is empty; `manometer new workflow NAME` writes one to begin with"


def load(path: Path, *, environ: Mapping[str, str] | None = None) -> Plan:
    """Read a workflow file and make its plan.

    Args:
        path: the file, YAML or JSON; paths in it are relative to it.
        environ: variables that the file may use; those of the process where it is left out.

    Raises:
        WorkflowError: something in the file is wrong; `findings` has all that was found, warnings too.
    """
    notes, plan = _examine(path, environ)
    if plan is None:
        raise WorkflowError(notes.sorted())
    return plan


def check(path: Path, *, environ: Mapping[str, str] | None = None) -> list[Finding]:
    """Tell everything that is wrong with a workflow file, and what is probably not meant, by line."""
    return _examine(path, environ)[0].sorted()


def read_nodes(path: Path, notes: Notes, *, environ: Mapping[str, str] | None = None) -> tuple[Node | None, bytes]:
    """Read a YAML or JSON file into nodes with lines; the bytes are those of the file.

    Mistakes become notes; None where nothing can be made of the file.
    """
    data = _read_bytes(path, notes)
    text = None if data is None else _decode(data, notes)
    if text is None:
        return None, data or b""
    variables = Variables(os.environ if environ is None else environ)
    if path.suffix.lower() == ".json":
        return (None if syntax_mistake(text, notes) else read_json(text, notes, variables=variables)), data or b""
    read = read_json if is_json(text) else read_yaml
    return read(text, notes, variables=variables), data or b""


def _read_bytes(path: Path, notes: Notes) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES + 1)
    except FileNotFoundError:
        notes.error(1, WHOLE, "there is no such file")
        return None
    except IsADirectoryError:
        notes.error(1, WHOLE, "this is a folder; expected a workflow file")
        return None
    except (OSError, ValueError) as error:
        notes.error(1, WHOLE, f"it cannot be read: {error}")
        return None
    if len(data) > FILE_BYTES:
        notes.error(1, WHOLE, f"it is larger than {FILE_BYTES} bytes; no workflow needs that")
        return None
    return data


def _decode(data: bytes, notes: Notes) -> str | None:
    """Give the text of the file, and let the notes know its number of lines."""
    if data.startswith(b"\xef\xbb\xbf"):
        notes.error(1, WHOLE, "it begins with a byte order mark; save it as UTF-8 without one")
        data = data[3:]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        notes.lines = line = data.count(b"\n", 0, error.start) + 1
        notes.error(line, WHOLE, f"it is not UTF-8: the byte 0x{data[error.start]:02x}; save it as UTF-8")
        return None
    notes.lines = max(1, text.count("\n") + (not text.endswith("\n")))
    if not text.strip():
        notes.error(1, WHOLE, _EMPTY)
        return None
    return text


def _examine(path: Path, environ: Mapping[str, str] | None) -> tuple[Notes, Plan | None]:
    notes = Notes(str(path))
    try:
        root, data = read_nodes(path, notes, environ=environ)
        if root is None and not notes.failed:
            notes.error(1, WHOLE, _EMPTY)
        plan = None if root is None else _Lint(path.parent, notes).plan(root, hashlib.sha256(data).hexdigest())
    except TooManyFindings:
        return notes, None
    return notes, None if notes.failed else plan


class _Parts(msgspec.Struct):
    """What the file says, part by part."""

    streams: dict[str, SeenStream]
    monitors: list[SeenMonitor]
    alerts: list[SeenMonitor]


class _Lint:
    """Reads the parts of one file in their order."""

    def __init__(self, folder: Path, notes: Notes) -> None:
        self._folder = folder
        self._notes = notes

    def plan(self, root: Node, digest: str) -> Plan | None:
        """Read the file; None where not even its keys can be told apart."""
        fitted = fit(TopKeys, root, "", notes=self._notes)
        if fitted is None or not isinstance(root, Map):
            return None
        parts = self._parts(root, fitted)
        self._check_whole(root, fitted, parts)
        return None if self._notes.failed else _plan(fitted.keys, parts, digest)

    def _parts(self, root: Map, fitted: Fitted[TopKeys]) -> _Parts:
        plugins = Plugins(self._plugin_folders(root, fitted), self._folder)
        streams = Streams(self._folder, plugins, self._notes).read(_map(root, "streams"))
        return _Parts(
            streams=streams,
            monitors=read_monitors(_items(root, "monitors"), streams, plugins, notes=self._notes),
            alerts=read_alerts(_items(root, "alerts"), plugins, notes=self._notes),
        )

    def _plugin_folders(self, root: Map, fitted: Fitted[TopKeys]) -> list[Path]:
        folders = []
        for i, name in enumerate([] if "plugins" in fitted.bad else fitted.keys.plugins):
            folder = self._folder / name
            if folder.is_dir():
                folders.append(folder)
            else:
                found = place(root, "", ("plugins", i))
                self._notes.error(found.line, found.path, f"there is no folder {folder}")
        return folders

    def _check_whole(self, root: Map, fitted: Fitted[TopKeys], parts: _Parts) -> None:
        notes, everything = self._notes, [*parts.monitors, *parts.alerts]
        check_names(everything, notes)
        check_metrics(everything, notes)
        tell_what_holds(everything)
        check_alerts(parts.monitors, parts.alerts, _items(root, "alerts"), notes)
        if not fitted.bad & {"streams", "monitors"}:
            check_unused(parts.streams, parts.monitors, notes)
        if not fitted.bad & {"streams", "monitors", "workflow", "archive", "rejects"}:
            check_repartition(root, fitted.keys, parts.streams, parts.monitors, notes)
        if not fitted.bad & {"archive", "rejects"}:
            keys = fitted.keys
            check_topics(root, keys.archive.topic, keys.rejects.topic, parts.streams, notes=notes)


def _map(root: Map, key: str) -> Map:
    node = root.get(key)
    return node if isinstance(node, Map) else Map(root.line, {})


def _items(root: Map, key: str) -> Items:
    node = root.get(key)
    return node if isinstance(node, Items) else Items(root.line, [])


def _plan(keys: TopKeys, parts: _Parts, digest: str) -> Plan:
    attached = [seen.attached for seen in (*parts.monitors, *parts.alerts) if seen.attached is not None]
    return Plan(
        workflow=keys.workflow,
        streams={name: seen.stream for name, seen in parts.streams.items() if seen.stream is not None},
        monitors=tuple(attached),
        alerts=len(parts.alerts),
        engines=keys.engines,
        archive=keys.archive.topic,
        rejects=keys.rejects.topic,
        repeat=keys.repeat,
        hash=digest,
    )
