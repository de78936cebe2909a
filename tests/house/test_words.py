"""One word for one thing: identifiers use the words of the glossary, not the ones it warns of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from tests.house.source import ALL, Module, functions, listed, modules

INSTEAD: Final = {
    "agent": "monitor",
    "alarm": "alert",
    "backend": "sink or store",
    "baseline": "reference window",
    "bucket": "series",
    "channel": "stream or topic",
    "checker": "monitor",
    "datum": "record",
    "dead": "silent",
    "hook": "tap",
    "incident": "alert",
    "kpi": "metric",
    "label": "tag",
    "measurement": "metric",
    "output": "emission",
    "payload": "record",
    "probe": "tap",
    "queue": "stream or topic",
    "row": "record",
    "stale": "silent",
}
"""Word to avoid -> word to use."""

PHRASES: Final = {
    "false_alarms": "the option's name in the workflow file, and what statistics calls them",
    "stale_after": "the option's name in the workflow file: how long a sample counts",
    "standard_output": "where a process writes; nobody calls it anything else",
}
"""Phrases that are fine inside any identifier, with the reason."""

ALLOWED_IN: Final = {
    ("archiver.sinks.influxdb", "bucket"): "InfluxDB's own word, used in that sink only",
    ("tests.archiver.sinks.influx_store", "bucket"): "as above",
    ("tests.archiver.sinks.test_influxdb", "bucket"): "as above",
    ("tests.services.influxdb", "bucket"): "as above",
    ("manometer.cli.tokens", "bucket"): "InfluxDB's own word, where its buckets are made",
    ("manometer.diagnosing.influxdb", "bucket"): "as above, and looked at",
    ("manometer.installing.influxdb_api", "bucket"): "as above",
    ("manometer.installing.tokens", "bucket"): "as above",
    ("tests.compose.test_tokens", "bucket"): "as above",
    ("tests.manometer.test_doctor_influxdb", "bucket"): "as above",
    ("manometer.board.influxdb_reader", "bucket"): "InfluxDB's own word, used in that reader only",
    ("tests.manometer.board.test_readers_influxdb", "bucket"): "as above",
    ("manometer.board.reading", "row"): "of a table that people see",
    ("engine.alert_state", "stale"): "of a sample that no longer counts, as in stale_after",
    ("tests.engine.test_alert_state", "stale"): "as in the module it tests",
}
"""Words that are fine in one module, with the reason."""

_PHRASE: Final = re.compile("|".join(PHRASES), re.IGNORECASE)
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def words(identifier: str) -> Iterator[str]:
    """Take an identifier apart, plurals made singular."""
    for part in _PART.findall(_PHRASE.sub("", identifier)):
        word = part.lower()
        yield word
        if word.endswith("s"):
            yield word[:-1]


def identifiers(module: Module) -> Iterator[tuple[int, str]]:
    """List the names that a module gives: of classes, functions, parameters, attributes and constants."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            yield node.lineno, node.name
            yield from _targets(node.body)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
    for function in functions(module.tree):
        yield function.lineno, function.name
        spec = function.args
        given = (*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg)
        yield from ((item.lineno, item.arg) for item in given if item is not None)
    yield from _targets(module.tree.body)


def _targets(body: list[ast.stmt]) -> Iterator[tuple[int, str]]:
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.lineno, target.id


def test_identifiers_use_the_words_of_the_glossary() -> None:
    """No class, function, parameter, attribute or constant is named with a word that the glossary warns of."""
    found = [
        f"{module.shown}:{line}: {name}: say {INSTEAD[word]}, not {word}"
        for module in (*modules(*ALL),)
        for line, name in identifiers(module)
        for word in words(name)
        if word in INSTEAD and (module.name, word) not in ALLOWED_IN
    ]

    assert not found, listed(sorted(set(found)))


def test_identifiers_are_taken_apart() -> None:
    """The check sees a word in snake case, in CamelCase, in capitals and in the plural."""
    names = ("input_rows", "RowCount", "MAX_ROWS", "row2")

    assert ["row" in set(words(name)) for name in names] == [True] * len(names)
    assert "row" not in set(words("narrow_arrows"))
