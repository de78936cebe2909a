"""Strict YAML: maps, lists and scalars with their lines, and nothing that readers of YAML disagree about.

No anchors, aliases, tags, merge keys, duplicate keys, tabs, further documents. PyYAML splits the text into events;
what a scalar means is decided in `engine.scalars`, never by PyYAML's rules of YAML 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from engine.findings import WHOLE, Notes, TooManyFindings, below, one_line, show
from engine.nodes import DEPTH, VALUES, Entry, Items, Map, Node, Scalar
from engine.scalars import SURROGATE, AmbiguousScalarError, scalar
from engine.variables import VariableError, Variables

_FOREIGN_BREAK: Final = re.compile("[\x85\u2028\u2029]")
_TABS: Final = 50
"""Tabs that are noted one by one, until the search for more mistakes ends."""
_MENDED: Final = 65_536
"""Longer files are read once only."""
_INDENT: Final = re.compile(r"^( +)[^ #\n]", re.MULTILINE)
_MERGE: Final = "<<"
_BREAK: Final = re.compile(r"\r\n|\r|\n")


class _UnreadableError(Exception):
    """Ends the reading: what follows cannot be told apart."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class _TabError(Exception):
    """Ends a reading at a tab, and tells where in the text it is."""

    def __init__(self, line: int, message: str, index: int) -> None:
        super().__init__(message)
        self.line = line
        self.index = index


class _Open:
    """A map or list whose members are still being read."""

    def __init__(self, node: Map | Items | None, path: str) -> None:
        self.node = node
        self.path = path
        self.key: Scalar | None = None
        self.skip = False

    @property
    def wants_key(self) -> bool:
        return isinstance(self.node, Map) and self.key is None and not self.skip

    def next_path(self) -> str:
        if isinstance(self.node, Items):
            return below(self.path, len(self.node.members))
        return self.path if self.key is None else below(self.path, self.key.source)


def read_yaml(text: str, notes: Notes, *, variables: Variables) -> Node | None:
    """Read one YAML document into nodes; mistakes become notes. None where nothing can be made of it.

    After a tab the rest is read as if there were spaces, so that all mistakes are told at once.
    """
    text = _without_signs(text, notes)
    for tabs in range(_TABS):
        attempt = Notes(notes.file, lines=notes.lines)
        try:
            root = _Builder(text, attempt, variables).build()
        except _TabError as error:
            notes.error(error.line, WHOLE, str(error))
            if len(text) > _MENDED:
                return None
            text = _mended(text, error.index)
        except _UnreadableError as error:
            if not tabs:  # else it may come from the spaces that took the place of tabs
                attempt.error(error.line, WHOLE, str(error))
                notes.take(attempt)
            return None
        except TooManyFindings:
            notes.take(attempt)
        else:
            notes.take(attempt)
            return root
    return None


def _mended(text: str, tab: int) -> str:
    """Put spaces in the place of a tab, so that the rest can be read and all mistakes be told at once."""
    start = text.rfind("\n", 0, tab) + 1
    end = tab + 1 + len(text[tab + 1 :]) - len(text[tab + 1 :].lstrip(" \t"))
    indents = not text[start:tab].strip(" \t")
    step = _INDENT.search(text)
    spaces = (step[1] if step else "  ") * text.count("\t", tab, end) if indents else " "
    return text[:tab] + spaces + text[end:]


def _without_signs(text: str, notes: Notes) -> str:
    """Note characters that PyYAML cannot take, or would take for line breaks, and put spaces in their places."""
    for sign in (yaml.reader.Reader.NON_PRINTABLE, _FOREIGN_BREAK):
        found = sign.search(text)
        if found:
            line = _line_at(text, found.start())
            notes.error(
                line, WHOLE, f"the character U+{ord(found[0]):04X}; leave it out, or escape it in double quotes"
            )
            text = sign.sub(" ", text)
    return text


def _line_at(text: str, index: int) -> int:
    return 1 + sum(1 for _ in _BREAK.finditer(text, 0, index))


