"""Every icon that a button or a choice names is one that can be drawn."""

from __future__ import annotations

import ast
from pathlib import Path

import kiosk.ui
from kiosk.ui.widgets.icons import ICONS

UI = Path(kiosk.ui.__file__).parent


def named_icons(source: str) -> set[str]:
    """Return the icons that the calls of a module name: ``icon=``, or a choice's third value."""
    found = set()
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        values = [word.value for word in call.keywords if word.arg == "icon"]
        if isinstance(call.func, ast.Name) and call.func.id == "Choice":
            values += call.args[2:3]
        found |= {
            str(leaf.value)
            for value in values
            for leaf in ((value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,))
            if isinstance(leaf, ast.Constant) and leaf.value
        }
    return found


def test_every_icon_that_is_named_is_there() -> None:
    named = {path: named_icons(path.read_text(encoding="utf-8")) for path in UI.rglob("*.py")}
    assert len(set().union(*named.values())) > 20
    assert {
        path.name: names - set(ICONS) for path, names in named.items() if names - set(ICONS)
    } == {}
