"""Everything that can be touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.ui.widgets.tap_guard import TapTarget

Tap = Callable[[], None]


class Touchable(ButtonBehavior, BoxLayout):
    """A box that can be tapped; it darkens while touched.

    Args:
        wid: stable name (``kiosk/ui/README.md``).
        label: its words, for automation.
        on_tap: called once per tap, on release inside.
        number: of the mark that a tap takes back; 0: it takes none.
        about: what a tap is about where its name and label do not say it.
        once: it takes one tap only, then waits until it is drawn again or :meth:`take_next_tap`.
    """

    def __init__(
        self,
        wid: str,
        label: str,
        on_tap: Tap | None,
        *,
        number: int = 0,
        about: str = "",
        once: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._number, self._about = number, about
        self.wid, self.label, self._on_tap, self._once = wid, label, on_tap, once
        self.disabled = on_tap is None
        self.paint_pressed: Callable[[bool], None] = lambda _pressed: None

    def on_state(self, _widget: Any, state: str) -> None:
        """Darken while touched."""
        self.paint_pressed(state == "down")

    def on_release(self) -> None:
        """Call the action."""
        if self._on_tap is None or self.disabled:
            return
        if self._once:
            self.disabled = True
        self._on_tap()

    def take_next_tap(self) -> None:
        """Take one more tap: what the last one asked for was refused."""
        self.disabled = self._on_tap is None

    def target(self) -> TapTarget:
        """Return where it is now, and what it is."""
        x, y = self.to_window(*self.pos)
        is_key = self.wid.startswith("key.")
        size = self.width, self.height
        return TapTarget(self.wid, self.label, x, y, *size, is_key, self._number, self._about)


def tap_targets(root: Widget) -> Iterator[TapTarget]:
    """Return what can be tapped under ``root``."""
    return (touchable.target() for touchable in touchables(root))


def touchables(root: Widget) -> Iterator[Touchable]:
    """Yield the widgets on the screen under ``root`` that can be tapped."""
    for widget in root.walk(restrict=True):
        if isinstance(widget, Touchable) and widget.get_root_window() is not None:
            yield widget
