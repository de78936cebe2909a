"""How fast sensor reports pass the five sensor monitors, decode to encoded emissions, on one core.

The baseline is `json.loads` alone on the same bytes in the same run. Also: bytes of memory a series, seconds to save
and restore 100,000 series, and what a record costs with few and with very many engines.

    python benchmarks/pipeline.py [--long | --tiny]
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from benchmarks import _reports
from benchmarks.long import machine
from engine.events import Message, encode_lines
from engine.pipeline import Pipeline
from manometer.cli.collecting import collecting_rarely

BATCH: Final = 1_000
ROUNDS: Final = 5
ENGINES: Final = 200


def messages(lines: Sequence[bytes]) -> list[Message]:
    """Make messages of lines, as a runner would hand them over."""
    return [Message("notify", 0, place, None, None, line) for place, line in enumerate(lines)]


def new_pipeline() -> Pipeline:
    """Make an empty pipeline of the five sensor monitors."""
    plan = _reports.plan()
    return Pipeline(plan, plan.groups()[0])


def run(pipeline: Pipeline, given: Sequence[Message]) -> int:
    """Apply messages in batches and encode what comes out; gives the number of emissions."""
    emissions = 0
    for start in range(0, len(given), BATCH):
        outcome = pipeline.apply("notify", given[start : start + BATCH])
        encode_lines(outcome.emissions)
        emissions += len(outcome.emissions)
    return emissions


def seconds(work: Callable[[], Any]) -> float:
    """Measure one call in seconds of processor time."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def ratio(count: int) -> dict[str, float]:
    """Compare the pipeline with `json.loads`, taking turns, the best of several rounds each."""
    lines = list(_reports.lines(count, ENGINES))
    given = messages(lines)
    gc.collect()
    baseline, ours = [], []
    with collecting_rarely():  # as the commands do
        for _ in range(ROUNDS):
            baseline.append(seconds(lambda: [json.loads(line) is None for line in lines]))
            pipeline = new_pipeline()
            run(pipeline, given[: ENGINES * len(_reports.TAPS) * 2])
            rest = given[ENGINES * len(_reports.TAPS) * 2 :]
            ours.append(seconds(lambda: run(pipeline, rest)) * len(given) / len(rest))  # noqa: B023 - called at once
    return {
        "reports_per_second": count / min(ours),
        "json_loads_per_second": count / min(baseline),
        "ratio": min(baseline) / min(ours),
    }


def cost(engines: int) -> float:
    """Measure microseconds a record with so many engines, each known already."""
    warm = engines * len(_reports.TAPS) * 2
    count = max(50_000, engines)
    given = messages(list(_reports.lines(warm + count, engines)))
    pipeline = new_pipeline()
    run(pipeline, given[:warm])
    rest = given[warm:]
    with collecting_rarely():
        return seconds(lambda: run(pipeline, rest)) / len(rest) * 1e6


def saving(series: int) -> dict[str, float]:
    """Measure memory a series, and seconds to save and to restore so many series."""
    engines = series // 8
    given = messages(list(_reports.lines(engines * len(_reports.TAPS) * 2, engines)))
    before = _resident_bytes()
    pipeline = new_pipeline()
    run(pipeline, given)
    grown = _resident_bytes() - before
    found = sum(pipeline.series.values())
    saved: list[tuple[bytes, bytes | None]] = []
    save = seconds(lambda: saved.extend(pipeline.snapshot()))
    restored = new_pipeline()
    restore = seconds(lambda: restored.restore(saved))
    return {"series": found, "bytes_per_series": grown / found, "save_seconds": save, "restore_seconds": restore}


def _resident_bytes() -> int:
    """Give the resident memory of this process; where the system does not tell, the largest it ever was."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()


def apart(name: str, *words: str) -> dict[str, Any]:
    """Run one measurement in a process of its own, so that none sees the memory of another."""
    command = [sys.executable, __file__, "--only", name, *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    """Measure, print a table and the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--long", action="store_true", help="up to 100,000 engines")
    size.add_argument("--tiny", action="store_true", help="a few reports, to see that it works")
    parser.add_argument("--only", nargs=2, metavar=("NAME", "N"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    gc.set_threshold(50_000, 20, 50)  # as the command line does
    if given.only:
        name, number = given.only
        found = saving(int(number)) if name == "saving" else {"microseconds": cost(int(number))}
        print(json.dumps(found))
        return 0
    figures: dict[str, Any] = ratio(6_000 if given.tiny else 400_000 if given.long else 120_000)
    figures |= apart("saving", "800" if given.tiny else "100000")
    sizes = (10,) if given.tiny else (10, 1_000, 100_000 if given.long else 10_000)
    costs = {str(engines): apart("cost", str(engines))["microseconds"] for engines in sizes}
    found_lines = list(figures.items()) + [
        (f"microseconds a record, {int(n):,} engines", us) for n, us in costs.items()
    ]
    print(_reports.table(found_lines))
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    print(json.dumps({**figures, "microseconds_a_record": costs, **about}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
