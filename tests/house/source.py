"""The code as the house tests read it: modules with their syntax trees, and the files of the repository."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
ROOMS: Final = ("archiver", "engine", "grafana", "manometer", "monitors", "sensors")
"""The packages that are shipped."""
ALL: Final = (*ROOMS, "benchmarks", "tests", "tools")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(NamedTuple):
    """One module: its dotted name, its file and its syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def shown(self) -> str:
        """The file as a finding names it."""
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")


@cache
def modules(*rooms: str) -> tuple[Module, ...]:
    """Read all modules of some rooms, by default of those that are shipped."""
    paths = sorted(path for room in rooms or ROOMS for path in (ROOT / room).rglob("*.py"))
    return tuple(_read(path) for path in paths if path.suffix == ".py")


def _read(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, path, ast.parse(path.read_text(encoding="utf-8"), str(path)))


def listed(found: Iterable[str]) -> str:
    """Show all findings, one a line."""
    return "\n".join(["", *found])


def functions(tree: ast.AST) -> Iterator[Function]:
    """Walk all functions and methods, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


@cache
def files() -> tuple[Path, ...]:
    """Name the files of the repository: what git tracks or would track, without git everything that is not hidden."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 - git of the PATH
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [path for path in ROOT.rglob("*") if not _hidden(path)]
    return tuple(path for path in sorted(names) if path.is_file())


def _hidden(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return any((part.startswith(".") and part != ".ci") or part == "__pycache__" for part in parts)
