"""A QR code as a widget."""

from __future__ import annotations

from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from kivy.uix.widget import Widget

from kiosk.ui.widgets.graphics import rgba
from kiosk.ui.widgets.qr_code import qr_modules


class CodePicture(Widget):
    """A QR code, dark on white whatever the contrast."""

    def __init__(self, text: str, **options: Any) -> None:
        super().__init__(**options)
        size, pixels = qr_modules(text)
        texture = Texture.create(size=(size, size), colorfmt="luminance")
        texture.mag_filter = "nearest"
        texture.blit_buffer(pixels, colorfmt="luminance", bufferfmt="ubyte")
        texture.flip_vertical()
        with self.canvas:
            Color(rgba=rgba("#ffffff"))
            self._paper = Rectangle()
            self._code = Rectangle(texture=texture)
        self.bind(pos=self._place, size=self._place)

    def _place(self, *_: Any) -> None:
        side = min(self.width, self.height)
        corner = (self.center_x - side / 2, self.center_y - side / 2)
        for box in (self._paper, self._code):
            box.pos, box.size = corner, (side, side)
