"""Whether input_drift keeps its budget of false alarms, on streams that do not drift.

Each reference is drawn anew, since one that is off by chance is off for its whole life; what counts is the average. The
figure is alerts that fired, over alerts that the budget allows: it should lie between 0.3 and 1.2.

    python benchmarks/budget.py [--long] [--workers N]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from datetime import datetime, timezone
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.long import machine
from engine.events import Alert, Record
from engine.times import SECOND
from monitors.input_drift import InputDrift
from monitors.stats.learning import FIRST_OF_FILE, Learner, Learning
from monitors.stats.profile import write_profile

Draw = Callable[[np.random.Generator, int], NDArray[Any]]

WINDOW: Final = 100
BUDGET_WINDOWS: Final = 50
"""Windows in which one alert is allowed."""
BUDGET_OF_MANY: Final = 10
"""The same where fields are many: each of fifty has one alert in 500 windows."""
REFERENCE: Final = 20 * WINDOW
LOW: Final = 0.3
HIGH: Final = 1.2

KINDS: Final[Mapping[str, Draw]] = {
    "normal": lambda generator, count: generator.normal(size=count),
    "lognormal": lambda generator, count: generator.lognormal(size=count),
    "t2": lambda generator, count: generator.standard_t(2, size=count),
    "uniform": lambda generator, count: generator.uniform(size=count),
    "poisson": lambda generator, count: generator.poisson(3, size=count),
    "three": lambda generator, count: generator.choice(np.array(["a", "b", "c"]), p=[0.7, 0.28, 0.02], size=count),
    "thousand": lambda generator, count: np.char.add("v", generator.integers(0, 1000, size=count).astype(str)),
    "constant": lambda _, count: np.full(count, 7.0),
}
"""Kinds of fields; `correlated` is made of normal ones that share most of their variance."""


class Trial(NamedTuple):
    """What is tried: a kind of field, how many at once, and where the reference comes from."""

    kind: str
    fields: int = 1
    learn: bool = False
    score: str = "js"
    reference: int = REFERENCE
    budget: int = BUDGET_WINDOWS

    def __str__(self) -> str:
        """Name it as a line of the table."""
        source = "learn" if self.learn else "profile"
        return f"{self.kind} x {self.fields}, {source}, {self.score}, reference {self.reference // WINDOW} windows"


def values(trial: Trial, generator: np.random.Generator, count: int) -> list[dict[str, Any]]:
    """Draw records."""
    if trial.kind == "correlated":
        shared = generator.normal(size=count)
        drawn = [0.95 * shared + 0.3 * generator.normal(size=count) for _ in range(trial.fields)]
    elif trial.kind == "mixed":
        drawn = [list(KINDS.values())[n % 7](generator, count) for n in range(trial.fields)]
    else:
        drawn = [KINDS[trial.kind](generator, count) for _ in range(trial.fields)]
    names = [f"f{n}" for n in range(trial.fields)]
    return [dict(zip(names, one, strict=True)) for one in zip(*(column.tolist() for column in drawn), strict=True)]


def alerts(trial: Trial, windows: int, seed: int) -> float:
    """Watch so many windows after one reference; gives alerts that fired over alerts that were allowed."""
    generator = np.random.default_rng(seed)
    names = [f"f{n}" for n in range(trial.fields)]
    before = values(trial, generator, trial.reference)
    source = {"learn": trial.reference, "fields": names} if trial.learn else {"reference": "it.json"}
    budget = f"1 per {trial.budget * WINDOW} records"
    given = {**source, "window": WINDOW, "false_alarms": budget, "score": trial.score}
    monitor = InputDrift(InputDrift.Options.model_validate_json(json.dumps(given)))
    state = InputDrift.State()
    if trial.learn:
        list(monitor.on_batch(records(before), state))
    else:
        learning, learner = Learning(), Learner(names, first=FIRST_OF_FILE)
        learner.take(learning, before)
        monitor.take_file("reference", write_profile(learner.finish(learning)).encode())
    emitted = monitor.on_batch(records(values(trial, generator, windows * WINDOW)), state)
    fired = sum(isinstance(one, Alert) and one.firing for _, one in emitted)
    return fired / (windows / trial.budget)


def records(given: list[dict[str, Any]]) -> list[Record]:
    """Make records, one a second."""
    return [Record("s", "s", n * SECOND, None, None, one, False, ("s", 0, n)) for n, one in enumerate(given)]


def ratios(pool: Executor, trial: Trial, *, references: int, windows: int, seed: int) -> NDArray[np.float64]:
    """Try with references that are drawn independently; gives the ratio of each."""
    seeds = np.random.SeedSequence(seed).generate_state(references).tolist()
    return np.array(list(pool.map(partial(alerts, trial, windows), seeds)))


def trials(*, long: bool) -> list[Trial]:
    """Name what is tried."""
    if not long:
        return [Trial("t2"), Trial("poisson", learn=True), Trial("mixed", 7)]
    sizes = [Trial("normal", reference=size * WINDOW) for size in (5, 100)]
    scores = [Trial(kind, score=score) for kind in ("t2", "poisson", "three") for score in SCORES]
    both = [Trial(kind, learn=learn) for kind in KINDS for learn in (False, True)]
    many = [
        Trial(kind, 50, learn=learn, budget=BUDGET_OF_MANY)
        for kind in ("mixed", "correlated")
        for learn in (False, True)
    ]
    return [*many, *both, *sizes, *scores]


SCORES: Final = ("psi", "ks", "wasserstein", "chi2", "hellinger", "l_infinity")


def main() -> int:
    """Try everything and print; gives 1 where the budget is not kept."""
    parser = argparse.ArgumentParser(description="False alarms of input_drift against its budget.")
    parser.add_argument("--long", action="store_true", help="at least 2,000 budget lengths each")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes that share the references")
    given = parser.parse_args()
    references, lengths = (200, 10) if given.long else (40, 2)
    figures: dict[str, Any] = {}
    kept = True
    with ProcessPoolExecutor(given.workers) as pool:
        for trial in trials(long=given.long):
            began = time.monotonic()
            windows, seed = lengths * trial.budget, int(os.environ.get("SEED", "1"))
            found = ratios(pool, trial, references=references, windows=windows, seed=seed)
            mean, (low, high) = float(found.mean()), np.percentile(found, [5, 95]).tolist()
            kept = kept and (mean == 0 if trial.kind == "constant" else LOW <= mean <= HIGH)
            figures[str(trial)] = {"mean": round(mean, 3), "p5": round(low, 2), "p95": round(high, 2)}
            seconds = time.monotonic() - began
            print(f"{trial!s:55}  {mean:6.3f}  single references {low:.2f} to {high:.2f}  {seconds:.0f} s", flush=True)
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    together = references * lengths
    print(f"{together:,} budget lengths each; the budget is {'kept' if kept else 'not kept'}")
    print(json.dumps({"budget_lengths_each": together, "alerts_over_budget": figures, **about}))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
