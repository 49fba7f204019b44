"""Licences of what the kiosk uses: known, none of them the AGPL, and listed by a command."""

from __future__ import annotations

import json
import re
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

from kiosk.cli import main
from kiosk.commands.licences import UNKNOWN, debian_licence, debian_packages, licence_of

ROOT = Path(__file__).resolve().parents[2]


def locked_names() -> list[str]:
    """Return the packages of a kiosk on any machine."""
    texts = [(ROOT / "requirements" / name).read_text() for name in ("run.lock", "pi.lock")]
    return sorted(set(re.findall(r"^([a-z0-9][\w.-]*)==", "\n".join(texts), flags=re.MULTILINE)))


@pytest.mark.parametrize("name", locked_names())
def test_every_locked_package_has_a_known_licence_and_none_the_agpl(name: str) -> None:
    licence = licence_of(distribution(name))
    assert licence != UNKNOWN
    assert not re.search(r"(?i)agpl|affero", licence)


def test_the_command_lists_python_and_debian(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licences", "--json"]) == 0
    packages = json.loads(capsys.readouterr().out)
    listed = {(package["source"], package["name"]): package for package in packages}
    assert len(listed) == len(packages)
    assert listed["python", "courtroom-kiosk"]["licence"] == "Apache-2.0"
    assert listed["python", "pillow"]["version"] == version("pillow")
    assert listed["debian", "python3-sane"]["version"].startswith(version("python-sane"))
    assert "GPL" in listed["debian", "espeak-ng"]["licence"]
    assert not [
        name for source, name in listed if source == "python" and name in ("PyAudio", "python-sane")
    ]


def test_the_stricter_licence_of_x264_in_pyavs_wheel_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["licences"]) == 0
    (line,) = [row for row in capsys.readouterr().out.splitlines() if row.startswith("python  av ")]
    assert "BSD-3-Clause; its wheel contains libx264 (GPL-2.0-or-later)" in line
    assert "libx264" in (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")


def test_a_licence_comes_from_metadata_or_else_from_the_licence_file(tmp_path: Path) -> None:
    from importlib.metadata import PathDistribution

    (info := tmp_path / "x-1.dist-info").mkdir()
    metadata, found = info / "METADATA", PathDistribution(info)
    (info / "RECORD").write_text("x-1.dist-info/LICENSE,,\n")
    (info / "LICENSE").write_text("\n  The Licence of X\nmore\n")
    expected = {
        "License-Expression: AGPL-3.0-only\nLicense: MIT": "AGPL-3.0-only",
        "License: MIT": "MIT",
        "Classifier: License :: OSI Approved :: BSD License": "BSD License",
        "Classifier: License :: OSI Approved": "The Licence of X",
    }
    for fields, licence in expected.items():
        metadata.write_text(f"Metadata-Version: 2.1\nName: x\nVersion: 1\n{fields}\n\n")
        assert licence_of(found) == licence
    (info / "RECORD").write_text("")
    assert licence_of(found) == UNKNOWN


def test_debian_packages_of_a_kiosk_alone_are_listed(tmp_path: Path) -> None:
    (names := tmp_path / "names.txt").write_text("[run]\nbash\nno-such-package\n[dev]\ncoreutils\n")
    (package,) = debian_packages(names)
    assert (package.name, package.source) == ("bash", "debian")
    assert "GPL-3" in package.licence


def test_a_renamed_library_is_found_by_what_it_provides(tmp_path: Path) -> None:
    (names := tmp_path / "names.txt").write_text("[run]\nawk\n")
    found = {package.name for package in debian_packages(names)}
    assert found
    assert found <= {"mawk", "gawk", "original-awk"}


def test_a_copyright_without_names_is_pointed_to(tmp_path: Path) -> None:
    assert debian_licence(tmp_path) == UNKNOWN
    (tmp_path / "copyright").write_text("Do what you want.\n")
    assert debian_licence(tmp_path) == f"see {tmp_path}/copyright"
    (tmp_path / "copyright").write_text("License: ISC\n text\n\nLicense: Expat\n\nLicense:\n x\n")
    assert debian_licence(tmp_path) == "Expat, ISC"
