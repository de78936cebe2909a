"""`manometer check`: every mistake in workflow files, found in one run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import click
import msgspec

from engine.findings import Finding, one_line
from engine.workflow import check, load
from manometer.cli.failure import CommandError, told
from manometer.cli.workflow_file import see_readable

_ENDINGS: Final = (".yaml", ".yml", ".json")
_TESTS: Final = tuple(f".test{ending}" for ending in _ENDINGS)
_KEYS: Final = frozenset({"workflow", "streams", "monitors"})
"""A JSON object of a folder with none of these is no workflow."""


@click.command("check")
@click.argument("workflows", metavar="WORKFLOW...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON array of objects.")
def command(workflows: tuple[str, ...], as_json: bool) -> None:
    """Find every mistake in workflow files.

    All mistakes are found in one run, each on a line of its own: file, line, path, what is wrong and what was
    expected. A warning is something that is allowed and probably not meant.

    WORKFLOW is a file, or a folder: then all .yaml, .yml and .json files in it. Left out are the tests beside
    workflow files, NAME.test.yaml, which manometer test runs, and JSON that is no workflow, such as a profile.

    \b
    Example:
      $ manometer check workflows
      workflows/day.yaml: fine (7 monitors, 2 alerts, 2 streams)
      workflows/demo.yaml: fine (8 monitors, 1 alert, 3 streams)

    Exit codes: 0 no mistakes, with or without warnings; 1 mistakes; 2 a file or folder that cannot be read.

    Read next: manometer test --help, docs/reference/workflow-keys.md
    """  # noqa: D301 - click reads the character that \b stands for
    failures: list[CommandError] = []
    found: list[Finding] = []
    for path in workflow_files(workflows, failures):
        findings = check(path)
        found += findings
        if not as_json:
            for line in map(str, findings) if findings else [fine(path)]:
                click.echo(line)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
    for failure in failures:
        failure.show()
    if failures or any(finding.level == "error" for finding in found):
        raise click.exceptions.Exit(2 if failures else 1)


def fine(path: Path) -> str:
    """Say of a file without mistakes what is in it."""
    plan = load(path)
    parts = [(len(plan.monitors) - plan.alerts, "monitor"), (plan.alerts, "alert"), (len(plan.streams), "stream")]
    told = ", ".join(_some(count, word) for count, word in parts if count or word != "alert")
    return one_line(f"{path}: fine ({told})")


def _some(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def workflow_files(named: Iterable[str], failures: list[CommandError]) -> Iterator[Path]:
    """Give the workflow files that are named, each once; what cannot be read becomes a failure."""
    seen: set[Path] = set()
    for name in named:
        try:
            found = _named(name)
        except CommandError as error:
            failures.append(error)
            continue
        yield from (path for path in found if path not in seen)
        seen.update(found)


def _named(name: str) -> list[Path]:
    """Give the files that one argument stands for: itself, or those of a folder."""
    path = Path(name)
    found = _in_folder(path) if path.is_dir() else _single(path)
    for file in found:
        see_readable(file)
    return found


def _in_folder(folder: Path) -> list[Path]:
    with told():
        members = sorted(folder.iterdir())
    found = [path for path in members if path.suffix in _ENDINGS and path.is_file()]
    found = [path for path in found if not _is_tests(path) and not path.name.startswith(".") and not _is_other(path)]
    if not found:
        raise CommandError(f"{folder}: no workflow file in this folder; expected .yaml, .yml or .json")
    return found


def _single(path: Path) -> list[Path]:
    if not _is_tests(path):
        return [path]
    click.echo(one_line(f"{path}: tests, left out; manometer test runs them"), err=True)
    return []


def _is_tests(path: Path) -> bool:
    return path.name.endswith(_TESTS)


def _is_other(path: Path) -> bool:
    """Say whether a file is whole JSON and no workflow: a profile or a schema that a workflow names, say."""
    if path.suffix != ".json":
        return False
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
    except (OSError, msgspec.DecodeError):
        return False
    return _KEYS.isdisjoint(keys)
