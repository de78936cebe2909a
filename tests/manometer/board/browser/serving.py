"""The board as a user has it: `manometer board` over a store, a process of its own, on a port that stays."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from email.message import Message
from pathlib import Path
from typing import Any, Final, cast
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import psutil

from tests.house.source import ROOT
from tests.services.running import Program, free_port

OVERVIEW: Final = "manometer-overview"
_CODE: Final = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from manometer.cli.main import main; main()"


class Board:
    """A server that shows a store; it may be stopped, killed and started again on the same port."""

    def __init__(self, store: Path, folder: Path, *options: str) -> None:
        """Choose a port; it does not run yet. The options are more words for the command."""
        self.store = store
        self._options = options
        self.port = free_port()
        self._log = folder / f"board-{self.port}.log"
        self._program: Program | None = None

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def at(self, uid: str = OVERVIEW, **chosen: str | int | Sequence[str]) -> str:
        """Give the address of a board, with what is chosen; `since` and `until` are its range."""
        names = {"since": "from", "until": "to"}
        asked = {names.get(name, name): value for name, value in chosen.items()}
        return f"{self.url}/?{urlencode({'board': uid, **asked}, doseq=True)}"

    def start(self) -> None:
        """Run it, and wait until it answers."""
        words = [sys.executable, "-c", _CODE, "board", str(self.store), *self._options, "--port", str(self.port)]
        self._program = Program(words, self._log)
        self._program.wait_for(self._answers)

    def stop(self) -> None:
        """End it in order; what it said of mistakes of its own is a failure."""
        if self._program is not None:
            self._program.stop()
            assert "Traceback" not in (said := self._program.tail(20_000)), said

    def kill(self) -> None:
        """End it at once."""
        if self._program is not None:
            self._program.kill()

    def ask(self, path: str, **chosen: Any) -> Any:
        """Ask its API, and give the JSON of the answer."""
        with urlopen(f"{self.url}{path}?{urlencode(chosen)}", timeout=30) as answer:  # noqa: S310 - our own server
            return json.loads(answer.read())

    def headers(self, path: str, **chosen: Any) -> Message:
        """Ask, and give the headers of the answer."""
        with urlopen(f"{self.url}{path}?{urlencode(chosen)}", timeout=30) as answer:  # noqa: S310 - our own server
            return cast(Message, answer.headers)

    @property
    def resident(self) -> int:
        """Bytes of memory that it holds just now."""
        assert self._program is not None
        return int(psutil.Process(self._program.process.pid).memory_info().rss)

    def _answers(self) -> bool:
        with suppress(URLError, ConnectionError, TimeoutError):
            self.ask("/api/boards")
            return True
        return False


def copied(store: Path, folder: Path) -> Path:
    """Copy a store that nobody writes to, for a test that does."""
    return Path(shutil.copy(store, folder / "copied.db"))
