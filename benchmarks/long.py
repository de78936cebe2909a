"""Runs the long forms of all checks and writes what came out as a table into docs/long-runs.md.

Two kinds are found from the folders, none is listed here: tests marked `long`, whose figures are what they give to
`record_property`, and the other scripts of this folder, called with `--long`, whose figures are the JSON object on
their last line. (With `--tiny` each does little, to see that it works; the tests call them so.) With `--only` the lines
of other checks stay on the page, each with its own date and seed.

    python -m benchmarks.long [--seed N] [--only WORD]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.etree.ElementTree import Element, parse

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "long-runs.md"
ABOUT_THE_MACHINE: Final = frozenset({"date", "machine", "python"})
"""Figures that stand above the table already."""


class Run(NamedTuple):
    """What one check gave."""

    name: str
    result: str
    seconds: float
    figures: Mapping[str, Any]


def scripts() -> list[Path]:
    """Name the benchmarks: every script of the folder but this one."""
    return [path for path in sorted((ROOT / "benchmarks").glob("[!_]*.py")) if path.name != Path(__file__).name]


def run_script(path: Path, seed: int) -> Run:
    """Run a benchmark in its long form; what it prints goes on to the terminal."""
    began = time.monotonic()
    command = [sys.executable, str(path), "--long"]
    last = ""
    with subprocess.Popen(command, cwd=ROOT, env=environment(seed), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            last = line
            sys.stdout.write(line)
            sys.stdout.flush()
    figures = read_figures(last)
    result = "passed" if process.returncode == 0 else f"failed, exit {process.returncode}"
    return Run(f"benchmarks/{path.name}", result, time.monotonic() - began, figures)


def environment(seed: int) -> dict[str, str]:
    """Give scripts the seed and the folder to import from."""
    return {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT), "SEED": str(seed)}


def read_figures(line: str) -> dict[str, Any]:
    """Read a benchmark's last line; a line that is no JSON object has no figures.

    >>> read_figures('{"ratio": 1.0}'), read_figures("done")
    ({'ratio': 1.0}, {})
    """
    try:
        figures = json.loads(line)
    except ValueError:
        return {}
    return figures if isinstance(figures, dict) else {}


def run_tests(seed: int, words: str) -> list[Run]:
    """Run all tests marked `long` in one process, in the order and with the examples of the seed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", "long", "-p", "randomly", f"--randomly-seed={seed}"]
        command += [f"--hypothesis-seed={seed}", f"--junitxml={report}", "-o", "junit_family=xunit1", "-k", words]
        subprocess.run(command, cwd=ROOT, env=environment(seed), check=False)
        return list(read_report(parse(report).getroot())) if report.exists() else []  # noqa: S314 - our own file


def read_report(root: Element) -> Iterator[Run]:
    """Take the tests out of pytest's report."""
    for case in root.iter("testcase"):
        bad = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
        figures = {item.get("name", ""): item.get("value", "") for item in case.iter("property")}
        name = f"{case.get('file') or case.get('classname')}: {case.get('name')}"
        yield Run(name, bad[0] if bad else "passed", float(case.get("time", 0)), figures)


def flat(figures: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Write figures one after the other, nested ones with the names of all levels.

    >>> list(flat({"ratio": 0.98765, "bytes": {"series": 812}, "date": "today"}))
    ['ratio 0.988', 'bytes series 812']
    """
    for name, value in figures.items():
        if not before and name in ABOUT_THE_MACHINE:
            continue
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name} ")
        else:
            yield f"{before}{name} {_number(value)}"


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 - three digits say enough
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def drawn_lines(runs: list[Run], seed: int) -> dict[str, str]:
    """Draw one line a check, by its name."""
    when = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    drawn = {}
    for run in runs:
        figures = "; ".join(flat(run.figures)).replace("|", "\\|")
        drawn[run.name] = f"| `{run.name}` | {run.result} | {when} | {seed} | {run.seconds:,.0f} | {figures} |"
    return drawn


def lines_of(text: str) -> dict[str, str]:
    """Read the lines of a page, by the name of the check."""
    found = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            found[line.split("`")[1]] = line
    return found


def machine() -> str:
    """Name the processor, the cores and the interpreter."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def page(drawn: Mapping[str, str]) -> str:
    """Write the whole page of these lines."""
    lines = ["| check | result | date | seed | seconds | figures |", "| --- | --- | --- | ---: | ---: | --- |"]
    table = "\n".join([*lines, *(drawn[name] for name in sorted(drawn))])
    return f"""# Long runs

What `make long` gave last: the long forms of the tests and benchmarks, each with its date and seed. All of them,
or those with a word in their name, are run again from a seed by `make long ARGS="--seed 1 --only WORD"`.

{machine()}.

{table}
"""


def main() -> int:
    """Run everything, print the table and write the page; gives 1 if something failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long", description="The long forms of all checks.")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeat the run of this seed")
    parser.add_argument("--only", default="", help="only checks with this word in their name; lines of others stay")
    given = parser.parse_args()
    sys.stdout.write(f"seed {given.seed}\n")
    runs = run_tests(given.seed, given.only)
    runs += [run_script(path, given.seed) for path in scripts() if given.only in str(path)]
    drawn = drawn_lines(runs, given.seed)
    sys.stdout.write("\n" + "\n".join(drawn.values()) + "\n")
    kept = lines_of(PAGE.read_text(encoding="utf-8")) if given.only and PAGE.exists() else {}
    PAGE.write_text(page({**kept, **drawn}), encoding="utf-8")
    return 1 if any(run.result not in {"passed", "skipped"} for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
