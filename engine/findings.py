"""Findings: what is wrong with a file that a person wrote, at which line and path, and what to write instead."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from itertools import islice
from typing import Final, Literal

import msgspec

Level = Literal["error", "warning"]

WHOLE: Final = "file"
"""The path of a finding about the file as a whole."""
MOST: Final = 500
"""Findings that one file can have; a file with more is not a workflow file, and nobody reads them."""
_MESSAGE: Final = 2_000
_SHOWN: Final = 60
_LISTED: Final = 40
_WORD: Final = 60
_COMPARED: Final = 1_000
_KEY: Final = re.compile(r"[\w.@+/$-]{1,60}")


class Finding(msgspec.Struct, frozen=True):
    """One mistake, or one thing worth a look, in a file.

    >>> print(Finding("lstm.yaml", 3, "streams.notify.topic", "expected text, got 7", level="error"))
    lstm.yaml:3: streams.notify.topic: expected text, got 7
    """

    file: str
    """The file as the user named it."""
    line: int
    """Counted from 1; always a line of the file."""
    path: str
    """Where in the file: monitors[2].with.treshold; `file` where it is about the whole."""
    message: str
    level: Level = "error"

    def __str__(self) -> str:
        """Write it as one line, whatever stands in the file or its name."""
        level = "" if self.level == "error" else f" {self.level}:"
        return one_line(f"{self.file}:{self.line}: {self.path}:{level} {self.message}")


class WorkflowError(Exception):
    """A workflow file that cannot run, with everything that was found in it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        """Keep the findings; the text is one line for each."""
        self.findings = list(findings)
        super().__init__("\n".join(map(str, self.findings)))


class TooManyFindings(Exception):  # noqa: N818 - it ends the search and is never an error of ours
    """Ends the search through a file that has more mistakes than anyone reads."""


class Notes:
    """Collects the findings of one file while it is read."""

    def __init__(self, file: str, *, lines: int = 1) -> None:
        """Begin without findings.

        Args:
            file: the file as the user named it.
            lines: number of its lines; a finding beyond them is put at the last.
        """
        self.file = file
        self.lines = lines
        self.findings: list[Finding] = []

    def error(self, line: int, path: str, message: str) -> None:
        """Note a mistake; the file cannot run."""
        self._add(line, path, message, "error")

    def warn(self, line: int, path: str, message: str) -> None:
        """Note something that is allowed and probably not meant."""
        self._add(line, path, message, "warning")

    def _add(self, line: int, path: str, message: str, level: Level) -> None:
        place = max(1, min(line, self.lines))
        self.findings.append(Finding(self.file, place, path or WHOLE, message[:_MESSAGE], level))
        if len(self.findings) >= MOST:
            self.findings.append(Finding(self.file, place, WHOLE, f"more than {MOST} findings; the rest is left out"))
            raise TooManyFindings

    def take(self, other: Notes) -> None:
        """Add what another reading of the same file has noted."""
        for finding in other.findings:
            self._add(finding.line, finding.path, finding.message, finding.level)

    @property
    def failed(self) -> bool:
        """Whether there is a mistake among the findings."""
        return any(finding.level == "error" for finding in self.findings)

    def sorted(self) -> list[Finding]:
        """Give the findings in the order of their lines."""
        return sorted(self.findings, key=lambda finding: finding.line)


def one_line(text: str) -> str:
    r"""Write line breaks, control characters and all else that nobody sees as escapes.

    >>> one_line("a\nb")
    'a\\nb'
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)


def below(path: str, key: str | int) -> str:
    """Give the path of a member.

    >>> below("monitors", 2), below("monitors[2]", "with"), below("", "streams"), below("engines", "a b")
    ('monitors[2]', 'monitors[2].with', 'streams', 'engines["a b"]')
    """
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _KEY.fullmatch(key):
        return f"{path}[{show(key)}]"
    return f"{path}.{key}" if path else key


def show(value: object) -> str:
    """Quote a value of a file as a sentence shows it; long ones are cut.

    >>> show("a"), show(7), show(None), show({"a": 1}), show([])
    ('"a"', '7', 'nothing', 'a map', 'a list')
    """
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def listing(names: Iterable[str]) -> str:
    """Join names for a sentence; after many it only counts.

    >>> listing(["b", "a"]), listing([])
    ('a, b', 'nothing')
    """
    ordered = sorted(names)
    shown = [name if len(name) <= _WORD else f"{name[:_WORD]}..." for name in ordered[:_LISTED]]
    more = len(ordered) - len(shown)
    return (", ".join(shown) or "nothing") + (f" and {more} more" if more else "")


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Give the question that names the nearest right word, or nothing where none is near.

    >>> did_you_mean("treshold", ["threshold", "every"])
    ' Did you mean "threshold"?'
    """
    near = nearest(word, names)
    return f' Did you mean "{near}"?' if near else ""


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Find the name that a wrong word probably stands for."""
    if len(word) > _WORD:
        return None
    lower = {name.lower(): name for name in islice(names, _COMPARED) if len(name) <= _WORD}
    close = difflib.get_close_matches(word.lower(), lower, n=1)
    return lower[close[0]] if close else None
