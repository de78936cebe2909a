from __future__ import annotations

import gzip
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from manometer.intake.access import Access
from manometer.intake.server import Server
from tests.engine.embedded.running import report
from tests.intake.serving import Case, until


@pytest.mark.parametrize(
    ("body", "kind", "messages"),
    [
        (report(1), "application/json", 1),
        (b"[" + report(1) + b"," + report(2) + b"]", "application/json; charset=utf-8", 2),
        (report(1) + b"\n" + report(2) + b"\n", "application/x-ndjson", 2),
        (report(1) + b"\ngarbage", "application/octet-stream", 2),
        (b"garbage", "application/json", 1),
    ],
)
def test_messages_are_answered_with_their_offsets(case: Case, body: bytes, kind: str, messages: int) -> None:
    """200 says how many there were and where they are; what is no record becomes a reject, not an error."""
    answer = case.post(body, Content_Type=kind)

    assert answer.status == 200
    assert answer.body == {"messages": messages, "topic": "notify", "first": 0, "last": messages - 1}
    assert case.store.topics() == {"notify": messages}
    assert len(list(case.store.rejects())) == body.count(b"garbage")


def test_a_body_may_be_compressed(case: Case) -> None:
    """As gzip or deflate; what would unfold beyond the limit is refused."""
    assert case.post(gzip.compress(report(1)), Content_Encoding="gzip").body["messages"] == 1
    assert case.post(zlib.compress(report(1)), Content_Encoding="deflate").body["messages"] == 1

    bomb = case.post(gzip.compress(b"1\n" * 10_000_000), Content_Encoding="gzip")

    assert (bomb.status, bomb.body["error"]) == (413, "body")


def test_a_key_is_answered_again_and_not_applied(case: Case) -> None:
    """The same body as the first time, and a header that says so."""
    first = case.post(report(1), Idempotency_Key="a")
    again = case.post(report(1), Idempotency_Key="a")

    assert first.body == again.body
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert case.store.topics() == {"notify": 1}


def test_a_key_of_messages_goes_with_them(case: Case) -> None:
    """`?key=` is the key of all messages of a body."""
    case.ask("POST", "/topics/notify?key=e1", b"garbage")
    case.ask("POST", "/topics/notify?key=%ff%00", b"garbage")

    assert next(reject.message.key for _, reject in case.store.rejects()) == b"e1"
    assert case.embedded.alive() is None


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "error", "words"),
    [
        ("POST", "/topics/notif", b"1", {}, 404, "topic", 'Did you mean "notify"'),
        ("POST", "/topics/", b"1", {}, 404, "path", "/topics/TOPIC"),
        ("GET", "/", None, {}, 404, "path", "/topics/TOPIC"),
        ("GET", "/topics/notify", None, {}, 405, "method", "expected POST"),
        ("POST", "/metrics", b"", {}, 405, "method", "expected GET"),
        ("POST", "/topics/notify", b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "type", "curl"),
        ("POST", "/topics/notify", b"1", {"Content-Type": "text/plain"}, 415, "type", "application/x-ndjson"),
        ("POST", "/topics/notify", b"[1,", {}, 400, "body", "byte 3"),
        ("POST", "/topics/notify", b"", {}, 400, "body", "no message"),
        ("POST", "/topics/notify", b"1", {"Idempotency-Key": "x" * 201}, 400, "key", "1 to 200"),
        ("POST", "/topics/notify", b"1", {"Idempotency-Key": ""}, 400, "key", "1 to 200"),
        ("POST", "/topics/notify", b"1", {"Idempotency-Key": "k\u00e9y"}, 400, "key", "ASCII"),
        ("POST", "/topics/notify", b"1" * 100_001, {}, 413, "body", "longer than 100000 bytes"),
        ("POST", "/topics/notify", b"1", {"Host": "evil.example"}, 403, "host", "evil.example"),
        ("POST", "/topics/notify", b"junk", {"Content-Encoding": "gzip"}, 400, "body", "read: Can not decode"),
    ],
)
def test_what_cannot_be_taken_is_answered_with_a_reason(
    case: Case, method: str, path: str, body: bytes | None, headers: dict[str, str], status: int, error: str, words: str
) -> None:
    """Each failure has a status, a word for programs and a sentence for people; nothing is applied."""
    answer = case.ask(method, path, body, **headers)

    assert (answer.status, answer.body["error"]) == (status, error)
    assert words in answer.body["detail"]
    assert case.store.topics() == {}


def test_a_topic_that_is_not_there_tells_which_are(case: Case) -> None:
    """A person who mistyped sees the right name."""
    assert case.ask("POST", "/topics/x", b"1").body["topics"] == ["notify"]


def test_health_readiness_and_numbers_are_told(case: Case) -> None:
    """Alive as long as the runner comes round; ready while there is no reason against it; the whole table as text."""
    case.post(report(1))

    assert case.ask("GET", "/healthz").body == {"alive": True, "reason": None}
    assert case.ask("GET", "/readyz").body == {"ready": True, "reasons": []}
    case.reasons.append("sink webhook: 404")
    assert (case.ask("GET", "/readyz").status, case.ask("GET", "/readyz").body["reasons"]) == (
        503,
        ["sink webhook: 404"],
    )
    text = case.ask("GET", "/metrics").body.decode()
    assert 'manometer_messages_total{group="notify",outcome="applied",partition="0"} 1.0' in text
    assert {"name": "checkpoints_total", "value": 1.0, "tags": {}} in case.ask("GET", "/telemetry").body


def test_a_process_that_has_ended_is_not_alive(case: Case) -> None:
    """And what is sent to it is not answered as if it were safe."""
    case.embedded.close()

    assert case.ask("GET", "/healthz").status == 503
    refused = case.post(report(1))
    assert (refused.status, refused.body["error"], refused.headers["Retry-After"]) == (503, "ended", "5")


def test_a_token_is_asked_for(tmp_path: Path) -> None:
    """Without it messages and numbers are refused; with it they pass."""
    case = Case(tmp_path, token="secret")  # noqa: S106 - of a test
    case.embedded.start()

    assert case.post(report(1)).status == 401
    assert case.ask("GET", "/metrics").status == 401
    assert case.ask("GET", "/healthz").status == 200
    assert case.post(report(1), Authorization="Bearer secret").status == 200
    case.close()


def test_requests_under_way_are_answered_at_the_end(tmp_path: Path) -> None:
    """Closing waits for those that wait for their checkpoint, and takes no new ones."""
    case = Case(tmp_path)
    with ThreadPoolExecutor(2) as others:
        answer = others.submit(case.post, report(1))
        until(lambda: case.embedded.waiting > 0)
        closing = others.submit(case.server.close)
        until(lambda: case.server._listening is None or not case.server._listening.is_serving())

        case.embedded.start()

        assert answer.result().status == 200
        closing.result()
    case.close()


def test_an_address_that_is_taken_is_an_error(case: Case, tmp_path: Path) -> None:
    """Told when the server starts."""
    second = Server(case.embedded, Access("127.0.0.1"), case.port, ready=list)

    with pytest.raises(OSError, match="address already in use"):
        second.start()
