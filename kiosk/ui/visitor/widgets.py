"""Widgets of several of the visitor's screens: picture, stages, typed text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kivy.uix.image import Image
from kivy.uix.widget import Widget

from kiosk.ui.widgets.graphics import Surface
from kiosk.ui.widgets.widget_kit import WidgetKit


def picture(kit: WidgetKit, path: Path | None) -> Widget:
    """Return the picture at ``path``, always read again; an icon while there is none."""
    if path is None:
        return kit.centred(kit.icon("timer-sand", 34, "meter_quiet"))
    return Image(source=str(path), nocache=True, fit_mode="contain")


def typed_box(kit: WidgetKit, wid: str, text: str, *, empty: bool = False) -> Widget:
    """Return the box that shows what is being typed."""
    colour = "quiet" if empty else "text"
    words = kit.fitted_text(text, "title", wid=wid, weight="tabular", lines=1, colour=colour)
    height = max(kit.px(84), kit.theme.target)
    return kit.card(words, padding=(18, 4), size_hint_y=None, height=height)


def compact_typing(kit: WidgetKit, line: Sequence[Widget], keys: Widget) -> Widget:
    """Return the body of a small screen for typing: one line with all buttons above the keys."""
    for widget in line:
        widget.height = kit.theme.target
    return kit.column(kit.touch_line(*line), keys, gap=10, padding=(14, 8))


def stage_strip(kit: WidgetKit, stages: Sequence[tuple[str, bool]]) -> Widget:
    """Return the stages of a document; reached stages are marked."""
    cells: list[Widget] = []
    for name, reached in stages:
        colour = "good" if reached else "quiet"
        parts: list[Widget] = [
            kit.fitted_text(name, "small", colour=colour, weight="medium", align="center", lines=2)
        ]
        if reached:
            parts.insert(0, kit.icon("check", 24, colour))
        cell = kit.row(*parts, gap=4, padding=(8, 4))
        cell.size_hint_x = max(len(word) for word in name.split()) + (5 if reached else 3)
        fill = kit.colours.good_tint if reached else kit.colours.neutral
        Surface(cell, fill, None, kit.px(22), 0)
        cells.append(cell)
    return kit.row(*cells, gap=8, size_hint_y=None, height=max(kit.px(54), kit.min_font * 3))
