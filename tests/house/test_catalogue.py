"""Declared, emitted and documented are the same: monitors, their options, their metrics and their pages."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Final

import pytest

from archiver.audit_metrics import AUDIT, INCOMPLETE
from engine.catalogue import AlertSpec
from engine.monitor import Monitor
from engine.notices import OWN_ALERTS
from engine.telemetry import TELEMETRY
from tests.docs.blocks import blocks
from tests.house.declared import DOCS, headings, monitor_files, monitors, pages, section, specs
from tests.house.source import listed

SECTIONS: Final = ["Sample", "Options", "Emits", "Meaning", "Delivery", "See also"]
SENTENCE: Final = 200
"""Characters that the sentence under a title may have."""

each_monitor = pytest.mark.parametrize("name", list(monitor_files()))


def test_each_file_of_the_folder_is_a_monitor() -> None:
    """A file in monitors/ holds one monitor, and its name is the name in workflow files."""
    assert sorted(monitors()) == sorted(monitor_files())
    wrong = [
        f"{name}: {cls.__module__}" for name, cls in monitors().items() if cls.__module__.rpartition(".")[2] != name
    ]

    assert not wrong, listed(wrong)


def test_each_monitor_has_a_page_and_a_test_and_each_page_a_monitor() -> None:
    """For monitors/NAME.py there are docs/monitors/NAME.md and tests/monitors/test_NAME.py, and no page for nothing."""
    tests = {path.stem.removeprefix("test_") for path in (DOCS.parent / "tests" / "monitors").rglob("test_*.py")}
    found = [f"{name}: docs/monitors/{name}.md is missing" for name in monitors() if name not in pages("monitors")]
    found += [f"{name}: tests/monitors/test_{name}.py is missing" for name in monitors() if name not in tests]
    found += [
        f"docs/monitors/{name}.md: there is no such monitor" for name in pages("monitors") if name not in monitors()
    ]

    assert not found, listed(found)


@each_monitor
def test_a_page_has_its_parts_in_order(name: str) -> None:
    """Every monitor's page reads alike: name, one sentence, sample, options, emits, meaning, delivery, see also."""
    title, *rest = headings(pages("monitors")[name])
    parts = [heading.removeprefix("## ") for heading in rest if heading.startswith("## ")]

    assert title == f"# {name}"
    assert parts == SECTIONS


@each_monitor
def test_a_page_begins_with_one_sentence(name: str) -> None:
    """Under the title stands one sentence that says what the monitor is for."""
    text = pages("monitors")[name].read_text(encoding="utf-8").partition("\n## ")[0]
    sentence = " ".join(text.split("\n", 1)[1].split())

    assert sentence.endswith(".")
    assert ". " not in sentence
    assert len(sentence) <= SENTENCE


@each_monitor
def test_a_page_shows_a_whole_sample_first(name: str) -> None:
    """The first YAML block of a page is a complete workflow that uses the monitor; it stands under `Sample`."""
    page = pages("monitors")[name]
    first = next(block for block in blocks(page) if block.language == "yaml")

    assert first.text in section(page, "Sample")
    assert first.is_workflow
    assert f"use: {name}" in first.text


@each_monitor
def test_a_page_has_its_generated_tables(name: str) -> None:
    """The tables of options and emissions stand between markers, so that they are written by `make docs`."""
    page = pages("monitors")[name]

    assert "<!-- generated: options -->" in section(page, "Options")
    assert "<!-- generated: emits -->" in section(page, "Emits")


@each_monitor
def test_every_option_is_described(name: str) -> None:
    """Each option has a description that is a sentence."""
    found = [
        option
        for option, field in monitors()[name].Options.model_fields.items()
        if not (field.description or "").endswith(".")
    ]

    assert not found, listed(found)


@each_monitor
def test_a_monitor_declares_what_its_file_makes(name: str) -> None:
    """Each spec in a monitor's file is in `emits`, and each in `emits` is in its file or in the engine."""
    monitor = monitors()[name]
    own = {spec.name for found in specs().values() for place, spec in found if place == monitor.__module__}

    assert own <= {spec.name for spec in monitor.emits}
    assert {spec.name for spec in monitor.emits} <= set(specs())


def test_a_name_is_declared_once() -> None:
    """Two declarations never share a name: a metric means the same wherever it comes from."""
    found = [
        f"{name}: {', '.join(place for place, _ in entries)}" for name, entries in specs().items() if len(entries) > 1
    ]

    assert not found, listed(found)


def test_what_is_declared_is_emitted_by_someone() -> None:
    """Each metric and alert belongs to a monitor or to the engine; nothing is declared and forgotten."""
    emitted = {spec.name for monitor in monitors().values() for spec in monitor.emits}
    emitted |= {spec.name for spec in (*TELEMETRY, *AUDIT, *OWN_ALERTS, INCOMPLETE)}

    assert not (lost := sorted(set(specs()) - emitted)), listed(lost)


def test_each_spec_says_what_it_means() -> None:
    """Help texts are sentences, and no two specs have the same one."""
    helps = {name: entries[0][1].help for name, entries in specs().items()}
    found = [f"{name}: {text!r}" for name, text in helps.items() if not text.endswith(".") or not text[0].isupper()]

    assert not found, listed(found)
    assert len(set(helps.values())) == len(helps)


@each_monitor
def test_a_monitor_explains_itself(name: str) -> None:
    """A monitor's class has a docstring of its own whose first line is a sentence."""
    text = inspect.getdoc(monitors()[name]) or ""

    assert text != inspect.getdoc(Monitor)
    assert text.splitlines()[0].endswith(".")


def test_everything_emitted_stands_in_a_table() -> None:
    """Each metric and alert has its line: on the page of a monitor, or where the engine's own are."""
    tables = [Path(DOCS / "reference" / "catalogue.md").read_text(encoding="utf-8")]
    tables += [section(page, "Emits") for page in pages("monitors").values()]
    lost = [name for name in specs() if not any(f"| `{name}` |" in table for table in tables)]

    assert not lost, listed(lost)
    assert any(isinstance(spec, AlertSpec) for entries in specs().values() for _, spec in entries)
