"""Today's hearings: list, readiness, one large start."""

from __future__ import annotations

import itertools
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.secretary.readiness import ReadinessLine
from kiosk.ui.secretary.today import HearingRow, TodayView
from kiosk.ui.staff_screen import StaffScreen
from kiosk.ui.theme import Tone
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


class TodayScreen(StaffScreen):
    """Today's hearings: the next one chosen, its readiness, one large start."""

    def title(self, view: TodayView) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Today's hearings"), ""

    def has_footer(self, _view: Any) -> bool:
        """All of the height is for the list."""
        return False

    def body_key(self, view: TodayView) -> Any:
        """The body depends on the view and the page of the list."""
        return (view, self._page())

    def _page(self) -> int:
        return getattr(self.app.secretary.place, "page", 0)

    def body(self, view: TodayView) -> Widget:
        """Return list and readiness side by side."""
        kit = self.kit
        return kit.row(
            kit.column(*self._hearing_list(view), gap=14, size_hint_x=0.58),
            kit.column(self._readiness_card(view), size_hint_x=0.42),
            gap=24,
            padding=(28, 20),
        )

    def _hearing_list(self, view: TodayView) -> list[Widget]:
        kit, _, secretary = self.kit, self.kit.translate.gettext, self.app.secretary
        rows_per_page = 3 if kit.theme.text_size > 2 or kit.theme.compact else 4
        pages = max(1, -(-len(view.rows) // rows_per_page))
        chosen = next((n for n, row in enumerate(view.rows) if row.chosen), 0)
        page = min(self._page(), pages - 1) if self._is_paged_by_hand() else chosen // rows_per_page
        rows = [
            self._row(n + 1, row)
            for n, row in enumerate(view.rows)
            if page * rows_per_page <= n < (page + 1) * rows_per_page
        ]
        if not rows:
            text = kit.text(view.empty, "heading", wid="today.empty", align="center")
            rows = [kit.card(kit.spacer(), text, kit.spacer())]
        rows += [kit.spacer() for _n in range(rows_per_page - len(rows))] if view.rows else []
        adhoc = kit.button(
            "today.adhoc",
            _("Hearing not on the list"),
            self._open_adhoc,
            icon="plus",
            wide=True,
            pad=12,
        )
        export = kit.button(
            "today.copies",
            _("Copies"),
            self.app.open_export,
            icon="content-copy",
            max_width=200,
            pad=12,
        )  # fmt: skip
        papers = kit.button(
            "today.leftovers", "", self.app.open_unfinished_filings, icon="file-document-outline"
        )
        steps: list[Widget] = [adhoc, export, papers]
        if pages > 1:
            less = (lambda: secretary.show(self._page_place(page - 1))) if page else None
            more = (
                (lambda: secretary.show(self._page_place(page + 1))) if page + 1 < pages else None
            )
            steps += [
                kit.button("today.less", "", less, icon="chevron-up"),
                kit.button("today.more", "", more, icon="chevron-down"),
            ]
        foot = kit.row(*steps, gap=14, size_hint_y=None, height=kit.theme.target)
        foot.spacing = kit.theme.gap
        return [*rows, foot]

    def _is_paged_by_hand(self) -> bool:
        return getattr(self.app.secretary.place, "page", None) not in (None, 0)

    def _page_place(self, page: int) -> Any:
        from kiosk.ui.registry import TodayPlace

        return TodayPlace(getattr(self.app.secretary.place, "chosen", None), page)

    def _open_adhoc(self) -> None:
        app = self.app
        needs = not app.is_clock_known and not (
            app.secretary.schedule and app.secretary.schedule.hearings
        )
        app.secretary.open_adhoc(needs, app.today())

    def _row(self, number: int, row: HearingRow) -> Widget:
        from kiosk.ui.registry import TodayPlace

        kit, secretary = self.kit, self.app.secretary
        time = kit.fitted_text(
            row.time or "–", "heading", weight="tabular", size_hint_x=None, lines=1
        )
        time.width = kit.px(112)
        case = kit.fitted_text(
            row.case_number, "heading" if row.chosen else "body", weight="semibold", lines=1
        )
        title = kit.fitted_text(row.title, "small", colour="quiet", lines=1, ellipsis=True)
        pills = [kit.pill(row.publicity, "dark" if row.closed else "accent",
                          "lock" if row.closed else "", max_width=150),
                 kit.pill(row.format, max_width=190)]  # fmt: skip
        if row.outcome:
            pills = [kit.pill(row.outcome, "good", "check", max_width=400)]
        bottom = kit.row(*pills, kit.spacer(), gap=8, size_hint_y=None, height=pills[0].height)
        words = kit.column(case, title, bottom, gap=2)
        return kit.touchable_card(
            f"today.hearing.{number}",
            f"{row.time} {row.case_number}",
            lambda: secretary.show(TodayPlace(row.id, self._page())),
            time,
            words,
            chosen=row.chosen,
            orientation="horizontal",
            padding=(24, 10),
            gap=14,
        )

    def _readiness_card(self, view: TodayView) -> Widget:
        kit, _ = self.kit, self.kit.translate.gettext
        start: Widget
        if view.chosen:
            start = self._start_button(view)
        else:
            start = kit.button(
                "today.start", _("Hearing not on the list"), self._open_adhoc, icon="plus",
                style="primary", kind="heading", wide=True, height=130,
            )  # fmt: skip
        title = self._readiness_title(view)
        lines = ReadinessList(kit, view.ready)
        return kit.card(title, lines, start, gap=10, padding=(26, 18))

    def _readiness_title(self, view: TodayView) -> Widget:
        """Return what stands above readiness: its title, and how old the list is."""
        kit = self.kit
        line = kit.text_line(
            kit.translate.gettext("Readiness"), "heading", weight="semibold", max_width=230
        )
        colour = "caution" if view.age_tone == "caution" else "quiet"
        age = kit.fitted_text(
            view.age, "small", wid="today.age", colour=colour, align="right", ellipsis=True, lines=2
        )
        height = max(line.height, round(kit.min_font * 2.7))
        return kit.row(line, age, gap=16, size_hint_y=None, height=height)

    def _start_button(self, view: TodayView) -> Widget:
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        title = kit.fitted_text(
            _("Start hearing"), "title", colour="on_accent", weight="semibold", lines=1, factor=0.86
        )
        case = kit.fitted_text(view.start_case, "lead", colour="on_accent", lines=1)
        icon = kit.icon("radiobox-marked", 54, "on_accent")
        words = kit.column(title, case)
        hearing = app.secretary.find_hearing(view.chosen)

        def start() -> None:
            if hearing:
                app.spawn(app.secretary.start_hearing(hearing))

        return kit.touchable_card(
            "today.start",
            f"{_('Start hearing')} {view.start_case}",
            start,
            icon,
            words,
            style="primary",
            orientation="horizontal",
            padding=(28, 16),
            gap=18,
            size_hint_y=None,
            height=max(kit.px(150), kit.theme.target),
            once=True,
        )


class ReadinessList(CachedSlot):
    """The readiness lines; remedies are left out where they do not fit."""

    def __init__(self, kit: WidgetKit, lines: tuple[ReadinessLine, ...]) -> None:
        super().__init__(orientation="vertical", spacing=kit.px(6))
        self._kit, self._lines = kit, lines
        self.bind(size=self._fill)

    def _fill(self, *_: Any) -> None:
        """Shrink until every remedy fits; where that is not enough, leave remedies out."""
        kit = self._kit
        sizes = range(kit.theme.font("body"), kit.min_font - 1, -1)
        for remedies, size in itertools.product((True, False), sizes):
            texts = [
                f"{line.text} {line.remedy}".strip() if remedies else line.text
                for line in self._lines
            ]
            heights = [self._height(text, size) for text in texts]
            if sum(heights) + self.spacing * len(heights) <= self.height:
                break
        lines = list(self._lines)
        while sum(heights) + self.spacing * len(heights) > self.height:
            good = [n for n, line in enumerate(lines) if line.tone == "good"]
            if not good:  # warnings stay even where they do not fit
                break
            for row in (lines, texts, heights):
                del row[good[-1]]
        self.clear_widgets()
        for line, text, height in zip(lines, texts, heights, strict=True):
            self.add_widget(self._row(line, text, size, height))
        self.add_widget(kit.spacer())

    def _height(self, text: str, size: int) -> int:
        width = self.width - self._kit.px(27 + 12)
        return round(lines_needed(text, NAMES["regular"], size, width) * size * 1.3)

    def _row(self, line: ReadinessLine, text: str, size: int, height: int) -> Widget:
        kit = self._kit
        colour = {"good": "good", "caution": "caution", "fault": "fault"}.get(line.tone, "quiet")
        words = kit.fitted_text(
            text,
            "body",
            wid=f"ready.{line.item}",
            colour="text" if line.tone in ("good", "plain") else colour,
            factor=size / kit.theme.font("body"),
        )
        icon = kit.icon(TONE_ICONS[line.tone], 27, colour)
        return kit.row(icon, words, gap=12, size_hint_y=None, height=height)
