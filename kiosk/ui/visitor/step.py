"""What the steps of handing in share: title with the step, a picture of a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from kivy.uix.image import Image
from kivy.uix.widget import Widget

from kiosk.ui.visitor.home import VisitorPage
from kiosk.ui.visitor.paper_views import Thumb
from kiosk.ui.widgets.code import code_modules
from kiosk.ui.widgets.graphics import Surface, rgba
from kiosk.ui.widgets.kit import Kit

FILING_STEPS = 4


class FilingPage(VisitorPage):
    """A step of handing in documents."""

    step = 0

    def title(self, view: Any) -> tuple[str, str]:
        """Return what is being done, and the step of four."""
        _ = self.kit.say.gettext
        return _("Hand in documents"), f"{self.step} / {FILING_STEPS}"

    def later(self, *, words: bool = True) -> list[Widget]:
        """Return the button that keeps everything for later, where there is something."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        if not visit.later.can_park:
            return []
        small = kit.theme.compact or kit.theme.text_size > 2 or not words
        label = "" if small else _("Go on later")
        return [
            kit.button("park", label, lambda: self.desk.do(visit.later.park()),
                       icon="ticket-outline", once=True, most=300)
        ]  # fmt: skip


def picture(kit: Kit, path: Path | None, **options: Any) -> Widget:
    """Return the picture at ``path`` as large as fits, read anew; a sign while there is none."""
    if path is None:
        return kit.middle(kit.icon("timer-sand", 34, "meter_quiet"), **options)
    return Image(source=str(path), nocache=True, fit_mode="contain", **options)


def thumb_strip(kit: Kit, thumbs: Sequence[Thumb]) -> Widget:
    """Return the newest pages side by side."""
    cells = [
        kit.card(
            picture(kit, thumb.picture),
            kit.fit(str(thumb.place), "small", align="center", size_hint_y=None,
                    height=round(kit.theme.font("small") * 1.3), lines=1),
            padding=8,
        )
        for thumb in thumbs
    ]  # fmt: skip
    cells += [kit.space() for _n in range(8 - len(cells))]
    return kit.row(*cells, gap=12, size_hint_y=0.55)


def stage_strip(kit: Kit, stages: Sequence[tuple[str, bool]]) -> Widget:
    """Return the way of a document: what is reached is marked."""
    cells: list[Widget] = []
    for name, reached in stages:
        colour = "good" if reached else "quiet"
        text = kit.fit(name, "small", colour=colour, weight="medium", align="center", lines=2)
        parts: list[Widget] = [text]
        if reached:
            parts.insert(0, kit.icon("check", 24, colour))
        cell = kit.row(*parts, gap=4, padding=(8, 4))
        cell.size_hint_x = max(len(word) for word in name.split()) + (5 if reached else 3)
        fill = kit.colours.good_tint if reached else kit.colours.neutral
        Surface(cell, fill, None, kit.px(22), 0)
        cells.append(cell)
    return kit.row(*cells, gap=8, size_hint_y=None, height=max(kit.px(54), kit.least * 3))


class CodePicture(Widget):
    """A QR code, dark on white whatever the contrast."""

    def __init__(self, text: str, **options: Any) -> None:
        super().__init__(**options)
        size, pixels = code_modules(text)
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
