from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import Block, blocks
from tests.house.source import ROOT


def run_python(page: Path) -> list[Block]:
    """Run the Python of a page in the current folder and give all its blocks."""
    found = blocks(page)
    names: dict[str, Any] = {}
    for block in found:
        if block.language == "python":
            exec(compile(block.text, str(page), "exec"), names)  # noqa: S102 - our own pages
    return found


def test_the_queries_on_the_page_give_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each query of the SQLite page, on the store that the page makes, gives the lines below it."""
    monkeypatch.chdir(tmp_path)
    found = run_python(ROOT / "docs" / "sinks" / "sqlite.md")
    queries = [(query, shown) for query, shown in pairwise(found) if query.language == "sql"]

    with closing(sqlite3.connect("store.db")) as store:
        for query, shown in queries:
            lines = ["|".join(map(str, line)) for line in store.execute(query.text)]
            assert "\n".join(lines) + "\n" == shown.text, query.where
    assert len(queries) == 5


def test_the_tables_on_the_page_are_those_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each table, view and column of the store stands on the page as code."""
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "sinks" / "sqlite.md"
    run_python(page)
    text = page.read_text(encoding="utf-8")

    with closing(sqlite3.connect("store.db")) as store:
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
        columns = {name for table in tables for _, name, *_ in store.execute(f"PRAGMA table_info({table})")}
    assert [name for name in (*tables, *columns) if f"`{name}`" not in text] == []


def test_the_lines_on_the_page_are_those_that_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the page of JSON lines makes holds the lines that it shows."""
    monkeypatch.chdir(tmp_path)
    found = run_python(ROOT / "docs" / "sinks" / "json_lines.md")

    shown = [block.text for block in found if block.language == "jsonl"]
    assert shown == [Path("emissions.jsonl").read_text(encoding="utf-8")]
