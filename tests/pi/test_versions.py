"""The versions that the Pi's lock files were made for are those of Debian."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parents[2] / "requirements" / "pi-constraints.txt"


def test_debian_has_what_the_constraints_say() -> None:
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    named = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert set(named) == {"numpy", "pyaudio", "python-sane"}
    assert {name: version(name) for name in named} == named
