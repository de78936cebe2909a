"""Puts one more entry under `monitors:` of a workflow file, and changes nothing else in it: no comment, no blank."""

from __future__ import annotations

import difflib
import io
import json
from collections.abc import Mapping
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from engine.findings import Notes
from engine.nodes import Map, plain
from engine.strict_yaml import read_yaml
from engine.variables import Variables

WIDTH: Final = 110
"""A longer entry goes over several lines."""
_ENDLESS: Final = 1 << 16


class NotAttached(Exception):  # noqa: N818 - says what was not done
    """The file has no place for the entry."""


def with_entry(text: str, entry: Mapping[str, Any]) -> str:
    r"""Give the text of a workflow file with one more monitor.

    Args:
        text: the file, YAML or JSON, as it is.
        entry: use, from and so on.

    Raises:
        NotAttached: there is no list of monitors to put it into.

    >>> print(with_entry("monitors:\n- {use: a, from: s}  # first\n", {"use": "b", "from": "s"}), end="")
    monitors:
    - {use: a, from: s}  # first
    - {use: b, from: s}
    """
    monitors = _monitors(text)
    if monitors.flow_style:
        at = _end(monitors.value[-1], text) if monitors.value else monitors.start_mark.index + 1
        new = json.dumps(entry, ensure_ascii=False) if text.lstrip().startswith("{") else _flow(entry)
        return f"{text[:at]}{', ' if monitors.value else ''}{new}{text[at:]}"
    line_end = text.find("\n", _end(monitors.value[-1], text))
    before, after = (text, "") if line_end < 0 else (text[: line_end + 1], text[line_end + 1 :])
    line_break = "\r\n" if "\r\n" in text else "\n"
    if line_end < 0:
        before += line_break
    lines = _lines(entry, " " * monitors.start_mark.column)
    return before + "".join(f"{line}{line_break}" for line in lines) + after


def _monitors(text: str) -> SequenceNode:
    """Find the list in the text."""
    try:
        root = YAML().compose(text)
    except YAMLError as error:
        raise NotAttached(f"it cannot be read: {error}") from error
    members = root.value if isinstance(root, MappingNode) else []
    for key, value in members:
        if key.value == "monitors" and isinstance(value, SequenceNode) and (value.value or value.flow_style):
            return value
    raise NotAttached("expected a list under monitors; write `monitors: []` to begin with")


def _end(node: Node, text: str) -> int:
    """Say where a node ends: behind its last sign, not behind the comments that follow it."""
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        return _end(node.value[-1][1], text)
    if isinstance(node, SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1], text)
    return len(text[: node.end_mark.index].rstrip())


def _lines(entry: Mapping[str, Any], indent: str) -> list[str]:
    short = f"{indent}- {_flow(entry)}"
    if len(short) <= WIDTH:
        return [short]
    members = [_flow({key: value})[1:-1] for key, value in entry.items()]
    return [f"{indent}{'  ' if place else '- '}{member}" for place, member in enumerate(members)]


def _flow(entry: Mapping[str, Any]) -> str:
    """Write an entry on one line."""
    yaml = YAML()
    yaml.width = _ENDLESS
    whole = CommentedMap(entry)
    whole.fa.set_flow_style()
    text = io.StringIO()
    yaml.dump(whole, text)
    return text.getvalue().strip()


def read_option(text: str) -> tuple[str, Any]:
    """Read KEY=VALUE, the value as a workflow file has it.

    Raises:
        ValueError: it has another form.

    >>> read_option("silent_after=60s"), read_option("above=0.9"), read_option("leaving=[stopped, error]")
    (('silent_after', '60s'), ('above', 0.9), ('leaving', ['stopped', 'error']))
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ValueError(f"expected KEY=VALUE, got {text!r}")
    if "${" in value:
        return key, value
    notes = Notes("the value")
    root = read_yaml(f"value: {value}", notes, variables=Variables({}))
    if notes.failed or not isinstance(root, Map):
        told = notes.findings[0].message if notes.findings else "it is no value"
        raise ValueError(f"{key}: {told}")
    return key, plain(root)["value"]


def difference(name: str, before: str, after: str) -> str:
    """Show what changes in a file, as `diff -u` does."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, n=2, lineterm="")
    return "\n".join(lines)
