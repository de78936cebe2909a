from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from archiver.sinks.sqlite import read_points
from archiver.tally import Tally
from engine.events import Metric
from tests.archiver.followed import committed, emissions_of, program, publish, topics_of
from tests.archiver.pumping import eventually
from tests.manometer.commands import run
from tests.services.broker import Broker
from tests.services.influxdb import ORG, TOKEN, InfluxDB
from tests.services.running import Program


def asked(running: Program, path: str) -> tuple[int, str]:
    """Ask a running archiver; gives status and text."""
    found = re.search(r"http://\S+(?=/readyz)", running.tail())
    assert found, running.tail()
    try:
        with urlopen(found[0] + path, timeout=10) as answer:  # noqa: S310 - our own program
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_one_sink_that_is_broken_is_told_and_the_other_goes_on(
    broker: Broker, influxdb: InfluxDB, tmp_path: Path
) -> None:
    """Without its bucket InfluxDB gets nothing, says so on /readyz with what to do, and the file is written."""
    plan, path = topics_of(broker, tmp_path)
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="ascii")
    publish(broker, plan, emissions_of(plan, 50))
    wrong = f"influxdb={influxdb.url},org={ORG},bucket=nowhere,token-file={tmp_path / 'token'}"
    running = program(broker, path, tmp_path / "log", wrong, f"sqlite={tmp_path / 'store.db'}")
    try:
        eventually(lambda: committed(broker, plan, "sqlite") is not None, patience=40)
        eventually(lambda: asked(running, "/readyz")[0] == 503, patience=20)
        reasons = json.loads(asked(running, "/readyz")[1])["reasons"]
        healthy, metrics = asked(running, "/healthz")[0], asked(running, "/metrics")[1]
    finally:
        code = running.stop()

    logged = [line for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines() if "WARNING" in line]
    assert len(logged) == 1
    assert logged[0].startswith("WARNING manometer.archive: sink influxdb: ")
    assert "make the bucket" in logged[0]
    assert len(reasons) == 1
    assert "sink influxdb: " in reasons[0]
    assert "there is no bucket nowhere of organisation watchers that the token may see; make the bucket" in reasons[0]
    assert healthy == 200
    assert 'manometer_sink_emissions_total{outcome="written",sink="sqlite"} 51.0' in metrics
    assert 'manometer_sink_emissions_total{outcome="written",sink="influxdb"} 0.0' in metrics
    assert code == 0
    assert read_points(tmp_path / "store.db") == sorted(
        (one for one in emissions_of(plan, 50) if isinstance(one, Metric)),
        key=lambda one: (one.tags["engine"], one.time),
    )
    assert committed(broker, plan, "sqlite") == (1, Tally(emissions=51, written=51))
    assert committed(broker, plan, "influxdb") is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--sink", "nowhere=x"], "--sink: expected KIND=TARGET with one of influxdb, json-lines, sqlite, webhook"),
        (["--sink", "sqlite=/nowhere/at/all.db"], "sink sqlite: /nowhere/at/all.db"),
        (["--sink", "webhook=http://127.0.0.1:9/", "--host", "0.0.0.0"], "give --token-file FILE as well"),  # noqa: S104 - refused
        (["--sink", "webhook=http://127.0.0.1:9/"], "there is none; `manometer topics --create` makes it"),
    ],
)
def test_what_cannot_start_says_why(broker: Broker, tmp_path: Path, words: list[str], sentence: str) -> None:
    """A sink that is not understood, a store that cannot be opened, or no topic: exit 2 and one sentence."""
    path = tmp_path / "w.yaml"
    path.write_text(
        "workflow: w\nstreams: {notify: {topic: notify, decode: sensors}}\n"
        "monitors: [{use: throughput, from: notify}]\narchive: {topic: no-such-archive}\n",
        encoding="utf-8",
    )
    done = run("archive", path, "--kafka", broker.address, "--port", "0", *words)

    assert done.exit_code == 2
    assert sentence in done.stderr
