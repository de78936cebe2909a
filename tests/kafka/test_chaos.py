"""Nothing lost, nothing counted twice, while workers and the broker are killed, stopped and frozen."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kafka import chaos
from tests.services.broker import Broker

SEEDS = int(os.environ.get("CHAOS_SEEDS", "3"))
RECORDS = int(os.environ.get("CHAOS_RECORDS", "20000"))


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_chaos_changes_nothing(
    broker: Broker, tmp_path: Path, seed: int, record_property: Callable[[str, object], None]
) -> None:
    """The archive is complete by its headers and equals one quiet run; what is there twice is identical."""
    figures = chaos.run(broker, tmp_path, seed, records=RECORDS, seconds=15)

    sys.stdout.write(f"seed {seed}: {figures}\n")
    for name, value in figures.items():
        record_property(name, value)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(101, 104))
def test_chaos_changes_nothing_for_longer(
    broker: Broker, tmp_path: Path, seed: int, record_property: Callable[[str, object], None]
) -> None:
    """The same with 100,000 records of 200 engines over a minute."""
    for name, value in chaos.run(broker, tmp_path, seed, records=100_000, seconds=60).items():
        record_property(name, value)
