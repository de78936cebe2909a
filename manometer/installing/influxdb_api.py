"""The few calls of InfluxDB's API that an installation needs: organisation, bucket, tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import msgspec

_SECONDS: Final = 30.0
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404
_SHOWN: Final = 300


class Refusal(Exception):  # noqa: N818 - an answer, or that there was none
    """What InfluxDB answered where something else was expected; one sentence that says what to do."""

    def __init__(self, told: str, status: int | None = None) -> None:
        """Keep the sentence, and the status of the answer; None where there was none."""
        super().__init__(told)
        self.status = status


class Token(msgspec.Struct, frozen=True):
    """A token that InfluxDB knows."""

    id: str
    description: str
    text: str
    """Empty where the server keeps only a hash."""
    rights: frozenset[tuple[str, str]]
    """What may be done with which bucket."""


class InfluxApi:
    """Asks one server as its operator."""

    def __init__(self, url: str, operator_token: str) -> None:
        """Take the address; nothing is asked yet.

        Raises:
            Refusal: it is no address.
        """
        if urlsplit(url).scheme not in {"http", "https"}:
            raise Refusal(f"expected an address such as http://127.0.0.1:8086, got {url}")
        self._url = url.rstrip("/")
        self._token = operator_token

    def organisation(self, name: str) -> str:
        """Give the id of an organisation.

        Raises:
            Refusal: there is none, or no answer.
        """
        found = self._ask("GET", f"/orgs?org={quote(name)}")["orgs"]
        return str(found[0]["id"])

    def bucket(self, organisation: str, name: str, keeps: int | None) -> str:
        """Give the id of a bucket, which is made where there is none.

        Args:
            organisation: the id.
            name: of the bucket.
            keeps: for how many seconds it is to keep what is written, 0 for ever; None leaves it as it is.

        Raises:
            Refusal: it cannot be made or changed.
        """
        rules = [{"type": "expire", "everySeconds": keeps or 0}]
        try:
            found = self._ask("GET", f"/buckets?orgID={organisation}&name={quote(name)}")["buckets"][0]
        except Refusal as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            found = self._ask("POST", "/buckets", {"orgID": organisation, "name": name, "retentionRules": rules})
        ident = str(found["id"])
        if keeps is not None:
            self._ask("PATCH", f"/buckets/{ident}", {"retentionRules": rules})
        return ident

    def tokens(self, organisation: str) -> list[Token]:
        """List the tokens of an organisation that are in use.

        Raises:
            Refusal: no answer.
        """
        found = self._ask("GET", f"/authorizations?orgID={organisation}")["authorizations"]
        return [
            Token(item["id"], item.get("description", ""), item.get("token", ""), _rights(item["permissions"]))
            for item in found
            if item["status"] == "active"
        ]

    def make_token(
        self, organisation: str, bucket: str, actions: Sequence[Literal["read", "write"]], description: str
    ) -> str:
        """Make a token that may do these things with one bucket and nothing else.

        Raises:
            Refusal: it cannot be made.
        """
        resource = {"type": "buckets", "id": bucket, "orgID": organisation}
        permissions = [{"action": action, "resource": resource} for action in actions]
        given = {"orgID": organisation, "description": description, "permissions": permissions}
        return str(self._ask("POST", "/authorizations", given)["token"])

    def drop_token(self, ident: str) -> None:
        """Take a token back.

        Raises:
            Refusal: no answer.
        """
        self._ask("DELETE", f"/authorizations/{ident}")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else msgspec.json.encode(body)
        headers = {"Authorization": f"Token {self._token}", "Content-Type": "application/json"}
        asked = Request(f"{self._url}/api/v2{path}", data, headers, method=method)  # noqa: S310 - http or https, see above
        try:
            with urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310 - as above
                return msgspec.json.decode(answer.read() or b"null")
        except HTTPError as error:
            with error:
                raise Refusal(self._told(error, method, path), error.code) from error
        except (URLError, OSError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise Refusal(f"{self._url}: no answer: {reason}; is InfluxDB running there?") from error
        except msgspec.DecodeError as error:
            raise Refusal(f"{self._url}: expected InfluxDB, got an answer that is no JSON") from error

    def _told(self, error: HTTPError, method: str, path: str) -> str:
        if error.code == _UNAUTHORIZED:
            return f"{self._url}: the operator token is not this server's; it was set up with another one"
        told = error.read()[:_SHOWN].decode("utf-8", "replace").strip()
        return f"{self._url}: {method} {path.partition('?')[0]}: {error.code}: {told}"


def _rights(permissions: Iterable[dict[str, Any]]) -> frozenset[tuple[str, str]]:
    return frozenset((item["action"], item["resource"].get("id", "")) for item in permissions)
