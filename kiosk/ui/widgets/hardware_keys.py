"""Keys of a keyboard that is plugged in, for text that is typed on a screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.core.window import Window
from kivy.uix.widget import Widget

BACKSPACE, ENTER, KEYPAD_ENTER = 8, 13, 271


class HardwareKeys:
    """Passes keys on while ``widget`` is on the screen.

    Args:
        on_text: called with characters, as the keyboard's layout gives them; ``""`` deletes one.
        on_enter: called for the enter key.
    """

    def __init__(
        self, widget: Widget, on_text: Callable[[str], None], on_enter: Callable[[], None]
    ) -> None:
        self._on_text, self._on_enter = on_text, on_enter
        widget.bind(parent=self._follow)

    def _follow(self, _widget: Widget, parent: Widget | None) -> None:
        change = Window.unbind if parent is None else Window.bind
        change(on_textinput=self._text, on_key_down=self._key)

    def _text(self, _window: Any, text: str) -> None:
        if text.isprintable():
            self._on_text(text)

    def _key(self, _window: Any, key: int, *_: Any) -> bool:
        if key == BACKSPACE:
            self._on_text("")
        elif key in (ENTER, KEYPAD_ENTER):
            self._on_enter()
        return False
