from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.embedded.runner import Embedded
from engine.embedded.store import Store
from engine.workflow import load
from tests.manometer.commands import run
from tests.manometer.on_kafka import GOOD, case, keys
from tests.services.secured import Secured


@pytest.fixture
def embedded(tmp_path: Path) -> tuple[Path, str]:
    """Let an embedded process take three reports of one engine; gives the workflow file and the folder."""
    path = tmp_path / "small.json"
    path.write_text(json.dumps(keys("small")), encoding="utf-8")
    store = Store(tmp_path / "data")
    process = Embedded(load(path), store)
    process.start()
    process.send("small.notify", GOOD).result()
    process.close()
    store.close()
    return path, str(tmp_path / "data")


def test_states_are_summed_up_by_monitor(embedded: tuple[Path, str]) -> None:
    """One series of throughput, and what the engine keeps beside it."""
    path, data = embedded
    found = json.loads(run("state", path, "--data", data, "--json").stdout)

    assert [(one["what"], one["records"]) for one in found] == [("(engine)", 1), ("(watermark)", 1), ("throughput", 1)]
    assert all(one["bytes"] >= one["largest"] > 0 for one in found)


def test_one_series_is_shown_in_the_words_of_its_monitor(embedded: tuple[Path, str]) -> None:
    """Key parts, state and last emissions have names; times are text."""
    path, data = embedded
    found = json.loads(run("state", path, "throughput", "e1", "0", "--data", data).stdout)

    assert found["key"] == {"engine": "e1", "slot": "0"}
    assert found["last_emissions"] == {"records_per_second": "2026-01-01T00:00:30.000000Z"}
    assert {"records", "seconds"} <= found["state"].keys()


def test_what_is_not_there_is_told(embedded: tuple[Path, str]) -> None:
    """A series that is not there is 1; a monitor or folder that is not there is 2, with the nearest name."""
    path, data = embedded
    near = run("state", path, "thruput", "--data", data)

    assert run("state", path, "throughput", "e2", "--data", data).exit_code == 1
    assert (near.exit_code, 'Did you mean "throughput"?' in near.stderr) == (2, True)
    assert run("state", path, "--data", f"{data}.none").exit_code == 2
    assert run("state", path).exit_code == 2


def test_kafka_gives_the_same(broker: Secured, tmp_path: Path, embedded: tuple[Path, str]) -> None:
    """The same messages leave the same state of the same series, whichever way the workflow runs."""
    given = case(broker, tmp_path)
    given.write(*GOOD)
    given.work()
    series = ("throughput", "e1", "0")
    path, data = embedded

    assert json.loads(run("state", given.path, *series, *given.kafka).stdout) == json.loads(
        run("state", path, *series, "--data", data).stdout
    )
