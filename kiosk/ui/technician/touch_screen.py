"""Touch test: a cross in a corner or in the middle; the finger counts wherever it comes down."""

from __future__ import annotations

import math
from typing import Any

from kivy.graphics import Color, Line
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from kiosk.ui.app_state import AppState
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.technician.touch import TouchView
from kiosk.ui.widgets.graphics import rgba
from kiosk.ui.widgets.screen import Screen
from kiosk.ui.widgets.widget_kit import WidgetKit

CORNER_MM = 8.0
"""From the edges to the middle of a cross: half a finger more than a button's half."""
ARM_MM = 6.0


class TouchScreen(Screen):
    """One cross at a time, and a button for a place that feels nothing."""

    app: AppState

    def __init__(self, kit: WidgetKit, name: str, app: AppState) -> None:
        super().__init__(kit, name, app)
        self._layer = FloatLayout()
        self.add_widget(self._layer)
        self._view: TouchView | None = None
        self._give_up: Widget | None = None
        self.bind(size=lambda *_: self._draw())

    def update(self, view: TouchView, chrome: ScreenChrome) -> None:
        """Show the next cross."""
        del chrome
        if view != self._view:
            self._view = view
            self._draw()

    def _target(self, view: TouchView) -> tuple[float, float]:
        """Return the middle of the cross, in pixels of the window."""
        edge = self.kit.theme.mm(CORNER_MM)
        if view.point == "middle":
            return self.width / 2, self.height / 2
        x = edge if view.point.endswith("left") else self.width - edge
        return x, (self.height - edge if view.point.startswith("top") else edge)

    def _draw(self) -> None:
        view, kit = self._view, self.kit
        if view is None:
            return
        self._layer.clear_widgets()
        self._layer.canvas.clear()
        words = kit.fitted_text(
            f"{view.title}\n{view.count}", "title", wid="touch.title", align="center",
            weight="semibold", size_hint=(0.7, 0.25), pos_hint={"center_x": 0.5, "top": 0.85},
        )  # fmt: skip
        label = kit.translate.gettext("Nothing is felt there")
        self._give_up = kit.button(
            "touch.nothing", label, self.app.touch_test.give_up, once=True, max_width=700
        )
        self._give_up.pos_hint = {"center_x": 0.5, "y": 0.18}
        self._layer.add_widget(words)
        self._layer.add_widget(self._give_up)
        (x, y), arm = self._target(view), kit.theme.mm(ARM_MM)
        cross = Widget(size_hint=(None, None), size=(2 * arm, 2 * arm), pos=(x - arm, y - arm))
        cross.wid = f"touch.cross.{view.point}"
        self._layer.add_widget(cross)
        with self._layer.canvas:
            Color(rgba=rgba(kit.colours.accent))
            Line(points=(x - arm, y, x + arm, y), width=kit.px(2))
            Line(points=(x, y - arm, x, y + arm), width=kit.px(2))
            Line(circle=(x, y, arm * 0.6), width=kit.px(2))

    def on_touch_down(self, touch: Any) -> bool:
        """Take the finger, wherever it is felt, unless it is on the button."""
        if self._view is None or (self._give_up and self._give_up.collide_point(*touch.pos)):
            return bool(super().on_touch_down(touch))
        x, y = self._target(self._view)
        pixels = math.hypot(touch.x - x, touch.y - y)
        theme = self.kit.theme
        self.app.touch_test.touch(pixels * theme.width_mm / theme.width)
        return True
