"""The reference, made from what the code declares: options, metrics, alerts, workflow keys and commands as tables.

Everything here turns declarations into text and touches no file; `manometer.generated` puts the text into the pages.
`python -m manometer.reference --check` tells which pages are not current, `--write` makes them so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any, Literal

import msgspec
from click import Command, Context, Group
from pydantic import BaseModel

from engine.catalogue import AlertSpec, MetricSpec, Spec
from engine.monitor import Monitor
from manometer.option_types import default_text, type_text

Format = Literal["text", "markdown", "json"]
TERMINAL = 78
"""Columns that click fills on a terminal of 80."""
ENGINE = "engine"
"""Stands in the place of a monitor's name where the engine itself emits something."""


class Key(msgspec.Struct, frozen=True):
    """One option of a monitor or one key of the workflow file, as a person reads about it."""

    name: str
    type: str
    default: str
    description: str


class Declared(msgspec.Struct, frozen=True):
    """A metric or alert of the catalogue, with the monitors that emit it and the tags that they add."""

    spec: Spec
    monitors: tuple[str, ...]
    tags: tuple[str, ...]


def keys_of(model: type[BaseModel]) -> list[Key]:
    """List the keys that a pydantic model reads, in the order of its source."""
    return [
        Key(
            name=field.alias or name,
            type=type_text(field.annotation, field.metadata),
            default=default_text(field),
            description=" ".join((field.description or "").split()),
        )
        for name, field in model.model_fields.items()
    ]


def catalogue(monitors: Mapping[str, type[Monitor] | Monitor], own: Iterable[Spec] = ()) -> list[Declared]:
    """Gather what monitors and the engine may emit: metrics first, each kind in the order of names.

    Args:
        monitors: classes, or monitors made with their options, by the names they have in workflow files.
        own: what the engine emits about itself.
    """
    found: dict[str, Declared] = {spec.name: Declared(spec, (ENGINE,), spec.tags) for spec in own}
    for name, monitor in sorted(monitors.items()):
        for spec in monitor.emits:
            known = found.get(spec.name, Declared(spec, (), ()))
            tags = dict.fromkeys((*known.tags, *monitor.series, *spec.tags))
            found[spec.name] = Declared(spec, (*known.monitors, name), tuple(tags))
    return sorted(found.values(), key=lambda item: (isinstance(item.spec, AlertSpec), item.spec.name))


def render(declared: Sequence[Declared], form: Format) -> str:
    """Write the catalogue as aligned text, as Markdown tables or as JSON; ends without a line end."""
    if form == "json":
        return msgspec.json.format(msgspec.json.encode([_as_object(item) for item in declared]), indent=2).decode()
    metrics = [_metric_cells(item.spec, item) for item in declared if isinstance(item.spec, MetricSpec)]
    alerts = [_alert_cells(item.spec, item) for item in declared if isinstance(item.spec, AlertSpec)]
    if form == "markdown":
        metrics, alerts = ([(_code(name), *rest) for name, *rest in cells] for cells in (metrics, alerts))
    draw = markdown_table if form == "markdown" else text_table
    heading = "## " if form == "markdown" else ""
    return "\n\n".join(
        f"{heading}{title}\n\n{draw(heads, cells)}"
        for title, heads, cells in (("Metrics", _METRIC_HEADS, metrics), ("Alerts", _ALERT_HEADS, alerts))
        if cells
    )


_METRIC_HEADS = ("metric", "kind", "unit", "better", "tags", "monitor", "meaning")
_ALERT_HEADS = ("alert", "severity", "tags", "monitor", "runbook", "meaning")
_BETTER = {"higher is better": "higher", "lower is better": "lower", "neither": ""}


def _metric_cells(spec: MetricSpec, item: Declared) -> tuple[str, ...]:
    names = (", ".join(item.tags), ", ".join(item.monitors))
    return (spec.name, spec.kind, spec.unit, _BETTER[spec.direction], *names, spec.help)


def _alert_cells(spec: AlertSpec, item: Declared) -> tuple[str, ...]:
    return (spec.name, spec.severity, ", ".join(item.tags), ", ".join(item.monitors), spec.runbook, spec.help)


