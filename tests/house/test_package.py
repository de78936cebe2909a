"""What is shipped: the packages, the recorded data and the workflow files, and versions that belong together."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import manometer
from tests.house.source import ROOMS, ROOT, files, listed


def test_the_wheel_has_all_that_is_used(tmp_path: Path) -> None:
    """The wheel holds every file of the packages, of data/, workflows/ and docs/runbooks/, and nothing else."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert not (lost := sorted(expected() - shipped)), listed(lost)
    assert not (more := sorted(shipped - expected())), listed(more)


def expected() -> set[str]:
    """Name the files of the wheel by what lies in the checkout."""
    names = [path.relative_to(ROOT) for path in files()]
    inside = {str(name) for name in names if name.parts[0] in ROOMS}
    resources = {f"manometer/{name}" for name in names if name.parts[0] in {"data", "workflows"}}
    return inside | resources | {f"manometer/{name}" for name in names if name.parts[:2] == ("docs", "runbooks")}


def test_every_package_is_marked_as_typed() -> None:
    """Type checkers of those who write plugins read our annotations."""
    assert [room for room in ROOMS if not (ROOT / room / "py.typed").exists()] == []


def test_the_constraints_cover_what_is_declared() -> None:
    """Each dependency of pyproject.toml has an exact version in constraints.txt, and each line there is exact."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    exact = {
        _plain(line.partition("==")[0]) for line in lines if re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)
    }
    loose = [line for line in lines if line and not line.startswith("#") and "==" not in line]
    lost = [name for name in wanted if _plain(re.split(r"[<>=!~\[ ]", name)[0]) not in exact]

    assert not (loose + lost), listed(loose + lost)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_version_is_one() -> None:
    """The version is written in one place, and the changelog has an entry for what comes next."""
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+)?", manometer.__version__)
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
