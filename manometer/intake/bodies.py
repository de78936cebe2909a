"""Cuts the body of a request into messages: any bytes are allowed, what they mean is decided later."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Form = Literal["json", "lines", "any"]
"""What a body says it is; `any` says nothing, and its content decides."""

FORMS: Final[dict[str, Form]] = {
    "application/json": "json",
    "application/x-ndjson": "lines",
    "application/jsonl": "lines",
    "application/jsonlines": "lines",
    "application/octet-stream": "any",
    "": "any",
}
"""Media type -> form."""

_WHITE: Final = b" \t\r\n"
_items: Final = msgspec.json.Decoder(list[msgspec.Raw])
_whole: Final = msgspec.json.Decoder(msgspec.Raw)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class BadBody(Exception):  # noqa: N818 - says what is wrong with it
    """Nobody knows where the messages of this body begin and end."""


def messages(body: bytes, form: Form) -> list[bytes]:
    r"""Cut a body into the values of its messages.

    A JSON array is as many messages as it has members, other JSON is one message; of lines each is one, whatever is
    in it, except those with nothing in them. Bytes are kept as they are.

    >>> messages(b'[{"a":1}, {"b":2}]', "json"), messages(b'{"a":1}\n\ngarbage\n', "lines")
    ([b'{"a":1}', b'{"b":2}'], [b'{"a":1}', b'garbage'])

    Raises:
        BadBody: it has no message, or begins as a JSON array and is none.
    """
    start = body.lstrip(_WHITE)[:1]
    if form == "lines":
        found = _lines(body)
    elif start == b"[":
        found = _array(body)
    elif form == "json" or (start == b"{" and _is_one(body)):
        found = [body.strip(_WHITE)] if start else []
    else:
        found = _lines(body)
    if not found:
        raise BadBody("the body has no message; send one JSON value, a JSON array of them, or JSON lines")
    return found


def _lines(body: bytes) -> list[bytes]:
    return [line for raw in body.split(b"\n") if (line := raw.removesuffix(b"\r")).strip(_WHITE)]


def _array(body: bytes) -> list[bytes]:
    try:
        return [bytes(item) for item in _items.decode(body)]
    except _UNREADABLE as error:
        where = "" if "(byte" in str(error) else f" (byte {len(body)})"
        raise BadBody(f"expected a JSON array, because the body begins with [: {error}{where}") from None


def _is_one(body: bytes) -> bool:
    try:
        _whole.decode(body)
    except _UNREADABLE:
        return False
    return True
