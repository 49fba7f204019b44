"""The set-up script: which packages, which lock file, and that lock files are whole."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
LOCKS = sorted(REQUIREMENTS.glob("*.lock"))


def packages(*options: str) -> set[str]:
    """Return the Debian packages that the script would want with ``options``."""
    command = [str(ROOT / "packaging" / "setup.sh"), *options, "--print-packages"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def locked(file: Path) -> set[str]:
    """Return the names of the Python packages in a lock file."""
    text = file.read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, flags=re.MULTILINE))


def test_a_kiosk_in_a_courtroom_gets_no_test_tools() -> None:
    kiosk = packages("--pi", "--run-only")
    developer = packages("--pi")
    assert {"python3-venv", "sane-airscan", "python3-picamera2"} <= kiosk
    assert not {"xvfb", "xdotool", "pulseaudio", "mmdebstrap"} & kiosk
    assert kiosk < developer


def test_a_package_can_be_left_out() -> None:
    assert "python3-picamera2" not in packages("--pi", "--without", "python3-picamera2")


def test_what_comes_from_apt_on_a_pi_is_not_in_its_lock_files() -> None:
    for name in ("pi.lock", "pi-dev.lock"):
        assert not {"numpy", "pyaudio", "lgpio", "picamera2", "simplejpeg"} & locked(
            REQUIREMENTS / name
        )


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.name)
def test_every_package_is_pinned_with_hashes_and_without_addresses(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "://" not in text
    for entry in re.split(r"\n(?=[a-z0-9])", text):
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_what_the_project_asks_for_is_locked() -> None:
    """Whoever adds a dependency makes the lock files again (``make lock``)."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    asked = {
        re.split(r"[\[<>=!~ ;]", requirement)[0].lower() for requirement in project["dependencies"]
    }
    assert asked <= locked(REQUIREMENTS / "run.lock")
    assert asked - {"numpy"} <= locked(REQUIREMENTS / "pi.lock")
    extras = project["optional-dependencies"]
    asked |= {
        re.split(r"[\[<>=!~ ;]", requirement)[0].lower()
        for extra in extras.values()
        for requirement in extra
    }
    assert asked <= locked(REQUIREMENTS / "dev.lock")


def test_nothing_is_installed_by_hand_in_the_makefile() -> None:
    """Debian packages stand in one list, Python packages in the lock files."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "apt" not in re.sub(r"##.*", "", text)
    assert "pip install" not in text
