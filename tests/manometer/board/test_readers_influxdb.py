from __future__ import annotations

import socket
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from archiver.sinks.influxdb import InfluxSink
from engine.clock import SystemClock
from engine.events import Alert, Metric, Tags
from engine.times import DAY, SECOND
from grafana.filling import Blanks
from grafana.queries import Choices, Query, Where
from manometer.board.influxdb_reader import InfluxReader
from manometer.board.opening import open_reader
from manometer.board.reading import MOST_LINES, TooMuch, Unreadable
from tests.services.influxdb import ORG, TOKEN, InfluxDB
from tests.services.running import free_port

BUCKET: Final = "read"
LEVEL: Final = Query(metric="level", group_by=("engine",))
BLANKS: Final = Blanks(start=0, end=3_600_000, interval=60)


class Answers:
    """A server that answers each request with the same bytes, and then says nothing for a while."""

    def __init__(self, answer: bytes) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._answer, self._done = answer, threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with closing(self._socket.accept()[0]) as came:
            came.recv(65_536)
            came.sendall(self._answer)
            self._done.wait(30)

    def close(self) -> None:
        """End."""
        self._done.set()
        self._thread.join()
        self._socket.close()


@pytest.fixture(scope="module")
def server(influxdb: InfluxDB) -> InfluxDB:
    """Give a server with a bucket."""
    influxdb.bucket(BUCKET)
    return influxdb


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """Give a file with the token that may do everything."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="ascii")
    return file


def test_a_store_is_opened_by_its_address(server: InfluxDB, token_file: Path) -> None:
    """The options stand after commas, as after `--sink`, or as a query of the URL."""
    for text in (f",bucket={BUCKET},token-file={token_file}", f"?bucket={BUCKET}&token-file={token_file}"):
        assert open_reader(f"influxdb={server.url}{text}").choices(Choices("nothing"), BLANKS) == []


def test_the_newest_point_is_found_however_old(server: InfluxDB) -> None:
    """The newest point of what is watched is found when it is of this hour, and when it is not; alerts are none."""
    bucket = "newest"
    server.bucket(bucket)
    reader = InfluxReader(server.url, bucket=bucket, token=TOKEN)
    sink = InfluxSink(server.url, org=ORG, bucket=bucket, token=TOKEN)
    assert reader.newest() is None

    now = SystemClock().now() // SECOND * SECOND
    own = Tags({"workflow": "manometer"})
    for time in (now - 40 * DAY, now - SECOND):
        sink.write([Metric("level", time, 1.0, Tags({"workflow": "w"})), Metric("level", now, 1.0, own)])
        sink.write([Alert("A", now, True, "info", 1.0, "", "a", Tags({"workflow": "w"}))])
        assert reader.newest() == time // 1_000
    sink.close()


def test_what_is_over_the_limit_of_lines_is_counted(server: InfluxDB) -> None:
    """Of too many lines the first by name are given, with how many there are."""
    sink = InfluxSink(server.url, org=ORG, bucket=BUCKET, token=TOKEN)
    sink.write([Metric("level", SECOND, 1.0, Tags({"engine": f"e{number:03}"})) for number in range(MOST_LINES + 20)])
    sink.close()

    lines = InfluxReader(server.url, bucket=BUCKET, token=TOKEN).lines(LEVEL, BLANKS)

    assert (len(lines), lines.of) == (MOST_LINES, MOST_LINES + 20)
    assert [line.tags["engine"] for line in lines] == [f"e{number:03}" for number in range(MOST_LINES)]


def test_a_token_that_is_none_and_one_that_may_not_read(server: InfluxDB) -> None:
    """What is wrong with a token is told, with the option that names its file; the token itself is not."""
    other = server.token(server.bucket("not-this-one"), "read")

    for token, sentence in (
        ("no-token-of-this-server", "answers 401: it does not take the token; check token-file"),
        (other, f"there is no bucket {BUCKET} that the token may read; make it, or check bucket and token-file"),
    ):
        reader = InfluxReader(server.url, bucket=BUCKET, token=token)
        for ask in (_lines, _choices, InfluxReader.newest):
            with pytest.raises(Unreadable, match=sentence) as caught:
                ask(reader)
            assert token not in str(caught.value)


def _lines(reader: InfluxReader) -> object:
    return reader.lines(LEVEL, BLANKS)


def _choices(reader: InfluxReader) -> object:
    return reader.choices(Choices("engine"), BLANKS)


def test_a_bucket_that_is_not_there(server: InfluxDB) -> None:
    """A wrong name of a bucket is told, with what to do."""
    with pytest.raises(
        Unreadable, match="there is no bucket nowhere that the token may read; make it, or check bucket"
    ):
        InfluxReader(server.url, bucket="nowhere", token=TOKEN).lines(LEVEL, BLANKS)


def test_a_server_that_is_not_there() -> None:
    """Where nothing listens, that is told."""
    port = free_port()

    with pytest.raises(Unreadable, match=rf"127\.0\.0\.1:{port}: no answer: .*refused; is InfluxDB running there\?"):
        InfluxReader(f"http://127.0.0.1:{port}", bucket=BUCKET, token=TOKEN).newest()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "expected InfluxDB, got another answer; check the URL"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"results":[]}', "expected InfluxDB, got another answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "expected InfluxDB, got another answer"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "answers 302"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "answers 503"),
    ],
)
def test_answers_of_something_else(answer: bytes, sentence: str) -> None:
    """What is no InfluxDB, or sends elsewhere, is told; a redirect is not followed, so the token stays here."""
    server = Answers(answer)
    try:
        with pytest.raises(Unreadable, match=sentence):
            InfluxReader(server.url, bucket=BUCKET, token=TOKEN, longest=3).newest()
    finally:
        server.close()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
def test_an_answer_that_takes_too_long_is_given_up(answer: bytes) -> None:
    """A server that says nothing, or stops in the middle, is waited for no longer than it may take."""
    server = Answers(answer)
    try:
        with pytest.raises(TooMuch, match=r"took longer than 0\.3 s: take a shorter time, or choose fewer series"):
            InfluxReader(server.url, bucket=BUCKET, token=TOKEN, longest=0.3).newest()
    finally:
        server.close()


def test_the_version_is_another_one_each_second() -> None:
    """The server does not tell of writes, so a board asks again each second, and not more often."""
    reader = InfluxReader("http://127.0.0.1:1", bucket=BUCKET, token=TOKEN)
    assert isinstance(reader.version(), int)
    assert reader.version() - reader.version() in {-1, 0}  # type: ignore[operator]  # a number, see above
    reader.close()


def test_any_text_may_be_chosen(server: InfluxDB) -> None:
    """Signs that mean something in a pattern or a statement stand for themselves; what no tag has finds nothing."""
    there = ("a/b\\c'\"", "x|y", "${__to}", "e(")
    sink = InfluxSink(server.url, org=ORG, bucket=BUCKET, token=TOKEN)
    assert not sink.write([Metric("chosen", 60 * SECOND, 1.0, Tags({"engine": engine})) for engine in there])
    reader = InfluxReader(server.url, bucket=BUCKET, token=TOKEN)
    asked = Query(metric="chosen", where=(Where("engine"),), group_by=("engine",))

    for engine in (*there, "a\nb", "\0", "a\\", "$timeFilter"):
        found = reader.lines(asked, Blanks(start=0, end=3_600_000, interval=60, chosen={"engine": [engine]}))

        assert [line.tags["engine"] for line in found] == [engine] * (engine in there)
    sink.close()
