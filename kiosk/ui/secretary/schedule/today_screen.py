"""Screen of today's hearings: list, readiness, one large start."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.api.hearing import Hearing
from kiosk.locale import N_
from kiosk.ui.registry import TodayPlace
from kiosk.ui.secretary.schedule.readiness import ReadinessLine
from kiosk.ui.secretary.schedule.readiness_list import ReadinessList
from kiosk.ui.secretary.schedule.today import HearingRow, TodayView
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.theme import Kind, Tone, tone_colour


class TodayScreen(StaffScreen):
    """Today's hearings: the next one chosen, its readiness, one large start."""

    heading = N_("Today's hearings")

    is_guarded = True

    def has_footer(self, _view: Any) -> bool:
        """Return False: the list takes all of the height."""
        return False

    def body_key(self, view: TodayView) -> Any:
        """Return what the body depends on: also the page of the list."""
        return (view, self._page, bool(self.app.screen_chrome().notice_action))

    @property
    def _page(self) -> int:
        return getattr(self.app.secretary.place, "page", 0)

    def body(self, view: TodayView) -> Widget:
        """Return list and readiness side by side."""
        kit = self.kit
        if view.remedies:
            card = self._remedies_card(view.remedies)
            return kit.row(kit.column(card), padding=(28, 20))
        share = 0.64 if kit.theme.compact else 0.58
        columns = (
            kit.column(*self._hearing_list(view), gap=14, size_hint_x=share),
            kit.column(self._readiness_card(view), size_hint_x=1 - share),
        )
        return kit.row(*columns, gap=24, padding=(28, 20))

    def _hearing_list(self, view: TodayView) -> list[Widget]:
        kit = self.kit
        chrome, is_large = self.app.screen_chrome(), kit.theme.text_size > 2
        per_page = 3 if is_large or kit.theme.compact else 4
        if chrome.notice and (kit.theme.compact or (is_large and chrome.notice_second_action)):
            per_page = 2  # it takes the height of a row
        pages = max(1, -(-len(view.rows) // per_page))
        chosen = next((n for n, row in enumerate(view.rows) if row.chosen), 0)
        page = min(self._page, pages - 1) if self._page else chosen // per_page
        first = page * per_page
        rows = [
            self._row(n, row)
            for n, row in enumerate(view.rows[first : first + per_page], first + 1)
        ]
        if not rows:
            text = kit.text(view.empty, "heading", wid="today.empty", align="center")
            return [kit.card(kit.spacer(), text, kit.spacer()), self._steps(page, pages)]
        return [*kit.filled(rows, per_page), self._steps(page, pages)]

    def _steps(self, page: int, pages: int) -> Widget:
        """Return what else can be done, and the pages of the list."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        is_narrow = kit.theme.compact and pages > 1
        is_roomy = kit.theme.text_size < 3 and not kit.theme.compact
        copies = _("Copies") if is_roomy else ""  # the words beside it need the room
        steps = [
            kit.button("today.adhoc", "", self._open_adhoc, icon="plus") if is_narrow else
            kit.button("today.adhoc", _("Hearing not on the list"), self._open_adhoc, wide=True,
                       pad=12),
            kit.button("today.copies", copies, app.open_export, icon="content-copy",
                       max_width=200, pad=12),
            kit.button("today.minutes", "", app.minutes_desk.open, icon="pencil"),
            kit.button("today.leftovers", "", app.open_unfinished_filings,
                       icon="file-document-outline"),
        ]  # fmt: skip
        if pages > 1:
            steps += kit.pager("today", page, pages, self._show_page)
        return kit.touch_line(*steps)

    def _show_page(self, page: int) -> None:
        place = self.app.secretary.place
        self.app.secretary.show(TodayPlace(getattr(place, "chosen", None), page))

    def _open_adhoc(self) -> None:
        app = self.app
        has_list = app.secretary.schedule and app.secretary.schedule.hearings
        app.secretary.open_adhoc(not app.is_clock_known and not has_list, app.today())

    def _row(self, number: int, row: HearingRow) -> Widget:
        kit, secretary, page = self.kit, self.app.secretary, self._page
        if row.outcome:
            pills = [kit.pill(row.outcome, "good", "check", max_width=400)]
        else:
            tone: Tone = "dark" if row.closed else "accent"
            icon = "lock" if row.closed else ""
            publicity = kit.pill(row.publicity, tone, icon, max_width=150)
            pills = [publicity, kit.pill(row.format, max_width=190)]
        kind: Kind = "heading" if row.chosen else "body"
        words = kit.column(
            kit.fitted_text(row.case_number, kind, weight="semibold", lines=1),
            kit.fitted_text(row.title, "small", colour="quiet", lines=1, ellipsis=True),
            kit.row(*pills, kit.spacer(), gap=8, height=pills[0].height),
            gap=2,
        )
        time = kit.fitted_text(
            row.time or "–", "heading", weight="tabular", width=kit.px(112), lines=1
        )
        return kit.touchable_card(
            f"today.hearing.{number}",
            f"{row.time} {row.case_number}",
            lambda: secretary.show(TodayPlace(row.id, page)),
            time,
            words,
            chosen=row.chosen,
            orientation="horizontal",
            padding=(24, 10),
            gap=14,
        )

    def _readiness_card(self, view: TodayView) -> Widget:
        kit = self.kit
        title, age = kit.translate.gettext("Readiness"), view.age
        colour = tone_colour(view.age_tone, "quiet")
        words = kit.column(
            kit.fitted_text(title, "heading", weight="semibold", lines=1),
            kit.fitted_text(age, "small", wid="today.age", colour=colour, ellipsis=True, lines=1,
                            size_hint_y=0.7),
        )  # fmt: skip
        rehearsal = kit.button("today.rehearsal", "", self.app.open_rehearsal,
                               icon="account-voice")  # fmt: skip
        buttons = [rehearsal]
        has_remedies = any(line.remedy for line in view.ready)  # beside the lines may be no room
        if has_remedies and not kit.theme.compact:
            buttons.insert(0, kit.button("today.remedies", "", self._show_remedies,
                                         icon="help-circle-outline"))  # fmt: skip
        head = kit.row(words, *buttons, gap=16, height=kit.theme.target)
        if view.asks and not view.keeps_minutes:
            return self._start_question(view)
        ready: Widget = ReadinessList(kit, view.ready)
        if has_remedies and kit.theme.compact:
            spoken = kit.translate.gettext("What to do")
            ready = kit.touchable_card("today.remedies", spoken, self._show_remedies, ready,
                                       padding=(8, 4))  # fmt: skip
        return kit.card(head, ready, self._start_button(view), gap=8, padding=(26, 8))

    def _show_remedies(self) -> None:
        place = self.app.secretary.place
        chosen = getattr(place, "chosen", None)
        self.app.secretary.show(TodayPlace(chosen, self._page, remedies=True))

    def _remedies_card(self, lines: tuple[ReadinessLine, ...]) -> Widget:
        """Return what is not ready and what to do about it, in all of the width."""
        kit, secretary = self.kit, self.app.secretary
        _, place = kit.translate.gettext, TodayPlace(getattr(secretary.place, "chosen", None))
        heading = kit.fitted_text(_("What to do"), "heading", weight="semibold", lines=1)
        back = kit.button("today.back", _("Back"), lambda: secretary.show(place), icon="arrow-left")
        head = kit.row(heading, back, gap=16, height=kit.theme.target)
        return kit.card(head, ReadinessList(kit, lines), gap=14, padding=(26, 14))

    def _start_button(self, view: TodayView) -> Widget:
        """Return the large button: it starts the chosen hearing, or opens one off the list."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        hearing = app.secretary.find_hearing(view.chosen)
        if hearing is None:
            return kit.button(
                "today.start", _("Hearing not on the list"), self._open_adhoc, icon="plus",
                style="primary", kind="heading", wide=True, height=130,
            )  # fmt: skip
        start, case = _("Start hearing"), view.start_case
        words = kit.column(
            kit.fitted_text(start, "title", colour="on_accent", weight="semibold", lines=1,
                            factor=0.86),
            kit.fitted_text(case, "lead", colour="on_accent", lines=1),
        )  # fmt: skip
        return kit.touchable_card(
            "today.start",
            f"{start} {case}",
            lambda: self._start(view, hearing),
            kit.icon("radiobox-marked", 54, "on_accent"),
            words,
            style="primary",
            orientation="horizontal",
            padding=(28, 16),
            gap=18,
            height=max(kit.px(150), kit.theme.target),
            once=view.keeps_minutes,
        )

    def _start(self, view: TodayView, hearing: Hearing) -> None:
        """Start it; of a session without minutes it is asked first whether it is recorded."""
        secretary = self.app.secretary
        if view.keeps_minutes:
            self.app.spawn(secretary.start_hearing(hearing))
        else:
            secretary.show(TodayPlace(view.chosen, self._page, asks=True))

    def _start_question(self, view: TodayView) -> Widget:
        """Return the question whether a session without minutes is recorded: the judge decides."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        hearing = app.secretary.find_hearing(view.chosen)
        text = _(
            "Of this session no minutes are kept, and it is not recorded unless the presiding "
            "judge decides so."
        )

        def start() -> None:
            if hearing is not None:
                app.spawn(app.secretary.start_without_minutes(hearing))

        return kit.card(
            kit.fitted_text(text, "lead", wid="today.question", weight="semibold"),
            kit.button("today.cancel", _("Do not record"),
                       lambda: app.secretary.show(TodayPlace(view.chosen, self._page)),
                       style="primary", fill=True, pad=12),
            kit.button("today.decided", _("Record: the judge decided so"), start,
                       icon="radiobox-marked", fill=True, once=True, pad=12),
            gap=14,
            padding=(26, 18),
        )  # fmt: skip
