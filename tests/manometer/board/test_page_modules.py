"""The pure modules of the page: formats, addresses, ranges, the merging of tails, the verdict."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

STATIC: Final = Path(__file__).parents[3] / "manometer" / "board" / "static"
_TESTS: Final = Path(__file__).with_name("page_modules.test.mjs")


def test_the_modules_of_the_page_do_what_their_tests_say(tmp_path: Path) -> None:
    """Node's test runner finds no failure in them, as modules just as the browser loads them."""
    node = shutil.which("node")
    if node is None:
        reason = "node is missing: install Node.js 20 or newer to test the modules of the page"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    for module in STATIC.glob("*.js"):
        shutil.copy(module, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    known = os.environ | {"PAGE_MODULES": str(tmp_path), "TZ": "UTC"}
    command = [node, "--test", str(_TESTS)]
    done = subprocess.run(command, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
