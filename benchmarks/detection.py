"""The judge of input_drift: what it finds in streams of which it is known where they drift, how late, and what else.

In each run of a scenario the reference (20 windows) and the stream are drawn anew; drift starts anywhere in a window.
Recall is the share of runs in which the alert of the drifting field fires while it drifts; delay the records from the
start of the drift to the close of the window that fires, the median over the runs; precision the share of all alerts
that began in a window with drift, of a field that drifts. All others are false alarms, given over those that the
budget allows.

    python benchmarks/detection.py [--long | --tiny] [--write]

The exit code is 1 where a scenario is below the floor. `--write` puts the table into docs/detection.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from math import sqrt
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks._scenarios import BEFORE, SCENARIOS, WINDOW, Scenario, records_of
from benchmarks.long import machine
from engine.events import Alert, Record
from engine.times import SECOND
from monitors.input_drift import InputDrift
from monitors.stats.learning import FIRST_OF_FILE, Learner, Learning
from monitors.stats.profile import write_profile

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "detection.md"
REFERENCE: Final = 20 * WINDOW
BUDGET_WINDOWS: Final = 100
"""Windows in which one false alarm is allowed, all fields together."""
OTHERS: Final = ("ks", "psi", "wasserstein")
"""Scores that the long form judges beside the default."""
RECALL: Final = 0.9
PRECISION: Final = 0.7
"""With the whole budget used it would be 10 / 13: one drift and 0.3 false alarms in 30 quiet windows."""
DELAY: Final = 4 * WINDOW
MOST: Final = 1.2
"""False alarms over those that are allowed; on top of it comes what chance may add."""
CHANCE: Final = 3.0
"""Standard deviations."""
TABLE: Final = re.compile(r"(<!-- measured -->\n).*?(<!-- measured: end -->)", re.DOTALL)


class Run(NamedTuple):
    """What came of one stream."""

    delay: int | None
    """Records; None where the drift was not found."""
    right: int
    """Alerts that began in a window with drift, of a field that drifts."""
    false: int
    quiet: int
    """Windows without drift."""


class Judged(NamedTuple):
    """What came of all runs of a scenario."""

    scenario: Scenario
    score: str
    runs: Sequence[Run]

    @property
    def recall(self) -> float | None:
        """Share of the drifts that were found; None where there are none."""
        return sum(run.delay is not None for run in self.runs) / len(self.runs) if self.scenario.drifting else None

    @property
    def precision(self) -> float | None:
        """Share of the alerts that were right; None where none could be, or none came."""
        right, false = sum(run.right for run in self.runs), sum(run.false for run in self.runs)
        return right / (right + false) if self.scenario.drifting and right + false else None

    @property
    def delay(self) -> float | None:
        """Median of the delays in records."""
        delays = [run.delay for run in self.runs if run.delay is not None]
        return float(np.median(delays)) if delays else None

    @property
    def allowed(self) -> float:
        """False alarms that the budget allows."""
        return sum(run.quiet for run in self.runs) / BUDGET_WINDOWS

    @property
    def false(self) -> int:
        """False alarms."""
        return sum(run.false for run in self.runs)

    def misses(self) -> list[str]:
        """Say where it is below the floor."""
        found = []
        if self.recall is not None and self.recall < RECALL:
            found.append(f"{self.scenario.name}: recall {self.recall:.2f}, expected at least {RECALL}")
        if self.delay is not None and self.delay > DELAY:
            found.append(f"{self.scenario.name}: delay {self.delay:.0f} records, expected at most {DELAY}")
        most = MOST * self.allowed + CHANCE * sqrt(MOST * self.allowed)
        if self.false > most:
            found.append(f"{self.scenario.name}: {self.false} false alarms, expected at most {most:.1f}")
        return found

    def figures(self) -> dict[str, Any]:
        """Give all figures that there are."""
        given = {"recall": self.recall, "precision": self.precision, "delay": self.delay}
        told = {name: round(value, 3) for name, value in given.items() if value is not None}
        return {**told, "false_alarms_over_budget": round(self.false / self.allowed, 3)}


def misses(judged: Sequence[Judged]) -> list[str]:
    """Say what is below the floor; precision of all scenarios together, since few alerts of one are chance."""
    found = [miss for one in judged for miss in one.misses()]
    runs = [run for one in judged if one.scenario.drifting for run in one.runs]
    right, false = sum(run.right for run in runs), sum(run.false for run in runs)
    if right < PRECISION * (right + false):
        found.append(f"precision {right / (right + false):.2f}, expected at least {PRECISION}")
    return found


def run(scenario: Scenario, score: str, seed: int) -> Run:
    """Draw a reference and a stream, and look for its drift."""
    generator = np.random.default_rng(seed)
    before = records_of(scenario.draw(generator, np.zeros(REFERENCE)))
    start = (BEFORE * WINDOW) + int(generator.integers(WINDOW))
    amounts = scenario.amounts(start)
    stream = records_of(scenario.draw(generator, amounts))
    drifts = amounts.reshape(-1, WINDOW).max(axis=1) > 0
    right = false = 0
    delay = None
    for time, field, firing in alerts(monitor(before, score), stream):
        found = field == scenario.drifting and drifts[time // WINDOW]
        right += firing and found
        false += firing and not found
        if firing and found and delay is None:
            delay = time + 1 - start
    return Run(delay, right, false, int((~drifts).sum()))


def monitor(before: list[dict[str, Any]], score: str) -> InputDrift:
    """Make the monitor, with the profile of these records."""
    budget = f"1 per {BUDGET_WINDOWS * WINDOW} records"
    options = InputDrift.Options(reference="it.json", window=WINDOW, false_alarms=budget, score=score)  # type: ignore[arg-type]  # checked there
    made = InputDrift(options)
    learning, learner = Learning(), Learner(list(before[0]), first=FIRST_OF_FILE)
    learner.take(learning, before)
    made.take_file("reference", write_profile(learner.finish(learning)).encode())
    return made


def alerts(watching: InputDrift, stream: list[dict[str, Any]]) -> list[tuple[int, str, bool]]:
    """Give the alerts over a stream: the record that closed the window, the field, and whether it fires."""
    records = [Record("s", "s", n * SECOND, None, None, one, False, ("s", 0, n)) for n, one in enumerate(stream)]
    emitted = watching.on_batch(records, InputDrift.State())
    found = [one for _, one in emitted if isinstance(one, Alert)]
    return [(one.time // SECOND, (one.tags or {})["field"], one.firing) for one in found]


def judge(scenario: Scenario, score: str, *, runs: int, seed: int) -> Judged:
    """Run a scenario so many times."""
    seeds = np.random.SeedSequence([seed, SCENARIOS.index(scenario)]).generate_state(runs)
    return Judged(scenario, score, [run(scenario, score, int(one)) for one in seeds])


def table(judged: Sequence[Judged]) -> str:
    """Draw the table of one score."""
    lines = ["| scenario | what drifts | recall | precision | delay, records | false alarms / budget |"]
    lines += ["| --- | --- | ---: | ---: | ---: | ---: |"]
    for one in judged:
        figures = one.figures()
        recall, precision = (_share(figures.get(name)) for name in ("recall", "precision"))
        delay = "" if one.delay is None else f"{one.delay:,.0f}"
        false = f"{one.false} / {one.allowed:.0f}"
        lines.append(f"| {one.scenario.name} | {one.scenario.told} | {recall} | {precision} | {delay} | {false} |")
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def told_others(others: Mapping[str, Sequence[Judged]]) -> str:
    """Draw recall and delay of other scores side by side."""
    names = [one.scenario.name for one in next(iter(others.values())) if one.scenario.drifting]
    lines = [f"| recall, delay | {' | '.join(others)} |", f"| --- |{' ---: |' * len(others)}"]
    for name in names:
        found = [next(one for one in judged if one.scenario.name == name) for judged in others.values()]
        cells = [f"{_share(one.recall)}, {'-' if one.delay is None else f'{one.delay:,.0f}'}" for one in found]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write(text: str, runs: int, seed: int) -> None:
    """Put tables into the page."""
    when = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    head = f"Date {when}, seed {seed}, {runs} runs of each scenario, {machine()}."
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TABLE.sub(lambda found: f"{found[1]}\n{head}\n\n{text}\n\n{found[2]}", page), encoding="utf-8")


def main() -> int:
    """Judge everything and print; gives 1 where something is below the floor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--long", action="store_true", help="200 runs of each scenario, and other scores too")
    size.add_argument("--tiny", action="store_true", help="a moment, to see that it works")
    parser.add_argument("--write", action="store_true", help="put the table into docs/detection.md")
    given = parser.parse_args()
    runs, seed = (200 if given.long else 1 if given.tiny else 20), int(os.environ.get("SEED", "1"))
    scenarios = SCENARIOS[:2] if given.tiny else SCENARIOS
    judged = [judge(scenario, "js", runs=runs, seed=seed) for scenario in scenarios]
    text = table(judged)
    print(text, flush=True)
    if given.long:
        others = {score: [judge(one, score, runs=runs // 4, seed=seed) for one in scenarios] for score in OTHERS}
        print(told_others(others))
        text += f"\n\nRecall and delay with other scores, {runs // 4} runs of each scenario:\n\n{told_others(others)}"
    if given.write:
        write(text, runs, seed)
    below = [] if given.tiny else misses(judged)
    print("\n".join(below) or "every scenario is above the floor")
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    print(json.dumps({"runs": runs, "seed": seed, **{one.scenario.name: one.figures() for one in judged}, **about}))
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
