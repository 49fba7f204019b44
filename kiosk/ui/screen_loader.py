"""Finds the view, the samples and the widget class of each screen in the registry.

Views and samples import no Kivy; the module of a widget is imported when it is drawn first.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import SCREENS, ScreenDefinition
from kiosk.ui.samples.screen_sample import Prepare, ScreenSample
from kiosk.ui.screen_choice import screen_name

if TYPE_CHECKING:
    from kiosk.ui.widgets.screen import Screen

_DEFINITIONS = {definition.name: definition for definition in SCREENS}


def _module(name: str) -> ModuleType:
    return import_module(f"kiosk.ui.{name}")


def current_screen(app: AppState) -> str:
    """Return the name of the screen to show now."""
    if app.hall is not None:
        return "hall.board"
    return screen_name(app.screen_inputs())


def view_of(name: str, app: AppState) -> Any:
    """Return what the screen ``name`` shows."""
    return _module(_DEFINITIONS[name].module).view(app)


def samples_of(definition: ScreenDefinition) -> tuple[ScreenSample, ...]:
    """Return the samples of a screen's states."""
    samples: dict[str, Prepare] = _module(definition.module).SAMPLES
    return tuple(ScreenSample(name, definition.name, prepare) for name, prepare in samples.items())


def all_samples() -> list[ScreenSample]:
    """Return the samples of all screens."""
    return [sample for screen in SCREENS for sample in samples_of(screen)]


@cache
def widget_class(name: str) -> type[Screen]:
    """Return the class that draws the screen ``name``."""
    module, class_name = _DEFINITIONS[name].widget_path
    found: type[Screen] = getattr(_module(module), class_name)
    return found
