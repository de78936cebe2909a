"""Every alert has a runbook that says what to do, and every runbook belongs to an alert."""

from __future__ import annotations

import re
from typing import Final

from tests.docs.blocks import blocks
from tests.house.declared import DOCS, alerts, headings, pages
from tests.house.source import ROOT, files, listed

_NAMED: Final = re.compile(r"\brunbook:\s*([a-z0-9-]+)")


def runbooks_of_workflows() -> set[str]:
    """Name the runbooks that shipped workflow files, and those on pages, ask for."""
    texts = [path.read_text(encoding="utf-8") for path in files() if path.parent == ROOT / "workflows"]
    texts += [block.text for page in sorted(DOCS.rglob("*.md")) for block in blocks(page) if block.is_workflow]
    return {name for text in texts for name in _NAMED.findall(text)}


def test_each_alert_has_a_runbook_that_names_it() -> None:
    """The page that an alert points to exists and has the alert's name in a heading."""
    found = []
    for name, spec in sorted(alerts().items()):
        page = pages("runbooks").get(spec.runbook)
        if page is None:
            found.append(f"{name}: docs/runbooks/{spec.runbook}.md is missing")
        elif not any(name in heading for heading in headings(page)):
            found.append(f"{name}: docs/runbooks/{spec.runbook}.md has no heading with this name")

    assert not found, listed(found)


def test_each_runbook_belongs_to_an_alert() -> None:
    """No runbook is left over from an alert that is gone."""
    wanted = {spec.runbook for spec in alerts().values()} | runbooks_of_workflows()
    found = [f"docs/runbooks/{name}.md: no alert points to it" for name in pages("runbooks") if name not in wanted]

    assert not found, listed(found)


def test_runbooks_that_workflows_name_exist() -> None:
    """What a shipped workflow file or a sample gives as `runbook:` is a page."""
    lost = sorted(runbooks_of_workflows() - set(pages("runbooks")))

    assert not lost, listed(f"docs/runbooks/{name}.md is missing" for name in lost)
