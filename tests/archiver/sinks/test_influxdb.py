from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from archiver.patience import Pace, PatientWriter
from archiver.sink import Broken, Busy
from archiver.sinks.influxdb import LINES, InfluxSink
from engine.events import Alert, Emission, Metric, Tags
from tests.archiver.sinks.influx_store import bucket_of, read_back, sink_of
from tests.services.influxdb import ORG, TOKEN, InfluxDB
from tests.services.running import Missing, absent

NOON = 1_782_907_200_000_000
TAGS = Tags({"workflow": "lstm", "engine": "e1"})
QUICK = Pace(first=0.05, longest=0.2, broken=0.2)


@pytest.fixture
def bucket(influxdb: InfluxDB, tmp_path: Path) -> str:
    """Make a bucket for one test."""
    return bucket_of(influxdb, tmp_path)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[InfluxDB]:
    """Run a server that a test may kill."""
    try:
        server = InfluxDB(tmp_path)
    except Missing as missing:
        absent(missing)
    server.start()
    yield server
    server.stop()


def points(count: int, *, name: str = "records_total", since: int = NOON) -> list[Emission]:
    """Make points of one series, a microsecond apart."""
    return [Metric(name, since + n, float(n), TAGS) for n in range(count)]


def write_raw(server: InfluxDB, bucket: str, lines: str) -> None:
    """Write lines as another program would."""
    asked = Request(  # noqa: S310 - our own server
        f"{server.url}/api/v2/write?org={ORG}&bucket={bucket}", lines.encode(), {"Authorization": f"Token {TOKEN}"}
    )
    with urlopen(asked, timeout=30):  # noqa: S310 - as above
        pass


def stored(server: InfluxDB, bucket: str) -> set[tuple[str, int, float | None]]:
    """Give name, time and value of all that a bucket holds."""
    return identities(read_back(server, bucket))


def identities(emissions: list[Emission]) -> set[tuple[str, int, float | None]]:
    """Give name, time and value of emissions."""
    return {(one.name, one.time, one.value) for one in emissions}


def test_of_a_type_conflict_only_the_culprits_are_refused(influxdb: InfluxDB, bucket: str) -> None:
    """A measurement whose field is a text takes no numbers: each is refused in the server's words, the rest written."""
    write_raw(influxdb, bucket, f'cpu_utilization value="text" {NOON}000')
    good, bad = points(900), points(300, name="cpu_utilization")
    mixed = [one for n in range(300) for one in (*good[3 * n : 3 * n + 3], bad[n])]
    refused = sink_of(influxdb, bucket).write(mixed)

    assert identities([one.emission for one in refused]) == identities(bad)
    assert all("422" in one.reason and "conflict" in one.reason and not one.expired for one in refused)
    assert identities(good) <= stored(influxdb, bucket)


