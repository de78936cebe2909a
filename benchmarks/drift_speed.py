"""How fast input_drift is: records as JSON through a pipeline in one process, against json.loads of the same.

python benchmarks/drift_speed.py [--long | --tiny]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import cache
from typing import Any, Final

import numpy as np

from benchmarks import _reports
from benchmarks.long import machine
from engine.decoders import StreamSettings
from engine.decoders.json import Json
from engine.events import Message, Record
from engine.pipeline import Pipeline
from engine.plan import Attached, Plan, Stream
from monitors.input_drift import InputDrift
from monitors.stats.learning import FIRST_OF_FILE, Learner, Learning
from monitors.stats.profile import write_profile

RECORDS: Final = 356_000
COLUMNS: Final = 100
REFERENCE: Final = 20_000
BATCH: Final = 1_000
FIELDS: Final = 16
READY: Final = 5.0
"""Seconds within which thresholds of 16 fields have to be there."""
MOST: Final = 3.0
"""Times that json.loads takes: what it may take at most."""


def drawn(count: int, seed: int) -> Iterator[dict[str, float]]:
    """Give records of numbers: continuous, rounded, whole and with few values, a quarter of the columns each."""
    generator = np.random.default_rng(seed)
    names = [f"c{n}" for n in range(COLUMNS)]
    for start in range(0, count, BATCH):
        block = generator.normal(size=(min(BATCH, count - start), COLUMNS))
        block[:, 1::4] = np.round(block[:, 1::4], 2)
        lists = block.tolist()
        for values in lists:
            values[2::4] = [int(10 * value) for value in values[2::4]]
            values[3::4] = [int(value > 0) for value in values[3::4]]
            yield dict(zip(names, values, strict=True))


@cache
def profile() -> bytes:
    """Make the profile of other records of the same kind."""
    learning, learner = Learning(), Learner([f"c{n}" for n in range(COLUMNS)], first=FIRST_OF_FILE)
    learner.take(learning, list(drawn(REFERENCE, 1)))
    return write_profile(learner.finish(learning)).encode()


def plan() -> Plan:
    """Make the workflow: one stream of JSON, one input_drift over all its columns."""
    monitor = InputDrift(InputDrift.Options.model_validate({"reference": "reference.json"}))
    monitor.take_file("reference", profile())
    stream = Stream(name="input", topic="input", decoder=Json(StreamSettings()), decode="json")
    attached = Attached(name="drift", use="input_drift", monitor=monitor, sources={"input": "input"})
    return Plan(workflow="speed", streams={"input": stream}, monitors=(attached,))


def ready_seconds() -> float:
    """Take the time from a profile to the first judged window of 16 fields, at 1 alert per 1,000,000 records."""
    data, given = profile(), list(drawn(BATCH, 3))
    records = [Record("input", "input", n, None, None, one, False, ("input", 0, n)) for n, one in enumerate(given)]
    began = time.perf_counter()
    fields = [f"c{n}" for n in range(FIELDS)]
    options = json.dumps({"reference": "it.json", "fields": fields, "false_alarms": "1 per 1000000 records"})
    monitor = InputDrift(InputDrift.Options.model_validate_json(options))
    monitor.take_file("reference", data)
    monitor.on_batch(records, InputDrift.State())
    return time.perf_counter() - began


def memory_mb() -> float:
    """Give the most memory that the process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(count: int) -> dict[str, Any]:
    """Take the processor time of both over the same records, batch by batch, so that neither has a quieter machine."""
    workflow = plan()
    pipeline = Pipeline(workflow, workflow.groups()[0])
    spent, loads, emissions, after = 0.0, 0.0, 0, 0.0
    made = drawn(count, 2)
    for start in range(0, count, BATCH):
        texts = [json.dumps(one).encode() for one, _ in zip(made, range(BATCH), strict=False)]
        began = time.process_time()
        for text in texts:
            json.loads(text)
        loads += time.process_time() - began
        messages = [Message("input", 0, start + n, (start + n) * 1_000, None, text) for n, text in enumerate(texts)]
        began = time.process_time()
        emissions += len(pipeline.apply("input", messages).emissions)
        spent += time.process_time() - began
        if start == count // 4 // BATCH * BATCH:
            after = memory_mb()
    return {
        "records": count,
        "columns": COLUMNS,
        "json_loads_seconds": loads,
        "input_drift_seconds": spent,
        "ratio": spent / loads,
        "records_a_second": count / spent,
        "emissions": emissions,
        "memory_mb": memory_mb(),
        "memory_growth_mb": memory_mb() - after,
    }


def main() -> int:
    """Measure and print; gives 1 if it takes longer than promised."""
    parser = argparse.ArgumentParser(description="Speed of input_drift.")
    parser.add_argument("--long", action="store_true", help=f"{RECORDS:,} records")
    parser.add_argument("--tiny", action="store_true", help="two windows, too few to judge the speed by")
    given = parser.parse_args()
    records = RECORDS if given.long else 2 * BATCH if given.tiny else 40_000
    figures = {"ready_seconds": ready_seconds()} | measure(records)
    print(_reports.table(list(figures.items())))
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine(), "cores": os.cpu_count()}
    print(json.dumps({**figures, **about}))
    return 0 if (given.tiny or figures["ratio"] <= MOST) and figures["ready_seconds"] <= READY else 1


if __name__ == "__main__":
    sys.exit(main())
