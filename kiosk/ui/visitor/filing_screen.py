"""Base of the filing steps, and the widgets they share: picture, thumbnails, stages, QR code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from kivy.uix.image import Image
from kivy.uix.widget import Widget

from kiosk.ui.visitor.home import VisitorScreen
from kiosk.ui.visitor.paper_views import Thumbnail
from kiosk.ui.widgets.graphics import Surface, rgba
from kiosk.ui.widgets.qr_code import qr_modules
from kiosk.ui.widgets.widget_kit import WidgetKit

FILING_STEPS = 4


class FilingScreen(VisitorScreen):
    """A step of the filing: the title shows its number of four."""

    step = 0

    def title(self, view: Any) -> tuple[str, str]:
        """Return what is being done, and the step of four."""
        _ = self.kit.translate.gettext
        return _("Hand in documents"), f"{self.step} / {FILING_STEPS}"

    def park_button(self, *, words: bool = True) -> list[Widget]:
        """Return the button that parks the filing, if there is something to park."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        if not visit.parking.can_park:
            return []
        small = kit.theme.compact or kit.theme.text_size > 2 or not words
        label = "" if small else _("Go on later")
        return [
            kit.button("park", label, lambda: self.app.spawn(visit.parking.park()),
                       icon="ticket-outline", once=True, max_width=300)
        ]  # fmt: skip


def picture(kit: WidgetKit, path: Path | None, **options: Any) -> Widget:
    """Return the picture at ``path``, always read again; an icon while there is none."""
    if path is None:
        return kit.centred(kit.icon("timer-sand", 34, "meter_quiet"), **options)
    return Image(source=str(path), nocache=True, fit_mode="contain", **options)


def thumbnail_strip(kit: WidgetKit, thumbnails: Sequence[Thumbnail]) -> Widget:
    """Return the newest thumbnails side by side."""
    cells = [
        kit.card(
            picture(kit, thumbnail.picture),
            kit.fitted_text(str(thumbnail.position), "small", align="center", size_hint_y=None,
                            height=round(kit.theme.font("small") * 1.3), lines=1),
            padding=8,
        )
        for thumbnail in thumbnails
    ]  # fmt: skip
    cells += [kit.spacer() for _n in range(8 - len(cells))]
    return kit.row(*cells, gap=12, size_hint_y=0.55)


def stage_strip(kit: WidgetKit, stages: Sequence[tuple[str, bool]]) -> Widget:
    """Return the stages of a document; reached stages are marked."""
    cells: list[Widget] = []
    for name, reached in stages:
        colour = "good" if reached else "quiet"
        text = kit.fitted_text(
            name, "small", colour=colour, weight="medium", align="center", lines=2
        )
        parts: list[Widget] = [text]
        if reached:
            parts.insert(0, kit.icon("check", 24, colour))
        cell = kit.row(*parts, gap=4, padding=(8, 4))
        cell.size_hint_x = max(len(word) for word in name.split()) + (5 if reached else 3)
        fill = kit.colours.good_tint if reached else kit.colours.neutral
        Surface(cell, fill, None, kit.px(22), 0)
        cells.append(cell)
    return kit.row(*cells, gap=8, size_hint_y=None, height=max(kit.px(54), kit.min_font * 3))


class CodePicture(Widget):
    """A QR code, dark on white whatever the contrast."""

    def __init__(self, text: str, **options: Any) -> None:
        super().__init__(**options)
        size, pixels = qr_modules(text)
        self._texture = Texture.create(size=(size, size), colorfmt="luminance")
        self._texture.mag_filter = "nearest"
        self._texture.blit_buffer(pixels, colorfmt="luminance", bufferfmt="ubyte")
        self._texture.flip_vertical()
        with self.canvas:
            Color(rgba=rgba("#ffffff"))
            self._paper = Rectangle()
            self._code = Rectangle(texture=self._texture)
        self.bind(pos=self._place, size=self._place)

    def _place(self, *_: Any) -> None:
        side = min(self.width, self.height)
        corner = (self.center_x - side / 2, self.center_y - side / 2)
        for box in (self._paper, self._code):
            box.pos, box.size = corner, (side, side)
