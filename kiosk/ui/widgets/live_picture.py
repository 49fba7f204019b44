"""The camera's picture, as large as fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.graphics import Color, Rectangle, SmoothRoundedRectangle
from kivy.graphics.texture import Texture
from kivy.uix.widget import Widget

from kiosk.hardware.camera.preview import PreviewReader
from kiosk.ui.widgets.graphics import rgba
from kiosk.ui.widgets.widget_kit import WidgetKit


class LivePicture(Widget):
    """The camera's picture from shared memory, as large as fits; ``message`` when there is none."""

    def __init__(self, kit: WidgetKit, message: str, **options: Any) -> None:
        super().__init__(**options)
        self._reader: PreviewReader | None = None
        self._path = ""
        self._number = -1
        self._texture: Texture | None = None
        with self.canvas:
            self._back = Color(rgba=rgba("#2b3b47"))
            self._box = SmoothRoundedRectangle(radius=[kit.px(14)])
            self._tint = Color(rgba=(1, 1, 1, 0))
            self._picture = Rectangle()
        self._label = kit.fitted_text(
            message, "body", colour="on_dark", align="center", ellipsis=True
        )
        self.add_widget(self._label)
        self.bind(pos=self._place, size=self._place)

    def draw(self, path: str) -> None:
        """Draw the newest frame of ``path``, if there is a new one."""
        if path != self._path:
            self._path = path
            self._reader = PreviewReader(Path(path)) if path else None
        frame = self._reader.read() if self._reader and not self._label.text else None
        if frame is None or frame.number == self._number:
            return
        self._number = frame.number
        size = (frame.width, frame.height)
        if self._texture is None or tuple(self._texture.size) != size:
            self._texture = Texture.create(size=size, colorfmt="rgb")
            self._texture.flip_vertical()
            self._picture.texture = self._texture
            self._place()
        self._texture.blit_buffer(frame.rgb, colorfmt="rgb", bufferfmt="ubyte")
        self._tint.rgba = (1, 1, 1, 1)
        self.canvas.ask_update()

    def close(self) -> None:
        """Release the shared memory."""
        if self._reader is not None:
            self._reader.close()

    def _place(self, *_: Any) -> None:
        self._box.pos, self._box.size = self.pos, self.size
        self._label.pos, self._label.size = self.pos, self.size
        ratio = self._texture.width / self._texture.height if self._texture else 16 / 9
        width = min(self.width, self.height * ratio)
        height = width / ratio
        self._picture.size = (width, height)
        self._picture.pos = (self.center_x - width / 2, self.center_y - height / 2)
