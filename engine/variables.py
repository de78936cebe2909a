"""Variables of the environment in the texts of a workflow file: ``${NAME}`` and ``${NAME:-default}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from engine.findings import did_you_mean

_NAME: Final = r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}"
_ONE: Final = re.compile(_NAME)
_ANY: Final = re.compile(rf"\$\$\{{|{_NAME}|\$\{{")
MOST_TEXT: Final = 1_048_576
"""Characters that variables may put into one file."""


class VariableError(ValueError):
    """A variable that cannot be filled in."""


class Variables:
    """Fills the variables of one file, and bounds how much they add to it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take the environment that the file sees."""
        self._environ = environ
        self._added = 0

    def fill(self, text: str) -> str:
        """Put values in the places of variables; ``$${`` becomes ``${``.

        A variable that is not set, or empty, takes its default.

        Raises:
            VariableError: a variable is not set and has no default, or ``${`` begins none.

        >>> Variables({"SITE": "berlin"}).fill("${SITE}-${LINE:-1} costs $${X}")
        'berlin-1 costs ${X}'
        """
        if "${" not in text:
            return text
        filled = _ANY.sub(self._value, text)
        self._added += len(filled)
        if self._added > MOST_TEXT:
            raise VariableError(f"variables put more than {MOST_TEXT} characters into the file")
        return filled

    def _value(self, found: re.Match[str]) -> str:
        name, default = found[1], found[2]
        if found[0] == "$${":
            return "${"
        if name is None:
            raise VariableError('"${" begins no variable; expected ${NAME} or ${NAME:-default}, or $${ for the text ${')
        value = self._environ.get(name)
        if value is None and default is None:
            near = did_you_mean(name, self._environ)
            raise VariableError(f"the environment has no variable {name}; set it, or write ${{{name}:-default}}.{near}")
        return _known(name, value or default or "")


def _known(name: str, value: str) -> str:
    if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise VariableError(f"the variable {name} of the environment is not UTF-8")
    return value


def is_one(text: str) -> bool:
    """Say whether a text is one variable and nothing else.

    >>> is_one("${A:-1}"), is_one("${A}${B}"), is_one("a")
    (True, False, False)
    """
    return _ONE.fullmatch(text) is not None
