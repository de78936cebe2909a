from __future__ import annotations

import json
from typing import Any

import pytest

from tests.docs.blocks import blocks
from tests.house.source import ROOT

PAGE = ROOT / "docs" / "sinks" / "webhook.md"


@pytest.fixture
def names() -> dict[str, Any]:
    """Run the Python of the page and give what it names."""
    made: dict[str, Any] = {}
    for block in blocks(PAGE):
        if block.language == "python":
            exec(compile(block.text, str(PAGE), "exec"), made)  # noqa: S102 - our own page
    return made


def test_the_alert_on_the_page_is_the_one_that_is_sent(names: dict[str, Any]) -> None:
    """The receiver of the page gets the JSON that the page shows, under the key that it shows."""
    (shown,) = (json.loads(block.text) for block in blocks(PAGE) if block.language == "json")
    key, sent = next(iter(names["seen"].items()))

    assert sent == shown
    assert key == shown["identity"]


def test_the_check_on_the_page_finds_forgeries(names: dict[str, Any]) -> None:
    """Another secret, another body, another time and one that is long ago are told from the genuine."""
    is_genuine = names["is_genuine"]
    header = "t=100,v1=" + names["hmac"].new(names["SECRET"], b"100.{}", "sha256").hexdigest()

    assert is_genuine(header, b"{}", 400)
    assert not is_genuine(header, b"{}", 401)
    assert not is_genuine(header, b"{ }", 100)
    assert not is_genuine(header.replace("t=100", "t=101"), b"{}", 100)
    assert not is_genuine("t=100,v1=" + names["hmac"].new(b"other", b"100.{}", "sha256").hexdigest(), b"{}", 100)
