"""`manometer monitors`: the monitors and decoders that a workflow can name, from where, in which version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click
import msgspec

from engine.decoders import Decoder
from engine.findings import Notes
from engine.monitor import Monitor
from engine.nodes import Items, Map, as_text
from engine.plugins import Available, available_decoders, available_monitors, builtin_decoders, builtin_monitors
from engine.workflow import read_nodes
from manometer.cli.failure import CommandError
from manometer.cli.plugin_source import first_line, told
from manometer.cli.terminal import show
from manometer.cli.token_file import read_token
from manometer.cli.workflow_file import see_readable
from manometer.reference import text_table


class Listed(msgspec.Struct, frozen=True):
    """One plugin, as the list shows it."""

    kind: str
    name: str
    version: str
    origin: str
    help: str


@click.command("monitors")
@click.argument("workflow", metavar="[WORKFLOW]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array of objects.")
@click.option("--stats", is_flag=True, help="Show time, errors and series of each monitor of a process instead.")
@click.option("--data", metavar="DIR", help="With --stats: the folder of manometer run, also after it has ended.")
@click.option("--url", metavar="URL", help="With --stats: where it listens, such as http://127.0.0.1:8300.")
@click.option("--token-file", metavar="FILE", help="With --url: the token, where it asks for one.")
def command(workflow: str | None, as_json: bool, stats: bool, **where: str | None) -> None:
    """List the monitors there are, and where from.

    These are the names that a workflow can give after use: (monitors) and decode: (decoders). They come with
    Manometer or with installed packages; with WORKFLOW, also from its plugins: folders. Code that is not our own is
    looked at and not run.

    \b
    Examples:
      $ manometer monitors
      $ manometer monitors --json workflows/demo.yaml
      $ manometer monitors --stats --data demo.data

    Exit codes: 0 done; 2 the workflow file cannot be read, or no process told anything.

    Read next: docs/monitors/ for what each one measures; manometer new --help for one of your own
    """  # noqa: D301 - click reads the character that \b stands for
    if stats:
        _show_stats(where["data"], where["url"], where["token_file"], as_json)
        return
    if any(where.values()):
        raise CommandError("--data, --url and --token-file go with --stats")
    found = listed(plugin_folders(Path(workflow)) if workflow else [])
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
        return
    heads = ("kind", "name", "version", "from", "what it does")
    table = text_table(heads, [(one.kind, one.name, one.version, one.origin, one.help) for one in found])
    show(table, [(f"{one.name}: {one.kind}, {f'{one.origin} {one.version}'.strip()}", [one.help]) for one in found])


def _show_stats(data: str | None, url: str | None, token_file: str | None, as_json: bool) -> None:
    from manometer.cli import monitor_stats  # noqa: PLC0415 - the list needs no store and no network

    if (data is None) == (url is None):
        raise CommandError("expected --data DIR or --url URL with --stats")
    if data is not None:
        found = monitor_stats.of_folder(Path(data))
    else:
        found = monitor_stats.of_process(str(url), None if token_file is None else read_token(Path(token_file)))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
        return
    heads = ("monitor", "seconds", "errors", "series")
    table = text_table(heads, [(one.monitor, f"{one.seconds:.2f}", str(one.errors), str(one.series)) for one in found])
    click.echo(table)


def listed(folders: Sequence[Path]) -> list[Listed]:
    """List all monitors, then all decoders, that a workflow with these plugin folders can name."""
    monitors = _listed("monitor", available_monitors(folders), builtin_monitors(), base="Monitor")
    return [*monitors, *_listed("decoder", available_decoders(folders), builtin_decoders(), base="Decoder")]


def _listed(
    kind: str, available: Iterable[Available], ours: Mapping[str, type[Monitor | Decoder]], *, base: str
) -> Iterator[Listed]:
    for one in available:
        version, purpose = told(Path(one.origin), base)
        if one.name in ours:
            purpose = first_line(ours[one.name].__doc__)
        yield Listed(kind, one.name, one.version or version, one.origin, purpose)


def plugin_folders(workflow: Path) -> list[Path]:
    """Name the plugin folders of a workflow file, whatever else may be wrong with it.

    Raises:
        CommandError: it cannot be read, or is no workflow file: why was told on standard error.
    """
    see_readable(workflow)
    notes = Notes(str(workflow))
    root, _ = read_nodes(workflow, notes)
    if not isinstance(root, Map):
        for finding in notes.sorted():
            click.echo(str(finding), err=True)
        raise CommandError(f"{workflow} is no workflow file")
    items = root.get("plugins")
    names = [as_text(member) for member in items.members] if isinstance(items, Items) else []
    return [workflow.parent / name for name in names if name and (workflow.parent / name).is_dir()]
