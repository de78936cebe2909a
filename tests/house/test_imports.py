"""Who may import whom: the rooms, the pure middle, and no cycles. The tables are in `tests/house/rooms.py`."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from typing import Final

import pytest

from tests.house.rooms import (
    A_FILE_A_ROOM,
    BUSY_IMPORTS,
    CLIENTS_OF_THE_STANDARD_LIBRARY,
    CLOCKS,
    EVERYWHERE,
    HARMLESS,
    MAY_IMPORT,
    OPENERS,
    PROCESS,
    PURE_MATHEMATICS,
    RIM,
    SEVERAL_FILES,
    SIBLINGS,
    SPEAKS_TO_NOBODY,
    WORLD,
    Import,
    imports,
    is_pure,
    is_script,
    within,
)
from tests.house.source import ROOMS, ROOT, Module, listed, modules


def test_rooms_import_only_what_the_table_allows() -> None:
    """Each room imports of our own code only what its line of the table names."""
    found = []
    for item in imports():
        if item.top not in (*ROOMS, "tests", "benchmarks"):
            continue
        room = max((name for name in MAY_IMPORT if within(item.module.name, name)), key=len)
        if not any(within(item.target, allowed) for allowed in MAY_IMPORT[room]):
            found.append(str(item))

    assert not found, listed(found)


@pytest.mark.parametrize("folder", SIBLINGS)
def test_plugins_never_import_each_other(folder: str) -> None:
    """A plugin imports no plugin of its own kind; what two of them need lies elsewhere."""
    names = {
        module.name
        for module in modules()
        if module.name.rpartition(".")[0] == folder and module.path.name != "__init__.py"
    }

    found = [str(item) for item in imports() if item.module.name in names and item.target in names]

    assert not found, listed(found)


def test_the_pure_middle_touches_nothing() -> None:
    """Pure modules import no clock, chance, thread, file, process or client."""
    allowed = sys.stdlib_module_names - WORLD
    found = [
        str(item)
        for item in imports()
        if is_pure(item.module.name)
        and item.top not in allowed | EVERYWHERE | set(ROOMS) | _mathematics(item.module)
        and item.part not in HARMLESS
        and not _is_decoder_client(item)
    ]

    assert not found, listed(found)


def _mathematics(module: Module) -> frozenset[str]:
    return PURE_MATHEMATICS if within(module.name, "monitors") else frozenset()


def _is_decoder_client(item: Import) -> bool:
    """A decoder may bring the parser of its format: it gets bytes and gives values."""
    return item.module.name.startswith("engine.decoders.") and item.top not in sys.stdlib_module_names


def test_the_rim_is_as_short_as_can_be() -> None:
    """Each entry of the rim is there, and imports something that the pure middle may not."""
    found = []
    for rim in RIM:
        items = [item for item in imports() if within(item.module.name, rim)]
        if not any(item.top not in sys.stdlib_module_names - WORLD | EVERYWHERE | set(ROOMS) for item in items):
            found.append(f"{rim}: not there, or pure; take it out of RIM")

    assert not found, listed(found)


def test_the_pure_middle_imports_no_rim() -> None:
    """What is pure stays pure: it imports no module of ours that touches the world."""
    found = [str(i) for i in imports() if is_pure(i.module.name) and i.top in ROOMS and not is_pure(i.target)]

    assert not found, listed(found)


def test_the_pure_middle_reads_no_clock_and_opens_no_file() -> None:
    """Pure modules call neither `datetime.now` and its like, nor `open`, `print`, `exec`."""
    found = [
        f"{module.shown}:{node.lineno}: uses {ast.unparse(node)}"
        for module in modules()
        if is_pure(module.name)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.expr) and _touches(node)
    ]

    assert not found, listed(found)


def _touches(used: ast.expr) -> bool:
    if isinstance(used, ast.Attribute):
        owner = ast.unparse(used.value).split(".")[-1]
        return (used.attr in CLOCKS and owner in {"datetime", "date"}) or (used.attr in PROCESS and owner == "sys")
    return isinstance(used, ast.Name) and isinstance(used.ctx, ast.Load) and used.id in OPENERS


def test_each_client_is_imported_in_one_file() -> None:
    """A third-party client can be replaced by changing one file, aiokafka, sqlite3 and its like by one a room."""
    places: dict[str, set[str]] = {}
    for item in imports():
        if item.top in sys.stdlib_module_names and item.top not in CLIENTS_OF_THE_STANDARD_LIBRARY:
            continue
        if item.target in SPEAKS_TO_NOBODY:
            continue
        if item.top not in {*EVERYWHERE, *PURE_MATHEMATICS, *SEVERAL_FILES, *ROOMS}:
            room = f" of {item.module.name.partition('.')[0]}" if item.top in A_FILE_A_ROOM else ""
            places.setdefault(item.top + room, set()).add(item.module.shown)

    found = [f"{client} in {', '.join(sorted(where))}" for client, where in places.items() if len(where) > 1]

    assert not found, listed(found)


def test_the_command_line_libraries_stay_in_their_room() -> None:
    """Click and rich are for people at a terminal; no other room knows of one."""
    found = [
        str(item) for item in imports() if not within(item.module.name, SEVERAL_FILES.get(item.top, item.module.name))
    ]

    assert not found, listed(found)


def test_the_import_graph_is_a_staircase() -> None:
    """No module imports itself by a detour; a package may show what lies in it, which then never asks the package."""
    names = {module.name for module in modules()}
    graph: dict[str, set[str]] = {name: set() for name in names}
    for item in imports():
        if item.target in names:
            graph[item.module.name].add(item.target)

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"cycle: {' <- '.join(error.args[1])}")


def test_modules_only_declare() -> None:
    """The top level of a module imports, defines and assigns; it calls nothing for its effect."""
    allowed = (
        ast.Import,
        ast.ImportFrom,
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.Assign,
        ast.AnnAssign,
    )
    found = [
        f"{module.shown}:{node.lineno}: {ast.unparse(node)[:60]}"
        for module in modules()
        for node in module.tree.body
        if not isinstance(node, allowed) and not _is_text(node) and not is_script(node)
    ]

    assert not found, listed(found)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


WATCH: Final = """
import importlib, sys, threading
names = sys.argv[1:]
def watch(event, args):
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if writes and not str(args[0]).endswith(".pyc") and "__pycache__" not in str(args[0]):
        raise SystemExit(f"opened for writing: {args[0]}")
    if event in {"socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.exec", "sqlite3.connect"}:
        raise SystemExit(f"{event} {args}")
sys.addaudithook(watch)
for name in names:
    before = threading.active_count()
    importlib.import_module(name)
    if threading.active_count() != before:
        raise SystemExit(f"{name} started a thread")
"""


def test_imports_do_nothing() -> None:
    """Importing every module writes, connects, starts and prints nothing."""
    names = [m.name for m in modules() if not m.name.endswith("__main__") and m.name not in BUSY_IMPORTS]

    done = subprocess.run([sys.executable, "-c", WATCH, *names], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
