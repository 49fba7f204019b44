"""Says at the finger that a tap was refused: it lies over the screen, moves and takes nothing."""

from __future__ import annotations

from kivy.clock import Clock
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from kiosk.ui.widgets.widget_kit import WidgetKit

SHOWN_SECONDS = 2.5
MARGIN = 12
"""Design pixels to the finger and to the edges of the screen."""


class TapSign:
    """One sign over ``root``, shown for a moment; a new one takes the place of the last."""

    def __init__(self, root: FloatLayout) -> None:
        self._root = root
        self._shown: Widget | None = None
        self._end = Clock.create_trigger(lambda _seconds: self.hide(), SHOWN_SECONDS)

    def show(self, kit: WidgetKit, x: float, y: float) -> None:
        """Say it beside a finger at that point, in window pixels."""
        self.hide()
        root, margin, _ = self._root, kit.px(MARGIN), kit.translate.gettext
        text = _("Nothing was done: the screen has just changed. Tap again.")
        most = (root.width - 2 * margin) / kit.theme.scale
        box = kit.pill(text, "accent", wid="tap.refused", max_width=most - 2 * MARGIN)
        box.pos_hint, box.size_hint = {}, (None, None)

        def place(*_: object) -> None:
            box.x = min(max(margin, x - box.width / 2), root.width - margin - box.width)
            above = y + 4 * margin
            is_outside = above + box.height > root.height - margin
            box.y = y - 4 * margin - box.height if is_outside else above

        box.bind(size=place)
        root.add_widget(box)
        place()
        self._shown = box
        self._end()

    def hide(self) -> None:
        """Take it away, if it is there."""
        self._end.cancel()
        if self._shown is not None:
            self._root.remove_widget(self._shown)
            self._shown = None
