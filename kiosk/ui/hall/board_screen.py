"""Draws the display in the hall: letters that are read from three metres, nothing to touch."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.hall.board import ROWS_PER_PAGE, BoardRow, BoardView, ObserverView
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.theme import Tone
from kiosk.ui.widgets.code_picture import CodePicture
from kiosk.ui.widgets.graphics import Band
from kiosk.ui.widgets.screen import CachedSlot, NaturalCachedSlot, Screen
from kiosk.ui.widgets.widget_kit import WidgetKit

MIN_DESIGN_FONT = 28
"""Pixels of 1280x800: capitals of 12.5 mm on a screen of 1920x1080 that is 90 cm wide."""
MOST_ONLINE, OBSERVER_PAGES = 3, 2
MOST_CALLS = 2
"""Calls that are shown at once; the next follows when somebody has come in."""


class HallKit(WidgetKit):
    """Makes widgets whose words never get too small for a hall."""

    @property
    def min_font(self) -> int:
        """Return the smallest font size."""
        return self.px(MIN_DESIGN_FONT)


class BoardScreen(Screen):
    """Court, room and time; the rows of one page; who may enter."""

    def __init__(self, kit: WidgetKit, name: str, app: Any) -> None:
        super().__init__(HallKit(kit.theme, kit.translate), name, app)
        self._header = CachedSlot(size_hint_y=None, height=kit.px(104))
        self._warning, self._calls = NaturalCachedSlot(), NaturalCachedSlot()
        self._body, self._footer = CachedSlot(), NaturalCachedSlot()
        for part in (self._header, self._warning, self._calls, self._body, self._footer):
            self.add_widget(part)

    def update(self, view: BoardView, chrome: ScreenChrome) -> None:
        """Show ``view``; there is no notice and no header of the touch screen."""
        del chrome
        language = self.kit.translate.language
        header = (language, view.court, view.room, view.clock, view.day)
        self._header.show(header, lambda: self._make_header(view))
        self._warning.show(view.warning, lambda: self._make_warning(view.warning))
        self._calls.show((language, view.calls), lambda: self._make_calls(view.calls))
        self._body.show(
            (language, view.rows, view.round, view.empty, len(view.calls), view.observer),
            lambda: self._rows(view),
        )
        is_full = view.observer is not None and self._page(view) == -1  # it says the same
        notices = () if is_full else view.notices
        footer = (notices, view.sanitary)
        self._footer.show(footer, lambda: self._make_footer(*footer))

    def _make_header(self, view: BoardView) -> Widget:
        kit = self.kit
        place = kit.fitted_text(view.room, "title", wid="hall.room", weight="semibold", lines=1)
        court = kit.fitted_text(view.court, "option", wid="hall.court", colour="quiet", lines=1)
        clock = kit.fitted_text(
            view.clock, "headline", wid="hall.clock", weight="tabular", lines=1, align="right"
        )
        day = kit.fitted_text(view.day, "option", colour="quiet", lines=1, align="right")
        bar = kit.row(
            kit.column(place, court, size_hint_x=1.6), kit.column(clock, day), padding=(36, 6)
        )
        Band(bar, self.colours.surface, self.colours.line)
        return bar

    def _make_warning(self, text: str) -> Widget | None:
        if not text:
            return None
        kit = self.kit
        words = kit.text(text, "say", wid="hall.warning", colour="fault", weight="semibold")
        words.pos_hint = {"center_y": 0.5}
        icon = kit.icon("alert-circle", 48, "fault")
        row = kit.row(icon, words, gap=20, padding=(36, 14), size_hint_y=None)
        row.bind(minimum_height=row.setter("height"))
        Band(row, self.colours.fault_tint, self.colours.line)
        return row

    def _make_calls(self, calls: tuple[str, ...]) -> Widget | None:
        """Return who is called in: the longest waiting first, before all hearings."""
        if not calls:
            return None
        kit = self.kit
        lines = []
        for number, words in enumerate(calls[:MOST_CALLS], 1):
            text = kit.text(
                words, "say", wid=f"hall.call.{number}", colour="tint_text", weight="semibold"
            )
            text.pos_hint = {"center_y": 0.5}
            row = kit.row(kit.icon("account-voice", 48, "tint_text"), text, gap=20,
                          size_hint_y=None)  # fmt: skip
            row.bind(minimum_height=row.setter("height"))
            lines.append(row)
        box = kit.natural_column(*lines, gap=6, padding=(36, 12))
        Band(box, self.colours.tint, self.colours.line)
        return box

    def _rows(self, view: BoardView) -> Widget:
        kit = self.kit
        if view.empty:
            text = kit.text(view.empty, "title", wid="hall.empty", align="center")
            return kit.column(kit.spacer(), text, kit.spacer(), padding=(60, 20))
        each = max(1, ROWS_PER_PAGE[kit.theme.text_size] - min(2, len(view.calls)))
        page = self._page(view)
        if view.observer is not None and page < 0:
            make = self._observer_rules if page == -1 else self._observer_hearings
            return make(view.observer)
        first = page * each
        rows = [self._row(first + n, row) for n, row in enumerate(view.rows[first:][:each], 1)]
        return kit.column(*kit.filled(rows, each), gap=10, padding=(36, 12))

    def _page(self, view: BoardView) -> int:
        """Return which page is shown; those for observers come after the list, as -2 and -1."""
        each = max(1, ROWS_PER_PAGE[self.kit.theme.text_size] - min(2, len(view.calls)))
        pages = max(1, -(-len(view.rows) // each))
        extra = OBSERVER_PAGES if view.observer is not None else 0
        page = view.round % (pages + extra)
        return page if page < pages else page - pages - extra

    def _observer_hearings(self, view: ObserverView) -> Widget:
        """Return the page that says which hearings can be watched, and how."""
        kit = self.kit
        more = len(view.hearings) - MOST_ONLINE
        listed = [*view.hearings[:MOST_ONLINE], *([f"+{more}"] if more > 0 else [])]
        lines: list[Widget] = [
            kit.fitted_text(view.title, "title", wid="hall.observer", weight="semibold", lines=2),
            *(
                kit.fitted_text(words, "choice", wid=f"hall.observer.{n}", lines=2)
                for n, words in enumerate(listed, 1)
            ),
        ]
        how = kit.fitted_text(
            view.how,
            "say",
            wid="hall.observer.how",
            weight="semibold",
            lines=4,
            align="center" if view.link else "left",
        )
        if not view.link:
            return kit.column(*lines, how, gap=8, padding=(36, 12))
        code = kit.column(CodePicture(view.link, size_hint_y=2.4), how, gap=8, size_hint_x=0.55)
        return kit.row(kit.column(*lines, gap=8), code, gap=28, padding=(36, 12))

    def _observer_rules(self, view: ObserverView) -> Widget:
        """Return the page that says by which rules."""
        kit = self.kit
        lines = [
            kit.fitted_text(words, "choice", wid=f"hall.rule.{n}", lines=3)
            for n, words in enumerate(view.rules, 1)
        ]
        return kit.column(*lines, gap=10, padding=(36, 16))

    def _row(self, number: int, row: BoardRow) -> Widget:
        """Return one hearing; one that nobody else may enter stands out as a whole."""
        kit, wid, ink = self.kit, f"hall.row.{number}", "on_dark" if row.is_closed else "text"
        quiet = "on_dark" if row.is_closed else "quiet"
        time = kit.fitted_text(
            row.time or "–", "title", colour=ink, weight="tabular", lines=1, size_hint_x=0.2
        )
        words: list[Widget] = [
            kit.fitted_text(row.number, "choice", wid=wid, colour=ink, weight="semibold", lines=1)
        ]
        if below := row.title or row.entry:
            words.append(
                kit.fitted_text(
                    below,
                    "option",
                    wid=f"{wid}.below",
                    colour=quiet,
                    lines=1,
                    ellipsis=bool(row.title),
                )
            )
        parts: list[Widget] = [time, kit.column(*words), self._state(wid, row)]
        if row.is_closed:
            parts.insert(1, kit.icon("lock", 52, "on_dark"))
        tone: Tone = "dark" if row.is_closed else "plain"
        return kit.card(*parts, tone=tone, orientation="horizontal", padding=(20, 6), gap=16)

    def _state(self, wid: str, row: BoardRow) -> Widget:
        """Return what is so now, in the colour of it."""
        kit, colour = self.kit, "on_dark" if row.is_closed else "text"
        lines: list[Widget] = []
        if row.status:
            lines.append(
                kit.fitted_text(row.status, "say", wid=f"{wid}.status", colour=colour,
                                weight="semibold", align="center")
            )  # fmt: skip
        if more := row.until or (row.entry if row.title else ""):
            lines.append(
                kit.fitted_text(more, "option", wid=f"{wid}.more", colour=colour, align="center")
            )
        if row.is_closed or not lines:
            return kit.column(*lines, size_hint_x=0.6)
        return kit.card(*lines, tone=row.tone, padding=(16, 4), size_hint_x=0.6)

    def _make_footer(self, notices: tuple[str, ...], sanitary: str) -> Widget | None:
        kit = self.kit
        lines: list[Widget] = [kit.text(words, "option", wid="hall.notice") for words in notices]
        if sanitary:
            lines.append(
                kit.text(sanitary, "option", wid="hall.sanitary", colour="caution",
                         weight="semibold")
            )  # fmt: skip
        if not lines:
            return None
        box = kit.natural_column(*lines, gap=6, padding=(36, 14))
        Band(box, self.colours.surface, self.colours.line, top=True)
        return box
