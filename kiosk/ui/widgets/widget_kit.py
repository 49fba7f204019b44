"""Makes the widgets of a screen (texts, buttons, cards, pills) in one theme and one language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.locale import Translator
from kiosk.ui.theme import Kind, Palette, Theme, Tone
from kiosk.ui.widgets.box_kit import BoxKit, Gap, fixed
from kiosk.ui.widgets.fonts import NAMES, Weight, text_extents
from kiosk.ui.widgets.graphics import Surface
from kiosk.ui.widgets.icons import ICONS
from kiosk.ui.widgets.text import FittedText, Icon, TextLine, WrappedText
from kiosk.ui.widgets.touchable import Tap, Touchable

Style = Literal["primary", "plain", "tint", "danger", "ghost", "chosen"]
TONES: dict[Tone, tuple[str, str, str]] = {
    "plain": ("surface", "text", "line"),
    "accent": ("tint", "tint_text", "tint_line"),
    "good": ("good_tint", "good", "good_tint"),
    "caution": ("caution_tint", "caution", "caution_line"),
    "fault": ("fault_tint", "fault", "fault_tint"),
    "dark": ("dark_pill", "on_dark", "dark_pill"),
}
"""Fill, text and line of each tone, as names of the palette."""
STYLES: dict[Style, tuple[str, str, str, str]] = {
    "primary": ("accent", "on_accent", "", "accent_pressed"),
    "plain": ("surface", "text", "edge", "pressed"),
    "tint": ("tint", "tint_text", "tint_line", "pressed"),
    "danger": ("surface", "fault", "fault", "fault_tint"),
    "ghost": ("surface", "text", "", "pressed"),
    "chosen": ("tint", "tint_text", "", "tint"),
}
"""Fill, text, line and pressed fill of each style, as names of the palette; no line: empty."""
DISABLED = ("neutral", "quiet", "line", "neutral")


class WidgetKit(BoxKit):
    """Makes boxes and the widgets in them.

    Args:
        theme: sizes and colours.
        translate: the translator, in the language on the screen.
    """

    def __init__(self, theme: Theme, translate: Translator) -> None:
        super().__init__(theme)
        self.translate = translate
        self.colours: Palette = theme.palette

    # -- cards ---------------------------------------------------------------------------------
    def card(
        self,
        *children: Widget,
        tone: Tone = "plain",
        chosen: bool = False,
        grow: bool = True,
        gap: Gap = 0,
        padding: float | tuple[float, ...] = 26,
        orientation: str = "vertical",
        **options: Any,
    ) -> BoxLayout:
        """Return a card (radius 18) around ``children``; with ``grow=False`` as high as needed."""
        make = (
            self.row
            if orientation == "horizontal"
            else self.column
            if grow
            else self.natural_column
        )
        box = make(*children, gap=gap, padding=padding, **options)
        fill, line = self._tones(tone)[0], self._tones(tone)[2]
        edge = self.px(4) if chosen else 1
        Surface(box, fill, self.colours.accent if chosen else line, self.px(18), max(1, edge))
        return box

    def _tones(self, tone: Tone) -> tuple[str, str, str]:
        """Return fill, text and line of ``tone``."""
        fill, text, line = TONES[tone]
        return self.colour(fill), self.colour(text), self.colour(line)

    # -- text ----------------------------------------------------------------------------------
    def colour(self, name: str) -> str:
        """Return the palette's colour ``name`` (or ``name`` itself when it is ``#rrggbb``)."""
        return name if name.startswith("#") else str(getattr(self.colours, name))

    def text(
        self,
        text: str,
        kind: Kind = "body",
        *,
        wid: str = "",
        colour: str = "text",
        weight: Weight = "regular",
        align: str = "left",
        **options: Any,
    ) -> WrappedText:
        """Return wrapped text with its natural height."""
        return WrappedText(
            text,
            wid=wid,
            font_name=NAMES[weight],
            font_size=self.theme.font(kind),
            colour=self.colour(colour),
            halign=align,
            **options,
        )

    def text_line(
        self,
        text: str,
        kind: Kind = "body",
        *,
        wid: str = "",
        colour: str = "text",
        weight: Weight = "regular",
        max_width: float = 0,
    ) -> TextLine:
        """Return one line exactly as wide as its words.

        Where they are wider than ``max_width`` design pixels they shrink, and then end in dots.
        """
        size, font, most = self.theme.font(kind), NAMES[weight], self.px(max_width)
        while max_width and (width := text_extents(text, font, size)[0]) > most:
            if size > self.min_font:
                size -= 1
            elif len(text) > 1:
                kept = min(len(text) - 1, int(len(text) * most / width))
                text = f"{text[: max(0, kept - 1)].rstrip()}…"
            else:
                break
        return TextLine(text, wid=wid, font_name=font, font_size=size, colour=self.colour(colour))

    @property
    def min_font(self) -> int:
        """Return the smallest font size."""
        return self.theme.min_font

    def fitted_text(
        self,
        text: str,
        kind: Kind = "body",
        *,
        wid: str = "",
        colour: str = "text",
        weight: Weight = "regular",
        align: str = "left",
        valign: str = "middle",
        lines: int = 0,
        factor: float = 1.0,
        ellipsis: bool = False,
        **options: Any,
    ) -> FittedText:
        """Return text that fills the box it is given, shrunk until nothing is cut.

        One that may end in dots does so before it gets smaller than at the first text size.
        """
        theme = self.theme
        is_kept = ellipsis and theme.text_size > 1
        return FittedText(
            text,
            wid=wid,
            font_name=NAMES[weight],
            font_size=self.theme.font(kind, factor),
            colour=self.colour(colour),
            min_font_size=theme.usual_font(kind, factor) if is_kept else self.min_font,
            halign=align,
            valign=valign,
            lines=lines,
            ellipsis=ellipsis,
            **fixed(options),
        )

    def icon(self, name: str, size: float, colour: str = "accent") -> Icon:
        """Return the icon ``name``, ``size`` design pixels."""
        return Icon(ICONS[name], self.px(size), self.colour(colour))

    def pill(
        self,
        text: str,
        tone: Tone = "plain",
        icon: str = "",
        *,
        wid: str = "",
        max_width: float = 0,
    ) -> BoxLayout:
        """Return a rounded label with an optional icon."""
        fill, colour, _line = self._tones(tone)
        if tone == "plain":
            fill = self.colours.neutral
        size = self.theme.font("small")
        line = self.text_line(
            text, "small", wid=wid, colour=colour, weight="medium", max_width=max_width
        )
        parts: list[Widget] = [line]
        if icon:
            parts.insert(0, self.icon(icon, size / self.theme.scale * 1.2, colour))
        box = self.natural_row(*parts, gap=8, padding=(14, 4), size_hint_y=None)
        box.height = line.height + self.px(12)
        box.pos_hint = {"center_y": 0.5}
        Surface(box, fill, None, box.height / 2, 0)
        return box

    # -- buttons -------------------------------------------------------------------------------
    def button(
        self,
        wid: str,
        text: str,
        on_tap: Tap | None,
        *,
        icon: str = "",
        icon_after: str = "",
        style: Style = "plain",
        kind: Kind = "body",
        wide: bool = False,
        fill: bool = False,
        max_width: float = 420,
        height: float = 0,
        once: bool = False,
        left: bool = False,
        pad: float = 24,
        **options: Any,
    ) -> Touchable:
        """Return a button at least 12.7 mm high.

        Args:
            on_tap: called on a tap; None: the button is disabled.
            wide: take the width it is given (text shrinks to fit), else as wide as its words.
            fill: take the width and the height it is given.
            max_width: design pixels; then the words wrap and shrink.
            height: design pixels; never below 12.7 mm. ``-1``: take the height it is given.
            once: take one tap only.
            left: align the words left.
            pad: design pixels on both sides.
        """
        wide, height = wide or fill, -1 if fill else height
        paper, colour, line, pressed = self._style(style, enabled=on_tap is not None)
        weight: Weight = "semibold" if style in ("primary", "chosen") else "medium"
        size = self.theme.font(kind)
        side, gap = self.px(pad), self.px(12)
        # an icon does not grow with the words beside it: they would get smaller
        icon_size = round((self.theme.usual_font(kind) if text else size) * 1.25)
        parts: list[Widget] = []
        label = self.fitted_text(
            text, kind, colour=colour, weight=weight, align="left" if left else "center"
        )
        extra = 2 * side + sum(icon_size + gap for name in (icon, icon_after) if name)
        if icon:
            parts.append(Icon(ICONS[icon], icon_size, colour))
        if text:
            parts.append(label)
        if icon_after:
            parts.append(Icon(ICONS[icon_after], icon_size, colour))
        natural = (
            text_extents(text, NAMES[weight], size)[0] + extra + 4 if text else 2 * side + icon_size
        )
        if not wide:
            options["size_hint_x"] = None
            options["width"] = max(self.theme.target, min(natural, self.px(max_width)))
        if height >= 0:
            options["size_hint_y"] = None
            options["height"] = max(self.theme.target, self.px(height))
        box = Touchable(
            wid,
            text,
            on_tap,
            once=once,
            spacing=gap,
            padding=[side if text else 0, 0],
            pos_hint={"center_y": 0.5},
            **options,
        )
        centred = not text or (wide and not left and bool(icon or icon_after))
        if text and centred:
            label.size_hint_x = None
            icons = [part for part in parts if part is not label]
            self._centre(box, label, icons, extra + 2 * gap, natural - extra)
        if centred:
            box.add_widget(Widget())
        for part in parts:
            box.add_widget(part)
        if centred:
            box.add_widget(Widget())
        surface = Surface(box, paper, line, self.px(14), max(1, self.px(2)))
        box.paint_pressed = lambda down: surface.paint(pressed if down else paper)
        return box

    def pager(
        self,
        prefix: str,
        page: int,
        pages: int,
        show: Callable[[int], None],
        *,
        sideways: bool = False,
        texts: tuple[str, str] = ("", ""),
        **options: Any,
    ) -> tuple[Touchable, Touchable]:
        """Return the buttons ``<prefix>.less`` and ``<prefix>.more`` that turn pages.

        Args:
            page: the page that is shown, from 0.
            show: called with the number of the page to show.
            sideways: arrows point left and right, not up and down.
            texts: words of the two buttons.
        """
        icons = ("chevron-left", "chevron-right") if sideways else ("chevron-up", "chevron-down")
        less = (lambda: show(page - 1)) if page else None
        more = (lambda: show(page + 1)) if page + 1 < pages else None
        return (
            self.button(f"{prefix}.less", texts[0], less, icon=icons[0], **options),
            self.button(f"{prefix}.more", texts[1], more, icon=icons[1], **options),
        )

    def _centre(
        self, box: Touchable, label: FittedText, icons: list[Widget], extra: int, natural: int
    ) -> None:
        """Keep icon and words together in the middle of a wide button; words go before icons."""
        sizes = [icon.width for icon in icons]

        def place(*_: Any) -> None:
            available = max(10, min(natural, box.width - extra))
            bare = not label.can_fit(available, box.height)
            for icon, size in zip(icons, sizes, strict=True):
                icon.width, icon.opacity = (0, 0) if bare else (size, 1)
            label.width = (
                max(10, min(natural, box.width - extra + sum(sizes))) if bare else available
            )

        box.bind(size=place)
        place()

    def _style(self, style: Style, *, enabled: bool) -> tuple[str, str, str | None, str]:
        """Return fill, text, line and pressed fill."""
        names = STYLES[style] if enabled else DISABLED
        fill, text, line, pressed = (self.colour(name) if name else "" for name in names)
        return fill, text, line or None, pressed

    def touchable_card(
        self,
        wid: str,
        label: str,
        on_tap: Tap | None,
        *children: Widget,
        style: Style = "plain",
        chosen: bool = False,
        orientation: str = "vertical",
        padding: float | tuple[float, float] = 26,
        gap: Gap = 1,
        **options: Any,
    ) -> Touchable:
        """Return a card that is one large button."""
        fill, _text, line, pressed = self._style(style, enabled=True)
        if style == "plain":
            line = self.colours.line
        box = Touchable(
            wid,
            label,
            on_tap,
            orientation=orientation,
            padding=self._padding(padding),
            spacing=self._spacing(gap),
            **fixed(options),
        )
        for child in children:
            box.add_widget(child)
        edge = self.px(4) if chosen else 1
        line = self.colours.accent if chosen else line
        surface = Surface(box, fill, line, self.px(18), max(1, edge))
        box.paint_pressed = lambda down: surface.paint(pressed if down else fill)
        return box