class _Builder:
    """Makes nodes from the events of one text."""

    def __init__(self, text: str, notes: Notes, variables: Variables) -> None:
        self._text = text
        self._notes = notes
        self._variables = variables
        self._open: list[_Open] = [_Open(None, "")]
        self._root: Node | None = None
        self._count = 0

    def build(self) -> Node | None:
        for event in self._events():
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
                self._notes.error(line, WHOLE, "a second document; expected one workflow in a file, leave `---` out")
                break
            self._take(event, line)
            self._count += 1
            if self._count > VALUES:
                raise _UnreadableError(line, f"more than {VALUES} values; no workflow needs that")
        return self._root

    def _events(self) -> Iterator[Any]:
        loader: Any = yaml.SafeLoader(self._text)  # the types of PyYAML know its events, but not where they come from
        try:
            while loader.check_event():
                yield loader.get_event()
        except yaml.MarkedYAMLError as error:
            raise _explain(error, self._text) from None
        except (ValueError, OverflowError) as error:
            raise _UnreadableError(loader.line + 1, f"this is no YAML: {error}") from None
        finally:
            loader.dispose()

    def _take(self, event: Any, line: int) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._start(event, line)
        elif isinstance(event, yaml.AliasEvent):
            self._note(line, f"the alias {show(event.anchor)}; write the value out, workflow files have no anchors")
            self._put(Scalar(line, None, noted=True))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.NodeEvent):
            self._node(event, line)

    def _start(self, event: Any, line: int) -> None:
        if event.tags or event.version not in (None, (1, 2)):
            self._note(line, "a directive; files are read as YAML 1.2 without tags, leave the line with % out")

    def _node(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            self._note(line, f"the anchor {show(event.anchor)}; leave it out, workflow files have no anchors")
        if event.tag is not None:
            self._note(line, f"the tag {show(event.tag)}; leave it out, workflow files have no tags")
        if isinstance(event, yaml.ScalarEvent):
            self._put(self._scalar(event, line))
        else:
            self._push(Items(line, []) if isinstance(event, yaml.SequenceStartEvent) else Map(line, {}), line)

    def _scalar(self, event: Any, line: int) -> Scalar:
        quoted = event.style is not None
        if event.value == _MERGE and not quoted:
            return Scalar(line, None, _MERGE)
        try:
            made = scalar(line, event.value, quoted=quoted, variables=self._variables)
        except (AmbiguousScalarError, VariableError) as error:
            self._note(line, str(error))
            return Scalar(line, event.value, event.value, noted=True)
        if not SURROGATE.search(made.source):
            return made
        self._note(line, "half of a surrogate pair, which is no character; write the character itself")
        text = SURROGATE.sub("\ufffd", made.source)
        return Scalar(line, text, text, noted=True)

    def _push(self, node: Map | Items, line: int) -> None:
        if len(self._open) > DEPTH:
            raise _UnreadableError(line, f"nested more than {DEPTH} levels deep")
        self._open.append(_Open(node, self._open[-1].next_path()))

    def _close(self) -> None:
        node = self._open.pop().node
        assert node is not None  # noqa: S101 - ends come in pairs with starts
        self._put(node)

    def _put(self, node: Node) -> None:
        parent = self._open[-1]
        if parent.node is None:
            self._root = node
        elif isinstance(parent.node, Items):
            parent.node.members.append(node)
        elif parent.wants_key:
            self._put_key(parent, node)
        else:
            self._put_value(parent, node)

    def _put_key(self, parent: _Open, node: Node) -> None:
        merge = isinstance(node, Scalar) and node.value is None and node.source == _MERGE
        parent.skip = merge or not isinstance(node, Scalar)
        if not isinstance(node, Scalar):
            self._note(node.line, "expected a text as the key of a map, got a list or a map")
        elif merge:
            self._note(node.line, "the merge key <<; write the keys out, workflow files have no anchors")
        else:
            parent.key = node
            self._check_key(node)

    def _check_key(self, key: Scalar) -> None:
        if not isinstance(key.value, str) and not key.loose:
            shown = show(key.value)
            self._note(key.line, f"expected a text as the key of a map, got {shown}; quote it: {show(key.source)}")

    def _put_value(self, parent: _Open, node: Node) -> None:
        key, parent.key, parent.skip = parent.key, None, False
        if key is None or not isinstance(parent.node, Map):
            return
        first = parent.node.entries.setdefault(key.source, Entry(key.line, node))
        if first.node is not node:
            path = below(parent.path, key.source)
            self._notes.error(key.line, path, f"a duplicate key; it stands at line {first.line} already")

    def _note(self, line: int, message: str) -> None:
        self._notes.error(line, self._open[-1].next_path() or WHOLE, one_line(message))


_SENTENCES: Final = (
    ("mapping values are not allowed", 'a ":" where no key can stand; indent it as its neighbours, or quote the text'),
    (
        "expected <block end>",
        "this does not line up with what is above; indent it as its neighbours",
    ),
    ("unexpected end of stream", "a quoted text that never ends; close its quote"),
    ("expected '<document start>'", "text after the end of the document; leave `...` out"),
    ("expected the node content", "expected a value; write one, or quote a text that begins with this character"),
)


def _explain(error: yaml.MarkedYAMLError, text: str) -> _UnreadableError | _TabError:
    """Give the line of a syntax mistake and a sentence that helps."""
    mark = error.problem_mark or error.context_mark
    line, column, index = (mark.line, mark.column, mark.index) if mark else (0, 0, 0)
    problem = error.problem or "it cannot be read"
    if "'\\t'" in problem:
        return _TabError(
            line + 1, f"a tab (column {column + 1}); YAML is indented and separated with spaces only", index
        )
    return _UnreadableError(line + 1, f"{_sentence(problem, _line_of(text, line))} (column {column + 1})")


def _line_of(text: str, line: int) -> str:
    lines = _BREAK.split(text)
    return lines[line] if line < len(lines) else ""


def _sentence(problem: str, line: str) -> str:
    if "got '{'" in problem and "${" in line:
        return 'inside { } and [ ] a variable is written in quotes: "${NAME}"'
    for part, sentence in _SENTENCES:
        if part in problem:
            return sentence
    return f"this is no YAML: {one_line(problem)}"
