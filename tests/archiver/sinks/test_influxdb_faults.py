from __future__ import annotations

import gzip
from collections.abc import Iterable
from itertools import cycle, islice

import pytest

from archiver.line_protocol import LineProtocol
from archiver.patience import Pace, PatientWriter
from archiver.sink import Broken, Busy, Refused
from archiver.sinks.influxdb import InfluxSink
from engine.events import Emission, Metric, Tags
from tests.archiver.sinks.receiver import Behaviour, Receiver, hangs, resets, says, sends

NOON = 1_782_907_200_000_000
TAGS = Tags({"workflow": "lstm", "engine": "e1"})
SAYS_NO = b'{"code":"invalid","message":"not like this"}'
CYCLE: list[Behaviour] = [
    says(204),
    says(400, SAYS_NO),
    says(401),
    says(413),
    says(422, SAYS_NO),
    says(429, Retry_After="0"),
    says(503),
    hangs,
    resets,
]


def points(count: int, *, since: int = 0) -> list[Emission]:
    """Make points of one series."""
    return [Metric("records_total", NOON + n, float(n), TAGS) for n in range(since, since + count)]


def sink_of(receiver: Receiver, seconds: float = 5.0) -> InfluxSink:
    """Open a sink on a server that may misbehave."""
    return InfluxSink(f"http://{receiver.address}", org="o", bucket="b", token="t", seconds=seconds)  # noqa: S106 - of nobody


def taken(receiver: Receiver, plan: list[Behaviour]) -> set[str]:
    """Give the lines of all requests that were answered with success."""
    answers = [*plan, *[CYCLE[0]] * len(receiver.received)]
    told = zip(receiver.received, answers, strict=False)
    return {line for request, answer in told if answer is CYCLE[0] for line in request.body.decode().splitlines()}


def texts(emissions: Iterable[Emission]) -> set[str]:
    """Give their lines."""
    return {LineProtocol().text(emission) for emission in emissions}


def test_whatever_the_server_answers_nothing_is_missing() -> None:
    """Through every fault in turn each point is taken or refused with a reason, and before that no write returns."""
    plan = list(islice(cycle(CYCLE), 90))
    made = points(400)
    with Receiver(*plan) as receiver:
        writer = PatientWriter(sink_of(receiver, 0.05), pace=Pace(first=0.001, longest=0.002, broken=0.001))
        refused: list[Refused] = []
        for start in range(0, 400, 20):
            batch = made[start : start + 20]
            found = writer.write(batch) or []
            refused += found

            assert texts(batch) - texts(one.emission for one in found) <= taken(receiver, plan)
    assert len(receiver.received) > len(CYCLE)
    assert writer.written + writer.refused == 400
    assert all("answers 4" in one.reason for one in refused)


@pytest.mark.parametrize(
    ("status", "told", "after"),
    [
        (429, "7", 7.0),
        (429, "", None),
        (503, "9999999", 3_600.0),
        (500, "", None),
        (408, "", None),
        (409, "", None),
    ],
)
def test_a_server_that_says_later_is_busy(status: int, told: str, after: float | None) -> None:
    """It is tried again not before it said, but within an hour."""
    with Receiver(says(status, Retry_After=told)) as receiver, pytest.raises(Busy) as caught:
        sink_of(receiver).write(points(1))

    assert caught.value.after == after
    assert str(caught.value).startswith(f"{receiver.address} answers {status}")


@pytest.mark.parametrize("behaviour", [hangs, resets, sends(b"HTTP/1.1 20"), sends(b""), sends(b"SSH-2.0-OpenSSH\r\n")])
def test_no_answer_is_busy_and_then_it_works(behaviour: Behaviour) -> None:
    """A try ends in time, and the next is a new connection."""
    with Receiver(behaviour) as receiver:
        sink = sink_of(receiver, 0.1)
        with pytest.raises(Busy, match=f"{receiver.address}: no answer"):
            sink.write(points(3))
        refused = sink.write(points(3))

    assert refused == []
    assert len(receiver.received) == 2


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (301, "check that the URL is that of an InfluxDB 2"),
        (401, "it does not know the token; check token-file"),
        (403, "the token may not write bucket b of organisation o"),
        (404, "there is no bucket b of organisation o that the token may see"),
        (405, "check that the URL is that of an InfluxDB 2"),
    ],
)
def test_what_no_retry_changes_is_broken(status: int, sentence: str) -> None:
    """The sentence says what to fix."""
    with Receiver(says(status, Location="http://127.0.0.1:1/")) as receiver, pytest.raises(Broken) as caught:
        sink_of(receiver).write(points(1))

    assert sentence in str(caught.value)
    assert len(receiver.received) == 1


def test_a_request_that_is_too_large_is_cut() -> None:
    """413 means fewer at once, not that a point is at fault."""
    with Receiver(says(413), says(413)) as receiver:
        refused = sink_of(receiver).write(points(8))

    assert refused == []
    assert [len(one.body.splitlines()) for one in receiver.received] == [8, 4, 2, 2, 4]


def test_all_that_are_named_as_dropped_are_refused_at_once() -> None:
    """A partial write that dropped as many as were sent needs no search."""
    told = b'{"code":"unprocessable entity","message":"partial write: points beyond retention policy dropped=500"}'
    with Receiver(says(422, told)) as receiver:
        refused = sink_of(receiver).write(points(500))

    assert len(receiver.received) == 1
    assert len(refused) == 500
    assert all(one.expired for one in refused)


def test_the_request_is_what_the_write_api_expects() -> None:
    """Organisation, bucket, precision and token stand where they belong; on this machine lines are not packed."""
    with Receiver() as receiver:
        sink_of(receiver).write(points(2))
    (received,) = receiver.received

    assert received.line.startswith("POST /api/v2/write?")
    assert {"org=o", "bucket=b", "precision=ns"} <= set(received.line.split()[1].partition("?")[2].split("&"))
    assert received.headers["Authorization"] == "Token t"
    assert "gzip" not in received.headers.get("Content-Encoding", "")
    assert received.body.decode().splitlines() == sorted(texts(points(2)))


def test_over_a_network_lines_are_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same lines, a twentieth of the bytes."""
    monkeypatch.setattr("archiver.sinks.influxdb._is_here", lambda _: False)
    with Receiver() as receiver:
        sink_of(receiver).write(points(100))
    (received,) = receiver.received

    assert received.headers["Content-Encoding"] == "gzip"
    assert set(gzip.decompress(received.body).decode().splitlines()) == texts(points(100))


def test_nothing_to_write_sends_nothing() -> None:
    """Not even an empty request."""
    with Receiver() as receiver:
        assert sink_of(receiver).write([]) == []

    assert receiver.received == []


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8086", "ftp://a/", "http://", "http://u:p@a/", "http://a/?org=b", "http://a:0/", "http://a b/"],
)
def test_a_url_that_cannot_be_used_is_broken(url: str) -> None:
    """What it may hide is not shown."""
    with pytest.raises(Broken, match="influxdb: expected a URL such as"):
        InfluxSink(url, org="o", bucket="b", token="t")  # noqa: S106 - of nobody


@pytest.mark.parametrize("token", ["a\nb", " a", "ä"])
def test_a_token_that_no_header_can_hold_is_broken(token: str) -> None:
    """A file with more than a token is a mistake that is told at once, without the token."""
    with pytest.raises(Broken) as caught:
        InfluxSink("http://a/", org="o", bucket="b", token=token)

    assert str(caught.value) == "influxdb: a: expected a token of printable ASCII in one line"
