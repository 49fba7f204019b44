"""Dependencies: fixed versions, nothing built, no compiler, formats of pictures named."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
KIOSK_LOCKS = ["run.lock", "dev.lock", "pi.lock", "pi-dev.lock"]
SETUP = ROOT / "packaging" / "setup.sh"


def pins(name: str) -> dict[str, str]:
    """Return the version of each package of a lock file."""
    text = (REQUIREMENTS / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", text, flags=re.MULTILINE))


@pytest.mark.parametrize("name", KIOSK_LOCKS)
def test_pillow_is_one_that_writes_within_its_bounds(name: str) -> None:
    """CVE-2026-25990: mended in 12.1.1."""
    assert tuple(map(int, pins(name)["pillow"].split("."))) >= (12, 1, 1)


@pytest.mark.parametrize("name", KIOSK_LOCKS)
def test_the_build_tool_is_locked_and_what_debian_has_is_not(name: str) -> None:
    locked = pins(name)
    assert "setuptools" in locked
    assert not {"python-sane", "pyaudio", "sdnotify"} & locked.keys()


def test_pip_builds_nothing_but_the_project_and_that_with_the_locked_tool() -> None:
    text = SETUP.read_text(encoding="utf-8")
    installs = re.findall(r"^\tpip_install (.*)$", text, flags=re.MULTILINE)
    assert len(installs) == 2
    assert {"--require-hashes", "--no-deps", "--only-binary", ":all:"} <= set(installs[0].split())
    assert {"--no-build-isolation", "--editable", '"$project"'} <= set(installs[1].split())
    assert "--only-binary :all:" in (ROOT / "packaging" / "lock.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["--pi", "--pc"])
def test_a_kiosk_gets_no_compiler(kind: str) -> None:
    command = [str(SETUP), kind, "--run-only", "--print-packages"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert {"python3-pyaudio", "python3-sane"} <= set(output)
    assert not [
        name
        for name in output
        if name.endswith("-dev") or name in ("build-essential", "gcc", "g++", "make")
    ]


@pytest.mark.parametrize("module", ["sane", "_sane", "pyaudio"])
def test_the_environment_uses_debians_module(module: str) -> None:
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    assert str(Path(spec.origin).resolve()).startswith("/usr/lib/python3/dist-packages/")


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="needs the environment of make setup")
def test_the_environment_of_a_pc_sees_no_other_module_of_debians() -> None:
    shared = "include-system-site-packages = true"
    if shared in (Path(sys.prefix) / "pyvenv.cfg").read_text(encoding="utf-8"):
        pytest.skip("on a Pi it sees all of them")
    assert not [entry for entry in sys.path if "dist-packages" in entry]


@pytest.mark.slow
def test_every_picture_is_opened_with_the_formats_that_are_expected() -> None:
    bare, found = [], 0
    for file in sorted((ROOT / "kiosk").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open":
                found += 1
                if "formats" not in {keyword.arg for keyword in node.keywords}:
                    bare.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert found >= 8
    assert bare == []
