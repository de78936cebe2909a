"""`manometer test`: the tests beside workflow files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from engine.findings import one_line
from manometer.cli.check import workflow_files
from manometer.cli.failure import CommandError
from manometer.cli.workflow_file import read_plan
from manometer.workflow_cases import read_cases, tests_of, workflow_of
from manometer.workflow_tests import Result, run_tests


@click.command("test")
@click.argument("workflows", metavar="WORKFLOW...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON array of objects.")
def command(workflows: tuple[str, ...], as_json: bool) -> None:
    """Run the tests beside workflow files.

    The tests of NAME.yaml stand in NAME.test.yaml: records that come in, emissions that have to come out, and time
    that is moved by hand. Nothing else is needed: no Kafka, no store, no clock.

    WORKFLOW is a file, or a folder: then all workflow files in it; NAME.test.yaml stands for NAME.yaml. A workflow
    without tests is no failure.

    \b
    Example:
      $ manometer test workflows/demo.yaml
      workflows/demo.test.yaml: 4 passed

    Exit codes: 0 all pass; 1 a test fails; 2 a file that cannot be read.

    Read next: docs/workflow-tests.md
    """  # noqa: D301 - click reads the character that \b stands for
    failures: list[CommandError] = []
    results: list[Result] = []
    named = [str(workflow_of(Path(name))) if name.endswith(".test.yaml") else name for name in workflows]
    for path in workflow_files(named, failures):
        try:
            found = _run(path)
        except CommandError as error:
            failures.append(error)
            continue
        results += found
        if not as_json:
            _show(tests_of(path), found)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(results)))
    for failure in failures:
        failure.show()
    if failures or any(result.wrong for result in results):
        raise click.exceptions.Exit(2 if failures else 1)


def _run(workflow: Path) -> list[Result]:
    plan = read_plan(workflow)
    path = tests_of(workflow)
    if not path.exists():
        click.echo(one_line(f"{workflow}: no tests; {path.name} beside it would hold them"), err=True)
        return []
    cases, findings = read_cases(path, tuple(plan.streams))
    if findings:
        for finding in findings:
            click.echo(str(finding), err=True)
        raise CommandError(f"{path} cannot run; correct what is told above")
    return run_tests(path, plan, cases)


def _show(path: Path, results: Sequence[Result]) -> None:
    if not results:
        return
    for result in results:
        if result.wrong:
            click.echo(one_line(f"{result.file}:{result.line}: FAILED {result.name}"))
            for line in result.wrong:
                click.echo(f"  {one_line(line)}")
    failed = sum(bool(result.wrong) for result in results)
    passed = len(results) - failed
    click.echo(one_line(f"{path}: {passed} passed{f', {failed} failed' if failed else ''}"))
