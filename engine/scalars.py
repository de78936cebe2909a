"""Plain scalars, read so that no two YAML readers could disagree: what is ambiguous is refused."""

from __future__ import annotations

import math
import re
from typing import Final

from engine.findings import show
from engine.nodes import Scalar, Value
from engine.variables import Variables, is_one

_WORDS: Final[dict[str, Value]] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_LARGEST: Final = 2**63
_DIGITS: Final = 400
"""More characters than a number has; longer ones are text or too large, and patterns stay quick."""

_AMBIGUOUS: Final = (
    (re.compile(r"null|true|false", re.IGNORECASE), "a word that only some YAML readers know; write {lower}"),
    (
        re.compile(r"yes|no|on|off", re.IGNORECASE),
        "a truth value to some YAML readers and text to others; write true or false",
    ),
    (re.compile(r"[-+]?0[0-9][0-9_]*(?:\.[0-9_]*)?"), "a number with a leading zero"),
    (re.compile(r"[-+]?0(?:o[0-7_]+|x[0-9a-f_]+|b[01_]+)", re.IGNORECASE), "a number that is not decimal"),
    (re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"), "a number to base 60 to some YAML readers"),
    (re.compile(r"[-+]?\.(?:inf|nan)", re.IGNORECASE), "no number that a workflow can use"),
    (
        re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}.*)?"),
        "a date to some YAML readers and text to others",
    ),
    (re.compile(r"[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*\.?[0-9_]*)(?:e[-+]?[0-9]+)?", re.IGNORECASE), "no plain number"),
)


SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Half of a pair, which is no character."""


class AmbiguousScalarError(ValueError):
    """A plain scalar that readers of YAML 1.1 and 1.2 read differently, or that no workflow can use."""


def plain_scalar(text: str) -> Value:
    """Read an unquoted scalar: true, false, null, a number written as in JSON; all else is text.

    ``off`` is text, because durations know it.

    Raises:
        AmbiguousScalarError: it means different things to different YAML readers.

    >>> plain_scalar("true"), plain_scalar("12"), plain_scalar("1e3"), plain_scalar("60s"), plain_scalar("off")
    (True, 12, 1000.0, '60s', 'off')
    """
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return number(text)
    if text != "off" and len(text) <= _DIGITS:
        _refuse_ambiguous(text)
    return text


def number(text: str) -> int | float:
    """Read a number written as in JSON.

    Raises:
        AmbiguousScalarError: it is none, or larger than what a workflow can use.
    """
    if not _NUMBER.fullmatch(text):
        raise AmbiguousScalarError(f"{show(text)[1:-1]} is no number of JSON")
    if _INTEGER.fullmatch(text) and len(text) <= _DIGITS and abs(int(text)) < _LARGEST:
        return int(text)
    if len(text) <= _DIGITS and not _INTEGER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    raise AmbiguousScalarError(f"{show(text)[1:-1]} is too large a number; expected less than 2**63")


def _refuse_ambiguous(text: str) -> None:
    for pattern, what in _AMBIGUOUS:
        if pattern.fullmatch(text):
            known = what.format(lower=text.lower())
            instead = ", or" if "write" in what else "; write it as a plain number, or"
            raise AmbiguousScalarError(f"{text} is {known}{instead} as a quoted text: {show(text)}")


def scalar(line: int, written: str, *, quoted: bool, variables: Variables) -> Scalar:
    """Make a scalar from what the file says: variables are filled, then what is not quoted is read as a plain scalar.

    One variable and nothing else is read as if its value stood there unquoted, also where it is quoted; where the
    place wants text, or the value is ambiguous, it is text. With anything beside it the result is text.

    Raises:
        AmbiguousScalarError: it is not quoted and means different things to different readers.
        VariableError: a variable cannot be filled in.
    """
    filled = variables.fill(written)
    if is_one(written):
        return _from_variable(line, filled)
    if quoted or "${" in written:
        return Scalar(line, filled, filled)
    return Scalar(line, plain_scalar(filled), filled)


def _from_variable(line: int, text: str) -> Scalar:
    try:
        return Scalar(line, plain_scalar(text), text, loose=True)
    except AmbiguousScalarError:
        return Scalar(line, text, text)
