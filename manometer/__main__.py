"""Lets `python -m manometer` be the command `manometer`."""

from __future__ import annotations

from manometer.cli.main import main

if __name__ == "__main__":
    main(prog_name="manometer")
