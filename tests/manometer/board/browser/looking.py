"""Pages in a real browser, with everything collected that a page may complain of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

SECONDS: Final = 15.0
"""How long anything may take until it counts as missing."""
COMPLETE: Final = "board-complete"
"""The mark among the browser's own times that says when all panels near the screen had drawn for the first time."""
_SCRIPT: Final = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} refuses ${event.blockedURI} in ${event.sourceFile}`);
});
new MutationObserver(() => {
  if (document.querySelector("#board[aria-busy=false]") && !performance.getEntriesByName("board-complete").length) {
    performance.mark("board-complete");
  }
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["aria-busy"] });
"""
"""Runs before the page: the browser does not tell of every violation on the console."""


class Looks:
    """Opens pages, and keeps what they complain of."""

    def __init__(self, browser: Browser) -> None:
        """Begin with no page."""
        self._browser = browser
        self._contexts: list[Any] = []
        self.complaints: list[str] = []

    def open(self, address: str, *, harmless: Sequence[str] = (), **options: Any) -> Page:
        """Open an address as a person who was never here.

        Args:
            address: of the page.
            harmless: parts of complaints that belong to the test.
            options: of the browser: viewport, color_scheme, ...
        """
        context = self._browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC", **options})
        self._contexts.append(context)
        context.set_default_timeout(SECONDS * 1_000)
        context.add_init_script(_SCRIPT)
        page = context.new_page()

        def complain(text: str) -> None:
            if not any(part in text for part in harmless):
                self.complaints.append(text)

        def heard(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning", "assert"}:
                complain(f"{message.type}: {message.text} ({message.location.get('url', '')})")

        page.on("console", heard)
        page.on("pageerror", lambda error: complain(f"raised: {error}"))
        page.goto(address)
        return page

    def close(self) -> None:
        """Close all pages."""
        for context in self._contexts:
            context.close()


def until(holds: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait until something holds that no page tells of."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"still not so after {seconds:g} s"
        time.sleep(0.05)


@contextmanager
def looks(browser: Browser) -> Iterator[Looks]:
    """Open pages, and fail where one complained: of a mistake in a script, or of what its policy refuses."""
    expect.set_options(timeout=SECONDS * 1_000)
    found = Looks(browser)
    try:
        yield found
    except Exception as error:
        error.add_note("\n".join(["the page complained of:", *found.complaints]))
        raise
    finally:
        found.close()
    assert not found.complaints, "\n".join(found.complaints)
