from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver.sink import Broken
from archiver.sinks.json_lines import JsonLinesSink, read_emissions
from archiver.sinks.sqlite import SqliteSink, read_alerts
from archiver.sinks.webhook import signature
from engine.events import Alert, Tags
from manometer.sinks import OPTIONS, SinkMistake, SinkSpec, parse_sinks
from tests.archiver.sinks.receiver import Receiver, hangs
from tests.services.influxdb import ORG, TOKEN, InfluxDB

CHANGE = Alert("EngineSilent", 1_782_907_200_000_000, True, "critical", tags=Tags({"engine": "e1"}))


def test_each_kind_opens_its_store(tmp_path: Path) -> None:
    """A file of SQLite, a file of lines and a web server get what is written, beside each other."""
    (tmp_path / "secret").write_bytes(b"s3cret\n")
    with Receiver() as receiver:
        specs = parse_sinks(
            [
                f"sqlite={tmp_path / 'store.db'}",
                f"json-lines={tmp_path / 'a,1=c d.jsonl'}",
                f"webhook={receiver.url},secret-file={tmp_path / 'secret'},timeout=5s",
            ]
        )
        sinks = [spec.open() for spec in specs]
        for sink in sinks:
            sink.write([CHANGE])
            sink.close()

    (received,) = receiver.received
    seconds = int(received.headers["Manometer-Signature"][2:].partition(",")[0])
    assert [spec.name for spec in specs] == ["sqlite", "json-lines", "webhook"]
    assert isinstance(sinks[0], SqliteSink)
    assert isinstance(sinks[1], JsonLinesSink)
    assert read_alerts(tmp_path / "store.db") == [CHANGE]
    assert read_emissions(tmp_path / "a,1=c d.jsonl") == [CHANGE]
    assert received.headers["Manometer-Signature"] == signature(b"s3cret", received.body, seconds)


def test_an_influxdb_is_opened_and_counted(influxdb: InfluxDB, tmp_path: Path) -> None:
    """A server gets what is written with the token of a file, and tells how many points of a workflow it has."""
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="ascii")
    influxdb.bucket(tmp_path.name)
    word = f"influxdb={influxdb.url},org={ORG},bucket={tmp_path.name},token-file={tmp_path / 'token'},timeout=5s"
    (spec,) = parse_sinks([word])
    sink = spec.open()
    refused = sink.write([CHANGE, replace(CHANGE, tags=Tags({"workflow": "lstm"}))])
    sink.close()

    assert refused == []
    assert spec.points("lstm") == 1


def test_a_timeout_reaches_the_sink() -> None:
    """`timeout=` is how long one POST may take."""
    with Receiver(hangs) as receiver:
        (spec,) = parse_sinks([f"webhook={receiver.url},timeout=50ms"])
        with pytest.raises(Exception, match="timed out"):
            spec.open().write([CHANGE])


def test_a_url_keeps_its_commas_and_signs() -> None:
    """Only a comma before a word and `=` begins an option; a question mark and what follows belong to the URL."""
    (spec,) = parse_sinks(["webhook=https://example.org/a,b?x=1&y=2,3,name=on-call"])

    assert (spec.name, spec.target, spec.options) == ("on-call", "https://example.org/a,b?x=1&y=2,3", {})


def test_sinks_of_one_kind_have_names() -> None:
    """Two receivers stand beside each other, each with a position of its own."""
    specs = parse_sinks(["webhook=http://a/", "webhook=http://b/,name=b"])

    assert [spec.name for spec in specs] == ["webhook", "b"]


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ([""], 'expected KIND=TARGET with one of influxdb, json-lines, sqlite, webhook, got "".'),
        (["store.db"], 'expected KIND=TARGET with one of influxdb, json-lines, sqlite, webhook, got "store.db".'),
        (["sqlit=a.db"], 'got "sqlit=a.db". Did you mean "sqlite"?'),
        (["json_lines=a"], 'got "json_lines=a". Did you mean "json-lines"?'),
        (["sqlite"], "sqlite: expected a file after `sqlite=`, got nothing"),
        (["webhook=,name=a"], "webhook: expected a URL after `webhook=`, got nothing"),
        (["sqlite=a.db,secret-file=b"], 'sqlite: unknown option "secret-file"; it has name.'),
        (
            ["webhook=http://a/,secret_file=b"],
            'it has name, secret-file, timeout. Did you mean "secret-file"? A comma of a URL before a word and `=` is',
        ),
        (["influxdb=http://a"], "influxdb: expected bucket, org, token-file as well, such as `,org=...`"),
        (["influxdb=http://a,org=o,bucket=b"], "such as `,token-file=...`"),
        (["influxdb=,org=o"], "influxdb: expected a URL after `influxdb=`, got nothing"),
        (["webhook=http://a/,name="], "webhook: name: expected a value, got nothing"),
        (["webhook=http://a/,name=a,name=b"], "webhook: an option is given twice: name, name"),
        (["sqlite=a.db,name=a b"], "sqlite: name: expected at most 60 letters, digits, dots and hyphens, got"),
        (["webhook=http://a/,timeout=soon"], "timeout: expected a duration such as 500ms"),
        (["webhook=http://a/,timeout=0"], "timeout: expected at most 5m and more than nothing, got 0"),
        (["webhook=http://a/,timeout=1h"], "timeout: expected at most 5m and more than nothing, got 1h"),
        (["sqlite=a.db", "sqlite=b.db"], 'two sinks have the name "sqlite"; give one of them another with ,name=NAME'),
        (["sqlite=a.db", "sqlite=a.db,name=b"], 'two sinks have the target "a.db"; a store has one writer'),
    ],
)
def test_a_mistake_is_told_in_a_sentence(texts: list[str], sentence: str) -> None:
    """What came, what was expected, and the nearest right word."""
    with pytest.raises(SinkMistake) as caught:
        parse_sinks(texts)

    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "the secret cannot be read: no such file or directory"), (b"\n", "expected a secret, got an empty file")],
)
def test_a_secret_that_is_not_there_is_broken(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    """A sink that should sign never goes on without its secret."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    (spec,) = parse_sinks([f"webhook=http://127.0.0.1:9/,secret-file={file}"])
    with pytest.raises(Broken) as caught:
        spec.open()

    assert str(caught.value) == f"{file}: {sentence}"


def test_a_url_that_cannot_be_used_is_broken_when_opened() -> None:
    """The sink itself judges its URL."""
    (spec,) = parse_sinks(["webhook=example.org"])
    with pytest.raises(Broken, match="webhook: expected a URL"):
        spec.open()


def test_a_kind_without_options_of_its_own_has_a_name() -> None:
    """Every kind can stand twice."""
    assert all("name" in options for options in OPTIONS.values())


def test_what_is_there_anyway_comes_first_and_counts() -> None:
    """The store that every process has keeps its name and its file to itself."""
    own = SinkSpec("sqlite", "sqlite", "archive.db")

    assert parse_sinks(["sqlite=b.db,name=b"], beside=[own])[0] is own
    with pytest.raises(SinkMistake, match="the name"):
        parse_sinks(["sqlite=b.db"], beside=[own])
    with pytest.raises(SinkMistake, match="the target"):
        parse_sinks(["sqlite=archive.db,name=b"], beside=[own])
