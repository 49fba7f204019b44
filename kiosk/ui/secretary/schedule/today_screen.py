"""Today's hearings: list, readiness, one large start."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.secretary.schedule.readiness_list import ReadinessList
from kiosk.ui.secretary.schedule.today import HearingRow, TodayView
from kiosk.ui.staff.staff_screen import StaffScreen


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
