"""Reads `--sink KIND=TARGET,OPTION=VALUE` and opens what it names; secrets come from files and not from commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from archiver.sink import Broken, Sink
from engine.findings import did_you_mean, listing, show
from engine.times import SECOND, parse_duration

OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    "sqlite": frozenset({"name"}),
    "json-lines": frozenset({"name", "rotate", "files"}),
    "webhook": frozenset({"name", "secret-file", "timeout"}),
    "influxdb": frozenset({"name", "org", "bucket", "token-file", "timeout"}),
}
"""Kind of sink -> the options that it has."""

_NEEDED: Final[Mapping[str, Sequence[str]]] = {"influxdb": ("org", "bucket", "token-file")}
"""Kind of sink -> the options that have to be given."""
_OVER_HTTP: Final = frozenset({"webhook", "influxdb"})
_OPTION: Final = re.compile(r",([A-Za-z][A-Za-z_-]*)=")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_TIMEOUT: Final = "10s"
_SIZE: Final = re.compile(r"([1-9][0-9]{0,8})(KB|MB|GB)")
_UNITS: Final[Mapping[str, int]] = {"KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_FILES: Final = re.compile(r"[1-9][0-9]{0,2}")
_LONGEST_TIMEOUT: Final = 300 * SECOND


class SinkMistake(ValueError):  # noqa: N818 - says what it is
    """A `--sink` that cannot be understood; one sentence says where, what came and what was expected."""


class SinkSpec(msgspec.Struct, frozen=True):
    """One `--sink`, taken apart and found to be right; nothing is opened yet."""

    name: str
    """What its position is saved under; another name begins anew."""
    kind: str
    target: str
    """A file, or a URL."""
    options: Mapping[str, str] = {}

    def open(self) -> Sink:
        """Open the store.

        Raises:
            Broken: it, or the file of its secret, cannot be opened.
            Busy: another process holds it.
        """
        return _OPENERS[self.kind](self)

    def points(self, workflow: str) -> int | None:
        """Count what the store holds of a workflow; None where a store cannot be asked.

        Raises:
            Broken: it, or the file of its secret, cannot be opened.
            Busy: it does not answer now.
        """
        count = _COUNTERS.get(self.kind)
        return None if count is None else count(self, workflow)


def parse_sinks(texts: Iterable[str], *, beside: Sequence[SinkSpec] = ()) -> list[SinkSpec]:
    """Read what stands after each `--sink`.

    Args:
        texts: KIND=TARGET, and options after commas.
        beside: sinks that are there anyway; they come first.

    Raises:
        SinkMistake: one is wrong, or two have one name or one target.

    >>> [(spec.name, spec.target) for spec in parse_sinks(["json-lines=out.jsonl", "sqlite=a.db,name=second"])]
    [('json-lines', 'out.jsonl'), ('second', 'a.db')]
    """
    specs = [*beside, *map(_parse, texts)]
    for what in ("name", "target"):
        seen = [getattr(spec, what) for spec in specs]
        twice = next((value for value in seen if seen.count(value) > 1), None)
        if twice is not None:
            advice = "give one of them another with ,name=NAME" if what == "name" else "a store has one writer"
            raise SinkMistake(f"two sinks have the {what} {show(twice)}; {advice}")
    return specs


def _parse(text: str) -> SinkSpec:
    kind, _, rest = text.partition("=")
    if kind not in OPTIONS:
        known = did_you_mean(kind, OPTIONS)
        raise SinkMistake(f"expected KIND=TARGET with one of {listing(OPTIONS)}, got {show(text)}.{known}")
    target, *found = _OPTION.split(rest)
    if not target:
        raise SinkMistake(f"{kind}: expected a {'URL' if kind in _OVER_HTTP else 'file'} after `{kind}=`, got nothing")
    options = _options(kind, list(zip(found[::2], found[1::2], strict=True)))
    name = options.pop("name", kind)
    if not _NAME.fullmatch(name):
        raise SinkMistake(f"{kind}: name: expected at most 60 letters, digits, dots and hyphens, got {show(name)}")
    _timeout(options)
    _size(options.get("rotate"))
    if not _FILES.fullmatch(options.get("files", "1")):
        raise SinkMistake(f"{kind}: files: expected a number from 1 to 999, got {show(options['files'])}")
    return SinkSpec(name, kind, target, options)


def _options(kind: str, pairs: list[tuple[str, str]]) -> dict[str, str]:
    for name, value in pairs:
        if name not in OPTIONS[kind]:
            near = did_you_mean(name, OPTIONS[kind])
            comma = " A comma of a URL before a word and `=` is written %2C." if kind in _OVER_HTTP else ""
            raise SinkMistake(f"{kind}: unknown option {show(name)}; it has {listing(OPTIONS[kind])}.{near}{comma}")
        if not value:
            raise SinkMistake(f"{kind}: {name}: expected a value, got nothing")
    if len(dict(pairs)) < len(pairs):
        raise SinkMistake(f"{kind}: an option is given twice: {listing(name for name, _ in pairs)}")
    lacking = [name for name in _NEEDED.get(kind, ()) if name not in dict(pairs)]
    if lacking:
        raise SinkMistake(f"{kind}: expected {listing(_NEEDED[kind])} as well, such as `,{lacking[0]}=...`")
    return dict(pairs)


def _timeout(options: Mapping[str, str]) -> float:
    """Give the seconds of the option `timeout`."""
    try:
        micros = parse_duration(options.get("timeout", _TIMEOUT))
    except ValueError as error:
        raise SinkMistake(f"timeout: {error}") from None
    if not 0 < micros <= _LONGEST_TIMEOUT:
        raise SinkMistake(f"timeout: expected at most 5m and more than nothing, got {options['timeout']}")
    return micros / SECOND


def _size(text: str | None) -> int | None:
    """Give the bytes of the option `rotate`."""
    if text is None:
        return None
    found = _SIZE.fullmatch(text)
    if found is None:
        raise SinkMistake(f"rotate: expected a size such as 100MB, got {show(text)}")
    return int(found[1]) * _UNITS[found[2]]


def _open_sqlite(spec: SinkSpec) -> Sink:
    from archiver.sinks.sqlite import SqliteSink  # noqa: PLC0415 - only the clients that are asked for

    return SqliteSink(spec.target)


def _open_json_lines(spec: SinkSpec) -> Sink:
    from archiver.sinks.json_lines import FILES, JsonLinesSink  # noqa: PLC0415 - as above

    rotate, files = spec.options.get("rotate"), spec.options.get("files")
    return JsonLinesSink(spec.target, rotate=_size(rotate), files=FILES if files is None else int(files))


def _open_webhook(spec: SinkSpec) -> Sink:
    from archiver.sinks.webhook import WebhookSink  # noqa: PLC0415 - as above

    file = spec.options.get("secret-file")
    secret = None if file is None else _secret(file)
    return WebhookSink(spec.target, secret=secret, seconds=_timeout(spec.options))


def _open_influxdb(spec: SinkSpec) -> Any:
    try:
        from archiver.sinks.influxdb import InfluxSink  # noqa: PLC0415 - as above, and an extra
    except ModuleNotFoundError as error:
        raise Broken(f"influxdb: {error.name} is not installed; pip install 'manometer[influxdb]'") from error
    options = spec.options
    token = _secret(options["token-file"]).decode("utf-8", "replace")
    org, bucket = options["org"], options["bucket"]
    return InfluxSink(spec.target, org=org, bucket=bucket, token=token, seconds=_timeout(options))


def _secret(file: str) -> bytes:
    """Read a secret: the file's bytes without the line break at their end.

    Raises:
        Broken: it cannot be read, or is empty.
    """
    try:
        secret = Path(file).read_bytes().rstrip(b"\r\n")
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise Broken(f"{file}: the secret cannot be read: {reason[:1].lower()}{reason[1:]}") from None
    if not secret:
        raise Broken(f"{file}: expected a secret, got an empty file")
    return secret


_OPENERS: Final[Mapping[str, Callable[[SinkSpec], Sink]]] = {
    "sqlite": _open_sqlite,
    "json-lines": _open_json_lines,
    "webhook": _open_webhook,
    "influxdb": _open_influxdb,
}


def _points_of_sqlite(spec: SinkSpec, workflow: str) -> int:
    from archiver.sinks.sqlite import count_points  # noqa: PLC0415 - as above

    return count_points(spec.target, workflow)


def _points_of_json_lines(spec: SinkSpec, workflow: str) -> int:
    from archiver.sinks.json_lines import read_emissions  # noqa: PLC0415 - as above

    return sum(one.tags.get("workflow") == workflow for one in read_emissions(spec.target))


def _points_of_influxdb(spec: SinkSpec, workflow: str) -> int:
    sink = _open_influxdb(spec)
    try:
        return int(sink.points(workflow))
    finally:
        sink.close()


_COUNTERS: Final[Mapping[str, Callable[[SinkSpec, str], int]]] = {
    "sqlite": _points_of_sqlite,
    "json-lines": _points_of_json_lines,
    "influxdb": _points_of_influxdb,
}
