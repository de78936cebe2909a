"""What may be wrong with the Grafana that shows the boards; asked by the API that Grafana 12 documents."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from manometer.diagnosing.asking import Answer, NoAnswer, Server
from manometer.diagnosing.line import Line

_OK: Final = 200
_UNHEALTHY: Final = 400
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_PROVISION: Final = "provision grafana/provisioning/ and grafana/dashboards/, see what Grafana logs"


class Login(msgspec.Struct, frozen=True):
    """Who asks: a service account's token, or a user with a password."""

    secret: str
    user: str | None = None

    @property
    def header(self) -> str:
        """How it is proved."""
        if self.user is None:
            return f"Bearer {self.secret}"
        return f"Basic {b64encode(f'{self.user}:{self.secret}'.encode()).decode()}"


def grafana_lines(url: str, login: Login, source: str, boards: Sequence[str]) -> Iterator[Line]:
    """Look at the server, the data source and the boards.

    Args:
        url: the server.
        login: who asks.
        source: uid of the data source.
        boards: uids of the boards that should be there.
    """
    try:
        server = Server(url, {"Authorization": login.header})
        health = Server(url).ask("GET", "/api/health")
        found = health.object
        if "database" not in found:
            yield Line("grafana", False, f"{url} answers {health.said}", "check --grafana: that is no Grafana")
            return
        if health.status != _OK or found["database"] != "ok":
            yield Line("grafana", False, f"{url}: its data base is {found['database']}", "see what Grafana logs")
            return
        yield Line("grafana", True, f"{found.get('version') or 'it'} at {url}")
        answer = server.ask("GET", f"/api/datasources/uid/{source}/health")
        if answer.status == _UNAUTHORIZED:
            fix = "check --grafana-token-file, or --grafana-user and --grafana-password-file"
            yield Line("grafana login", False, f"Grafana does not let us in: {answer.said}", fix)
            return
        yield _source(source, answer)
        yield _boards({uid: server.ask("GET", f"/api/dashboards/uid/{uid}") for uid in boards})
    except NoAnswer as error:
        yield Line("grafana", False, f"{url}: {error}", "start Grafana, or check --grafana")


def _source(uid: str, answer: Answer) -> Line:
    what = "data source"
    if answer.status == _OK and answer.object.get("status", "OK") == "OK":
        return Line(what, True, f"{uid} is healthy: {answer.object.get('message') or 'OK'}")
    if answer.status == _FORBIDDEN:
        fix = "give the service account the role Viewer, with the right to query the data source"
        return Line(what, False, f"{uid} may not be asked: {answer.said}", fix)
    if answer.status == _UNHEALTHY:
        fix = "check its URL, data base (the bucket) and header Authorization: `Token ` and a token that may read"
        return Line(what, False, f"{uid} is not healthy: {answer.object.get('message') or answer.said}", fix)
    # Grafana says 500, `Unable to load datasource metadata`, or 404 where there is none with this uid.
    return Line(what, False, f"{uid}: Grafana answers {answer.said}: there is none, or it cannot be loaded", _PROVISION)


def _boards(answers: dict[str, Answer]) -> Line:
    missing = [uid for uid, answer in answers.items() if answer.status == _NOT_FOUND]
    closed = {uid: answer for uid, answer in answers.items() if answer.status not in {_OK, _NOT_FOUND}}
    if missing:
        told = f"{len(missing)} of {len(answers)} are missing: {', '.join(missing)}"
        return Line("boards", False, told, _PROVISION)
    if closed:
        told = "; ".join(f"{uid}: {answer.said}" for uid, answer in closed.items())
        return Line("boards", False, f"may not be read: {told}", "give the service account the role Viewer")
    return Line("boards", True, f"all {len(answers)} are there: {', '.join(answers)}")
