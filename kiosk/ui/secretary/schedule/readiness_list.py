"""List of readiness lines that leaves out remedies where they do not fit."""

from __future__ import annotations

import itertools
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.secretary.schedule.readiness import ReadinessLine
from kiosk.ui.theme import Tone, tone_colour
from kiosk.ui.widgets.fonts import NAMES
from kiosk.ui.widgets.screen import CachedSlot
from kiosk.ui.widgets.text import lines_needed
from kiosk.ui.widgets.widget_kit import WidgetKit

TONE_ICONS: dict[Tone, str] = {
    "plain": "minus-circle-outline",
    "accent": "clock-outline",
    "good": "check-circle",
    "caution": "alert-circle",
    "fault": "alert-circle",
    "dark": "minus-circle-outline",
}


class ReadinessList(CachedSlot):
    """The readiness lines; remedies are left out where they do not fit."""

    def __init__(self, kit: WidgetKit, lines: tuple[ReadinessLine, ...]) -> None:
        super().__init__(orientation="vertical", spacing=kit.px(6))
        self._kit, self._lines = kit, lines
        self.bind(size=self._fill)

    def _fill(self, *_: Any) -> None:
        """Shrink until every remedy fits; else leave out remedies, then lines of what is good.

        Whoever chose a larger text size gets no smaller words than at the first: only warnings
        shrink below that. Where they do not fit either, the last line says how many more there are.
        """
        kit = self._kit
        largest, smallest = kit.theme.font("body"), kit.min_font
        least = kit.theme.usual_font("body") if kit.theme.text_size > 1 else smallest
        lines, left_out = list(self._lines), 0
        texts, heights = list[str](), list[int]()

        def fits(size: int, *, remedies: bool) -> bool:
            texts[:] = [f"{x.text} {x.remedy}".strip() if remedies else x.text for x in lines]
            heights[:] = [self._height(text, size) for text in texts]
            return bool(sum(heights) + self.spacing * len(heights) <= self.height)

        size = largest
        for remedies, size in itertools.product((True, False), range(largest, least - 1, -1)):
            if fits(size, remedies=remedies):
                break
        while not fits(size, remedies=remedies):
            good = [n for n, line in enumerate(lines) if line.tone == "good"]
            warnings = len(lines) - (left_out > 0)
            if good:
                del lines[good[-1]]
            elif size > smallest:
                size -= 1
            elif warnings > 1:
                del lines[_least_urgent(lines[:warnings])]
                left_out += 1
                lines[warnings - 1 :] = [self._more(left_out)]
            else:
                break
        self.clear_widgets()
        for line, text, height in zip(lines, texts, heights, strict=True):
            self.add_widget(self._row(line, text, size, height))
        self.add_widget(kit.spacer())

    def _more(self, number: int) -> ReadinessLine:
        text = self._kit.translate.gettext("And {n} more.", n=number)
        return ReadinessLine("more", "caution", text)

    def _height(self, text: str, size: int) -> int:
        width = self.width - self._kit.px(27 + 12)
        return round(lines_needed(text, NAMES["regular"], size, width) * size * 1.3)

    def _row(self, line: ReadinessLine, text: str, size: int, height: int) -> Widget:
        kit = self._kit
        colour = tone_colour(line.tone, "quiet")
        words = kit.fitted_text(
            text,
            "body",
            wid=f"ready.{line.item}",
            colour="text" if line.tone in ("good", "plain") else colour,
            factor=size / kit.theme.font("body"),
        )
        icon = kit.icon(TONE_ICONS[line.tone], 27, colour)
        return kit.row(icon, words, gap=12, height=height)


def _least_urgent(lines: list[ReadinessLine]) -> int:
    """Return the number of the last line that is no fault, or of the last one."""
    return max((n for n, line in enumerate(lines) if line.tone != "fault"), default=len(lines) - 1)
