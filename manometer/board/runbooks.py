"""Runbooks as pages: Markdown in which HTML is text, with links to other runbooks and to the web only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from manometer.board.pages import not_found_page, page
from manometer.resources import resource

FOLDER: Final = "docs/runbooks"
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_BESIDE: Final = re.compile(r"(?:\./)?(?P<name>[a-z0-9-]+)\.md(?P<part>#[\w-]*)?")


class Runbooks:
    """The runbooks of some folders, rendered when they are asked for."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        """Read from these folders first, then from the one that comes with Manometer."""
        self._folders = [*folders, resource(FOLDER)]
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    @property
    def names(self) -> list[str]:
        """What there is."""
        return sorted(
            {path.stem for folder in self._folders for path in folder.glob("*.md") if _NAME.fullmatch(path.stem)}
        )

    def render(self, name: str) -> tuple[bool, str]:
        """Give whether there is one of this name, and the page."""
        file = self._file(name)
        if file is None:
            return False, not_found_page(name[:100], self.names)
        tokens = self._markdown.parse(file.read_text(encoding="utf-8"))
        for token in tokens:
            self._correct_links(token)
        body = str(self._markdown.renderer.render(tokens, self._markdown.options, {}))
        return True, page(name, f'<p><a href="/">Boards</a></p>\n<article class="runbook">\n{body}</article>')

    def _file(self, name: str) -> Path | None:
        if not _NAME.fullmatch(name):
            return None
        return next((file for folder in self._folders if (file := folder / f"{name}.md").is_file()), None)

    def _correct_links(self, token: Token) -> None:
        """Let links lead to what is served here, or to the web; those to other files become texts."""
        kept: list[bool] = []
        children: list[Any] = []
        for child in token.children or ():
            if child.type == "link_open":
                kept.append(self._corrected(child))
            if child.type == "image" or (child.type in {"link_open", "link_close"} and not kept[-1]):
                pass
            else:
                children.append(child)
            if child.type == "link_close":
                kept.pop()
        if token.children:
            token.children = children

    def _corrected(self, link: Token) -> bool:
        address = str(link.attrs.get("href", ""))
        beside = _BESIDE.fullmatch(address)
        if beside is not None and self._file(beside["name"]) is not None:
            link.attrs["href"] = f"/runbooks/{beside['name']}{beside['part'] or ''}"
            return True
        if address.startswith(("https://", "http://")):
            link.attrs["rel"] = "noopener noreferrer"
            return True
        return address.startswith("#")
