"""Who may see the board: rules of the address, the token, the cookie; and what browsers are told."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manometer.board import requests, sessions
from manometer.intake.access import Access, Denied
from tests.manometer.board.serving import Case, Reply

TOKEN = "a secret of some length"  # noqa: S105 - of these tests
API = "/api/boards"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Case]:
    """Serve a board with a token."""
    case = Case(tmp_path, token=TOKEN)
    yield case
    case.close()


def login(case: Case, token: str = TOKEN, **more: str) -> Reply:
    """Send the form of the login page."""
    return case.ask("/login", "POST", data={"token": token, **more}, headers={"Origin": case.url})


def cookie(reply: Reply) -> str:
    """Take the cookie as a browser sends it back."""
    return str(reply.headers["Set-Cookie"]).partition(";")[0]


def test_the_token_opens_and_the_cookie_after_it(guarded: Case) -> None:
    """As a header for programs, by the login page for browsers; the cookie is not the token, and no script reads it."""
    reply = login(guarded, next="/?board=manometer-alerts")

    assert (reply.status, reply.headers["Location"]) == (303, "/?board=manometer-alerts")
    told = reply.headers["Set-Cookie"]
    assert all(part in told for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="))
    assert TOKEN not in told
    for path in ("/", API, "/runbooks/engine-error"):
        assert guarded.ask(path, headers={"Cookie": cookie(reply)}).status == 200
        assert guarded.ask(path, headers={"Authorization": f"Bearer {TOKEN}"}).status == 200


def test_without_it_there_is_the_login_page_and_nothing_else(guarded: Case) -> None:
    """Pages show the form, with where to go on; what programs ask is 401; the style of the page is open."""
    page = guarded.ask("/?board=manometer-model&engine=%22%3E%3Cb%3E")

    assert page.status == 401
    assert 'action="/login"' in page.body
    assert "<b>" not in page.body
    assert "manometer-model" in page.body
    for path in (API, "/api/health", "/api/live?board=manometer-overview&seconds=60", "/api/query", "/api/alerts"):
        assert (reply := guarded.ask(path)).status == 401, path
        assert reply.body["error"] == "token"
    assert guarded.ask("/static/index.html").status == 200


@pytest.mark.parametrize(
    "following", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", ""]
)
def test_after_the_login_one_stays_here(guarded: Case, following: str) -> None:
    """Wherever the form was told to go on to."""
    assert login(guarded, next=following).headers["Location"] == "/"


def test_a_wrong_token_gets_no_cookie_and_not_many_are_tried(guarded: Case) -> None:
    """After ten in a minute even the right one has to wait."""
    wrong = login(guarded, "guess")
    for _ in range(sessions.FAILURES - 1):
        login(guarded, "guess")

    assert wrong.status == 401
    assert "Set-Cookie" not in wrong.headers
    assert "not the token" in wrong.body
    assert login(guarded).status == 429


def test_a_cookie_ends_and_cannot_be_made_up() -> None:
    """Another token, another end, another proof: none of them opens; nor does one that is too old."""
    good = sessions.session(TOKEN, 1_000)
    end, _, proof = good.partition(".")

    assert sessions.is_session(TOKEN, good, 999.0)
    assert not sessions.is_session(TOKEN, good, 1_000.0)
    for bad in (
        sessions.session("other", 1_000),
        f"2000.{proof}",
        f"{end}.{'0' * 64}",
        end,
        "",
        ".",
        f"x.{proof}",
        "².",
    ):
        assert not sessions.is_session(TOKEN, bad, 1.0)


def test_cookies_of_others_are_no_trouble() -> None:
    """Browsers send what other programs of this host have set, some of it not as the standard has it."""
    own = f"{sessions.cookie_name(TOKEN)}={sessions.session(TOKEN, 100)}"
    for header in (own, f'a={{"b": 1}}; {own}', f"{own}; c[0]=1", f"x=1, 2; ;{own};"):
        sessions.check_session(Access("0.0.0.0", TOKEN), {"Cookie": header}, 1.0)  # noqa: S104 - nothing listens


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"data": "token=" + "a" * 9_000}, 413),
        ({"data": b"token=a", "headers": {"Content-Encoding": "gzip"}}, 400),
        ({"data": b"xx", "headers": {"Content-Type": "multipart/form-data"}}, 401),
        ({"data": "token=a", "headers": {"Content-Type": "application/x-www-form-urlencoded; charset=none"}}, 401),
    ],
)
def test_a_form_that_is_none_is_refused(guarded: Case, form: dict[str, Any], status: int) -> None:
    """Nobody without the token can send much, nor make the server fail."""
    assert guarded.ask("/login", "POST", **form).status == status


def test_a_form_that_does_not_come_is_refused(guarded: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who announces more than comes is told so, and let go."""
    monkeypatch.setattr(requests, "FORM_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=10) as client:
        client.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\ntok")

        assert client.recv(100).startswith(b"HTTP/1.1 408")


def test_a_broken_cookie_is_none() -> None:
    """What is no cookie opens nothing, and is no failure."""
    for header in ("manometer", "=;=", f"{sessions.cookie_name(TOKEN)}=\udcff", "a" * 5_000):
        with pytest.raises(Denied) as denied:
            sessions.check_session(Access("0.0.0.0", TOKEN), {"Cookie": header}, 1.0)  # noqa: S104 - nothing listens
        assert denied.value.status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_pages_of_others_see_nothing(board: Case, headers: dict[str, str]) -> None:
    """A name that only leads here (DNS rebinding), another origin, a picture on another page: 403."""
    for path in ("/", API, "/api/live?board=manometer-overview&seconds=60", "/login"):
        if path == "/login" and "Sec-Fetch-Site" in headers:
            continue
        assert board.ask(path, "POST" if path == "/login" else "GET", headers=headers).status == 403


def test_a_link_from_elsewhere_may_be_followed(board: Case) -> None:
    """The page itself opens from a chat or a mail."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    assert board.ask("/", headers=headers).status == 200


def test_browsers_are_told_to_be_strict(board: Case) -> None:
    """No script but our own files, no frame, no guess of types, no address told to others: pages, answers, failures."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    for path in ("/", API, "/static/index.html", "/runbooks/engine-error", "/nothing", "/runbooks/nothing"):
        headers = board.ask(path).headers
        assert headers["Content-Security-Policy"] == policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Python" not in headers["Server"]


def test_the_page_has_nothing_inline(board: Case) -> None:
    """The policy would stop it: no script and no style within the page, no address of elsewhere."""
    body = board.ask("/").body

    assert "<script>" not in body
    assert "<style" not in body
    assert " style=" not in body
    assert "//" not in body.replace("http://www.w3.org", "")


def test_only_what_is_asked_for_is_done(board: Case) -> None:
    """Nothing can be changed: other methods are refused."""
    for method in ("POST", "PUT", "DELETE"):
        assert board.ask(API, method).status == 405
