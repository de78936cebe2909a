"""Boards against Grafana's own types, turned into JSON Schemas once and kept in the cache of the tests."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from tests.grafana.shown import all_boards, drawn, rendered
from tests.house.source import listed
from tests.services.running import CACHE, Missing, absent, digest, made_once, program

_HERE: Final = Path(__file__).parent / "schema"
_FILES: Final = ("package.json", "package-lock.json", "generate.mjs")
_NODE: Final = "apt-get install nodejs npm"

each_board = pytest.mark.parametrize("uid", [board.uid for board in all_boards()])


@cache
def schemas() -> dict[str, jsonschema_rs.Validator]:
    """Give the validators: of a board, of the options of each kind of panel, of the fields of some."""
    folder = CACHE / f"grafana-schema-{digest(*(_HERE / name for name in _FILES))}"
    with made_once(folder) as part:
        if part is not None:
            _generate(part)
    return {
        file.stem: jsonschema_rs.validator_for(json.loads(file.read_text(encoding="utf-8")))
        for file in folder.glob("*.json")
        if file.name not in _FILES
    }


def _generate(folder: Path) -> None:
    for name in _FILES:
        shutil.copy(_HERE / name, folder)
    for words in (["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["node", "generate.mjs", "."]):
        given = [program(words[0], _NODE), *words[1:]]
        done = subprocess.run(given, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            raise Missing(f"the schemas of @grafana/schema could not be made: {done.stderr[-600:]}")
    shutil.rmtree(folder / "node_modules")


@pytest.fixture(scope="module")
def schema() -> dict[str, jsonschema_rs.Validator]:
    """Bring the schemas; without Node the tests skip, and in CI they fail."""
    try:
        return schemas()
    except Missing as missing:
        absent(missing)


@each_board
def test_a_board_fits_the_types_of_grafana(uid: str, schema: dict[str, jsonschema_rs.Validator]) -> None:
    """A whole board has the shape of Grafana's Dashboard, with no key that Grafana does not know."""
    board = copy.deepcopy(rendered()[uid])
    for annotation in board["annotations"]["list"]:
        del annotation["target"]  # the types know only targets of Grafana's own store, not those of data sources

    assert not (found := list(_mistakes(schema["board"], board))), listed(found)


@each_board
def test_panels_fit_the_types_of_their_plugins(uid: str, schema: dict[str, jsonschema_rs.Validator]) -> None:
    """The options of each panel, and what it says of its fields, are those that its plugin reads."""
    found = []
    for panel in drawn(rendered()[uid]):
        kind, title = panel["type"], panel["title"]
        found += [f"{title}: {text}" for text in _mistakes(schema[kind], panel["options"])]
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        if f"{kind}.field" in schema:
            for fields in (custom, *_overridden(panel, custom)):
                found += [f"{title}: fields: {text}" for text in _mistakes(schema[f"{kind}.field"], fields)]
        else:
            assert not custom

    assert not found, listed(found)


def test_a_mistake_is_found(schema: dict[str, jsonschema_rs.Validator]) -> None:
    """The schemas refuse a board with a word that Grafana does not know, and options that lack one."""
    board = {**rendered()["manometer-overview"], "titel": "x"}

    assert any("titel" in text for text in _mistakes(schema["board"], board))
    assert any("wideLayout" in text for text in _mistakes(schema["stat"], {"graphMode": "none"}))


def _overridden(panel: dict[str, Any], custom: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the fields of a panel as each override leaves them."""
    for override in panel["fieldConfig"]["overrides"]:
        own = {
            item["id"].removeprefix("custom."): item["value"]
            for item in override["properties"]
            if item["id"].startswith("custom.")
        }
        yield {**custom, **own}


def _mistakes(validator: jsonschema_rs.Validator, value: object) -> Iterator[str]:
    for error in validator.iter_errors(value):
        yield f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}"
