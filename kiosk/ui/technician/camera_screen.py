"""Screen of the hearing's camera: the live picture large, and what changes it beside."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import CommissioningPlace
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.camera import CameraView
from kiosk.ui.theme import tone_colour
from kiosk.ui.widgets.live_picture import LivePicture
from kiosk.ui.widgets.text import FittedText
from kiosk.ui.widgets.widget_kit import WidgetKit


class CameraScreen(StaffScreen):
    """The live picture, and buttons whose effect is seen in it at once."""

    heading = N_("Camera")

    def __init__(self, kit: WidgetKit, name: str, app: AppState) -> None:
        super().__init__(kit, name, app)
        self._picture: LivePicture | None = None
        self._words: FittedText | None = None

    def body_key(self, view: CameraView) -> Any:
        """Return what the buttons depend on: the words change each second, under a finger."""
        return dataclasses.replace(view, lines=(), tone="plain", kept="")

    def footer_key(self, view: CameraView) -> Any:
        """Return what the footer depends on."""
        return view.is_changed, view.kept, view.is_in_steps

    def update(self, view: CameraView, chrome: ScreenChrome) -> None:
        """Show ``view``."""
        super().update(view, chrome)
        if self._words is not None:
            self._words.text = "\n".join(view.lines)
            self._words.color = self.kit.colour(tone_colour(view.tone, "text"))
        self.live()

    def live(self) -> None:
        """Draw the picture."""
        recorder = self.app.recorder_state
        if self._picture is not None and recorder and recorder.preview:
            self._picture.draw(recorder.preview.path)

    def body(self, view: CameraView) -> Widget:
        """Return the picture with what is said of it, and the buttons."""
        kit = self.kit
        if self._picture is not None:
            self._picture.close()
        self._picture = LivePicture(kit, view.message)
        self._words = kit.fitted_text("", "body", wid="camera.text", valign="top")
        self._words.size_hint_y = 0.38 if not kit.theme.compact else 0.75
        left = kit.column(self._picture, self._words, gap=10)
        right = kit.column(*self._rows(view), gap="touch", size_hint_x=0.72)
        padding = (16, 8) if kit.theme.compact else (28, 14)
        return kit.row(left, right, gap=20, padding=padding)

    def _rows(self, view: CameraView) -> list[Widget]:
        """Return the buttons, row by row."""
        kit, _, camera = self.kit, self.kit.translate.gettext, self.app.camera
        compact = kit.theme.compact
        focus = self._button("focus", _("Focus now"), "image-filter-center-focus",
                             camera.focus_once, view.can_focus)  # fmt: skip
        if view.is_focus_held:
            hold = self._button("auto", _("Always focus"), "lock-open-variant-outline",
                                lambda: camera.change(focus="auto"), view.can_focus)  # fmt: skip
        else:
            hold = self._button("hold", _("Hold the focus"), "lock-outline",
                                camera.hold_focus, view.can_hold)  # fmt: skip
        turn = self._button(
            "turn", "" if compact else _("Turn"), "rotate-right",
            lambda: camera.change(rotation=0 if view.is_turned else 180), view.can_rotate,
        )  # fmt: skip
        mirror = self._button(
            "mirror", "" if compact else _("Mirror"), "flip-horizontal",
            lambda: camera.change(mirror=not view.is_mirrored), view.can_rotate,
        )  # fmt: skip
        zoom = [
            self._button("out", "", "magnify-minus-outline", lambda: camera.zoom(-1),
                         view.can_zoom_out),
            self._button("in", "", "magnify-plus-outline", lambda: camera.zoom(1),
                         view.can_zoom_in),
            self._button("darker", "", "brightness-4", lambda: camera.brighten(-1),
                         view.can_darken),
            self._button("brighter", "", "brightness-7", lambda: camera.brighten(1),
                         view.can_brighten),
        ]  # fmt: skip
        moves = [
            self._button(name, "", f"arrow-{name}", self._move(*by), view.can_move)
            for name, by in (
                ("left", (-1, 0)), ("up", (0, -1)), ("down", (0, 1)), ("right", (1, 0)),
            )
        ]  # fmt: skip
        flicker = self._button("flicker", view.flicker, "", camera.next_flicker, view.can_flicker)
        rows = [[focus, hold], [turn, mirror], zoom, moves, [flicker]]
        if compact:
            turn.size_hint_x = mirror.size_hint_x = 0.45
            rows = [[focus, hold], [turn, mirror, flicker], zoom, moves]
        return [kit.row(*row, gap="touch") for row in rows]

    def _move(self, right: int, down: int) -> Callable[[], Awaitable[None]]:
        return lambda: self.app.camera.move(right, down)

    def _button(
        self, name: str, text: str, icon: str, tap: Callable[[], Any], enabled: bool
    ) -> Widget:
        """Return a button that fills its place in the row."""
        app = self.app
        on_tap = (lambda: app.spawn(tap())) if enabled else None
        return self.kit.button(
            f"camera.{name}", text, on_tap, icon=icon, wide=True, fill=True, kind="small", pad=8
        )

    def footer(self, view: CameraView) -> list[Widget]:
        """Return whether it is kept, and the buttons that keep it and take it back."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        back = (lambda: app.spawn(app.camera.take_back())) if view.is_changed else None
        keep = (lambda: app.spawn(app.camera.keep())) if view.is_changed else None
        steps = kit.button(
            "camera.steps",
            _("Steps"),
            lambda: app.secretary.show(CommissioningPlace()),
            icon="arrow-left",
        )
        return [
            *([steps] if view.is_in_steps else []),
            kit.fitted_text(view.kept, "body", wid="camera.kept", colour="quiet"),
            kit.button("camera.back", _("Take back"), back, icon="undo"),
            kit.button(
                "camera.keep",
                _("Keep this picture"),
                keep,
                icon="check",
                style="primary",
                once=True,
            ),
        ]
