"""The streams of a workflow file: topics, decoders, schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.decoders import Decoder, StreamSettings
from engine.findings import Notes, below, show
from engine.lint.attaching import Plugins
from engine.lint.fields import Fitted, fit
from engine.nodes import Entry, Map, place
from engine.plan import METRICS, Stream
from engine.plugin_files import PluginError, what_failed
from engine.workflow_keys import NAME, StreamKeys

_SCHEMA_BYTES: Final = 1_048_576
_OF_TIME: Final = ("time", "unit", "zone")


class SeenStream(msgspec.Struct):
    """A stream as far as it could be read."""

    name: str
    line: int
    decode: str = ""
    topic: str = ""
    decoder: type[Decoder] | None = None
    stream: Stream | None = None


class Streams:
    """Reads the entries of `streams:` one by one, and remembers what they take."""

    def __init__(self, folder: Path, plugins: Plugins, notes: Notes) -> None:
        """Begin; paths of schemas are relative to `folder`."""
        self._folder = folder
        self._plugins = plugins
        self._notes = notes
        self._topics: dict[str, str] = {}

    def read(self, node: Map) -> dict[str, SeenStream]:
        """Read all entries."""
        return {name: self._read(name, entry) for name, entry in node.entries.items()}

    def _read(self, name: str, entry: Entry) -> SeenStream:
        path = below("streams", name)
        self._check_name(name, entry.line, path)
        seen = SeenStream(name, entry.line)
        fitted = fit(StreamKeys, entry.node, path, notes=self._notes)
        if fitted is None or not isinstance(entry.node, Map):
            return seen
        reader = _Reader(seen, fitted, entry.node, path, self._notes)
        if "topic" not in fitted.bad:
            self._check_topic(reader, fitted.keys.topic)
        self._decode(reader, fitted)
        return seen

    def _check_name(self, name: str, line: int, path: str) -> None:
        if name == METRICS:
            self._notes.error(line, path, f"{METRICS} names what other monitors emit; give the stream another name")
        elif not NAME.fullmatch(name):
            self._notes.error(line, path, 'expected a name of at most 200 letters, digits, "-", "_" or "."')

    def _check_topic(self, reader: _Reader, topic: str) -> None:
        reader.seen.topic = topic
        other = self._topics.setdefault(topic, reader.seen.name)
        if other != reader.seen.name:
            reader.error(
                "topic", f'the topic "{topic}" is read by the stream {other} already; several monitors can read it'
            )

    def _decode(self, reader: _Reader, fitted: Fitted[StreamKeys]) -> None:
        keys, seen = fitted.keys, reader.seen
        schema = reader.schema(self._folder)
        if "decode" in fitted.bad:
            return
        try:
            seen.decoder = self._plugins.decoder(keys.decode)
        except PluginError as error:
            reader.error("decode", str(error))
            return
        seen.decode = keys.decode
        reader.check_time(seen.decoder)
        reader.check_key(seen.decoder)
        decoder = None if schema is _FAILED else reader.make(seen.decoder, schema)
        if decoder is not None and not fitted.bad:
            seen.stream = _stream(seen.name, keys, decoder)


_FAILED: Final = object()


class _Reader:
    """One entry while it is read."""

    def __init__(self, seen: SeenStream, fitted: Fitted[StreamKeys], node: Map, path: str, notes: Notes) -> None:
        self.seen = seen
        self._keys = fitted.keys
        self._bad = fitted.bad
        self._node = node
        self._path = path
        self._notes = notes

    def error(self, key: str, message: str) -> None:
        found = place(self._node, self._path, (key,))
        self._notes.error(found.line, found.path, message)

    def _warn(self, key: str, message: str) -> None:
        found = place(self._node, self._path, (key,))
        self._notes.warn(found.line, found.path, message)

    def _says(self, key: str) -> bool:
        return key not in self._bad and key in self._node.entries

    def check_time(self, decoder: type[Decoder]) -> None:
        if decoder.gives_time:
            for key in filter(self._says, _OF_TIME):
                self._warn(key, f"decode: {self.seen.decode} takes the time from the record itself; leave {key} out")
        elif "time" not in self._node.entries:
            for key in filter(self._says, _OF_TIME):
                self._warn(key, f"{key} has no effect without time")

    def check_key(self, decoder: type[Decoder]) -> None:
        if decoder.key_fields and self._says("key") and self._keys.key != decoder.key_fields:
            fields = ", ".join(decoder.key_fields)
            self._warn("key", f"decode: {self.seen.decode} keys its records by {fields}; leave key out")
        if self._keys.repartition == "key" and not decoder.key_fields and "key" not in self._node.entries:
            self.error("repartition", "expected key: too, the field that the stream is to be keyed by")

    def schema(self, folder: Path) -> Any:
        """Read the schema's file; _FAILED where it cannot be used."""
        if self._keys.schema_ is None:
            return None
        try:
            return read_schema(folder / self._keys.schema_)
        except ValueError as error:
            self.error("schema", str(error))
            return _FAILED

    def make(self, decoder: type[Decoder], schema: Any) -> Decoder | None:
        keys = self._keys
        gives = decoder.gives_time
        settings = StreamSettings(
            time=None if gives else keys.time,
            unit="s" if gives else keys.unit,
            zone=None if gives else keys.zone,
            key=keys.key,
            schema=schema,
        )
        try:
            return decoder(settings)
        except ValueError as error:
            key, colon, rest = str(error).partition(": ")
            known = bool(colon) and key in self._node.entries
            self.error(key if known else "decode", rest if known else str(error))
            return None
        except Exception as error:  # noqa: BLE001 - a plugin can raise anything, and that is a finding like others
            self.error("decode", f"{self.seen.decode} refuses this stream: {what_failed(error)}")
            return None


def read_schema(path: Path) -> Mapping[str, Any] | bool:
    """Read the file of a JSON Schema.

    Raises:
        ValueError: it is not there, or is no JSON object.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_SCHEMA_BYTES + 1)
        if len(data) > _SCHEMA_BYTES:
            raise ValueError(f"{path} is larger than {_SCHEMA_BYTES} bytes")
        schema = json.loads(data)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}: expected JSON: {error.msg} (column {error.colno})") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected JSON in UTF-8: {error.reason}") from None
    except RecursionError:
        raise ValueError(f"{path}: nested too deep") from None
    if isinstance(schema, (dict, bool)):
        return schema
    raise ValueError(f"{path}: expected a JSON Schema, which is an object or a truth value, got {show(schema)}")


def _stream(name: str, keys: StreamKeys, decoder: Decoder) -> Stream:
    return Stream(
        name=name,
        topic=keys.topic,
        decoder=decoder,
        decode=keys.decode,
        key=keys.key,
        repartition=keys.repartition,
        idle_after=keys.idle_after,
        ahead=keys.ahead,
        lateness=keys.lateness,
    )
