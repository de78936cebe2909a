"""Each benchmark runs, and its last line is what `make long` reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.long import ROOT, environment, read_figures, scripts


def quick() -> list[Path]:
    """Name the benchmarks that can do little, or do little always."""
    texts = {path: path.read_text(encoding="utf-8") for path in scripts()}
    return [path for path, text in texts.items() if "--tiny" in text or "argparse" not in text]


@pytest.mark.parametrize("path", quick(), ids=lambda path: path.stem)
def test_a_benchmark_ends_with_its_figures(path: Path) -> None:
    """Called with `--tiny` it prints a table and one JSON object with figures, the machine and the date."""
    command = [sys.executable, str(path), "--tiny"]
    done = subprocess.run(command, cwd=ROOT, env=environment(1), capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    *table, last = done.stdout.splitlines()
    figures = read_figures(last)
    assert table
    assert {"date", "machine"} < figures.keys()
    assert all(isinstance(value, (int, float, str, dict)) for value in figures.values())


def test_the_benchmarks_of_the_promises_are_there() -> None:
    """Speed of the pipeline and of a whole replay are measured by `make long`, and tried here."""
    assert {"pipeline", "replay"} <= {path.stem for path in quick()}
