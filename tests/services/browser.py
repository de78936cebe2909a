"""A real Chromium for tests, driven by Playwright, and axe-core, which finds what shuts people out of a page."""

from __future__ import annotations

import base64
import hashlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from tests.services.debian import brought, installed
from tests.services.running import CACHE, Missing, made_once, program

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)
"""Beside those of Playwright: nothing is fetched that a test has not asked for, and texts are as wide everywhere."""
_VARIABLE: Final = "MANOMETER_CHROMIUM"
_BRING: Final = f"apt-get install chromium, or set {_VARIABLE} to the program of a Chromium"
_AXE: Final = "axe-core@4.14.1"
_AXE_HASH: Final = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
"""SHA-512, as npm writes the integrity of that version."""
_NODE: Final = "apt-get install nodejs npm"


@contextmanager
def browser() -> Iterator[Browser]:
    """Run a browser.

    While it runs, Playwright's event loop runs in this thread, so nothing else here can use asyncio.

    Raises:
        Missing: there is no Chromium here, and it cannot be installed.
    """
    path = chromium()
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield found
        finally:
            found.close()


def chromium() -> Path:
    """Give the browser's program: as the environment says, on PATH, or installed once as Debian's package.

    Raises:
        Missing: it is not there, and cannot be installed.
    """
    told = os.environ.get(_VARIABLE)
    if told:
        return Path(told)
    return Path(installed(NAMES, ["chromium", "fonts-dejavu-core"], _BRING))


def axe() -> str:
    """Give the script of axe-core; npm brings it once.

    Raises:
        Missing: there is no npm, or it could not bring what is asked for.
    """
    folder = CACHE / _AXE.replace("@", "-")
    with made_once(folder) as part:
        if part is not None:
            words = [program("npm", _NODE), "pack", _AXE, "--silent", "--pack-destination", str(part)]
            brought(words, _NODE)
            _unpack(next(part.glob("*.tgz")), part)
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def _unpack(packed: Path, folder: Path) -> None:
    found = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if found != _AXE_HASH:
        raise Missing(f"{_AXE} is not what it was: its hash is {found}, expected {_AXE_HASH}")
    with tarfile.open(packed) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None, f"{_AXE} has no axe.min.js"
        (folder / "axe.min.js").write_bytes(member.read())
    packed.unlink()
