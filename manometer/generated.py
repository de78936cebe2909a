"""Keeps what is generated current: the files of the boards, and parts of pages.

A part of a page stands between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from engine.monitor import Monitor
from engine.plugins import builtin_monitors
from engine.workflow_keys import WorkflowKeys
from grafana.boards import boards
from grafana.rendering import document
from manometer.cli.catalogue import OWN
from manometer.cli.main import main as command
from manometer.reference import catalogue, command_pages, emits_table, models_tables, options_table, render

_BLOCK: Final = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL)


class UnknownBlock(Exception):  # noqa: N818 - it says what was found
    """A page asks for a generated part that nobody makes."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Keep the name that the page gave."""
        super().__init__(f"no generated part is called {name!r}; there are: {', '.join(known)}")
        self.name = name


def fill(text: str, blocks: Mapping[str, str]) -> str:
    r"""Put generated text between the markers of a page; everything else stays.

    Raises:
        UnknownBlock: a marker has a name that is not in `blocks`.

    >>> fill("<!-- generated: emits -->\n<!-- end -->", {"emits": "nothing"})
    '<!-- generated: emits -->\n\nnothing\n\n<!-- end -->'
    """

    def filled(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in blocks:
            raise UnknownBlock(name, sorted(blocks))
        return f"{match[1]}\n{blocks[name]}\n\n{match[4]}"

    return _BLOCK.sub(filled, text)


def monitor_blocks(monitor: type[Monitor]) -> dict[str, str]:
    """Make the generated parts of a monitor's page."""
    return {"options": options_table(monitor), "emits": emits_table(monitor)}


def reference_blocks() -> dict[str, str]:
    """Make the generated parts of the pages in docs/reference/; a new monitor changes none of them."""
    return {
        "own-emissions": render(catalogue({}, OWN), "markdown"),
        "command-line": command_pages(command),
        "workflow-keys": models_tables(
            sorted(WorkflowKeys.__subclasses__(), key=lambda keys: "workflow" not in keys.model_fields)
        ),
    }


def pages(docs: Path) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """Name the pages with generated parts, and the parts of each; a page that is not there yet is left out."""
    for name, monitor in sorted(builtin_monitors().items()):
        page = docs / "monitors" / f"{name}.md"
        if page.exists():
            yield page, monitor_blocks(monitor)
    blocks = reference_blocks()
    for page in sorted((docs / "reference").glob("*.md")):
        yield page, blocks


def outdated(docs: Path) -> dict[Path, str]:
    """Find pages that are not current, and give each as it should be."""
    found = {}
    for page, blocks in pages(docs):
        text = page.read_text(encoding="utf-8")
        current = fill(text, blocks)
        if current != text:
            found[page] = current
    return found


def board_files(folder: Path) -> dict[Path, str]:
    """Give the files of the boards for Grafana: those that are there and no longer wanted have no text."""
    wanted = {folder / f"{board.uid}.json": document(board) for board in boards(catalogue(builtin_monitors(), OWN))}
    return dict.fromkeys(sorted(folder.glob("*.json")), "") | wanted


def outdated_boards(folder: Path) -> dict[Path, str]:
    """Find files of boards that are not current, and give each as it should be."""
    return {
        file: text
        for file, text in board_files(folder).items()
        if (file.read_text(encoding="utf-8") if file.exists() else "") != text
    }


def main(args: Sequence[str]) -> int:
    """Check the pages or write them; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m manometer.reference", description="Generated parts of the docs.")
    parser.add_argument("--write", action="store_true", help="write the pages that are not current")
    parser.add_argument("--check", action="store_true", help="only name them; exit code 1 if there are any (default)")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="folder of the pages")
    parser.add_argument("--boards", type=Path, default=Path("grafana/dashboards"), help="folder of Grafana's files")
    given = parser.parse_args(args)
    found = outdated(given.docs) | outdated_boards(given.boards)
    for page, text in found.items():
        if given.write and text:
            page.write_text(text, encoding="utf-8")
        elif given.write:
            page.unlink()
        sys.stdout.write(f"{page}: {'written' if given.write else 'not current: run make docs'}\n")
    return 1 if found and not given.write else 0
