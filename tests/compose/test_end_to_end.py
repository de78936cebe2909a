"""The command line of each of our containers, without Docker: from the engines to what a panel asks."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import msgspec
import pytest

from grafana.filling import Blanks
from manometer.installing.kept import keep, kept
from manometer.installing.passwords import OPERATOR_TOKEN
from manometer.installing.tokens import GRAFANA_TOKEN
from tests.compose.composition import environment, words
from tests.grafana.shown import drawn, rendered
from tests.house.source import ROOT
from tests.services.broker import Broker
from tests.services.influxdb import ORG, TOKEN, InfluxDB
from tests.services.running import Missing, Program, absent, free_port

PATIENCE: Final = 90.0
ENGINES: Final = 5
_STORE: Final = "installed"
HOUR: Final = 3_600_000


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[Broker]:
    """Run a broker of its own, so that the demo's topics are nobody else's."""
    folder = tmp_path / "kafka"
    folder.mkdir()
    try:
        broker = Broker(folder)
    except Missing as missing:
        absent(missing)
    broker.start()
    yield broker
    broker.stop()


class Installation:
    """Starts services of the composition as processes of this machine; addresses and paths are those that are here."""

    def __init__(self, folder: Path, kafka: Broker, influxdb: InfluxDB) -> None:
        """Say what stands in for the names of containers and for mounted paths."""
        self.folder = folder
        self.secrets = folder / "secrets"
        self._here = {
            "kafka:19092": kafka.address,
            "http://influxdb:8086": influxdb.url,
            "org=manometer,bucket=archive": f"org={ORG},bucket={_STORE}",
            "/secrets": str(self.secrets),
            "8300": str(free_port()),
            "8301": str(free_port()),
            "/tmp": str(folder / "data"),  # noqa: S108 - the container's own
        }

    def start(self, name: str, *instead: str) -> Program:
        """Start a service with its own environment, and its own arguments or others."""
        given = {key: self._filled(value) for key, value in environment(name).items()} | {
            "MANOMETER_ORG": ORG,
            "MANOMETER_BUCKET": _STORE,
        }
        started = [sys.executable, "-m", "manometer", *map(self._filled, instead or words(name))]
        return Program(started, self.folder / f"{name}.log", {**given, "PYTHONPATH": str(ROOT)})

    def run(self, name: str, *instead: str) -> str:
        """Run a service that ends, which has to end well; gives what it said."""
        job = self.start(name, *instead)
        job.process.wait(PATIENCE)
        assert job.process.returncode == 0, job.tail()
        return job.tail()

    def _filled(self, text: str) -> str:
        return re.sub("|".join(map(re.escape, self._here)), lambda found: self._here[found[0]], text)


def test_from_the_engines_to_a_panel(
    tmp_path: Path, kafka: Broker, influxdb: InfluxDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs, worker, archiver and engines run as the composition starts them; panels ask with Grafana's token.

    The doctor, called where the documentation says, finds nothing wrong with InfluxDB and its tokens.
    """
    monkeypatch.chdir(ROOT)
    installation = Installation(tmp_path, kafka, influxdb)
    keep(installation.secrets / OPERATOR_TOKEN, TOKEN, shared=True)
    for job in ("secrets", "tokens", "topics", "tokens"):
        installation.run(job)
    running = [installation.start(name) for name in ("worker", "archiver", "demo")]
    try:
        token = kept(installation.secrets / GRAFANA_TOKEN)
        until = time.monotonic() + PATIENCE
        while _answer(influxdb, token, "Engines running") != ENGINES or not _answer(
            influxdb, token, "Records per second"
        ):
            assert all(one.running for one in running), "\n".join(one.tail() for one in running)
            assert time.monotonic() < until, "\n".join(one.tail() for one in running)
            time.sleep(0.5)
        looked = installation.run("tokens", "doctor", "workflows/demo.yaml")
    finally:
        codes = [one.stop() for one in reversed(running)]

    assert looked.count("fine  ") == 6, looked
    assert codes == [0, 0, 0], "\n".join(one.tail() for one in running)


def _answer(influxdb: InfluxDB, token: str | None, title: str) -> float:
    """Ask what a number of the overview asks, as Grafana does; 0 where nothing answers."""
    panel = next(one for one in drawn(rendered()["manometer-overview"]) if one["title"] == title)
    now = int(time.time() * 1_000)
    query = Blanks(start=now - HOUR, end=now, interval=60).fill(panel["targets"][0]["query"])
    asked = Request(  # noqa: S310 - our own server
        f"{influxdb.url}/query", urlencode({"db": _STORE, "q": query}).encode(), {"Authorization": f"Token {token}"}
    )
    with urlopen(asked, timeout=10) as answer:  # noqa: S310 - as above
        found: Any = msgspec.json.decode(answer.read())
    series = found["results"][0].get("series", [])
    return float(series[0]["values"][-1][1]) if series else 0.0
