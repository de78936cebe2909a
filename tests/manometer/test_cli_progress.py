"""The progress bar: on a terminal, for people, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manometer.commands import EMISSIONS, MESSAGES, WORKFLOW, counts, place
from tests.manometer.terminals import seen


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Give the words of a replay."""
    place(tmp_path, {"w.yaml": WORKFLOW, "m.jsonl": MESSAGES})
    return ["replay", str(tmp_path / "w.yaml"), "--input", f"notify={tmp_path / 'm.jsonl'}"]


def test_a_bar_is_shown_and_taken_away(words: list[str], tmp_path: Path) -> None:
    """On a terminal a bar shows how far it is; in the end only the counts are left below it."""
    shown = seen([*words, "--out", str(tmp_path / "o")])

    assert "100%" in shown
    assert shown.endswith("\n")
    assert counts(shown.rpartition("\x1b[2K")[2])["messages"] == len(MESSAGES.splitlines())


def test_results_on_the_same_terminal_come_without_a_bar(words: list[str]) -> None:
    """Where the emissions scroll by, they are the progress; a bar would tear them apart."""
    shown = seen(words)

    assert "\x1b" not in shown
    assert shown.startswith(EMISSIONS.decode())


def test_without_a_terminal_there_is_no_bar(words: list[str]) -> None:
    """Emissions on a terminal and standard error elsewhere: not a byte more than the emissions."""
    assert seen(words, on=["stdout"]) == EMISSIONS.decode()


def test_an_empty_file_needs_no_percentage(words: list[str], tmp_path: Path) -> None:
    """A file of no bytes is read to its end at once."""
    place(tmp_path, {"m.jsonl": b""})

    assert counts(seen([*words, "--out", str(tmp_path / "o")]).rpartition("\x1b[2K")[2])["messages"] == 0
