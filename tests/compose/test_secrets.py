from __future__ import annotations

import stat
from pathlib import Path

import pytest

from manometer.installing.kept import keep, kept
from manometer.installing.passwords import FILES, GRAFANA_PASSWORD, make_missing
from tests.manometer.commands import run


def _modes(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        name: (stat.S_IMODE((folder / name).parent.stat().st_mode), stat.S_IMODE((folder / name).stat().st_mode))
        for name in FILES
    }


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """The first call makes all of them, each another one; a second call changes none."""
    made = make_missing(tmp_path, shared=False)
    texts = [kept(tmp_path / name) for name in FILES]

    assert made == list(FILES)
    assert len(set(texts)) == len(FILES)
    assert all(text is not None and len(text) >= 40 for text in texts)
    assert make_missing(tmp_path, shared=False) == []
    assert [kept(tmp_path / name) for name in FILES] == texts


def test_what_is_missing_is_made_again(tmp_path: Path) -> None:
    """A secret that was lost, or left empty, is made anew; the others stay."""
    make_missing(tmp_path, shared=True)
    (tmp_path / GRAFANA_PASSWORD).chmod(0o600)
    (tmp_path / GRAFANA_PASSWORD).write_text("", encoding="ascii")

    assert make_missing(tmp_path, shared=True) == [GRAFANA_PASSWORD]
    assert kept(tmp_path / GRAFANA_PASSWORD)


@pytest.mark.parametrize(("shared", "modes"), [(False, (0o700, 0o600)), (True, (0o755, 0o444))])
def test_secrets_are_for_their_owner_unless_shared(tmp_path: Path, *, shared: bool, modes: tuple[int, int]) -> None:
    """By default only this user reads them; in volumes that other users mount, all of those may."""
    make_missing(tmp_path / "secrets", shared=shared)

    assert set(_modes(tmp_path / "secrets").values()) == {modes}


def test_a_secret_that_was_half_written_does_no_harm(tmp_path: Path) -> None:
    """What a crash left beside a secret is no secret, and the next call gets past it."""
    (tmp_path / "token.part").write_text("hal", encoding="ascii")

    assert kept(tmp_path / "token") is None
    keep(tmp_path / "token", "whole", shared=False)
    assert kept(tmp_path / "token") == "whole"
    assert not (tmp_path / "token.part").exists()


def test_the_command_makes_and_shows(tmp_path: Path) -> None:
    """`create` says what it made and never what it is; `show` prints the password of Grafana and nothing else."""
    folder = tmp_path / "secrets"
    early = run("secrets", "show", "--folder", folder)
    made = run("secrets", "create", "--folder", folder)
    again = run("secrets", "create", "--folder", folder)
    shown = run("secrets", "show", "--folder", folder)

    assert (early.exit_code, early.stdout) == (2, "")
    assert "manometer secrets create" in early.stderr
    assert (made.exit_code, made.stdout, again.exit_code) == (0, "", 0)
    assert all(name in made.stderr for name in FILES)
    assert "nothing" in again.stderr
    assert shown.stdout.strip() == kept(folder / GRAFANA_PASSWORD)
    assert all((kept(folder / name) or "?") not in made.stderr for name in FILES)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Where a file stands in the way, the command ends with 2 and names it."""
    (tmp_path / "secrets").write_text("", encoding="ascii")

    done = run("secrets", "create", "--folder", tmp_path / "secrets")

    assert done.exit_code == 2
    assert "secrets" in done.stderr
