"""Python files of plugin folders: loaded by their location, and the one class in them."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

from engine.findings import listing, one_line

Base = TypeVar("Base")

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class PluginError(Exception):
    """A plugin that is not there or cannot be used; the text is one sentence for the person who named it."""


class _FreshLoader(SourceFileLoader):
    """Loads a file from its source; an old compiled form is never taken for it, and none is written."""

    def path_stats(self, path: str) -> Any:
        """Know nothing of the file, so that no compiled form can fit."""
        raise OSError(path)


def import_file(path: Path) -> ModuleType:
    """Load a file under a name of its own; the same file with the same text is loaded once.

    Raises:
        PluginError: it fails to import.
    """
    name = _module_name(path)
    if name in sys.modules:
        return sys.modules[name]
    loader = _FreshLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None  # noqa: S101 - there is a loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # types in annotations are looked up there
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise PluginError(f"{path} fails to import: {what_failed(error, path)}") from error
    return module


def _module_name(path: Path) -> str:
    digest = hashlib.sha256(f"{path.resolve()}\0".encode("utf-8", "surrogateescape") + path.read_bytes()).hexdigest()
    return f"manometer_plugin_{digest[:16]}_{path.stem}"


def what_failed(error: BaseException, path: Path | None = None) -> str:
    """Tell an exception in one line, with file and line where it came from; a place in ``path`` is preferred."""
    text = one_line(" ".join(str(error).split()))[:300]
    return f"{type(error).__name__}: {text}{_place(error, path)}"


def _place(error: BaseException, path: Path | None) -> str:
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f" ({error.filename}:{error.lineno})" if "line " not in str(error) else ""
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if path is not None and frame.filename == str(path)]
    frame = mine[-1] if mine else None
    return f" ({frame.filename}:{frame.lineno})" if frame else ""


def defines(path: Path, base: str) -> bool:
    """Say, without importing it, whether a file defines a class on a base of this name.

    A file that cannot be read counts too: importing it tells what is wrong with it.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
        return True
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return any(_ends(expression) == base for node in classes for expression in node.bases)


def _ends(expression: ast.expr) -> str:
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def one_class(module: ModuleType, base: type[Base], name: str) -> type[Base]:
    """Give the subclass of ``base`` that a module defines; of several the one that is called like the file.

    Raises:
        PluginError: there is none, or several and none is called like the file.
    """
    classes = list(dict.fromkeys(_own(module, base)))
    if len(classes) == 1:
        return classes[0]
    called = [cls for cls in classes if snake_case(cls.__name__) == name]
    if len(called) == 1:
        return called[0]
    where = getattr(module, "__file__", None) or module.__name__
    if not classes:
        raise PluginError(f"{where} defines no subclass of {base.__module__}.{base.__name__}")
    names = listing(cls.__name__ for cls in classes)
    raise PluginError(f"{where} defines several: {names}; name one of them as the file, or put them into files apart")


def _own(module: ModuleType, base: type[Base]) -> Iterator[type[Base]]:
    for value in list(vars(module).values()):
        if not isinstance(value, type) or not issubclass(value, base):
            continue
        if value.__module__ == module.__name__ and not value.__name__.startswith("_"):
            yield value


def snake_case(name: str) -> str:
    """Write a class name as its file is called.

    >>> snake_case("RecordCount"), snake_case("JSONLines")
    ('record_count', 'json_lines')
    """
    return _HUMP.sub("_", name).lower()
