from __future__ import annotations

from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from manometer.installing.influxdb_api import InfluxApi, Refusal
from manometer.installing.kept import keep, kept
from manometer.installing.passwords import OPERATOR_TOKEN
from manometer.installing.tokens import ARCHIVER_TOKEN, GRAFANA_TOKEN, Place, make_tokens
from tests.manometer.commands import run
from tests.services.influxdb import BUCKET, ORG, TOKEN, InfluxDB
from tests.services.running import free_port

DAY = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of secrets with the operator's token."""
    keep(tmp_path / OPERATOR_TOKEN, TOKEN, shared=False)
    return tmp_path


def _made(influxdb: InfluxDB, folder: Path, bucket: str, *, keeps: int | None = None) -> list[str]:
    return make_tokens(InfluxApi(influxdb.url, TOKEN), Place(ORG, bucket, keeps), folder, shared=False)


def _answer(influxdb: InfluxDB, token: str | None, path: str, data: bytes | None = None) -> tuple[int, bytes]:
    asked = Request(f"{influxdb.url}{path}", data, {"Authorization": f"Token {token}"})  # noqa: S310 - our own server
    try:
        with urlopen(asked, timeout=10) as answer:  # noqa: S310 - as above
            return int(answer.status), answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def _rules(influxdb: InfluxDB, bucket: str) -> list[int]:
    found = influxdb.ask("GET", f"/api/v2/buckets?name={bucket}")["buckets"]
    return [rule["everySeconds"] for rule in found[0]["retentionRules"]]


def test_each_token_may_do_one_thing_with_one_bucket(influxdb: InfluxDB, folder: Path) -> None:
    """The archiver writes and cannot read, Grafana reads and cannot write, and other buckets are closed to both."""
    assert _made(influxdb, folder, "rights") == [ARCHIVER_TOKEN, GRAFANA_TOKEN]
    writes, reads = kept(folder / ARCHIVER_TOKEN), kept(folder / GRAFANA_TOKEN)
    here, elsewhere = (f"/api/v2/write?org={ORG}&bucket={name}" for name in ("rights", BUCKET))
    query = "/query?db=rights&q=SHOW+MEASUREMENTS"

    assert [_answer(influxdb, token, here, b"m value=1")[0] for token in (writes, reads)] == [204, 403]
    assert _answer(influxdb, writes, elsewhere, b"m value=1")[0] == 403
    assert b'"m"' in _answer(influxdb, reads, query)[1]
    assert b'"m"' not in _answer(influxdb, writes, query)[1]


def test_what_is_there_stays(influxdb: InfluxDB, folder: Path) -> None:
    """A second call writes nothing, and makes no token that nobody knows of."""
    _made(influxdb, folder, "again")
    texts = [kept(folder / name) for name in (ARCHIVER_TOKEN, GRAFANA_TOKEN)]

    assert _made(influxdb, folder, "again") == []
    assert [kept(folder / name) for name in (ARCHIVER_TOKEN, GRAFANA_TOKEN)] == texts
    assert len(_tokens(influxdb, "again")) == 2


def test_a_token_that_was_lost_is_made_anew_and_the_old_one_taken_back(influxdb: InfluxDB, folder: Path) -> None:
    """Whoever still has the lost token can do nothing with it."""
    _made(influxdb, folder, "lost")
    old = kept(folder / GRAFANA_TOKEN)
    (folder / GRAFANA_TOKEN).unlink()

    assert _made(influxdb, folder, "lost") == [GRAFANA_TOKEN]
    assert len(_tokens(influxdb, "lost")) == 2
    assert _answer(influxdb, old, "/query?db=lost&q=SHOW+MEASUREMENTS")[0] == 401
    assert _answer(influxdb, kept(folder / GRAFANA_TOKEN), "/query?db=lost&q=SHOW+MEASUREMENTS")[0] == 200


def test_a_bucket_that_was_made_again_gets_new_tokens(influxdb: InfluxDB, folder: Path) -> None:
    """Tokens of a bucket that is gone are good for nothing, although the server knows them."""
    _made(influxdb, folder, "gone")
    ident = influxdb.ask("GET", "/api/v2/buckets?name=gone")["buckets"][0]["id"]
    influxdb.ask("DELETE", f"/api/v2/buckets/{ident}")

    assert _made(influxdb, folder, "gone") == [ARCHIVER_TOKEN, GRAFANA_TOKEN]


def test_how_long_a_bucket_keeps_can_be_said(influxdb: InfluxDB, folder: Path) -> None:
    """A bucket keeps for ever at first, so long when it is said, and stays so when it is not said again."""
    kept_for = []
    for keeps in (None, 90 * DAY, None, 0):
        _made(influxdb, folder, "keeping", keeps=keeps)
        kept_for.append(_rules(influxdb, "keeping"))

    assert kept_for == [[0], [90 * DAY], [90 * DAY], [0]]


def test_the_command_tells_what_it_wrote(influxdb: InfluxDB, folder: Path) -> None:
    """The command writes the files, names them, and prints no token."""
    words = (
        "tokens",
        "--influxdb",
        influxdb.url,
        "--org",
        ORG,
        "--bucket",
        "told",
        "--keep",
        "30d",
        "--folder",
        folder,
    )

    first, second = run(*words), run(*words)

    assert (first.exit_code, first.stdout, second.exit_code) == (0, "", 0)
    assert ARCHIVER_TOKEN in first.stderr
    assert (kept(folder / ARCHIVER_TOKEN) or "?") not in first.stderr
    assert "nothing" in second.stderr
    assert _rules(influxdb, "told") == [30 * DAY]


def test_each_failure_says_what_to_do(influxdb: InfluxDB, folder: Path, tmp_path: Path) -> None:
    """No operator token, a wrong one, a wrong address, an unknown organisation: one sentence each, exit code 2."""
    url = influxdb.url
    nobody = f"http://127.0.0.1:{free_port()}"
    wrong = tmp_path / "wrong"
    keep(wrong / OPERATOR_TOKEN, "not-the-token", shared=False)
    cases = {
        "manometer secrets create": ("--influxdb", url, "--org", ORG, "--folder", tmp_path / "none"),
        "another one": ("--influxdb", url, "--org", ORG, "--folder", wrong),
        "is InfluxDB running there": ("--influxdb", nobody, "--org", ORG, "--folder", folder),
        "expected an address": ("--influxdb", "influxdb:8086", "--org", ORG, "--folder", folder),
        "404": ("--influxdb", url, "--org", "nobody", "--folder", folder),
        "--keep": ("--influxdb", url, "--org", ORG, "--folder", folder, "--keep", "soon"),
    }

    for words, given in cases.items():
        done = run("tokens", *given)
        assert done.exit_code == 2
        assert words in done.stderr


def test_an_answer_that_is_not_influxdb_is_said(influxdb: InfluxDB) -> None:
    """Another server at the address is named as that."""
    with pytest.raises(Refusal, match=r"404|no JSON"):
        InfluxApi(f"{influxdb.url}/elsewhere", TOKEN).organisation(ORG)


def _tokens(influxdb: InfluxDB, bucket: str) -> list[str]:
    found = influxdb.ask("GET", f"/api/v2/authorizations?org={ORG}")["authorizations"]
    return [item["id"] for item in found if item.get("description", "").endswith(f" of {bucket}")]
