"""Cut and resumed at each record over streams of known truth: the shared conformance cases."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from engine.plan import Plan
from engine.testing import plan_of
from engine.times import SECOND
from monitors.arrival import Arrival
from monitors.health import Health
from monitors.record_count import RecordCount
from monitors.rejected_records import RejectedRecords
from monitors.resources import Resources
from monitors.threshold import Threshold
from monitors.throughput import Throughput
from tests.engine.runs import END, Item, cut_at_each, same, sent, whole

SHARED: Final = Path(os.environ.get("MANOMETER_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
SUITE: Final = SHARED / "sensor-conformance"
SHORT: Final = 23
"""Without `long` one cut every so many records, at places that no period of the cases meets."""


def cases() -> list[Path]:
    """Name the cases; without the shared data the test skips, and in CI it fails."""
    found = sorted(path.parent for path in SUITE.glob("*/case.json"))
    if not found:
        sentence = f"there is no {SUITE}: set MANOMETER_SHARED_DATA to the folder that holds sensor-conformance"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


def planner(info: dict[str, Any]) -> Callable[[], Plan]:
    """Give what makes the plan of a case, with repeats and a threshold on a metric beside its monitors."""
    counts = {"counts": info["options"]["counts"]}
    above = {"metric": "records_per_second", "above": 100.0, "for": "5s", "stale_after": "30s"}

    def make() -> Plan:
        return plan_of(
            Throughput(Throughput.Options(**counts)),
            RecordCount(RecordCount.Options(**counts)),
            RejectedRecords(RejectedRecords.Options(**counts)),
            Resources(),
            Health(Health.Options(silent_after=info["options"]["silent_after"])),
            Arrival(),
            Threshold(Threshold.Options.model_validate(above)),
            decode="sensors",
            engines=info["engines"],
            repeat=60 * SECOND,
        )

    return make


def read(case: Path) -> tuple[Callable[[], Plan], list[Item]]:
    """Read a case: what makes its plan, its messages and the end."""
    info = json.loads((case / "case.json").read_text(encoding="utf-8"))
    lines = gzip.decompress((case / "messages.jsonl.gz").read_bytes()).removesuffix(b"\n").split(b"\n")
    return planner(info), [*sent(lines), END]


def test_cut_and_resumed_on_the_way_each_case_gives_the_same() -> None:
    """Every case, saved and restored every 23 records: the same emissions and rejects, in the same order."""
    for case in cases():
        make, items = read(case)
        expected = whole(make, items)

        assert expected.emissions
        same(cut_at_each(make, items, every=SHORT), expected)


def test_twice_replayed_each_case_gives_the_same() -> None:
    """In one call, and in many: the same bytes."""
    for case in cases():
        make, items = read(case)

        same(whole(make, items, size=13), whole(make, items))


@pytest.mark.long
def test_cut_and_resumed_at_each_record_each_case_gives_the_same(
    record_property: Callable[[str, object], None],
) -> None:
    """Every case, saved and restored after each of its records."""
    cuts = 0
    for case in cases():
        make, items = read(case)
        same(cut_at_each(make, items), whole(make, items))
        cuts += len(items)

    record_property("cuts", cuts)
