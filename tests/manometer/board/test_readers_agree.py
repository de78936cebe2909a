"""Readers of both stores against each other, on made-up points, alerts and questions, with a real InfluxDB."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final

import pytest

from archiver.sinks.influxdb import InfluxSink
from archiver.sinks.sqlite import SqliteSink
from manometer.board.influxdb_reader import InfluxReader
from manometer.board.sqlite_reader import SqliteReader
from tests.grafana.answers import answer, difference
from tests.house.source import listed
from tests.manometer.board import made
from tests.services.influxdb import ORG, TOKEN, InfluxDB

SEEDS: Final = 8
QUESTIONS: Final = 150


@pytest.mark.parametrize("seed", range(SEEDS))
def test_readers_agree_on_anything(seed: int, influxdb: InfluxDB, tmp_path: Path) -> None:
    """Both readers give the same answers: tags missing or odd, restarts, gaps, late points, points of one time."""
    random, ties = Random(seed), seed % 2 == 0
    bucket = f"agree-{seed}"
    influxdb.bucket(bucket)
    file = tmp_path / "store.db"
    sqlite, influx = SqliteSink(file), InfluxSink(influxdb.url, org=ORG, bucket=bucket, token=TOKEN, seconds=60)
    written = made.emissions(random, ties=ties)
    while written:
        part, written = written[:700], written[700:]
        assert not sqlite.write(part)
        assert not influx.write(part)

    readers = SqliteReader(file, longest=60), InfluxReader(influxdb.url, bucket=bucket, token=TOKEN, longest=60)
    found, answered = [], 0
    for _ in range(QUESTIONS):
        asked, blanks = made.question(random, ties=ties), made.blanks(random)
        one, other = (answer(reader, asked, blanks, envelope=True) for reader in readers)
        answered += len(one) > 1
        if differs := difference(one, other):
            found.append(f"{asked}, {blanks}: {differs}")
    sqlite.close()
    influx.close()

    assert not found, listed(found)
    assert answered > QUESTIONS / 4
