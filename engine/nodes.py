"""What a YAML or JSON file holds: maps, lists and scalars that know their lines."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

import msgspec

from engine.findings import below

Value = str | int | float | bool | None
DEPTH: Final = 32
"""Levels of nesting that a file may have; a workflow needs six."""
VALUES: Final = 50_000
"""Values that a file may hold."""


class Node(msgspec.Struct):
    """A value of a file and the line where it begins."""

    line: int


class Scalar(Node):
    """A text, number, truth value or nothing."""

    value: Value
    source: str = ""
    """How it is written in the file, without quotes."""
    loose: bool = False
    """It is one variable of the environment and nothing else, so its text counts where text is expected."""
    noted: bool = False
    """Something is wrong with the scalar itself, and was noted."""


class Items(Node):
    """A list."""

    members: list[Node] = []


class Entry(msgspec.Struct):
    """One key of a map, with the line of the key."""

    line: int
    node: Node


class Map(Node):
    """A map; its keys are texts."""

    entries: dict[str, Entry] = {}

    def get(self, key: str) -> Node | None:
        """Give the value under a key; None where there is none."""
        entry = self.entries.get(key)
        return None if entry is None else entry.node


Loc = tuple[str | int, ...]


def plain(node: Node, *, texts: Collection[int] = ()) -> Any:
    """Give the plain Python value of a node.

    Args:
        node: a value of a file.
        texts: identities of loose scalars that count as text.
    """
    if isinstance(node, Map):
        return {key: plain(entry.node, texts=texts) for key, entry in node.entries.items()}
    if isinstance(node, Items):
        return [plain(member, texts=texts) for member in node.members]
    assert isinstance(node, Scalar)  # noqa: S101 - there are three kinds
    return node.source if id(node) in texts else node.value


def as_text(node: Node | None) -> str | None:
    """Give the text of a scalar; None where it is none."""
    if not isinstance(node, Scalar):
        return None
    return node.source if node.loose else node.value if isinstance(node.value, str) else None


class Place(msgspec.Struct, frozen=True):
    """Where in a file a value stands, or should stand."""

    line: int
    path: str
    node: Node
    """The value, or where it is missing what should hold it."""
    depth: int
    """Steps that were found on the way."""


def place(node: Node, path: str, loc: Iterable[str | int]) -> Place:
    """Follow names and numbers from a node; steps that lead nowhere are left out.

    Validators put steps between that stand in no file, such as the member of a union that they tried.
    """
    line, depth = node.line, 0
    for step in loc:
        if isinstance(node, Map) and isinstance(step, str) and step in node.entries:
            entry = node.entries[step]
            node, line = entry.node, entry.line
        elif isinstance(node, Items) and isinstance(step, int) and 0 <= step < len(node.members):
            node = node.members[step]
            line = node.line
        else:
            continue
        path, depth = below(path, step), depth + 1
    return Place(line, path, node, depth)
