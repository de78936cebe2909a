"""JSON files read into the same nodes as YAML, so that every check has its lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from engine.findings import WHOLE, Notes, below
from engine.nodes import DEPTH, VALUES, Entry, Items, Map, Node, Scalar, Value
from engine.scalars import SURROGATE, AmbiguousScalarError, number, scalar
from engine.variables import VariableError, Variables

_TOKEN: Final = re.compile(r'(?P<space>\s+)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<sign>[{}\[\]:,])|(?P<word>[^\s{}\[\]:,"]+)')
_CONSTANTS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None}
_DEPTH_OF: Final = {"{": 1, "[": 1, "}": -1, "]": -1}


class _Token(msgspec.Struct, frozen=True):
    line: int
    kind: str
    text: str


def is_json(text: str) -> bool:
    """Say whether a text is an object of JSON; any other text is read as YAML."""
    if not text.lstrip(" \t\r\n").startswith("{"):
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    except (ValueError, RecursionError):  # a number of too many digits, or too deep; read_json says which
        return True
    return True


def syntax_mistake(text: str, notes: Notes) -> bool:
    """Note where a text stops being JSON; False where it is JSON."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        notes.error(error.lineno, WHOLE, f"expected JSON: {error.msg} (column {error.colno})")
        return True
    except (ValueError, RecursionError):
        return False
    return False


def read_json(text: str, notes: Notes, *, variables: Variables) -> Node | None:
    """Read a text that is JSON into nodes; mistakes become notes. None where nothing can be made of it."""
    beyond = _beyond(text)
    if beyond is not None:
        notes.error(*beyond)
        return None
    return _Reader(text, notes, variables).value("")


def _beyond(text: str) -> tuple[int, str, str] | None:
    """Find where a text goes beyond the bounds of depth and number."""
    depth = values = 0
    for token in _tokens(text):
        depth += _DEPTH_OF.get(token.text, 0) if token.kind == "sign" else 0
        values += token.kind != "sign"
        if depth > DEPTH:
            return token.line, WHOLE, f"nested more than {DEPTH} levels deep"
        if values > VALUES:
            return token.line, WHOLE, f"more than {VALUES} values; no workflow needs that"
    return None


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        if kind != "space":
            yield _Token(line, kind, found[0])
        line += found[0].count("\n")


class _Reader:
    """Makes nodes from the tokens of a text that is JSON."""

    def __init__(self, text: str, notes: Notes, variables: Variables) -> None:
        self._tokens = _tokens(text)
        self._notes = notes
        self._variables = variables

    def value(self, path: str) -> Node:
        return self._from(next(self._tokens), path)

    def _from(self, token: _Token, path: str) -> Node:
        if token.text == "{":
            return self._map(token.line, path)
        if token.text == "[":
            return self._items(token.line, path)
        return self._scalar(token, path)

    def _map(self, line: int, path: str) -> Map:
        made = Map(line, {})
        for token in self._tokens:
            if token.text == "}":
                break
            if token.text != ",":
                self._member(made, token, path)
        return made

    def _member(self, made: Map, token: _Token, path: str) -> None:
        name = self._scalar(token, path).source
        inner = below(path, name)
        next(self._tokens)  # the colon
        node = self.value(inner)
        first = made.entries.setdefault(name, Entry(token.line, node))
        if first.node is not node:
            self._notes.error(token.line, inner, f"a duplicate key; it stands at line {first.line} already")

    def _items(self, line: int, path: str) -> Items:
        made = Items(line, [])
        for token in self._tokens:
            if token.text == "]":
                break
            if token.text != ",":
                made.members.append(self._from(token, below(path, len(made.members))))
        return made

    def _scalar(self, token: _Token, path: str) -> Scalar:
        try:
            if token.kind == "text":
                return self._text(token, path)
            value = _CONSTANTS[token.text] if token.text in _CONSTANTS else number(token.text)
        except (AmbiguousScalarError, VariableError) as error:
            self._notes.error(token.line, path, str(error))
            return Scalar(token.line, token.text, token.text, noted=True)
        return Scalar(token.line, value, token.text)

    def _text(self, token: _Token, path: str) -> Scalar:
        made = scalar(token.line, json.loads(token.text), quoted=True, variables=self._variables)
        if not SURROGATE.search(made.source):
            return made
        self._notes.error(token.line, path, "half of a surrogate pair, which is no character")
        text = SURROGATE.sub("\ufffd", made.source)
        return Scalar(token.line, text, text, noted=True)
