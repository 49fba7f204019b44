"""Packages import from lower layers only (docs/architecture.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import kiosk

ROOT = Path(kiosk.__file__).parent
BASE = ("config", "settings_table", "errors", "clocks", "goodput", "locale", "alarms", "ipc")
LAYERS = {
    **dict.fromkeys((*BASE, "rules", "__init__"), 0),
    **dict.fromkeys(("hardware", "storage"), 1),
    **dict.fromkeys(("auth", "evidence", "exchange"), 2),
    **dict.fromkeys(("recording", "filing", "sync"), 3),
    "hearing": 4,
    **dict.fromkeys(("export", "selftest"), 5),
    **dict.fromkeys(("services", "central"), 6),
    "ui": 7,
    "demo": 8,  # drives the touch screen
    **dict.fromkeys(("cli", "commands"), 9),
}


SEPARATE = ("recording", "filing", "sync", "services", "central", "ui")
"""Packages that import nothing else of their own layer."""


def imports() -> Iterator[tuple[str, str, Path]]:
    """Yield importing package, imported package and file for each import between packages."""
    for path in ROOT.rglob("*.py"):
        package = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                if name.startswith("kiosk.") and name.split(".")[1] != package:
                    yield package, name.split(".")[1], path


def test_every_package_has_a_layer() -> None:
    packages = {path.name.removesuffix(".py") for path in ROOT.iterdir()}
    assert packages - {"__pycache__", "fonts", "py.typed"} <= set(LAYERS)


def test_packages_import_from_lower_layers_only() -> None:
    upwards = [
        f"{path.relative_to(ROOT)}: {to}"
        for package, to, path in imports()
        if LAYERS[to] > LAYERS[package] or (LAYERS[to] == LAYERS[package] and package in SEPARATE)
    ]
    assert upwards == []


def test_nothing_but_the_command_line_and_the_demo_knows_the_central_system() -> None:
    importers = {package for package, to, _ in imports() if to == "central"}
    assert importers <= {"commands", "demo"}
