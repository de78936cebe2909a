"""The benchmark of what reporting costs a model runs from end to end."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.long import environment
from benchmarks.reporting import CASES
from tests.house.source import ROOT


def test_each_receiver_gives_a_ratio() -> None:
    """In its shortest form the benchmark ends well, and its last line has a ratio for each kind of receiver."""
    command = [sys.executable, "benchmarks/reporting.py", "--tiny"]

    done = subprocess.run(command, cwd=ROOT, env=environment(1), capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(done.stdout.splitlines()[-1])
    assert set(figures["ratio"]) == set(CASES)
    assert all(ratio > 0 for ratio in figures["ratio"].values())
