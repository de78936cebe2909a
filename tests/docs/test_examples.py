"""Examples on pages are true: Python runs, workflows load, commands exit as they should and print what is shown.

How a page says it:

- a block of Python runs; all blocks of a page share their names, and what a page asserts must hold;
- a block of YAML that begins with `workflow:` is loaded;
- of a console block the lines after `$ ` are run; what is shown below a command must be printed, in that order, `...`
  standing for anything; `exit=1` after `console` says how the last command of the block ends;
- `file=PATH` after the language writes the block to that file, so that later blocks find it; Python in a file is
  run by the commands that follow.

Each page begins in a folder of its own that looks like a fresh checkout.
"""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import pytest

from engine.workflow import load
from tests.docs.blocks import Block, all_pages, blocks
from tests.docs.console import LEFT_OUT, RUN, Command, Shell, commands, make_checkout, missing_line
from tests.house.source import ROOT

LANGUAGES = {"console", "csv", "ini", "json", "jsonl", "mermaid", "python", "sh", "sql", "text", "toml", "yaml"}


def pages_with_examples() -> list[Path]:
    """Name the pages that have something to run."""
    return [page for page in all_pages() if any(_is_example(block) for block in blocks(page))]


def _is_example(block: Block) -> bool:
    return block.language in {"python", "console"} or block.is_workflow or "file" in block.settings


@pytest.mark.parametrize("page", pages_with_examples(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_hold(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of the page does what the page says, one after the other."""
    checkout = tmp_path / "manometer"
    checkout.mkdir()
    make_checkout(checkout)
    _clear(checkout, page)
    monkeypatch.chdir(checkout)
    shell = Shell(checkout, tmp_path / "programs")
    names: dict[str, Any] = {"__name__": "example"}

    for block in filter(_is_example, blocks(page)):
        _try(block, shell, names)


def _clear(checkout: Path, page: Path) -> None:
    """Take away what the page is going to write, in case somebody has followed it in this checkout."""
    for block in blocks(page):
        written = [line.removeprefix("written: ") for line in block.text.splitlines() if line.startswith("written: ")]
        for name in [*written, block.settings.get("file", "")]:
            if name:
                (checkout / name).unlink(missing_ok=True)


def _try(block: Block, shell: Shell, names: dict[str, Any]) -> None:
    path = shell.folder / block.settings.get("file", f"example-{block.line}.yaml")
    if "file" in block.settings or block.is_workflow:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    if block.is_workflow and "file" in block.settings:
        code, printed = shell.run(Command(f"manometer check {block.settings['file']}", []))
        assert code == 0, f"{block.where}: {printed}"
    elif block.is_workflow:
        load(path)
    elif block.language == "python" and "file" not in block.settings:
        _run_python(block, names)
    elif block.language == "console":
        _run_console(block, shell)


def _run_python(block: Block, names: dict[str, Any]) -> None:
    if block.text.lstrip().startswith(">>>"):
        example = doctest.DocTestParser().get_doctest(block.text, names, block.where, str(block.page), block.line)
        assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, clear_globs=False).failed == 0
    else:
        source = "\n" * block.line + block.text
        exec(compile(source, str(block.page), "exec"), names)  # noqa: S102 - our own pages


def _run_console(block: Block, shell: Shell) -> None:
    found = commands(block.text)
    for command in found:
        assert command.word in RUN | set(LEFT_OUT), f"{block.where}: neither run nor left out: {command.line}"
        if command.word in LEFT_OUT:
            continue
        expected = int(block.settings.get("exit", "0")) if command is found[-1] else 0
        code, printed = shell.run(command)
        assert code == expected, f"{block.where}: $ {command.line}\nexit {code}, expected {expected}\n{printed}"
        lost = missing_line(command.shown, printed)
        assert lost is None, f"{block.where}: $ {command.line}\nshown but not printed: {lost}\n{printed}"


def test_blocks_have_a_known_language() -> None:
    """Each block names its language, so that none escapes a check by a slip of the pen."""
    found = [
        f"{block.where}: {block.language!r}"
        for page in all_pages()
        for block in blocks(page)
        if block.language not in LANGUAGES
    ]

    assert not found, "\n".join(found)


def test_a_shown_line_may_be_cut() -> None:
    """`...` stands for anything in a line, and alone for any lines; order counts."""
    printed = "one\ntwo 0.12 s\nthree\n"

    assert missing_line(["one", "two ... s"], printed) is None
    assert missing_line(["one", "...", "three"], printed) is None
    assert missing_line(["three", "one"], printed) == "one"
