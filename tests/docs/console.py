"""Runs the commands of a console block as a reader would, in a folder that looks like a checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from tests.house.source import ROOT, files

RUN: Final = frozenset({"manometer", "cat", "cd", "cp", "echo", "head", "ls", "mkdir", "printf", "pytest", "tail"})
"""First words of the commands that are run."""

LEFT_OUT: Final = {
    "make": "sets up an environment; it is the first thing that CI does",
    "git": "needs a repository on a network",
    "pip": "installs",
    "python3": "makes an environment",
}
"""First words of the commands that a page may show without running them, with the reason."""

SECONDS: Final = 120
LINKED: Final = "data"
"""Folder that is linked and not copied: it is large and nobody writes to it."""

PROGRAM: Final = "from manometer.cli.main import main; main()"


class Command(NamedTuple):
    """One command of a console block and the lines that it shows."""

    line: str
    shown: list[str]

    @property
    def word(self) -> str:
        """The program."""
        return self.line.split()[0]


def commands(text: str) -> list[Command]:
    """Read a console block: a command follows `$ `, a line that ends in a backslash goes on, the rest is shown."""
    found: list[Command] = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:].strip(), []))
        elif found:
            found[-1].shown.append(line.rstrip())
    return found


def make_checkout(folder: Path) -> None:
    """Lay out the files of the repository in a folder."""
    for path in files():
        name = path.relative_to(ROOT)
        if name.parts[0] != LINKED:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / name)
    (folder / LINKED).symlink_to(ROOT / LINKED)


class Shell:
    """Remembers the folder between the commands of a page."""

    def __init__(self, folder: Path, programs: Path) -> None:
        """Begin in a folder; `programs` gets a `manometer` that runs the code of the folder it is called in."""
        self.folder = folder
        programs.mkdir(parents=True, exist_ok=True)
        script = programs / "manometer"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{PROGRAM}" "$@"\n', encoding="utf-8")
        script.chmod(0o755)
        paths = [str(programs), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))},
            "PATH": os.pathsep.join(paths),
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
            "COLUMNS": "120",
            "NO_COLOR": "1",
            "TERM": "dumb",
        }

    def run(self, command: Command) -> tuple[int, str]:
        """Run a command; gives its exit code and all that it printed."""
        if command.word == "cd":
            self.folder = (self.folder / command.line.split()[1]).resolve()
            return 0, ""
        done = subprocess.run(
            ["bash", "-c", command.line],  # noqa: S607 - bash of the PATH
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")


def missing_line(shown: list[str], printed: str) -> str | None:
    r"""Find the first shown line that was not printed; lines keep their order, `...` stands for anything.

    >>> missing_line(["a", "...", "c 0...s"], "a\nb\nc 0.12s\n"), missing_line(["b", "a"], "a\nb\n")
    (None, 'a')
    """
    rest = iter(printed.splitlines())
    for line in shown:
        if line.strip() in {"", "..."}:
            continue
        pattern = ".*".join(map(re.escape, line.split("...")))
        if not any(re.fullmatch(pattern, given.rstrip()) for given in rest):
            return line
    return None
