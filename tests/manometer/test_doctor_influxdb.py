from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.clock import ManualClock, SystemClock
from engine.times import SECOND
from manometer.diagnosing.influxdb import NAME, Store, influxdb_lines
from manometer.diagnosing.line import Line
from tests.archiver.sinks.influx_store import bucket_of
from tests.manometer.commands import WORKFLOW, run
from tests.services.influxdb import BUCKET, ORG, TOKEN, InfluxDB
from tests.services.running import free_port

DAY = 86_400
_POINTS = f'SELECT * FROM "{NAME}"'  # noqa: S608 - ours


def store(influxdb: InfluxDB, bucket: str, *, writes: str | None = None, reads: str | None = None) -> Store:
    """Say where to look."""
    return Store(url=influxdb.url, org=ORG, bucket=bucket, writes=writes, reads=reads)


def looked(given: Store) -> dict[str, Line]:
    """Look; gives what is said of each thing, and each finding has its fix."""
    found = {line.what: line for line in influxdb_lines(given, SystemClock())}
    assert all(bool(line.fix) != line.ok for line in found.values()), found
    return found


def findings(found: dict[str, Line]) -> dict[str, str]:
    """Give what was told of the things that are wrong."""
    return {what: line.told for what, line in found.items() if not line.ok}


def made(influxdb: InfluxDB, tmp_path: Path, *, seconds: int = 0) -> tuple[str, str, str]:
    """Make a bucket, a token that writes it and one that reads it."""
    bucket = bucket_of(influxdb, tmp_path, seconds=seconds)
    ident = influxdb.ask("GET", f"/api/v2/buckets?name={bucket}")["buckets"][0]["id"]
    return bucket, influxdb.token(ident, "write"), influxdb.token(ident, "read")


def test_all_is_well_with_one_right_for_each_token(influxdb: InfluxDB, tmp_path: Path) -> None:
    """A point is written by the one, read by the other and taken away; what else they may do was tried."""
    bucket, writes, reads = made(influxdb, tmp_path, seconds=90 * DAY)
    found = looked(store(influxdb, bucket, writes=writes, reads=reads))

    assert list(found) == [
        "influxdb", "influxdb clock", "bucket", "token that writes", "token that reads", "write and read back",
    ]  # fmt: skip
    assert findings(found) == {}
    assert found["bucket"].told == f"{bucket} keeps points for 90d"
    assert found["write and read back"].told == "a point was written and came back, and it was taken away"
    assert influxdb.select(_POINTS, bucket) == []


def test_a_token_that_only_writes_says_what_was_not_seen(influxdb: InfluxDB, tmp_path: Path) -> None:
    """Reading back and retention need the other one; nothing stays all the same."""
    bucket, writes, _ = made(influxdb, tmp_path)
    found = looked(store(influxdb, bucket, writes=writes))

    assert findings(found) == {}
    assert "a token that reads sees" in found["bucket"].told
    assert found["write and read back"].told == "a point was written; no token read it, and it was taken away"
    assert influxdb.select(_POINTS, bucket) == []


def test_a_token_that_only_reads_writes_nothing(influxdb: InfluxDB, tmp_path: Path) -> None:
    """The bucket and its retention are seen."""
    bucket, _, reads = made(influxdb, tmp_path)
    found = looked(store(influxdb, bucket, reads=reads))

    assert list(found) == ["influxdb", "influxdb clock", "bucket", "token that reads"]
    assert found["bucket"].told == f"{bucket} keeps points for ever"


def test_a_token_that_may_do_more_than_it_has_to_is_a_finding(influxdb: InfluxDB, tmp_path: Path) -> None:
    """The operator's token in both places: everything that it may do besides is named, and nothing stays."""
    bucket, _, _ = made(influxdb, tmp_path)
    found = findings(looked(store(influxdb, bucket, writes=TOKEN, reads=TOKEN)))

    assert set(found) == {"token that writes", "token that reads"}
    assert f"read bucket {BUCKET}" in found["token that writes"]
    assert "see tokens" in found["token that writes"]
    assert "write" in found["token that reads"]
    assert f"read bucket {BUCKET}" in found["token that reads"]
    assert influxdb.select(_POINTS, bucket) == []


