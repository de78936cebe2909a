"""Finds monitors and decoders by name: ours, those of plugin folders, of installed packages, or a dotted path.

Only what is named is imported. Files of a plugin folder are loaded by their location, never through sys.path.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Generic, TypeVar

import msgspec

from engine.decoders import Decoder
from engine.findings import did_you_mean, listing, show
from engine.monitor import Monitor
from engine.plugin_files import PluginError, defines, import_file, one_class, what_failed

__all__ = [
    "Available",
    "Found",
    "Plugin",
    "PluginError",
    "available_decoders",
    "available_monitors",
    "builtin_decoders",
    "builtin_monitors",
    "find_decoder",
    "find_monitor",
]

Plugin = TypeVar("Plugin", Monitor, Decoder)

OURS: Final = "built in"
_FILE_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_DOTTED: Final = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)")


class Found(msgspec.Struct, Generic[Plugin], frozen=True):
    """A plugin that was found and imported."""

    name: str
    cls: type[Plugin]
    origin: str
    """`built in`, the path of its file, `entry point of PACKAGE`, or `module MODULE`."""
    version: str = ""


class Available(msgspec.Struct, frozen=True):
    """A plugin that could be used; it was not imported."""

    name: str
    origin: str
    version: str = ""


class _Kind(msgspec.Struct, Generic[Plugin], frozen=True):
    """What there is to know to look for one kind of plugin."""

    word: str
    base: type[Plugin]
    package: str
    group: str


_MONITORS: Final = _Kind[Monitor]("monitor", Monitor, "monitors", "manometer.monitors")
_DECODERS: Final = _Kind[Decoder]("decoder", Decoder, "engine.decoders", "manometer.decoders")


def find_monitor(name: str, folders: Sequence[Path] = ()) -> Found[Monitor]:
    """Find a monitor: ours first, then the plugin folders in their order, then installed packages.

    Raises:
        PluginError: there is none, or it cannot be used; the sentence says why.

    >>> find_monitor("throughput").origin
    'built in'
    """
    return _find(_MONITORS, name, folders)


def find_decoder(name: str, folders: Sequence[Path] = ()) -> Found[Decoder]:
    """Find a decoder, in the same places and order as monitors.

    Raises:
        PluginError: there is none, or it cannot be used; the sentence says why.

    >>> find_decoder("sensors").cls.__name__
    'Sensors'
    """
    return _find(_DECODERS, name, folders)


def builtin_monitors() -> dict[str, type[Monitor]]:
    """Import all monitors that come with Manometer."""
    return {name: _ours(_MONITORS, name).cls for name in _our_files(_MONITORS)}


def builtin_decoders() -> dict[str, type[Decoder]]:
    """Import all decoders that come with Manometer."""
    return {name: _ours(_DECODERS, name).cls for name in _our_files(_DECODERS)}


def available_monitors(folders: Sequence[Path] = ()) -> list[Available]:
    """List the monitors that a workflow with these plugin folders can name, without importing them."""
    return list(_available(_MONITORS, folders))


def available_decoders(folders: Sequence[Path] = ()) -> list[Available]:
    """List the decoders that a workflow with these plugin folders can name, without importing them."""
    return list(_available(_DECODERS, folders))


def _find(kind: _Kind[Plugin], name: str, folders: Sequence[Path]) -> Found[Plugin]:
    if ":" in name:
        return _dotted(kind, name)
    if name in _our_files(kind):
        _refuse_shadow(kind, name, folders)
        return _ours(kind, name)
    for path in _folder_files(kind, name, folders):
        module = import_file(path)
        return Found(name, one_class(module, kind.base, name), str(path), _version_of(module))
    for point in metadata.entry_points(group=kind.group, name=name):
        return _entry_point(kind, point)
    raise _unknown(kind, name, folders)


def _unknown(kind: _Kind[Any], name: str, folders: Sequence[Path]) -> PluginError:
    names = {one.name for one in _available(kind, folders)}
    return unknown(kind.word, name, names)


def unknown(word: str, name: str, names: Collection[str]) -> PluginError:
    """Say that a plugin is not there, which ones are, and which was probably meant."""
    return PluginError(f"unknown {word} {show(name)}. There are: {listing(names)}.{did_you_mean(name, names)}")


# --- ours


def _our_files(kind: _Kind[Any]) -> dict[str, Path]:
    """Name our files by where this one lies; a folder of the same name elsewhere on the path is not ours."""
    folder = Path(__file__).parents[1].joinpath(*kind.package.split("."))
    return {path.stem: path for path in sorted(folder.glob("*.py")) if _FILE_NAME.fullmatch(path.stem)}


def _ours(kind: _Kind[Plugin], name: str) -> Found[Plugin]:
    module = importlib.import_module(f"{kind.package}.{name}")
    return Found(name, one_class(module, kind.base, name), OURS, _our_version())


def _our_version() -> str:
    try:
        return metadata.version("manometer")
    except metadata.PackageNotFoundError:
        return ""


def _refuse_shadow(kind: _Kind[Any], name: str, folders: Sequence[Path]) -> None:
    """Refuse a plugin with the name of one of ours, so that a name always means the same."""
    ours = _our_files(kind)[name]
    for path in _folder_files(kind, name, folders):
        if not path.samefile(ours):
            raise PluginError(f'{path} has the name of our own {kind.word} "{name}"; give the file another name')


# --- plugin folders


def _folder_files(kind: _Kind[Any], name: str, folders: Iterable[Path]) -> Iterator[Path]:
    if not _FILE_NAME.fullmatch(name):
        return
    for folder in folders:
        path = folder / f"{name}.py"
        if path.is_file() and defines(path, kind.base.__name__):
            yield path


def _version_of(module: ModuleType) -> str:
    return str(getattr(module, "__version__", ""))


# --- installed packages


def _entry_point(kind: _Kind[Plugin], point: metadata.EntryPoint) -> Found[Plugin]:
    origin, version = _package_of(point)
    try:
        cls = point.load()
    except (Exception, SystemExit) as error:
        raise PluginError(f'{kind.word} "{point.name}", {origin}, does not load: {what_failed(error)}') from error
    return Found(point.name, _checked(kind, cls, point.value), origin, version)


def _package_of(point: metadata.EntryPoint) -> tuple[str, str]:
    package = point.dist
    return ("entry point", "") if package is None else (f"entry point of {package.name}", package.version)


def _dotted(kind: _Kind[Plugin], name: str) -> Found[Plugin]:
    found = _DOTTED.fullmatch(name)
    if found is None:
        raise PluginError(f"expected a name or package.module:Class, got {show(name)}")
    try:
        module = importlib.import_module(found[1])
    except (Exception, SystemExit) as error:
        raise PluginError(f"{found[1]} does not import: {what_failed(error)}") from error
    cls = getattr(module, found[2], None)
    if cls is None:
        near = did_you_mean(found[2], [other for other in vars(module) if not other.startswith("_")])
        raise PluginError(f"{found[1]} has no {found[2]}.{near}")
    return Found(name, _checked(kind, cls, name), f"module {found[1]}", _version_of(module))


def _checked(kind: _Kind[Plugin], cls: object, where: str) -> type[Plugin]:
    if isinstance(cls, type) and issubclass(cls, kind.base) and cls is not kind.base:
        return cls
    raise PluginError(f"{where} is no {kind.word}; expected a subclass of {kind.base.__module__}.{kind.base.__name__}")


# --- what there is


def _available(kind: _Kind[Any], folders: Sequence[Path]) -> Iterator[Available]:
    version = _our_version()
    yield from (Available(name, OURS, version) for name in _our_files(kind))
    for folder in folders:
        for path in sorted(folder.glob("*.py")) if folder.is_dir() else ():
            if _FILE_NAME.fullmatch(path.stem) and defines(path, kind.base.__name__):
                yield Available(path.stem, str(path))
    for point in sorted(metadata.entry_points(group=kind.group), key=lambda point: point.name):
        yield Available(point.name, *_package_of(point))
