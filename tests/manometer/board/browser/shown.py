"""What a page shows, in the words of a person: boards, panels, signs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from playwright.sync_api import Locator, Page, expect

_COLOURED: Final = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, opacity] = data.slice(at, at + 4);
    if (opacity > 20 && Math.max(red, green, blue) - Math.min(red, green, blue) > 30) found += 1;
  }
  return found;
}"""
"""Pixels that are not grey: what is drawn of data, as axes and grids are grey."""


def complete(page: Page) -> None:
    """Wait until all panels near the screen show what is asked for."""
    expect(page.locator("#board")).to_have_attribute("aria-busy", "false")


def panel(page: Page, title: str, kind: str = "lines") -> Locator:
    """Find the panel of a kind with this title."""
    found = page.locator(f"article.panel[data-kind={kind}]").filter(
        has=page.locator("h3", has_text=re.compile(f"^{re.escape(title)}$"))
    )
    return found.first


def seen(found: Locator) -> Locator:
    """Scroll to a panel and wait until it has drawn, or says why it has not."""
    found.scroll_into_view_if_needed()
    expect(found).to_have_attribute("aria-busy", "false")
    return found


def drawn(found: Locator) -> str:
    """Say what is wrong with what a panel shows; empty where it draws something and tells it in words."""
    state = seen(found).get_attribute("data-state")
    if state != "ready":
        return f"{state}: {found.locator('.body').inner_text()}"
    canvas = found.locator("canvas")
    if canvas.count() and not canvas.evaluate(_COLOURED):
        return "nothing on the canvas"
    return "" if re.search(r"\d", said(found)) else f"tells no number: {said(found)}"


def said(found: Locator) -> str:
    """Give what a screen reader says of a panel."""
    return found.locator(".body").get_attribute("aria-label") or ""


def tells(found: Locator, text: str) -> None:
    """Wait until a screen reader would say this of a panel."""
    expect(found.locator(".body")).to_have_attribute("aria-label", re.compile(re.escape(text)))


def signed(page: Page, *signs: str) -> None:
    """Wait until the sign beside the boards is one of these: live, quiet, lost, paused, wait."""
    expect(page.locator("#connection")).to_have_attribute("data-sign", re.compile(f"^({'|'.join(signs)})$"))


def choose(page: Page, title: str, entry: str) -> None:
    """Choose an entry of a panel's menu."""
    found = seen(panel(page, title))
    found.get_by_role("button", name=f"Menu of {title}").click()
    page.get_by_role("menuitem", name=entry).click()


def unfolded(page: Page) -> None:
    """Open all sections."""
    for fold in page.locator("button.fold[aria-expanded=false]").all():
        fold.click()


def cells(found: Locator) -> list[list[str]]:
    """Give the lines of a table."""
    rows = found.locator("tbody tr").all()
    return [row.locator("td").all_inner_texts() for row in rows]


def asked_by(page: Page, act: Callable[[], object], path: str = "/api/query") -> list[str]:
    """Do something, and give the addresses of this path that the page asks until all panels show it."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url))
    act()
    complete(page)
    return [url for url in found if path in url]
