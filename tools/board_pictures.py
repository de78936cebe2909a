"""Takes the pictures of the live board in docs/pictures/: of the demo, while its story is told, light and dark.

    python -m tools.board_pictures

It takes as long as the demo. They are pictures of a real browser, made small: the same board may look a little
different each time, so no test compares them; somebody has to look at them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple
from urllib.parse import urlencode

from playwright.sync_api import Browser

from tests.manometer.board.browser.looking import Looks, looks
from tests.manometer.board.browser.shown import complete
from tests.services.browser import browser
from tools.palette import smaller

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "docs" / "pictures"
SPEED: Final = "200"
"""Of the demo: its day takes seven minutes."""
TOLD: Final = "fired: Forecasts are off"
"""The last turn of the story."""
SPAN: Final = {"from": "now-5m", "to": "now"}
"""The time on the pictures, so that the story is in it from its first turn on."""
MORE: Final = 45
"""Seconds after it in which the story is seen to go on."""


class Shot(NamedTuple):
    """A picture to take."""

    name: str
    board: str
    width: int = 1400
    height: int = 1000


SHOTS: Final = (
    Shot("overview", "manometer-overview", height=1240),
    Shot("model", "manometer-model"),
    Shot("alerts", "manometer-alerts"),
    Shot("itself", "manometer-itself"),
    Shot("phone", "manometer-overview", 390, 844),
)


@contextmanager
def told(folder: Path) -> Iterator[str]:
    """Run the demo until its story has come to its last turn; gives the address of its board."""
    words = [sys.executable, "-m", "manometer", "demo", "--plain", "--speed", SPEED, "--data", str(folder)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        lines = iter(process.stdout or ())
        try:
            found = re.search(r"http://\S+", next(lines))
            if found is None:
                raise SystemExit("the demo told no address of a board first")
            print_line(found[0])
            for line in lines:
                print_line(line.rstrip())
                if TOLD in line:
                    break
            yield found[0]
        finally:
            process.terminate()
            for _ in lines:
                pass


def take(look: Looks, address: str, shot: Shot, scheme: str) -> bytes:
    """Take one picture."""
    size = {"width": shot.width, "height": shot.height}
    page = look.open(address, viewport=size, color_scheme=scheme, device_scale_factor=1)
    complete(page)
    return page.screenshot(animations="disabled")


def main() -> int:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, browser() as found, told(Path(folder)) as address:
        everything(found, address)
    return 0


def everything(found: Browser, address: str) -> None:
    """Take the pictures of what has been told."""
    base = address.partition("?")[0]
    with looks(found) as look:
        time.sleep(MORE)
        taken = {
            FOLDER / f"board-{shot.name}-{scheme}.png": take(
                look, f"{base}?{urlencode({'board': shot.board, **SPAN})}", shot, scheme
            )
            for shot in SHOTS
            for scheme in ("light", "dark")
        }
    for path, png in taken.items():
        path.write_bytes(smaller(png))
        print_line(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


def print_line(text: str) -> None:
    """Tell how far it is."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
