"""Fuzzes one target with atheris, guided by coverage: python atheris_run.py TARGET CORPUS [libFuzzer options]."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Instrument our code, write the examples into the corpus and fuzz until the time is over."""
    atheris = import_module("atheris")  # not every Python has it

    with atheris.instrument_imports(include=["engine", "manometer"]):
        from tests.fuzz.targets import DICTIONARY, TARGETS  # noqa: PLC0415 - after the instrumentation is on
    name, corpus, *options = sys.argv[1:]
    target, examples = TARGETS[name]
    folder = Path(corpus)
    for number, example in enumerate(examples):
        (folder / f"example-{number}").write_bytes(example)
    words = folder.with_suffix(".dict")
    escaped = ["".join(f"\\x{byte:02x}" for byte in word) for word in DICTIONARY]
    words.write_text("".join(f'"{word}"\n' for word in escaped), encoding="ascii")
    atheris.Setup([sys.argv[0], corpus, f"-dict={words}", *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
