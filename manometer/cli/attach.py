"""`manometer attach`: one more monitor in a workflow file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from engine.findings import Finding, listing
from engine.plan import Plan
from engine.workflow import check, load
from manometer.attaching import NotAttached, difference, read_option, with_entry
from manometer.cli.failure import CommandError, told
from manometer.cli.kafka_options import connection, security_options
from manometer.cli.workflow_file import read_plan


@click.command("attach")
@click.argument("monitor", metavar="MONITOR")
@click.argument("workflow", metavar="WORKFLOW")
@click.option(
    "--to", metavar="STREAM", multiple=True, required=True, help="The stream; INPUT=STREAM of a joined monitor."
)
@click.option("--with", "options_", metavar="KEY=VALUE", multiple=True, help="An option, as a workflow file has it.")
@click.option("--name", metavar="NAME", help="Its name; the same as MONITOR if left out.")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="A tag that everything it emits carries.")
@click.option("--kafka", metavar="HOST:PORT", envvar="MANOMETER_KAFKA", help="Where the workflow runs, see below.")
@click.option(
    "--from",
    "start",
    type=click.Choice(["end", "beginning"]),
    default="end",
    show_default=True,
    help="With --kafka: where a group that is new begins to read.",
)
@security_options
def command(monitor: str, workflow: str, **options: Any) -> None:
    """Put one more monitor into a workflow file.

    The comments in the file are kept, and it is written only if it is then without mistakes. Workers take the changed
    file when they are sent SIGHUP or started again. A monitor that joins a group of streams which is there sees what
    comes from then on. One that makes a new group begins at the end of the topics' logs, as of when the first worker
    takes the file up; with --kafka as of now, or with --from beginning at their beginning.

    \b
    Examples:
      $ manometer attach throughput --to notify --name totals \\
          --with counts=total workflows/demo.yaml
      $ manometer attach prediction_divergence lstm.yaml \\
          --to prediction=predictions --to truth=truth

    What changes is printed. An invalid result leaves the file as it was.

    Exit codes: 0 attached; 2 the result has mistakes, the name is taken, or the file cannot be read or written.

    Read next: docs/attach.md
    """  # noqa: D301 - click reads the character that \b stands for
    path = Path(workflow).resolve()
    before = read_plan(Path(workflow))
    text = _text(path)
    entry = _entry(monitor, options)
    _see_free(before, entry.get("name", monitor), options["name"] is not None)
    try:
        changed = with_entry(text, entry)
    except NotAttached as error:
        raise CommandError(f"{workflow}: {error}") from error
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    with told():
        try:
            _write(part, changed, like=path)
            after = _checked(part, Path(workflow))
            groups = _fresh(before, after, on_kafka=options["kafka"] is not None)
            _begin(after, groups, options)
            if _text(path) != text:
                raise CommandError(f"{workflow} was changed meanwhile; try again")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    click.echo(difference(workflow, text, changed))
    _tell_next(groups, options)


def _text(path: Path) -> str:
    with told():
        return path.read_bytes().decode("utf-8")


def _entry(monitor: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Make the entry, its keys in the order in which people write them."""
    entry: dict[str, Any] = {"use": monitor}
    if options["name"] is not None:
        entry["name"] = options["name"]
    roles = dict(one.split("=", 1) for one in options["to"] if "=" in one)
    if len(options["to"]) > 1 and len(roles) < len(options["to"]):
        raise CommandError(f"--to: expected one STREAM, or INPUT=STREAM for each input, got {' '.join(options['to'])}")
    entry["from"] = roles or options["to"][0]
    if options["options_"]:
        entry["with"] = _pairs("--with", options["options_"])
    if options["tags"]:
        entry["tags"] = _pairs("--tag", options["tags"])
    return entry


def _pairs(option: str, given: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in given:
        try:
            key, value = read_option(text)
        except ValueError as error:
            raise CommandError(f"{option} {text}: {error}") from error
        if key in found:
            raise CommandError(f"{option} {text}: {key} was given before")
        found[key] = value
    return found


def _see_free(plan: Plan, name: str, named: bool) -> None:
    names = [attached.name for attached in plan.monitors]
    if name in names:
        free = next(f"{name}_{number}" for number in range(2, len(names) + 3) if f"{name}_{number}" not in names)
        words = "choose another --name" if named else "give it a --name"
        raise CommandError(
            f"a monitor is called {name!r} already; {words}, such as {free}. There are: {listing(names)}"
        )


def _write(part: Path, text: str, *, like: Path) -> None:
    with part.open("xb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    shutil.copymode(like, part)


def _checked(part: Path, workflow: Path) -> Plan:
    """Read the result; its mistakes are told as those of the file that it would become."""
    findings = [Finding(str(workflow), one.line, one.path, one.message, one.level) for one in check(part)]
    for finding in findings:
        click.echo(str(finding), err=True)
    if any(finding.level == "error" for finding in findings):
        raise CommandError(f"{workflow} was left as it is; correct what is told above")
    return load(part)


def _fresh(before: Plan, after: Plan, *, on_kafka: bool) -> tuple[str, ...]:
    """Name the groups that a changed workflow has and the one before had not."""
    known = {group.name for group in before.groups(repartitioned=on_kafka)}
    return tuple(group.name for group in after.groups(repartitioned=on_kafka) if group.name not in known)


def _begin(plan: Plan, groups: tuple[str, ...], options: Mapping[str, Any]) -> None:
    if not groups:
        return
    if options["kafka"] is not None:
        from engine.kafka.starts import prepare  # noqa: PLC0415 - an extra that embedded users do not need
        from manometer.cli.kafka_asking import asked  # noqa: PLC0415 - as above

        start = options["start"]
        asked(connection(options["kafka"], options), lambda kafka: prepare(plan, kafka, groups, start))
    elif options["start"] == "beginning":
        told = "expected --kafka HOST:PORT beside it: where a new group begins is kept there"
        raise CommandError(f"--from beginning: {told}")


def _tell_next(groups: tuple[str, ...], options: Mapping[str, Any]) -> None:
    where = "at the end, as of when the first worker takes it up"
    if options["kafka"] is not None:
        where = "at the end, as of now" if options["start"] == "end" else "at the beginning of its topics"
    for group in groups:
        click.echo(f"the group {group} is new: it begins {where}", err=True)
    click.echo("to take it up, send SIGHUP to the workers, or start them again", err=True)
