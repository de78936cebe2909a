"""What the shipped code declares, found from the folders: monitors, metrics, alerts, and the pages about them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from engine.catalogue import AlertSpec, MetricSpec, Spec
from engine.monitor import Monitor
from engine.plugins import builtin_monitors
from tests.house.source import ROOT, modules

DOCS: Final = ROOT / "docs"


@cache
def monitors() -> dict[str, type[Monitor]]:
    """Find the monitors of the checkout: one a file of monitors/."""
    return dict(sorted(builtin_monitors().items()))


def monitor_files() -> dict[str, Path]:
    """Name the files in monitors/ that hold a monitor."""
    return {path.stem: path for path in sorted((ROOT / "monitors").glob("*.py")) if not path.stem.startswith("_")}


@cache
def specs() -> dict[str, list[tuple[str, Spec]]]:
    """Collect every MetricSpec and AlertSpec that a module declares: its name -> (module, spec), classes left out."""
    found: dict[str, list[tuple[str, Spec]]] = {}
    for place, spec in _declared():
        entries = found.setdefault(spec.name, [])
        if all(known is not spec for _, known in entries):
            entries.append((place, spec))
    return found


def _declared() -> Iterator[tuple[str, Spec]]:
    for module in modules("archiver", "engine", "monitors"):
        for value in vars(importlib.import_module(module.name)).values():
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, (MetricSpec, AlertSpec)):
                    yield module.name, item


def alerts() -> dict[str, AlertSpec]:
    """Name every alert that a monitor or the engine declares."""
    return {name: spec for name, entries in specs().items() for _, spec in entries if isinstance(spec, AlertSpec)}


def pages(folder: str) -> dict[str, Path]:
    """Name the pages of a folder of docs/, its index left out."""
    return {page.stem: page for page in sorted((DOCS / folder).glob("*.md")) if page.stem not in {"index", "README"}}


def headings(page: Path) -> list[str]:
    """List the headings of a page with their marks, code blocks left out."""
    found, code = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        code ^= line.startswith("```")
        if line.startswith("#") and not code:
            found.append(line)
    return found


def section(page: Path, heading: str) -> str:
    """Give the text below a heading of the second level, up to the next one."""
    _, _, rest = page.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    return rest.partition("\n## ")[0]
