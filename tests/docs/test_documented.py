"""Everything public is documented: monitors, options, metrics, alerts, commands and workflow keys."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from click import Command, Context, Group, formatting

from engine.workflow_keys import WorkflowKeys
from manometer.cli.main import main
from manometer.generated import UnknownBlock, fill, outdated
from manometer.option_types import type_text
from manometer.reference import command_pages, keys_of
from tests.docs.blocks import all_pages
from tests.house.declared import DOCS, monitors, pages, specs
from tests.house.source import ROOT, listed


def documentation() -> str:
    """Give the text of all pages."""
    return "\n".join(page.read_text(encoding="utf-8") for page in all_pages())


def context_of(command: Command) -> Context:
    """Give a context as the command line makes it; click remembers from the first one how help is asked for."""
    return Context(command, **main.context_settings)


def commands(command: Command, path: str = "manometer") -> Iterator[tuple[str, Command]]:
    """Walk all commands that are shown, with their full names."""
    yield path, command
    if isinstance(command, Group):
        context = context_of(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, f"{path} {name} is listed and not there"
            if not inner.hidden:
                yield from commands(inner, f"{path} {name}")


def test_the_generated_parts_are_current() -> None:
    """The tables on the pages are what the code declares now; if not, `make docs` writes them."""
    found = [str(page.relative_to(ROOT)) for page in outdated(DOCS)]

    assert not found, listed(found)


def test_the_reference_depends_on_nothing_that_ran_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forced width, a narrow terminal or a context of somebody else do not change a letter of the command line."""
    before = command_pages(main)
    monkeypatch.setattr(formatting, "FORCED_WIDTH", 40)
    monkeypatch.setenv("COLUMNS", "50")
    for _, command in commands(main):
        monkeypatch.setattr(command, "_help_option", None)
        assert "--explain" in command.get_help(Context(command, help_option_names=["--explain"]))

    assert command_pages(main) == before


def test_every_monitor_metric_and_alert_is_named_on_a_page() -> None:
    """Names of the catalogue occur in the docs as code; a monitor's is the title of its page."""
    text = documentation()
    lost = [name for name in monitors() if f"# {name}\n" not in text]
    lost += [name for name in specs() if f"`{name}`" not in text]

    assert not lost, listed(lost)


def test_every_option_is_named_on_the_page_of_its_monitor() -> None:
    """The page of a monitor has each of its options as code."""
    lost = [
        f"{name}: {key.name}"
        for name, monitor in monitors().items()
        for key in keys_of(monitor.Options)
        if f"`{key.name}`" not in pages("monitors")[name].read_text(encoding="utf-8")
    ]

    assert not lost, listed(lost)


def test_every_command_is_documented_and_has_an_example() -> None:
    """Each command stands in the reference, and outside of it some page shows it at work."""
    reference = (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
    examples = documentation().replace(reference, "")
    leaves = [path for path, command in commands(main) if not isinstance(command, Group)]
    lost = [f"{path}: not in docs/reference/command-line.md" for path in leaves if f"# {path}\n" not in reference]
    lost += [f"{path}: no example" for path in leaves if not re.search(rf"{path}\b", examples)]

    assert not lost, listed(lost)


def test_the_reference_shows_what_a_terminal_shows() -> None:
    """What stands on the page of a command is what its `--help` prints on a terminal of 80 columns."""
    reference = (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
    lost = []
    for path, _ in commands(main):
        words = [sys.executable, "-m", *path.split(), "--help"]
        done = subprocess.run(words, env={**os.environ, "COLUMNS": "80"}, capture_output=True, text=True, check=True)
        printed = done.stdout.strip()
        if printed not in reference:
            lost.append(f"{path}\n{printed}")

    assert not lost, listed(lost)


def test_every_command_and_option_has_help() -> None:
    """`--help` says of each command, argument and option what it is for."""
    lost = [path for path, command in commands(main) if not (command.help or "").strip()]
    lost += [
        f"{path}: {parameter['name']}"
        for path, command in commands(main)
        for parameter in command.to_info_dict(context_of(command))["params"]
        if parameter["param_type_name"] == "option" and not parameter.get("help")
    ]

    assert not lost, listed(lost)


def test_every_workflow_key_is_documented() -> None:
    """Each key of the workflow file stands in the reference, with a meaning."""
    reference = (DOCS / "reference" / "workflow-keys.md").read_text(encoding="utf-8")
    keys = [(model.__name__, key) for model in WorkflowKeys.__subclasses__() for key in keys_of(model)]
    lost = [f"{name}: {key.name}" for name, key in keys if f"| `{key.name}` |" not in reference or not key.description]

    assert not lost, listed(lost)
    assert len(keys) > len(WorkflowKeys.__subclasses__())


def test_filling_a_page_keeps_what_people_wrote() -> None:
    """Only what stands between markers changes; filling twice changes nothing more."""
    page = "# A\n\n<!-- generated: options -->\nold\n<!-- end -->\n\nwords\n"
    once = fill(page, {"options": "new"})

    assert once == "# A\n\n<!-- generated: options -->\n\nnew\n\n<!-- end -->\n\nwords\n"
    assert fill(once, {"options": "new"}) == once


def test_an_unknown_marker_is_an_error() -> None:
    """A slip of the pen in a marker is not passed over."""
    with pytest.raises(UnknownBlock) as caught:
        fill("<!-- generated: optoins -->\n<!-- end -->", {"options": ""})

    assert caught.value.name == "optoins"


def test_a_type_reads_like_a_workflow_file() -> None:
    """Types are told in the words of YAML and not of Python."""
    assert type_text(dict[str, str]) == "map of text to text"
    assert type_text(tuple[str, ...] | None) == "list of text"
    assert type_text(bool | int) == "true or false or integer"
