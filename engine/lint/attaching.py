"""Monitors from plugins: found once a file, made with the options of an entry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from engine.decoders import Decoder
from engine.findings import Notes
from engine.lint.beside import take_files
from engine.lint.contract import slips
from engine.lint.fields import note_all, validate
from engine.monitor import Monitor
from engine.nodes import Map
from engine.plan import Attached
from engine.plugin_files import PluginError, what_failed
from engine.plugins import Plugin, find_decoder, find_monitor

MONITORS: Final = "monitors"
"""The folder beside a workflow file in which people keep monitors of their own."""


class SeenMonitor(msgspec.Struct):
    """An entry of `monitors:` or `alerts:` as far as it could be read."""

    path: str
    line: int
    name: str = ""
    """Empty where it is wrong."""
    name_at: str = ""
    name_line: int = 0
    monitor: Monitor | type[Monitor] | None = None
    """The monitor; its class where its options are wrong."""
    streams: frozenset[str] = frozenset()
    """The streams it reads, or `metrics`."""
    lost: bool = False
    """Nobody knows what it reads, because its `from` is wrong."""
    metric: str | None = None
    """The metric that it reads by name."""
    metric_at: str = ""
    metric_line: int = 0
    attached: Attached | None = None
    """What goes into the plan; None where anything is wrong."""


class Plugins:
    """Finds monitors and decoders for one file; each name once."""

    def __init__(self, folders: Sequence[Path], beside: Path | None = None) -> None:
        """Begin with nothing found; files that options name are relative to the folder `beside`."""
        self.beside = beside
        self._folders = folders
        self._monitors: dict[str, type[Monitor] | PluginError] = {}
        self._decoders: dict[str, type[Decoder] | PluginError] = {}

    def monitor(self, name: str) -> type[Monitor]:
        """Give the class of a monitor.

        Raises:
            PluginError: there is none that can be used.
        """
        if name not in self._monitors:
            self._monitors[name] = self._look(name)
        return _given(self._monitors[name])

    def decoder(self, name: str) -> type[Decoder]:
        """Give the class of a decoder.

        Raises:
            PluginError: there is none that can be used.
        """
        if name not in self._decoders:
            try:
                self._decoders[name] = find_decoder(name, self._folders).cls
            except PluginError as error:
                self._decoders[name] = error
        return _given(self._decoders[name])

    def _look(self, name: str) -> type[Monitor] | PluginError:
        try:
            found = find_monitor(name, self._folders)
        except PluginError as error:
            return self._hinted(name, error)
        wrong = "; ".join(slips(found.cls))
        return PluginError(f"{name} ({found.origin}) cannot be used: {wrong}") if wrong else found.cls

    def _hinted(self, name: str, error: PluginError) -> PluginError:
        """Say where a file of this name lies, if nobody looked there: in ./monitors, as `new monitor` writes it."""
        if self.beside is None or not name.isidentifier():
            return error
        folder = self.beside / MONITORS
        if not (folder / f"{name}.py").is_file() or any(folder.samefile(known) for known in self._folders):
            return error
        return PluginError(
            f"{folder / name}.py is there, but not named: the file lacks `plugins: [./{MONITORS}]`. {error}"
        )


def _given(found: type[Plugin] | PluginError) -> type[Plugin]:
    if isinstance(found, PluginError):
        raise found
    return found


def make(  # noqa: PLR0913 - what it is, where it stands, and where its mistakes go
    cls: type[Monitor], options: Map, path: str, *, owner: str, notes: Notes, beside: Path | None = None
) -> Monitor | None:
    """Make a monitor with options, and give it the files that they name; what is wrong with them becomes notes.

    Args:
        cls: the plugin.
        options: what stands under `with:`.
        path: where it stands.
        owner: the name of the plugin, for people.
        notes: takes the mistakes.
        beside: the folder of the workflow file; None where options name no files.
    """
    try:
        given, mistakes = validate(cls.Options, options, path, owner=owner)
        note_all(mistakes, notes)
        made = None if given is None else cls(given)
        wrong = "; ".join(slips(made)) if made is not None else ""
        if made is not None and not wrong and not take_files(made, options, path, beside=beside, notes=notes):
            return None
    except Exception as error:  # noqa: BLE001 - a plugin can raise anything, and that is a finding like others
        told = str(error) if type(error) is ValueError else what_failed(error)
        notes.error(options.line, path, f"{owner} refuses its options: {told}")
        return None
    if wrong:
        notes.error(options.line, path, f"{owner} cannot be used: {wrong}")
    return None if wrong else made
