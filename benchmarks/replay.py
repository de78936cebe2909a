"""How long `manometer replay` takes for a file of sensor reports, as a whole process, start-up and all.

The baseline is `json.loads` of the lines of the same file in the same run. Both take turns, and the best of several
rounds counts; the processor time beside it does not depend on what else the machine does.

    python benchmarks/replay.py [--long | --tiny]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks import _reports
from benchmarks.long import ROOT, machine

LINES: Final = 400_000
ENGINES: Final = 200
WORKFLOW: Final = """\
workflow: benchmark
streams:
  notify: {topic: notify, decode: sensors}
monitors:
  - {use: throughput, from: notify}
  - {use: record_count, from: notify}
  - {use: rejected_records, from: notify}
  - {use: resources, from: notify}
  - {use: health, from: notify}
archive: {topic: archive}
"""


class Taken(NamedTuple):
    """What a piece of work took, in seconds."""

    passed: float
    """On the clock."""
    processor: float


def taken(work: Callable[[], object], whose: int) -> Taken:
    """Measure one call; `whose` processor time counts, that of this process or of its children."""
    before = _processor(whose)
    begun = time.perf_counter()
    work()
    return Taken(time.perf_counter() - begun, _processor(whose) - before)


def _processor(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def write_files(folder: Path, count: int) -> None:
    """Write the workflow and its input."""
    (folder / "workflow.yaml").write_text(WORKFLOW, encoding="utf-8")
    with (folder / "notify.jsonl").open("wb") as file:
        file.writelines(line + b"\n" for line in _reports.lines(count, ENGINES))


def replay(folder: Path) -> dict[str, Any]:
    """Run the command as a person does; gives its counts."""
    words = ["replay", "workflow.yaml", "--input", "notify=notify.jsonl", "--out", "emissions.jsonl"]
    command = [sys.executable, "-m", "manometer", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, stderr=subprocess.PIPE, check=True)
    counts: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return counts


def load_lines(path: Path) -> None:
    """Read a file and do nothing with its lines but `json.loads`."""
    with path.open("rb") as file:
        for line in file:
            json.loads(line)


def measure(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Compare the two on a file of so many lines."""
    write_files(folder, count)
    ours, baseline, counts = [], [], dict[str, Any]()
    for _ in range(rounds):
        baseline.append(taken(lambda: load_lines(folder / "notify.jsonl"), resource.RUSAGE_SELF))
        ours.append(taken(lambda: counts.update(replay(folder)), resource.RUSAGE_CHILDREN))
    best, least = (Taken(*map(min, zip(*each, strict=True))) for each in (ours, baseline))
    return {
        "lines": counts["messages"],
        "emissions": counts["emissions"],
        "replay_seconds": best.passed,
        "lines_per_second": counts["messages"] / best.passed,
        "json_loads_seconds": least.passed,
        "ratio": least.passed / best.passed,
        "ratio_of_processor_time": least.processor / best.processor,
    }


def main() -> int:
    """Measure, print a table and the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--long", action="store_true", help="more rounds")
    size.add_argument("--tiny", action="store_true", help="a few lines, to see that it works")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), 2_000 if given.tiny else LINES, 5 if given.long else 1 if given.tiny else 3)
    print(_reports.table(list(figures.items())))
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    print(json.dumps({**figures, **about}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
