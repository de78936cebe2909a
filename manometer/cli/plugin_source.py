"""What the source of a plugin says about itself, read without running it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path


def first_line(docstring: str | None) -> str:
    r"""Give the first line of a docstring: what the thing is for.

    >>> first_line("Counts.\n\nMore.")
    'Counts.'
    """
    return inspect.cleandoc(docstring or "").partition("\n")[0]


def told(path: Path, base: str) -> tuple[str, str]:
    """Read version and purpose from a file: `__version__` and the docstring of its class on a base of this name.

    What cannot be read is empty; importing the file will tell why.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
        return "", ""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and _is_on(node, base)]
    return _version(tree), first_line(ast.get_docstring(classes[0]) if classes else None)


def _is_on(node: ast.ClassDef, base: str) -> bool:
    return any(ast.unparse(expression).rpartition(".")[2] == base for expression in node.bases)


def _version(tree: ast.Module) -> str:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__":
            return str(node.value.value) if isinstance(node.value, ast.Constant) else ""
    return ""
