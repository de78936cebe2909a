"""What `manometer demo` refuses, in a sentence, and the day that it replays."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from manometer.demo.story import ENGINES
from tests.manometer.commands import run


def test_a_folder_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    """A file in the place of a folder ends it with exit code 2 and no process left."""
    (tmp_path / "taken").write_text("", encoding="utf-8")

    result = run("demo", "--data", tmp_path / "taken")

    assert result.exit_code == 2
    assert "taken" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not [one for one in psutil.Process().children() if set(one.cmdline()) & set(ENGINES)]


@pytest.mark.parametrize("words", [["--store", "x.db"], ["--json"]])
def test_options_of_the_replay_belong_to_it(words: list[str]) -> None:
    """The live demo refuses them and says where they belong."""
    result = run("demo", *words)

    assert result.exit_code == 2
    assert "belong to --replay" in result.stderr


@pytest.mark.parametrize(("words", "expected"), [(["--for", "soon"], "--for soon"), (["--speed", "1"], "--speed")])
def test_options_that_make_no_sense_are_told(words: list[str], expected: str) -> None:
    """A duration that is none, or a speed at which nothing would happen, ends it before anything is started."""
    result = run("demo", *words)

    assert result.exit_code == 2
    assert expected in result.stderr


def test_the_recorded_day_is_replayed_where_it_is_asked_for(tmp_path: Path) -> None:
    """`--replay` prints the report of the day, `--json` as one object, and keeps the store where it is told to."""
    result = run("demo", "--replay", "--json", "--store", tmp_path / "day.db")

    assert result.exit_code == 0
    assert result.stdout.startswith('{"day":"2023-11-16","models":[')
    assert (tmp_path / "day.db").is_file()
