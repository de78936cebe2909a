"""What stands in the file of a monitor: no I/O, no clock, no threads, no chance, nothing global."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Final

from engine.monitor import Monitor

WORLD: Final = frozenset(
    {"asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "requests", "secrets", "shutil"}
    | {"socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib", "uuid"}
)
CALLS: Final = frozenset({"open", "print", "input", "exec", "eval", "__import__", "now", "utcnow", "today"})


def of_source(cls: type[Monitor]) -> Iterator[str]:
    """Look through the whole file; where there is none to be found, through nothing."""
    try:
        tree = ast.parse(inspect.getsource(inspect.getmodule(cls) or cls))
    except (OSError, TypeError, SyntaxError):
        return
    for node in ast.walk(tree):
        for name in _imported(node):
            if name.partition(".")[0] in WORLD:
                yield f"line {getattr(node, 'lineno', 0)}: imports {name}; a monitor knows its records and nothing else"
        if isinstance(node, ast.Call) and _called(node) in CALLS:
            yield f"line {node.lineno}: calls {_called(node)}; a monitor has no I/O and no clock"
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            yield f"line {node.lineno}: changes {', '.join(node.names)}; a monitor has no global state"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []


def _called(node: ast.Call) -> str:
    called = node.func
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
