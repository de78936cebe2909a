"""A real InfluxDB 2 for tests: built once with Go and Rust, in a temporary folder, which may be killed and started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.services.running import CACHE, Missing, Program, digest, free_port, made_once, program

ORG: Final = "watchers"
BUCKET: Final = "archive"
TOKEN: Final = "operator-token-of-a-test"  # noqa: S105 - of a server that lives as long as a test

_HERE: Final = Path(__file__).parent / "influxd"
_GO: Final = "install Go 1.24 or newer, or set MANOMETER_INFLUXD to the program influxd of InfluxDB 2"
_RUST: Final = "install Rust, or set MANOMETER_INFLUXD to the program influxd of InfluxDB 2"
_PKG_CONFIG: Final = "github.com/influxdata/pkg-config"
_INFLUXD: Final = "github.com/influxdata/influxdb/v2/cmd/influxd"
_RUSTC: Final = """\
#!/bin/sh
case "$*" in
    *--cap-lints*) exec "$@" ;;
    *) exec "$@" --cap-lints warn ;;
esac
"""
"""Newer compilers warn where the library of Flux says that a warning is a mistake."""
_SECONDS: Final = 1_800


def influxd() -> Path:
    """Give the server's program: as the environment says, on PATH, or built once from what `influxd/go.sum` names.

    Raises:
        Missing: it is not there, and cannot be built.
    """
    told = os.environ.get("MANOMETER_INFLUXD") or shutil.which("influxd")
    if told:
        return Path(told)
    folder = CACHE / f"influxd-{digest(_HERE / 'go.mod', _HERE / 'go.sum')}"
    with made_once(folder) as part:
        if part is not None:
            _build(part)
    return folder / "influxd"


def _build(folder: Path) -> None:
    go = program("go", _GO)
    program("cargo", _RUST)
    wrapper = folder / "rustc-wrapper"
    wrapper.write_text(_RUSTC, encoding="ascii")
    wrapper.chmod(0o755)
    environment = {
        "CARGO_PROFILE_RELEASE_LTO": "false",
        "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1",
        "GOBIN": str(folder),
        "GOFLAGS": "-buildvcs=false -mod=readonly",
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "RUSTC_WRAPPER": str(wrapper),
        "RUSTUP_TOOLCHAIN": "stable",
    }
    _run([go, "install", _PKG_CONFIG], environment)
    tags = ["-tags", "sqlite_foreign_keys,sqlite_json", "-ldflags", "-s -w"]
    _run([go, "build", *tags, "-o", str(folder / "influxd"), _INFLUXD], environment)


def _run(words: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        list(words),
        cwd=_HERE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise Missing(f"InfluxDB could not be built ({' '.join(words[:2])}): {done.stderr[-1_500:]}")


class InfluxDB:
    """A server with its own port and data, an organisation, an operator token and one bucket that keeps for ever."""

    def __init__(self, folder: Path, *options: str) -> None:
        """Prepare; it does not run yet.

        Args:
            folder: keeps its data and its log.
            options: more words for its command line.

        Raises:
            Missing: there is no InfluxDB here.
        """
        self.folder = folder
        self.port = free_port()
        self._influxd = influxd()
        self._options = options
        self._program: Program | None = None

    @property
    def url(self) -> str:
        """Its address for clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._program is not None, "it was not started"
        return self._program.process.pid

    def start(self) -> None:
        """Run it, wait until it answers, and set it up where it is new."""
        words = [str(self._influxd), "--http-bind-address", f"127.0.0.1:{self.port}"]
        words += ["--bolt-path", str(self.folder / "bolt"), "--sqlite-path", str(self.folder / "sqlite")]
        words += ["--engine-path", str(self.folder / "engine"), "--reporting-disabled", "--log-level", "error"]
        words += self._options
        self._program = Program(words, self.folder / "influxd.log")
        self._program.wait_for(self._answers)
        if self.ask("GET", "/api/v2/setup")["allowed"]:
            given = {"username": "tester", "password": "password-of-a-test", "org": ORG, "bucket": BUCKET}
            self.ask("POST", "/api/v2/setup", {**given, "token": TOKEN})

    def stop(self) -> None:
        """End it in order."""
        if self._program is not None:
            self._program.stop()

    def kill(self) -> None:
        """End it at once; its data stay."""
        if self._program is not None:
            self._program.kill()

    def bucket(self, name: str, *, seconds: int = 0) -> str:
        """Make a bucket that keeps what is so many seconds old, 0 for ever; gives its id."""
        rules = [{"type": "expire", "everySeconds": seconds}] if seconds else []
        given = {"orgID": self.org_id, "name": name, "retentionRules": rules}
        return str(self.ask("POST", "/api/v2/buckets", given)["id"])

    def token(self, bucket_id: str, *actions: str) -> str:
        """Make a token that may do these things (read, write) with one bucket, and no more."""
        resource = {"type": "buckets", "id": bucket_id, "orgID": self.org_id}
        permissions = [{"action": action, "resource": resource} for action in actions]
        given = {"orgID": self.org_id, "permissions": permissions}
        return str(self.ask("POST", "/api/v2/authorizations", given)["token"])

    @property
    def org_id(self) -> str:
        """The id of the organisation."""
        return str(self.ask("GET", f"/api/v2/orgs?org={ORG}")["orgs"][0]["id"])

    def select(self, query: str, bucket: str = BUCKET) -> list[dict[str, Any]]:
        """Ask in InfluxQL; each series of the answer has its name, tags, columns and values, times in nanoseconds."""
        found = self.ask("GET", f"/query?{urlencode({'db': bucket, 'q': query, 'epoch': 'ns'})}")
        result = found["results"][0]
        assert "error" not in result, result
        return list(result.get("series", ()))

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask its API as the operator, and give the JSON of the answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"}
        asked = Request(f"{self.url}{path}", data, headers, method=method)  # noqa: S310 - our own server
        with urlopen(asked, timeout=30) as answer:  # noqa: S310 - as above
            return json.loads(answer.read() or b"null")

    def _answers(self) -> bool:
        with suppress(URLError, ConnectionError, TimeoutError):
            return bool(self.ask("GET", "/health")["status"] == "pass")
        return False