def _as_object(item: Declared) -> dict[str, Any]:
    kind = "metric" if isinstance(item.spec, MetricSpec) else "alert"
    return {"type": kind, **msgspec.to_builtins(item.spec), "tags": item.tags, "monitors": item.monitors}


def options_table(monitor: type[Monitor]) -> str:
    """Write the options of a monitor as the table of its page."""
    keys = keys_of(monitor.Options)
    return keys_table("option", keys) if keys else "It has no options."


def models_tables(models: Iterable[type[BaseModel]]) -> str:
    """Write one section for each part of the workflow file: what it is, and its keys."""
    parts = []
    for model in models:
        title = (model.__doc__ or model.__name__).splitlines()[0].rstrip(".")
        parts.append(f"## {title}\n\n{keys_table('key', keys_of(model))}")
    return "\n\n".join(parts)


def keys_table(head: str, keys: Iterable[Key]) -> str:
    """Write options or keys as a Markdown table."""
    lines = [(f"`{key.name}`", key.type, _code(key.default), key.description) for key in keys]
    return markdown_table((head, "type", "default", "meaning"), lines)


def emits_table(monitor: type[Monitor]) -> str:
    """Write what a monitor emits as the tables of its page; alerts are linked to their runbooks."""
    metrics = [_emitted(spec, monitor) for spec in monitor.emits if isinstance(spec, MetricSpec)]
    alerts = [_alerted(spec, monitor) for spec in monitor.emits if isinstance(spec, AlertSpec)]
    tables = [
        markdown_table(heads, lines)
        for heads, lines in (
            (("metric", "kind", "unit", "better", "tags", "meaning"), metrics),
            (("alert", "severity", "tags", "runbook", "meaning"), alerts),
        )
        if lines
    ]
    return "\n\n".join(tables) or "It emits nothing."


def _emitted(spec: MetricSpec, monitor: type[Monitor]) -> tuple[str, ...]:
    better = _BETTER[spec.direction]
    return (f"`{spec.name}`", spec.kind, spec.unit, better, ", ".join((*monitor.series, *spec.tags)), spec.help)


def _alerted(spec: AlertSpec, monitor: type[Monitor]) -> tuple[str, ...]:
    runbook = f"[{spec.runbook}](../runbooks/{spec.runbook}.md)"
    return (f"`{spec.name}`", spec.severity, ", ".join((*monitor.series, *spec.tags)), runbook, spec.help)


def markdown_table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    r"""Write a Markdown table; bars inside a cell are escaped.

    >>> print(markdown_table(("word", "means"), [("a|b", "either")]))
    | word | means |
    | --- | --- |
    | a\|b | either |
    """
    cells = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in line] for line in lines)]
    return "\n".join(f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in line)}|" for line in cells)


def text_table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Write a table for a terminal: columns aligned, two spaces between.

    >>> print(text_table(("word", "means"), [("series", "an identity")]))
    word    means
    series  an identity
    """
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    shown = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in (heads, *lines))
    return "\n".join(line.rstrip() for line in shown)


def command_pages(command: Command, path: tuple[str, ...] = ("manometer",), parent: Context | None = None) -> str:
    """Write the help of a command and of all commands below it, just as a terminal of 80 columns shows it."""
    settings = {**command.context_settings, "terminal_width": TERMINAL}
    context = Context(command, info_name=path[-1], parent=parent, **settings)
    parts = [f"{'#' * (len(path) + 1)} {' '.join(path)}\n\n```text\n{_as_new(command).get_help(context)}\n```"]
    if isinstance(command, Group):
        inner = {name: command.get_command(context, name) for name in command.list_commands(context)}
        parts += [
            command_pages(found, (*path, name), context) for name, found in inner.items() if found and not found.hidden
        ]
    return "\n\n".join(parts)


def _as_new(command: Command) -> Command:
    """Copy a command without the help option that click keeps in it from the first context that asked for one."""
    own = copy(command)
    own._help_option = None  # noqa: SLF001 - click has no other way to let go of it
    return own


def _code(text: str) -> str:
    return f"`{text}`" if text not in {"required", "not set"} else text


if __name__ == "__main__":
    from manometer.generated import main

    sys.exit(main(sys.argv[1:]))
