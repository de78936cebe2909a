"""Prints the numbers that say how the code reads: sizes of modules, functions and tests, beside what we aim at."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Final

from benchmarks.long import machine
from tests.house.source import Module, functions, modules
from tests.house.test_shape import body_lines

Line = tuple[str, float, str]

NOT_PARAMETERS: Final = frozenset({"self", "cls"})


def share(values: Sequence[int], part: float) -> int:
    """Give the value below which a part of the values lies, itself one of them."""
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]


def of_modules(code: Sequence[Module]) -> list[Line]:
    """Measure modules: lines, and imports of other modules."""
    lines = [module.text.count("\n") for module in code if module.path.name != "__init__.py"]
    imports = [sum(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(m.tree)) for m in code]
    return [
        ("modules", len(code), ""),
        ("lines of a module, median", share(lines, 0.5), "60 to 150"),
        ("lines of the longest module", max(lines), "at most 300"),
        ("imports of a module, median", share(imports, 0.5), "6"),
    ]


def of_functions(code: Sequence[Module]) -> list[Line]:
    """Measure functions: lines without the docstring, and parameters."""
    every = [function for module in code for function in functions(module.tree)]
    lines = [body_lines(function) for function in every]
    taken = [len([a for a in (*f.args.args, *f.args.kwonlyargs) if a.arg not in NOT_PARAMETERS]) for f in every]
    return [
        ("functions", len(every), ""),
        ("lines of a function, median", share(lines, 0.5), "at most 6"),
        ("lines of a function, nine in ten", share(lines, 0.9), "at most 20"),
        ("lines of the longest function", max(lines), "at most 40"),
        ("parameters of a function, nine in ten", share(taken, 0.9), "3"),
    ]


def of_tests(tests: Sequence[Module]) -> list[Line]:
    """Measure tests: how many, and how many say what they promise."""
    every = [f for module in tests for f in functions(module.tree) if f.name.startswith("test_")]
    told = sum(ast.get_docstring(function) is not None for function in every)
    return [("tests", len(every), ""), ("tests with a promise", told, "all")]


def main() -> int:
    """Print the table and, as the last line, the figures as JSON."""
    lines = [*of_modules(modules()), *of_functions(modules()), *of_tests(modules("tests"))]
    for name, value, aim in lines:
        sys.stdout.write(f"{name:<40}{value:>8,}  {aim}\n")
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    sys.stdout.write(json.dumps({**{name: value for name, value, _ in lines}, **about}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
