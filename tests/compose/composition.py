"""What docker-compose.yml says, read as YAML, and which of its services are ours."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.house.source import ROOT

FILE: Final = ROOT / "docker-compose.yml"
OURS: Final = "manometer:local"
JOBS: Final = ("secrets", "tokens", "topics")
"""Services that run once."""
WORDS: Final = {
    "${WORKFLOW:-demo}": "demo",
    "${PARTITIONS:-1}": "1",
    "${KEEP:-}": "",
    "${BOARDS:-./grafana/dashboards}": "./grafana/dashboards",
}
"""What stands in for the variables where nobody sets them."""


@cache
def composition() -> dict[str, Any]:
    """Give the whole file."""
    return dict(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def services() -> dict[str, dict[str, Any]]:
    """Give the services by name."""
    return dict(composition()["services"])


def words(name: str) -> list[str]:
    """Give the arguments of `manometer` that one of our services is started with."""
    service = services()[name]
    given = [*service.get("entrypoint", ["manometer"])[1:], *service["command"]]
    return [_filled(word) for word in given]


def environment(name: str) -> dict[str, str]:
    """Give the environment of a service."""
    return {key: _filled(value) for key, value in services()[name].get("environment", {}).items()}


def ours() -> list[str]:
    """Name the services that run our image."""
    return [name for name, service in services().items() if service["image"] == OURS]


def mounted(name: str) -> dict[str, str]:
    """Give what a service mounts: where -> volume or folder, and whether it may only read it."""
    found = {}
    for text in services()[name].get("volumes", ()):
        source, target, *rest = _filled(text).split(":")
        found[target] = f"{source}{':ro' if rest == ['ro'] else ''}"
    return found


def folder_of(path: str) -> Path:
    """Find a mounted folder of the checkout."""
    return (ROOT / path).resolve()


def _filled(text: str) -> str:
    for blank, word in WORDS.items():
        text = text.replace(blank, word)
    return text
