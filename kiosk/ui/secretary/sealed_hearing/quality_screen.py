"""Screen of the report for the presiding judge: sentence, seats, places to play, and the word."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kivy.uix.widget import Widget

from kiosk.ui.secretary.sealed_hearing.quality import QualityRow, QualityView
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.theme import tone_colour
from kiosk.ui.widgets.indicators import Meter


class QualityScreen(StaffScreen):
    """Whether the recording is complete and can be made out."""

    def title(self, view: QualityView) -> tuple[str, str]:
        """Return the case number."""
        return view.title, ""

    def body(self, view: QualityView) -> Widget:
        """Return the sentence, its figures, and a page of seats and places."""
        kit = self.kit
        compact = kit.theme.compact
        per_page, page, _pages = self._page(view)
        shown = list(enumerate(view.rows))[page * per_page : (page + 1) * per_page]
        head: list[Widget] = [
            kit.fitted_text(
                view.sentence, "heading", wid="quality.sentence", weight="semibold", lines=2,
                colour=tone_colour(view.tone, "text"), size_hint_y=0.62 if compact else 0.8,
            )
        ]  # fmt: skip
        quiet = [text for text in (view.playing or view.facts, view.word) if text]
        head += [
            kit.fitted_text(text, "small", wid=f"quality.text.{number}", colour="quiet",
                            lines=1 if compact else 2,
                            size_hint_y=0.32 if compact else 0.5)
            for number, text in enumerate(quiet, 1)
        ]  # fmt: skip
        rows = [self._row(number, row) for number, row in shown]
        return kit.column(*head, *kit.filled(rows, per_page), gap=10, padding=(28, 12))

    def _page(self, view: QualityView) -> tuple[int, int, int]:
        """Return rows per page, the page that is shown, and the number of pages."""
        is_large = self.kit.theme.text_size > 2 or self.kit.theme.compact
        per_page = 3 if is_large else 4
        pages = max(1, -(-len(view.rows) // per_page))
        return per_page, min(view.page, pages - 1), pages

    def _row(self, number: int, row: QualityRow) -> Widget:
        kit = self.kit
        words: list[Widget] = [
            kit.fitted_text(row.text, "body", weight="semibold", lines=1, ellipsis=True),
            kit.fitted_text(row.below, "small", colour="quiet", lines=2, ellipsis=True),
        ]
        note: list[Widget] = []
        if row.share is not None:
            bar = Meter(kit, 14)
            bar.fill(row.share)
            bar.pos_hint = {"center_y": 0.5}
            note.append(kit.row(bar, size_hint_x=0.2))
        if row.place is None and row.note:
            note.append(kit.pill(row.note, row.tone, max_width=260))
        place, app = row.place, self.app
        if row.begins_full:
            return kit.touchable_card(
                "quality.full", row.text, lambda: app.spawn(app.minutes_desk.begin_full()),
                kit.icon("pencil", 40, "tint_text"), kit.column(*words),
                orientation="horizontal", padding=(22, 6), gap=18,
            )  # fmt: skip
        if place is None:
            return kit.card(
                kit.column(*words), *note, orientation="horizontal", padding=(22, 6), gap=14
            )
        quality = app.secretary.quality
        play = (lambda: app.spawn(quality.play(place))) if place.can_play else None
        icon = [kit.icon("headphones", 34, "tint_text")] if place.can_play else []
        return kit.touchable_card(
            f"quality.play.{number + 1}", f"{row.text} {row.note}", play, kit.column(*words),
            *icon, kit.pill(row.note, "accent" if place.can_play else "plain", max_width=300),
            orientation="horizontal", padding=(22, 6), gap=14,
        )  # fmt: skip

    def footer(self, view: QualityView) -> list[Widget]:
        """Return the way back, pages, and the word of whoever may say it."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        quality = app.secretary.quality
        hearing = quality.state.hearing_id
        back = kit.button("quality.back", _("Back"), lambda: app.minutes_desk.open(hearing))
        _per_page, page, pages = self._page(view)
        pager = kit.pager("quality", page, pages, quality.show_page) if pages > 1 else ()
        if view.playing:
            stop = kit.button("quality.stop", _("Stop playing"), lambda: app.spawn(quality.stop()),
                              icon="stop", style="tint", once=True)  # fmt: skip
            return [back, kit.spacer(), *pager, stop]
        return [back, kit.spacer(), *pager, *(self._words(view) if view.can_judge else ())]

    def _words(self, view: QualityView) -> list[Widget]:
        kit, _ = self.kit, self.kit.translate.gettext
        return [
            kit.button("quality.bad", _("Not usable"), self._say(is_good=False), once=True,
                       style="chosen" if view.is_good is False else "plain", pad=14),
            kit.button("quality.good", _("Complete and of good quality"), self._say(is_good=True),
                       style="chosen" if view.is_good else "plain", icon="check", once=True,
                       pad=14),
        ]  # fmt: skip

    def _say(self, *, is_good: bool) -> Callable[[], None]:
        say = partial(self.app.secretary.quality.say, is_good=is_good)
        return lambda: self.app.spawn(say())
