"""What the code looks like: sizes, names, docstrings of tests, reasons for exceptions, and nothing of one machine."""

from __future__ import annotations

import ast
import re
from typing import Final

from tests.house.source import ALL, ROOT, Function, Module, files, functions, listed, modules

MODULE_LINES: Final = 300
FUNCTION_LINES: Final = 40
NAMELESS: Final = frozenset({"base", "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"})

_SLASH: Final = "/"
MACHINE_PATHS: Final = tuple(f"{_SLASH}{folder}{_SLASH}" for folder in ("work", "root", "tmp/b"))
REGISTRY_HOSTS: Final = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("maven", "org"),
        ("deb", "debian", "org"),
    )
)

_IGNORE: Final = re.compile(r"#\s*type:\s*ignore(?!\[[a-z\-, ]+\]\s+#\s*\S)")
_NOQA: Final = re.compile(r"#\s*(ruff:\s*)?noqa(?!: [A-Z]+[0-9]+(, [A-Z]+[0-9]+)* - \S)")


def test_modules_can_be_read_from_top_to_end() -> None:
    """No module is longer than 300 lines: past that it is two things."""
    found = {module.shown: lines for module in modules(*ALL) if (lines := module.text.count("\n")) > MODULE_LINES}

    assert not found, listed(f"{file}: {lines} lines" for file, lines in found.items())


def body_lines(function: Function) -> int:
    """Count the lines of a function without its docstring."""
    text = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    spoken = 0 if text is None else (text.end_lineno or text.lineno) - text.lineno + 1
    return (function.end_lineno or function.lineno) - function.lineno + 1 - spoken


def test_functions_fit_on_a_screen() -> None:
    """No function is longer than 40 lines, its docstring left out."""
    found = [
        f"{module.shown}:{function.lineno}: {function.name} has {lines} lines"
        for module in modules(*ALL)
        for function in functions(module.tree)
        if (lines := body_lines(function)) > FUNCTION_LINES
    ]

    assert not found, listed(found)


def test_every_test_states_its_promise() -> None:
    """Each test has a docstring, and no two tests of a module have the same one."""
    found = []
    for module in modules("tests"):
        said: dict[str, str] = {}
        for function in functions(module.tree):
            if not function.name.startswith("test_"):
                continue
            promise = ast.get_docstring(function)
            if not promise or promise in said:
                found.append(f"{module.shown}:{function.lineno}: {function.name} states no promise of its own")
            said[promise or ""] = function.name

    assert not found, listed(found)


def test_nothing_has_a_name_that_says_nothing() -> None:
    """No module or folder is called utils, helpers, common, base, manager or the like."""
    found = [
        str(path.relative_to(ROOT))
        for path in files()
        if path.suffix == ".py"
        and NAMELESS & {part.strip("_") for part in path.relative_to(ROOT).with_suffix("").parts}
    ]

    assert not found, listed(found)


def test_exceptions_from_the_rules_say_which_and_why() -> None:
    """A `noqa` or `type: ignore` names its code and gives its reason."""
    found = [
        f"{module.shown}:{number}: {line.strip()}"
        for module in modules(*ALL)
        for number, line in enumerate(module.text.splitlines(), 1)
        if ("noqa" in line and _NOQA.search(line)) or ("type: ignore" in line and _IGNORE.search(line))
        if not _is_pattern(module, line)
    ]

    assert not found, listed(found)


def _is_pattern(module: Module, line: str) -> bool:
    return module.name == __name__ and ("re.compile" in line or '"""' in line or " in line" in line)


def test_no_file_knows_one_machine() -> None:
    """No tracked text names a path of one machine or the host of a package registry."""
    found = []
    for path in files():
        data = path.read_bytes()
        if b"\0" in data[:8000] or path.suffix == ".gz":
            continue
        text = data.decode("utf-8", "replace")
        found += [f"{path.relative_to(ROOT)}: {word}" for word in (*MACHINE_PATHS, *REGISTRY_HOSTS) if word in text]

    assert not found, listed(found)
