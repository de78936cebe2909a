"""The rooms: who may import whom, what is pure, and how the imports are read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from tests.house.source import Module, modules

MAY_IMPORT: Final = {
    "monitors.stats": ("monitors.stats", "engine.times"),
    "monitors": (
        "engine.alert_state",
        "engine.catalogue",
        "engine.events",
        "engine.monitor",
        "engine.reports",
        "engine.times",
        "monitors.stats",
    ),
    "archiver": ("archiver", "engine.catalogue", "engine.events", "engine.times"),
    "archiver.following": ("archiver", "engine.events", "engine.kafka", "engine.plan"),
    "engine": ("engine",),
    "grafana": ("grafana", "engine.catalogue"),
    "manometer": ("archiver", "engine", "grafana", "manometer", "monitors", "sensors"),
    "sensors": ("sensors", "engine.clock"),
}
"""Room -> what it may import of our own; the longest name that fits a module counts."""

SIBLINGS: Final = ("monitors", "engine.decoders", "archiver.sinks", "sensors.transports")
"""Folders of plugins: one file a plugin, and none imports another."""

RIM: Final = {
    "engine.clock": "the one place that reads the clock",
    "engine.embedded": "runs in threads, and keeps states and archive in SQLite",
    "engine.kafka": "runs on Kafka: workers, producers, topics",
    "engine.lint": "finds plugins and reads schemas beside the workflow file",
    "engine.plugin_files": "loads files by location",
    "engine.plugins": "looks into folders and for entry points",
    "engine.recording": "reads and writes files",
    "engine.strict_yaml": "brings the parser of YAML",
    "engine.telemetry": "brings the client of /metrics",
    "engine.workflow": "reads the workflow file and the environment",
}
"""Modules of the engine (and of folders below them) that touch the world; every other one is pure."""

CORE_OF_SENSORS: Final = (
    "sensors.descriptor",
    "sensors.schedule",
    "sensors.sensor",
    "sensors.transport",
    "sensors.watch",
)
"""The pure modules of sensors/: what decides when a tap is read and what is reported."""

WORLD: Final = frozenset[str]().union(
    ("time", "asyncio", "concurrent", "multiprocessing", "signal", "threading", "select", "selectors"),
    ("random", "secrets", "uuid"),
    ("builtins", "ctypes", "importlib", "runpy", "subprocess"),
    ("gzip", "io", "logging", "mmap", "os", "pathlib", "shutil", "sqlite3", "tempfile"),
    ("ftplib", "http", "smtplib", "socket", "socketserver", "ssl", "urllib"),
)
"""Standard modules with a clock, chance, threads, files, processes or a network in them."""

HARMLESS: Final = frozenset({"pathlib.PurePath"})
"""Parts of these modules that touch nothing."""

CLOCKS: Final = frozenset({"now", "utcnow", "today"})
"""Methods of datetime and date that read the clock."""

OPENERS: Final = frozenset({"open", "print", "input", "exec", "eval", "__import__", "breakpoint"})
"""Functions that read, write or run something."""

PROCESS: Final = frozenset({"argv", "exit", "stdin", "stdout", "stderr"})
"""Parts of sys that belong to the process; the rest of sys is harmless."""

EVERYWHERE: Final = frozenset({"msgspec", "pydantic", "pydantic_core"})
"""Not clients but the words in which types and options are written."""

SEVERAL_FILES: Final = {"aiohttp": "manometer", "click": "manometer", "rich": "manometer"}
"""What the command line and the HTTP servers are written in, and the room they stay in."""

CLIENTS_OF_THE_STANDARD_LIBRARY: Final = frozenset({"sqlite3", "socket", "http"})
SPEAKS_TO_NOBODY: Final = frozenset({"http.cookies"})
"""Parts of these that read and write texts only."""
A_FILE_A_ROOM: Final = CLIENTS_OF_THE_STANDARD_LIBRARY | {"aiokafka"}
"""Each of them in one file of a room: a model's process that reports shares no client with the archiver."""

BUSY_IMPORTS: Final = {
    "archiver.sinks.influxdb": "urllib3 tries whether there is IPv6; imported only where such a sink is opened",
    "engine.kafka.faust_app": "Faust starts `file`; a worker imports it when it runs",
}
"""Modules that cannot be imported without something happening, because a package of others does it."""

PURE_MATHEMATICS: Final = frozenset({"numpy", "scipy"})


class Import(NamedTuple):
    """One import: which module does it, on which line, and of what."""

    module: Module
    line: int
    target: str
    part: str = ""
    """The whole name, where a part of a module was imported."""

    def __str__(self) -> str:
        """Show it as a finding."""
        return f"{self.module.shown}:{self.line}: {self.module.name} imports {self.target}"

    @property
    def top(self) -> str:
        """The distribution or standard module."""
        return self.target.partition(".")[0]


@cache
def imports(*rooms: str) -> tuple[Import, ...]:
    """List all imports, also those inside functions; a script's own `__main__` part is nobody's import."""
    names = frozenset(module.name for module in modules(*rooms))
    return tuple(found for module in modules(*rooms) for found in _imports(module, names))


def _imports(module: Module, names: frozenset[str]) -> Iterator[Import]:
    scripts = {id(node) for part in module.tree.body if is_script(part) for node in ast.walk(part)}
    for node in ast.walk(module.tree):
        if id(node) in scripts:
            continue
        if isinstance(node, ast.Import):
            yield from (Import(module, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.shown}:{node.lineno}: write the whole name, not a relative one"
            source = node.module or ""
            for alias in node.names:
                whole = f"{source}.{alias.name}"
                yield Import(module, node.lineno, whole if whole in names else source, whole)


def is_script(node: ast.stmt) -> bool:
    """Say whether a statement runs only where the module is the program."""
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def within(name: str, folder: str) -> bool:
    """Say whether a module is this one or lies in it."""
    return name == folder or name.startswith(f"{folder}.")


def is_pure(name: str) -> bool:
    """Say whether a module of ours belongs to the pure middle."""
    if within(name, "monitors") or within(name, "grafana") or name in CORE_OF_SENSORS:
        return True
    return within(name, "engine") and not any(within(name, rim) for rim in RIM)
