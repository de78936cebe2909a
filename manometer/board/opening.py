"""Opens the store that a board shows: `KIND=TARGET` with options, as after `--sink`; secrets come from files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from engine.findings import did_you_mean, listing, show
from manometer.board.influxdb_reader import InfluxReader
from manometer.board.reading import Reader, Unreadable
from manometer.board.sqlite_reader import SqliteReader

_OPTION: Final = re.compile(r"[,?&]([A-Za-z][A-Za-z_-]*)=")
_OPTIONS: Final = ("bucket", "token-file")


class StoreMistake(ValueError):  # noqa: N818 - says what it is
    """The words that name a store cannot be understood; one sentence says what came and what was expected."""


def open_reader(store: str) -> Reader:
    """Open a store to read it; it is first asked when a board asks.

    Args:
        store: `sqlite=FILE`, or `influxdb=URL` with the options `bucket` and `token-file` after commas, or as a query
            of the URL.

    Raises:
        StoreMistake: it cannot be understood.
        Unreadable: the file of the token cannot be read.

    >>> open_reader("postgres=there")
    Traceback (most recent call last):
    manometer.board.opening.StoreMistake: expected sqlite=FILE or influxdb=URL with its options, got "postgres=there"
    """
    kind, _, target = store.partition("=")
    if kind not in _OPENERS:
        known = did_you_mean(kind, _OPENERS)
        raise StoreMistake(
            f"expected sqlite=FILE or influxdb=URL with its options, got {show(store)}{known and '.'}{known}"
        )
    if not target:
        what = "a file" if kind == "sqlite" else "a URL"
        raise StoreMistake(f"{kind}: expected {what} after `{kind}=`, got nothing")
    return _OPENERS[kind](target)


def _open_sqlite(target: str) -> Reader:
    return SqliteReader(target)


def _open_influxdb(target: str) -> Reader:
    url, *found = _OPTION.split(target)
    options = dict(zip(found[::2], found[1::2], strict=True))
    for name in options:
        if name not in _OPTIONS:
            raise StoreMistake(
                f"influxdb: unknown option {show(name)}; it has {listing(_OPTIONS)}.{did_you_mean(name, _OPTIONS)}"
            )
    lacking = [name for name in _OPTIONS if not options.get(name)]
    if lacking:
        raise StoreMistake(f"influxdb: expected {listing(_OPTIONS)} as well, such as `,{lacking[0]}=...`")
    return InfluxReader(_checked(url), bucket=options["bucket"], token=_token(options["token-file"]))


def _checked(url: str) -> str:
    """Check a URL; what it may hide is not shown in any sentence."""
    expected = "influxdb: expected a URL such as http://127.0.0.1:8086, http or https, without user or password"
    try:
        found = urlsplit(url)
        right = (
            found.scheme in {"http", "https"} and bool(found.hostname) and found.port != 0 and "@" not in found.netloc
        )
    except ValueError:
        right = False
    if not right or not (url.isascii() and url.isprintable()) or " " in url or "#" in url:
        raise StoreMistake(expected)
    return url


def _token(file: str) -> str:
    """Read a token: the only word of its file.

    Raises:
        Unreadable: it cannot be read, or holds something else.
    """
    try:
        token = Path(file).read_text(encoding="ascii").strip()
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unreadable(
            f"token-file {file}: {reason[:1].lower()}{reason[1:]}; give a file that holds the token"
        ) from None
    except ValueError:
        token = ""
    if not token.isprintable() or not token or " " in token:
        raise Unreadable(f"token-file {file}: expected a token of printable ASCII in one line") from None
    return token


_OPENERS: Final[Mapping[str, Callable[[str], Reader]]] = {"sqlite": _open_sqlite, "influxdb": _open_influxdb}
