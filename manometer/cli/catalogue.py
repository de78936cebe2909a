"""`manometer catalogue`: every metric and alert that may be emitted, with unit and meaning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from archiver.audit_metrics import AUDIT, INCOMPLETE
from engine.catalogue import AlertSpec, Spec
from engine.notices import OWN_ALERTS
from engine.plan import Plan
from engine.plugins import builtin_monitors
from engine.telemetry import TELEMETRY
from manometer.cli.failure import told
from manometer.cli.terminal import show
from manometer.cli.workflow_file import read_plan
from manometer.reference import Declared, Format, catalogue, render

OWN: Final[tuple[Spec, ...]] = (*TELEMETRY, *AUDIT, *OWN_ALERTS, INCOMPLETE)
"""What the engine, and an audit of its archive, emit about themselves."""


@click.command("catalogue")
@click.argument("workflow", metavar="[WORKFLOW]", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="For people, for pages or for programs.",
)
@click.option("--boards", "folder", metavar="DIR", help="Write the boards of all this, and of what comes with us.")
def command(workflow: str | None, form: Format, folder: str | None) -> None:
    """List every metric and alert, with its meaning.

    These are the metrics and alerts of all monitors that come with Manometer and of the engine itself; with WORKFLOW,
    of the monitors in that file, your own among them, by the names they have there. Tags workflow and monitor, and
    model where a series has an engine, come with each of them and are not listed.

    \b
    Examples:
      $ manometer catalogue
      $ manometer catalogue --format json workflows/demo.yaml
      $ manometer catalogue workflows/demo.yaml --boards boards

    Exit codes: 0 done; 2 the workflow has mistakes.

    Read next: manometer monitors --help, docs/reference/catalogue.md
    """  # noqa: D301 - click reads the character that \b stands for
    found = declared(workflow)
    if folder is not None:
        with told():
            _write_boards(found, Path(folder))
        return
    text = render(found, form)
    if form == "text":
        show(text, [(_head(item), _about(item)) for item in found])
    else:
        click.echo(text)


def declared(workflow: str | None = None) -> list[Declared]:
    """Gather what all our monitors, or those of a workflow, may emit, and what the engine does."""
    return declared_by(None if workflow is None else read_plan(Path(workflow)))


def declared_by(plan: Plan | None) -> list[Declared]:
    """Gather what the monitors of a workflow may emit, or all our monitors, and what the engine does."""
    if plan is None:
        return catalogue(builtin_monitors(), OWN)
    return catalogue({attached.name: attached.monitor for attached in plan.monitors}, OWN)


def beside_ours(found: Sequence[Declared]) -> list[Declared]:
    """Add what comes with Manometer: boards need all of it."""
    names = {item.spec.name for item in found}
    return [*found, *(item for item in declared() if item.spec.name not in names)]


def _write_boards(found: list[Declared], folder: Path) -> None:
    """Write the files for Grafana: of what a workflow declares, and of what comes with Manometer."""
    from grafana.boards import boards  # noqa: PLC0415 - most calls want a list
    from grafana.rendering import document  # noqa: PLC0415 - as above

    folder.mkdir(parents=True, exist_ok=True)
    for board in boards(beside_ours(found)):
        path = folder / f"{board.uid}.json"
        path.write_text(document(board), encoding="utf-8")
        click.echo(f"{path}: {board.title}")


def _head(item: Declared) -> str:
    spec = item.spec
    if isinstance(spec, AlertSpec):
        return f"{spec.name}: {spec.severity} alert, runbook {spec.runbook}"
    better = "" if spec.direction == "neither" else f", {spec.direction}"
    return f"{spec.name}: {spec.kind}, {spec.unit}{better}"


def _about(item: Declared) -> list[str]:
    tags = f"tags: {', '.join(item.tags)}; " if item.tags else ""
    return [item.spec.help, f"{tags}from: {', '.join(item.monitors)}"]
