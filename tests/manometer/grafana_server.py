"""A small web server that answers as Grafana 12 documents its API; a real Grafana is not to be had in the tests."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

TOKEN: Final = "glsa_of-a-test"  # noqa: S105 - nobody's
PASSWORD: Final = "password-of-a-test"  # noqa: S105 - as above
ALL: Final = ("manometer-overview", "manometer-model", "manometer-alerts", "manometer-itself")
WORKS: Final = (200, {"message": "datasource is working. 12 measurements found", "status": "OK"})
NOT_FOUND: Final = (500, {"message": "Unable to load datasource metadata", "traceID": ""})


class Grafana:
    """What it holds, and how it is; a test changes it."""

    def __init__(self) -> None:
        """Begin healthy and whole."""
        self.health: tuple[int, Any] = (200, {"commit": "abc", "database": "ok", "version": "12.3.0"})
        self.source: tuple[int, Any] = WORKS
        self.boards: Collection[str] = ALL
        self.asked: list[str] = []
        self.url = ""

    def answer(self, path: str, login: str) -> tuple[int, Any]:
        """Give status and body."""
        self.asked.append(path)
        if path == "/api/health":
            return self.health
        if login not in {f"Bearer {TOKEN}", f"Basic {b64encode(f'admin:{PASSWORD}'.encode()).decode()}"}:
            return 401, {"message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401, "traceID": ""}
        if path == "/api/datasources/uid/manometer-influxdb/health":
            return self.source
        uid = path.removeprefix("/api/dashboards/uid/")
        if uid not in self.boards:
            return 404, {"message": "Dashboard not found", "traceID": ""}
        return 200, {"meta": {"slug": uid, "provisioned": True}, "dashboard": {"uid": uid, "title": uid, "panels": []}}


@contextmanager
def grafana() -> Iterator[Grafana]:
    """Run one."""
    found = Grafana()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = found.answer(self.path, self.headers.get("Authorization", ""))
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()
