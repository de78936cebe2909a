"""What a plugin raised, in words for the person who has to mend it."""

from __future__ import annotations

from pathlib import PurePath


def told(error: Exception) -> str:
    """Say what was raised and where: kind, sentence, file and line.

    >>> told(ValueError("no such number"))
    'ValueError: no such number'
    """
    return f"{type(error).__name__}: {_sentence(error)}{_place(error)}"


def _sentence(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the exception is a plugin's too
        return "it does not say what"


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" ({PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
