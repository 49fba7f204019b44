"""An application state without services or window, and a clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from kiosk.config import Settings, UiSettings
from kiosk.rules import load_rules
from kiosk.ui import screenshots
from kiosk.ui.app_state import AppState
from kiosk.ui.samples import service_states as sample_data

RULES = load_rules()


class Clock:
    """Monotonic clock that only a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def settings_in(folder: Path) -> Settings:
    """Return settings with short waits."""
    base = screenshots.make_settings(folder, *screenshots.LARGE)
    screen = UiSettings(idle_seconds=30, countdown_seconds=10, receipt_seconds=90)
    return base.model_copy(update={"ui": screen})


def app_in(folder: Path, clock: Callable[[], float]) -> AppState:
    """Return an application state without services."""
    return AppState(settings_in(folder), now=clock, wall=lambda: sample_data.NOW, rules=RULES)


def run(step: Coroutine[Any, Any, Any]) -> None:
    """Run ``step`` to its end."""
    asyncio.run(step)
