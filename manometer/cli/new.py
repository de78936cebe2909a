"""`manometer new`: first versions of a monitor or a workflow, that work at once and are there to be changed."""

from __future__ import annotations

import keyword
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from engine.findings import show
from engine.plugins import available_monitors, find_monitor
from manometer.cli.failure import CommandError, told
from manometer.generated import fill, monitor_blocks
from manometer.templates import (
    IMPORTS_ELSEWHERE,
    IMPORTS_IN_CHECKOUT,
    MONITOR,
    MONITOR_PAGE,
    MONITOR_TEST,
    WORKFLOW,
    WORKFLOW_TEST,
)

_MONITOR_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_WORKFLOW_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@click.group("new", no_args_is_help=True)
def command() -> None:
    """Write a first version of a monitor or workflow.

    What is written works at once: its test passes, and it is there to be changed. Files that exist are never touched.

    \b
    Example:
      $ manometer new monitor latency
      $ manometer new workflow fraud

    Exit codes: 0 written; 2 the name is taken or a file cannot be written.

    Read next: docs/tutorial.md
    """  # noqa: D301 - click reads the character that \b stands for


@command.command("monitor")
@click.argument("name")
def monitor(name: str) -> None:
    """Write a monitor with its test and its page.

    In a checkout of Manometer (the current directory or one above it): monitors/NAME.py, tests/monitors/test_NAME.py
    and docs/monitors/NAME.md. Elsewhere all three in ./monitors, for `plugins: [./monitors]` in a workflow file.

    \b
    Example:
      $ manometer new monitor latency

    Exit codes: 0 written; 2 the name is taken or a file cannot be written.

    Read next: docs/tutorial.md, docs/testing.md
    """  # noqa: D301 - click reads the character that \b stands for
    if not _MONITOR_NAME.fullmatch(name) or keyword.iskeyword(name):
        raise CommandError(f"a monitor is named in lower snake case, such as answer_length; got {show(name)}")
    if name in sys.stdlib_module_names:
        raise CommandError(f"Python has a module {name}, which its test could not import any more; choose another name")
    if name in {found.name for found in available_monitors()}:
        raise CommandError(f"there is a monitor {name} already: manometer monitors lists them")
    checkout = find_checkout(Path.cwd())
    with told():
        _monitor_in_checkout(name, checkout) if checkout is not None else _monitor_elsewhere(name)
    found = "" if checkout is not None else "plugins: [./monitors] and "
    click.echo(f"To attach it, a workflow file needs {found}- {{use: {name}, from: STREAM}} below monitors:", err=True)


@command.command("workflow")
@click.argument("name")
def workflow(name: str) -> None:
    """Write a workflow file with a test beside it.

    In a checkout of Manometer: workflows/NAME.yaml and workflows/NAME.test.yaml. Elsewhere in the current directory.

    \b
    Example:
      $ manometer new workflow fraud

    Exit codes: 0 written; 2 the name is taken or a file cannot be written.

    Read next: manometer check --help, manometer test --help
    """  # noqa: D301 - click reads the character that \b stands for
    if not _WORKFLOW_NAME.fullmatch(name) or name.endswith((".yaml", ".yml", ".json", ".test")):
        raise CommandError(f"a workflow is named with letters, digits, - _ and ., such as fraud; got {show(name)}")
    checkout = find_checkout(Path.cwd())
    folder = checkout / "workflows" if checkout is not None else Path.cwd()
    with told():
        _write(
            {
                folder / f"{name}.yaml": WORKFLOW.format(name=name),
                folder / f"{name}.test.yaml": WORKFLOW_TEST.format(name=name),
            }
        )


def find_checkout(folder: Path) -> Path | None:
    """Give the checkout of Manometer that a folder lies in; None elsewhere."""
    for candidate in (folder, *folder.parents):
        project = candidate / "pyproject.toml"
        if project.is_file() and (candidate / "monitors").is_dir() and (candidate / "engine").is_dir():
            try:
                found = tomllib.loads(project.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if found.get("project", {}).get("name") == "manometer":
                return candidate
    return None


def _words(name: str) -> dict[str, str]:
    return {
        "name": name,
        "cls": "".join(part.capitalize() for part in name.split("_")),
        "spec": f"{name.upper()}_MAX",
        "metric": f"{name}_max",
        "workflow": name.replace("_", "-"),
    }


def _monitor_in_checkout(name: str, root: Path) -> None:
    words = {**_words(name), "plugins": "", "see": "[arrival](arrival.md), [threshold](threshold.md)"}
    words["imports"] = IMPORTS_IN_CHECKOUT.format(**words)
    code = root / "monitors" / f"{name}.py"
    page = root / "docs" / "monitors" / f"{name}.md"
    _write(
        {
            code: MONITOR.format(**words),
            root / "tests" / "monitors" / f"test_{name}.py": MONITOR_TEST.format(**words),
            page: MONITOR_PAGE.format(**words),
        }
    )
    _fill(name, code, page)


def _monitor_elsewhere(name: str) -> None:
    words = {**_words(name), "plugins": "plugins: [./monitors]\n", "see": "`manometer monitors` lists the others."}
    words["imports"] = IMPORTS_ELSEWHERE.format(**words)
    folder = Path("monitors")
    code, page = folder / f"{name}.py", folder / f"{name}.md"
    _write(
        {
            code: MONITOR.format(**words),
            folder / f"test_{name}.py": MONITOR_TEST.format(**words),
            page: MONITOR_PAGE.format(**words),
        }
    )
    _fill(name, code, page)


def _fill(name: str, code: Path, page: Path) -> None:
    """Put the generated tables into the new page."""
    found = find_monitor(name, [code.parent])
    page.write_text(fill(page.read_text(encoding="utf-8"), monitor_blocks(found.cls)), encoding="utf-8")


def _write(texts: Mapping[Path, str]) -> None:
    """Write files that are not there yet: all of them or none."""
    for path in texts:
        if path.exists():
            raise CommandError(f"{_shown(path)} is there already; nothing was written")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(f"written: {_shown(path)}")


def _shown(path: Path) -> Path:
    """Give a path as a person in the current folder writes it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
