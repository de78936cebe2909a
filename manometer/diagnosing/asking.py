"""Asks a server over HTTP: no proxy of the environment, no redirect that could carry a secret elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

import msgspec

from engine.findings import one_line

_SECONDS: Final = 10.0
_LONGEST: Final = 16_000_000
_SHOWN: Final = 300


class NoAnswer(Exception):  # noqa: N818 - says what happened
    """Nothing that could be understood came back; the sentence says why."""


class Answer(msgspec.Struct, frozen=True):
    """What a server said, whether it was yes or no."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    """With names in small letters."""

    @property
    def json(self) -> Any:
        """The body read as JSON; None where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None

    @property
    def object(self) -> dict[str, Any]:
        """The body where it is a JSON object, else an empty one."""
        found = self.json
        return found if isinstance(found, dict) else {}

    @property
    def said(self) -> str:
        """Status and message, to stand within a sentence."""
        message = self.object.get("message") or self.body[:_SHOWN].decode("utf-8", "replace")
        text = one_line(str(message).strip()[:_SHOWN])
        return f"{self.status} ({text})" if text else str(self.status)

    @property
    def time(self) -> float | None:
        """The second in which the server answered, by its own clock; None where it does not say."""
        try:
            return parsedate_to_datetime(self.headers["date"]).timestamp()
        except (KeyError, ValueError):
            return None


class _Stays(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nothing: the redirect itself is the answer."""


class Server:
    """One server at one address."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        """Take the address, and headers for each request; nothing is asked yet.

        Raises:
            NoAnswer: it is no address.
        """
        if not _is_address(url):
            raise NoAnswer("expected an address such as http://127.0.0.1:8086, without user, password or query")
        self.url = url.rstrip("/")
        self._headers = dict(headers or {})
        self._opener = build_opener(ProxyHandler({}), _Stays())

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Ask, and give the answer, whatever its status is.

        Raises:
            NoAnswer: none came in time.
        """
        given = self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        asked = Request(f"{self.url}{path}", body, given, method=method)  # noqa: S310 - http or https, see above
        try:
            with self._opener.open(asked, timeout=_SECONDS) as answer:
                return _answer(answer.status, answer)
        except HTTPError as error:
            with error:
                return _answer(error.code, error)
        except Exception as error:  # http.client has exceptions of its own where an answer is none
            reason = error.reason if isinstance(error, URLError) else error
            raise NoAnswer(one_line(f"no answer: {reason}"[:_SHOWN])) from error


def _is_address(url: str) -> bool:
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        return False
    return bool(
        found.scheme in {"http", "https"} and found.hostname and port != 0 and "@" not in found.netloc
    ) and not (found.query or found.fragment)


def _answer(status: int, found: Any) -> Answer:
    return Answer(status, found.read(_LONGEST), {name.lower(): value for name, value in found.headers.items()})
