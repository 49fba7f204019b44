"""Rooms import from lower floors only (docs/architecture.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import kiosk

HOME = Path(kiosk.__file__).parent
GROUND = ("config", "settings_table", "errors", "clocks", "goodput", "locale", "alarms", "ipc")
FLOORS = {
    **dict.fromkeys((*GROUND, "rules", "__init__"), 0),
    **dict.fromkeys(("hardware", "storage"), 1),
    **dict.fromkeys(("recording", "filing"), 2),
    "sync": 2.5,  # its courier signs and writes lines as the recording room does
    **dict.fromkeys(("hearing", "selftest"), 3),
    **dict.fromkeys(("services", "central"), 4),
    "ui": 5,
    "demo": 5.5,  # drives the touch screen
    **dict.fromkeys(("cli", "commands"), 6),
}


SEPARATE = ("recording", "filing", "sync", "services", "central", "ui")
"""Rooms that know nothing of others on their floor; ground floor, devices and storage may."""


def imports() -> Iterator[tuple[str, str, Path]]:
    """Yield importing room, imported room and file for each import between rooms."""
    for path in HOME.rglob("*.py"):
        room = path.relative_to(HOME).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                if name.startswith("kiosk.") and name.split(".")[1] != room:
                    yield room, name.split(".")[1], path


def test_every_room_has_a_floor() -> None:
    rooms = {path.name.removesuffix(".py") for path in HOME.iterdir()}
    assert rooms - {"__pycache__", "fonts", "py.typed"} <= set(FLOORS)


def test_rooms_import_from_lower_floors_only() -> None:
    upwards = [
        f"{path.relative_to(HOME)}: {to}"
        for room, to, path in imports()
        if FLOORS[to] > FLOORS[room] or (FLOORS[to] == FLOORS[room] and room in SEPARATE)
    ]
    assert upwards == []


def test_nothing_but_the_command_line_and_the_demo_knows_the_central_system() -> None:
    knowing = {room for room, to, _ in imports() if to == "central"}
    assert knowing <= {"commands", "demo"}