def test_tokens_in_each_others_place_are_found(influxdb: InfluxDB, tmp_path: Path) -> None:
    """The one may not write, the other not read."""
    bucket, writes, reads = made(influxdb, tmp_path)
    found = findings(looked(store(influxdb, bucket, writes=reads, reads=writes)))

    assert f"may not write bucket {bucket} of organisation {ORG}: 403" in found["token that writes"]
    assert f"may not read bucket {bucket}: database not found" in found["token that reads"]


def test_tokens_that_the_server_does_not_know_are_found(influxdb: InfluxDB, tmp_path: Path) -> None:
    """Both are told, each with its option."""
    bucket, _, _ = made(influxdb, tmp_path)
    found = looked(store(influxdb, bucket, writes="nobody", reads="nobody"))

    assert findings(found) == dict.fromkeys(("token that writes", "token that reads"), "InfluxDB does not know it")
    assert "--write-token-file" in found["token that writes"].fix


def test_a_bucket_that_is_not_there_is_found(influxdb: InfluxDB, tmp_path: Path) -> None:
    """With the command that makes it."""
    _, writes, reads = made(influxdb, tmp_path)
    found = looked(store(influxdb, "nowhere", writes=writes, reads=reads))

    assert found["bucket"].told == f"there is no bucket nowhere of organisation {ORG}"
    assert "manometer tokens" in found["bucket"].fix


def test_a_bucket_that_keeps_less_than_boards_show_is_found(influxdb: InfluxDB, tmp_path: Path) -> None:
    """Panels of present state look back a day."""
    bucket, writes, reads = made(influxdb, tmp_path, seconds=7_200)

    assert findings(looked(store(influxdb, bucket, writes=writes, reads=reads))) == {
        "bucket": f"{bucket} keeps points for 2h"
    }


@pytest.mark.parametrize(("seconds", "told"), [(-90, "ahead of"), (90, "behind")])
def test_a_clock_that_is_wrong_is_found(influxdb: InfluxDB, tmp_path: Path, seconds: int, told: str) -> None:
    """The server's clock, as its answer tells it, against ours."""
    bucket, writes, reads = made(influxdb, tmp_path)
    clock = ManualClock(SystemClock().now() + seconds * SECOND)
    found = {line.what: line for line in influxdb_lines(store(influxdb, bucket, writes=writes, reads=reads), clock)}

    assert not found["influxdb clock"].ok
    assert told in found["influxdb clock"].told
    assert found["write and read back"].ok


def test_the_command_takes_the_folder_of_secrets(influxdb: InfluxDB, tmp_path: Path) -> None:
    """What `manometer tokens` wrote is what is looked with."""
    bucket, writes, reads = made(influxdb, tmp_path)
    (tmp_path / "w.yaml").write_text(WORKFLOW, encoding="utf-8")
    for name, token in (("archiver", writes), ("grafana", reads)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "influxdb-token").write_text(token, encoding="ascii")
    place = ("--influxdb", influxdb.url, "--org", ORG, "--bucket", bucket, "--folder", str(tmp_path))
    done = run("doctor", tmp_path / "w.yaml", *place, "--json")
    shown = run("doctor", tmp_path / "w.yaml", *place)

    told: list[dict[str, Any]] = json.loads(done.stdout)
    assert (done.exit_code, [one["ok"] for one in told]) == (0, [True] * 6), done.output
    assert shown.stdout.splitlines()[0] == f"fine     influxdb: {told[0]['told']}"
    assert writes not in done.output


def test_a_server_that_is_not_there_is_a_finding(influxdb: InfluxDB, tmp_path: Path) -> None:
    """So is one that is something else."""
    nowhere = Store(url=f"http://127.0.0.1:{free_port()}", org=ORG, bucket="b", writes="t", reads=None)

    assert "no answer: [Errno 111]" in findings(looked(nowhere))["influxdb"]
