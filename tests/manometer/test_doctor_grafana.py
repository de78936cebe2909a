from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.house.source import ROOT
from tests.manometer.commands import WORKFLOW, run
from tests.manometer.grafana_server import ALL, NOT_FOUND, PASSWORD, TOKEN, Grafana, grafana
from tests.services.running import free_port


@pytest.fixture
def there() -> Iterator[Grafana]:
    """Give a server that answers as a Grafana with our boards does."""
    with grafana() as found:
        yield found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a folder with a workflow file and the secrets of Grafana."""
    (tmp_path / "w.yaml").write_text(WORKFLOW, encoding="utf-8")
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="ascii")
    (tmp_path / "grafana").mkdir()
    (tmp_path / "grafana" / "password").write_text(PASSWORD, encoding="ascii")
    return tmp_path


def looked(place: Path, *words: str, exit_code: int = 1) -> dict[str, dict[str, Any]]:
    """Run the command; gives what it says of each thing, and each finding has its fix."""
    done = run("doctor", place / "w.yaml", "--json", *words)
    assert done.exit_code == exit_code, done.output
    found = {one["what"]: one for one in json.loads(done.stdout)}
    assert all(one["fix"] for one in found.values() if not one["ok"])
    return found


@pytest.mark.parametrize("words", [("--grafana-token-file", "token"), ("--folder", ".")])
def test_a_healthy_grafana_with_all_boards_is_fine(there: Grafana, place: Path, words: tuple[str, str]) -> None:
    """By a service account's token, and by the password in the folder of secrets."""
    option, file = words
    found = looked(place, "--grafana", there.url, option, str(place / file), exit_code=0)

    assert {name: one["told"] for name, one in found.items()} == {
        "grafana": f"12.3.0 at {there.url}",
        "data source": "manometer-influxdb is healthy: datasource is working. 12 measurements found",
        "boards": f"all 4 are there: {', '.join(ALL)}",
    }


def test_the_boards_that_are_asked_for_are_those_that_are_shipped() -> None:
    """The uids are those of the files that Grafana is given."""
    assert {file.stem for file in (ROOT / "grafana" / "dashboards").glob("*.json")} == set(ALL)


def test_boards_that_are_missing_are_named(there: Grafana, place: Path) -> None:
    """Each by its uid."""
    there.boards = ALL[:2]
    found = looked(place, "--grafana", there.url, "--folder", str(place))

    assert found["boards"]["told"] == "2 of 4 are missing: manometer-alerts, manometer-itself"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((400, {"message": "error performing influxQL query", "status": "ERROR"}), "error performing influxQL query"),
        ((403, {"message": "You'll need additional permissions", "title": "Access denied"}), "may not be asked: 403"),
        (NOT_FOUND, "500 (Unable to load datasource metadata): there is none"),
        ((404, {"message": "Data source not found"}), "404 (Data source not found): there is none"),
    ],
)
def test_a_data_source_that_does_not_work_is_told(
    there: Grafana, place: Path, answer: tuple[int, Any], told: str
) -> None:
    """In Grafana's own words, and the boards are looked at all the same."""
    there.source = answer
    found = looked(place, "--grafana", there.url, "--folder", str(place))

    assert (found["data source"]["ok"], told in found["data source"]["told"]) == (False, True)
    assert found["boards"]["ok"]


def test_a_wrong_secret_ends_the_look(there: Grafana, place: Path) -> None:
    """What is wrong with it is said once, not for each board."""
    (place / "token").write_text("other", encoding="ascii")
    found = looked(place, "--grafana", there.url, "--grafana-token-file", str(place / "token"))

    assert list(found) == ["grafana", "grafana login"]
    assert "401 (Invalid API key)" in found["grafana login"]["told"]


@pytest.mark.parametrize(
    ("health", "told"),
    [
        ((503, {"database": "failing", "version": "12.3.0"}), "its data base is failing"),
        ((200, {"name": "influxdb"}), "answers 200"),
        ((200, [1]), "answers 200"),
    ],
)
def test_what_is_no_grafana_or_a_sick_one_is_told(
    there: Grafana, place: Path, health: tuple[int, Any], told: str
) -> None:
    """Nothing more is asked then."""
    there.health = health
    found = looked(place, "--grafana", there.url, "--folder", str(place))

    assert (list(found), told in found["grafana"]["told"]) == (["grafana"], True)
    assert there.asked == ["/api/health"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}", "ftp://example.org", "http://u:p@127.0.0.1:{}", "http://[::1"])
def test_no_answer_is_a_finding(place: Path, url: str) -> None:
    """Also an address that is none."""
    found = looked(place, "--grafana", url.format(free_port()), "--folder", str(place))

    assert found["grafana"]["ok"] is False


def test_an_answer_that_is_none_is_a_finding(place: Path) -> None:
    """Something listens there that speaks no HTTP, and then says nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=_nonsense, args=(server,), daemon=True).start()
        found = looked(place, "--grafana", f"http://127.0.0.1:{server.getsockname()[1]}", "--folder", str(place))

    assert "no answer: " in found["grafana"]["told"]


def _nonsense(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"220 hello\r\n\r\n")


def test_a_server_that_is_away_keeps_nobody_from_looking_at_the_others(there: Grafana, place: Path) -> None:
    """Without a broker Grafana is looked at all the same, and the broker is a finding."""
    nobody = ("--kafka", f"127.0.0.1:{free_port()}")
    found = looked(place, *nobody, "--grafana", there.url, "--folder", str(place))

    assert {what for what, one in found.items() if not one["ok"]} == {"broker"}
    assert found["boards"]["ok"]


def test_a_redirect_carries_no_secret_elsewhere(there: Grafana, place: Path) -> None:
    """It is told as what it is."""
    there.health = (302, {"message": "moved"})
    found = looked(place, "--grafana", there.url, "--folder", str(place))

    assert "answers 302 (moved)" in found["grafana"]["told"]


def test_without_a_secret_or_a_server_there_is_nothing_to_do(tmp_path: Path) -> None:
    """Exit code 2 says what is missing; a file that is empty is no secret."""
    (tmp_path / "w.yaml").write_text(WORKFLOW, encoding="utf-8")
    (tmp_path / "empty").touch()
    nothing = run("doctor", tmp_path / "w.yaml")
    none = run("doctor", tmp_path / "w.yaml", "--grafana", "http://127.0.0.1:1")
    empty = run("doctor", tmp_path / "w.yaml", "--grafana", "http://x", "--grafana-token-file", tmp_path / "empty")
    lost = run("doctor", tmp_path / "w.yaml", "--influxdb", "http://x", "--folder", tmp_path)

    assert [done.exit_code for done in (nothing, none, empty, lost)] == [2, 2, 2, 2]
    assert "expected --kafka HOST:PORT, --influxdb URL or --grafana URL" in nothing.stderr
    assert "expected --grafana-token-file or --grafana-password-file" in none.stderr
    assert "expected a secret of printable ASCII in one line" in empty.stderr
    assert "expected --write-token-file, --read-token-file or both" in lost.stderr