def test_what_is_older_than_the_store_keeps_has_expired(
    influxdb: InfluxDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Points before the retention are told as expired, in a few requests however many they are; the rest is written."""
    bucket = bucket_of(influxdb, tmp_path, seconds=3_600)
    now = time.time_ns() // 1000
    old, new = points(3_000, since=now - 2 * 3_600_000_000), points(1_000, since=now - 60_000_000)
    sink = sink_of(influxdb, bucket)
    asked: list[bytes] = []
    answer = sink._answer

    def counted(body: bytes) -> object:
        asked.append(body)
        return answer(body)

    monkeypatch.setattr(sink, "_answer", counted)
    refused = sink.write([*new[:500], *old, *new[500:]])

    assert identities([one.emission for one in refused]) == identities(old)
    assert all(one.expired and "retention policy" in one.reason for one in refused)
    assert stored(influxdb, bucket) == identities(new)
    assert len(asked) < 30


def test_expired_and_conflicting_points_are_told_apart(influxdb: InfluxDB, tmp_path: Path) -> None:
    """In one write some points are too old, some of the wrong type, and the rest is written."""
    bucket = bucket_of(influxdb, tmp_path, seconds=3_600)
    now = time.time_ns() // 1000
    write_raw(influxdb, bucket, f'cpu_utilization value="text" {now}000')
    old, bad = points(40, since=now - 2 * 3_600_000_000), points(40, name="cpu_utilization", since=now)
    new = points(40, since=now)
    refused = sink_of(influxdb, bucket).write([one for trio in zip(old, bad, new, strict=True) for one in trio])

    assert identities([one.emission for one in refused if one.expired]) == identities(old)
    assert identities([one.emission for one in refused if not one.expired]) == identities(bad)
    assert identities(new) <= stored(influxdb, bucket)


def test_of_a_line_that_the_server_cannot_read_the_rest_is_written(influxdb: InfluxDB, bucket: str) -> None:
    """A batch that is refused whole, for a tag whose name is longer than a key may be, is cut until it stands alone."""
    good = points(200)
    bad = Metric("records_total", NOON, 1.0, Tags({"k" * 70_000: "v"}))
    (refused,) = sink_of(influxdb, bucket).write([*good[:77], bad, *good[77:]])

    assert refused.emission is bad
    assert "answers 400" in refused.reason
    assert stored(influxdb, bucket) == identities(good)


def test_more_than_one_request_is_one_write(influxdb: InfluxDB, bucket: str) -> None:
    """What does not fit into one request goes in several, and all is there when the write returns."""
    made = points(LINES + 1)

    assert sink_of(influxdb, bucket).write(made) == []
    assert stored(influxdb, bucket) == identities(made)


def test_archiving_twice_leaves_equal_stores(influxdb: InfluxDB, tmp_path: Path) -> None:
    """The same emissions, whole once and in other cuts twice, give the same points."""
    made = [*points(500), *[Alert("A", NOON + n, n % 2 == 0, "info", tags=TAGS) for n in range(50)]]
    first, second = (bucket_of(influxdb, tmp_path / name) for name in ("first", "second"))
    sink_of(influxdb, first).write(made)
    for start in range(0, len(made), 70):
        for _ in range(2):
            sink_of(influxdb, second).write(made[start : start + 90])

    select = "SELECT * FROM /.*/ GROUP BY *"
    assert influxdb.select(select, first) == influxdb.select(select, second)
    assert len(read_back(influxdb, first)) == 550


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"bucket": "nowhere"}, "404 .*there is no bucket nowhere of organisation watchers that the token may see"),
        ({"org": "nobody"}, "404 .*check org, bucket and token-file"),
        ({"token": "wrong"}, "401 .*it does not know the token; check token-file"),
        ({"url": "/wrong"}, "404 "),
    ],
)
def test_what_a_person_has_to_put_right_is_broken_with_what_to_do(
    influxdb: InfluxDB, bucket: str, change: dict[str, str], sentence: str
) -> None:
    """A bucket, organisation or token that is not there is told in a sentence that says what to fix."""
    given = {"org": ORG, "bucket": bucket, "token": TOKEN, **change}
    sink = InfluxSink(influxdb.url + given.pop("url", ""), **given)  # type: ignore[arg-type]  # seconds is not among them
    with pytest.raises(Broken, match=sentence):
        sink.write(points(1))


def test_a_token_that_may_only_read_is_broken(influxdb: InfluxDB, tmp_path: Path) -> None:
    """The sentence says that another token is needed."""
    ident = influxdb.bucket(tmp_path.name)
    token = influxdb.token(ident, "read")
    with pytest.raises(Broken, match="token"):
        sink_of(influxdb, tmp_path.name, token=token).write(points(1))


def test_a_token_that_may_only_write_is_enough(influxdb: InfluxDB, tmp_path: Path) -> None:
    """An archiver needs no right but to write its bucket."""
    ident = influxdb.bucket(tmp_path.name)

    assert sink_of(influxdb, tmp_path.name, token=influxdb.token(ident, "write")).write(points(1)) == []
    assert stored(influxdb, tmp_path.name) == identities(points(1))


def test_points_of_a_workflow_can_be_counted(influxdb: InfluxDB, bucket: str) -> None:
    """Metrics and alerts of one workflow, alerts with and without a value, and nothing of another."""
    sink = sink_of(influxdb, bucket)
    other = Tags({"workflow": "it's another"})
    alerts = [Alert("A", NOON, True, "info", value, tags=TAGS, summary=str(value)) for value in (None, 0.5)]
    alerts[1].time += 1
    sink.write([*points(7), *points(3, name="cpu_utilization"), *alerts, Metric("records_total", NOON, 1.0, other)])

    assert sink.points("lstm") == 12
    assert sink.points("it's another") == 1
    assert sink.points("nobody") == 0


def test_a_server_that_is_killed_in_the_middle_loses_nothing(own: InfluxDB) -> None:
    """What was being written is written again after the server's return; all that was written is there."""
    made = points(20_000)
    sink = sink_of(own, seconds=2.0)
    writer = PatientWriter(sink, pace=QUICK)
    done: list[object] = []
    writing = threading.Thread(
        target=lambda: done.extend(writer.write(made[start : start + 200]) for start in range(0, len(made), 200))
    )
    writing.start()
    for _ in range(2):
        while writer.written < len(made) // 10:
            time.sleep(0.001)
        own.kill()
        time.sleep(0.2)
        own.start()
    writing.join(60)
    sink.close()

    assert done == [[]] * 100
    assert writer.retries > 0
    assert stored(own, "archive") == identities(made)


def test_nobody_there_is_busy(own: InfluxDB) -> None:
    """A server that is not up is waited for, and then it works."""
    own.stop()
    sink = sink_of(own)
    with pytest.raises(Busy, match=r"no answer: .*refused"):
        sink.write(points(1))
    own.start()

    assert sink.write(points(1)) == []
