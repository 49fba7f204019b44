"""Export screen: choose hearing and drive, then progress and result."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.secretary.sealed_hearing.export import DriveRow, ExportView, SealedHearingRow
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.theme import Tone, tone_colour
from kiosk.ui.widgets.indicators import Meter

MAX_DRIVES = 3


class ExportScreen(StaffScreen):
    """Copies for the parties, step by step."""

    heading = N_("Copy for the parties")

    def body(self, view: ExportView) -> Widget:
        """Return the step."""
        match view.step:
            case "list":
                return self._hearing_list(view)
            case "medium":
                return self._drive_choice(view)
            case _:
                return self._progress(view)

    def _page(self, view: ExportView) -> tuple[int, int, int]:
        """Return rows per page, the page that is shown, and the number of pages."""
        per_page = 3 if self.kit.theme.text_size > 2 or self.kit.theme.compact else 4
        pages = max(1, -(-len(view.rows) // per_page))
        return per_page, min(view.page, pages - 1), pages

    def _hearing_list(self, view: ExportView) -> Widget:
        kit = self.kit
        per_page, page, _pages = self._page(view)
        text = kit.fitted_text(
            view.text, "heading", wid="copies.text", weight="semibold", lines=2, size_hint_y=0.6
        )
        shown = view.rows[page * per_page : (page + 1) * per_page]
        rows = kit.filled([self._row(n, row) for n, row in enumerate(shown, 1)], per_page)
        return kit.column(text, *rows, gap=14, padding=(28, 16))

    def _row(self, number: int, row: SealedHearingRow) -> Widget:
        kit = self.kit
        words = kit.column(
            kit.fitted_text(row.case_number, "heading", weight="semibold", lines=1),
            kit.fitted_text(row.details, "small", colour="quiet", lines=1, ellipsis=True),
        )
        tone: Tone = "dark" if row.closed else "caution"
        icon = "lock" if row.closed else ""
        note = [kit.pill(row.note, tone, icon, max_width=420)] if row.note else []
        return kit.touchable_card(
            f"copies.hearing.{number}", f"{row.case_number} {row.note}",
            lambda: self.app.secretary.export.choose_hearing(row.hearing), words, *note,
            orientation="horizontal", padding=(24, 6), gap=14,
        )  # fmt: skip

    def _drive_choice(self, view: ExportView) -> Widget:
        kit, _ = self.kit, self.kit.translate.gettext
        languages = [
            kit.button(
                f"copies.lang.{code}", name, self._language(code), wide=True,
                style="chosen" if code == view.language else "plain",
                icon="check" if code == view.language else "",
            )
            for code, name in (("kk", "Қазақша"), ("ru", "Русский"))
        ]  # fmt: skip
        hint = _("Language of page and statement")
        left = kit.column(
            kit.fitted_text(view.title, "title", weight="semibold", lines=1),
            kit.fitted_text(view.text, "heading", wid="copies.text", lines=2),
            *(kit.fitted_text(note, "body", colour="caution", lines=3) for note in view.notes),
            kit.spacer(),
            kit.fitted_text(hint, "small", colour="quiet", lines=1, size_hint_y=0.5),
            kit.touch_line(*languages),
            gap=14,
        )
        if view.drives:
            cards = [self._drive_card(n, drive) for n, drive in enumerate(view.drives, 1)]
            drives = kit.filled(cards[:MAX_DRIVES], MAX_DRIVES)
        else:
            icon = kit.icon("usb-flash-drive-outline", 110, "tint_text")
            drives = [kit.card(kit.centred(icon), tone="accent")]
        return kit.row(left, kit.column(*drives, gap=14), gap=32, padding=(40, 24))

    def _drive_card(self, number: int, drive: DriveRow) -> Widget:
        kit = self.kit
        words = kit.column(
            kit.fitted_text(drive.name, "heading", weight="semibold", lines=1),
            kit.fitted_text(drive.free, "body", colour="quiet", lines=1),
        )
        return kit.touchable_card(
            f"copies.medium.{number}", drive.name,
            lambda: self.app.secretary.export.choose_drive(drive.path),
            kit.icon("usb-flash-drive-outline", 46), words,
            chosen=drive.chosen, orientation="horizontal", padding=(24, 10), gap=16,
        )  # fmt: skip

    def _language(self, code: str) -> Callable[[], None]:
        return lambda: self.app.secretary.export.choose_language(code)

    def _progress(self, view: ExportView) -> Widget:
        kit = self.kit
        icon = {"good": "check-circle", "fault": "alert-circle"}.get(view.tone, "content-copy")
        tone: Tone = view.tone if view.tone in ("good", "fault") else "accent"
        sign = kit.icon(icon, 120, tone_colour(tone, "tint_text"))
        words: list[Widget] = [
            kit.fitted_text(view.title, "heading", colour="quiet", lines=1),
            kit.fitted_text(view.text, "title", wid="copies.text", weight="semibold"),
        ]
        if view.fraction is not None:
            bar = Meter(kit, 24)
            bar.fill(view.fraction)
            words.append(bar)
        words += [kit.fitted_text(note, "lead") for note in view.notes]
        picture = kit.card(kit.centred(sign), tone=tone, size_hint_x=0.3)
        return kit.row(picture, kit.column(*words, gap=16), gap=40, padding=(50, 40))

    def footer(self, view: ExportView) -> list[Widget]:
        """Return the way back and the one action."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        export, back = app.secretary.export, self.back_button()
        match view.step:
            case "list":
                _per_page, page, pages = self._page(view)
                pager = kit.pager("copies", page, pages, export.show_page) if pages > 1 else ()
                return [back, kit.spacer(), *pager]
            case "medium":
                start = (lambda: app.spawn(export.start())) if view.can_start else None
                return [
                    kit.button("copies.list", _("Back"), export.show_list),
                    kit.spacer(),
                    kit.button("copies.start", _("Make the copy"), start, icon="content-copy",
                               style="primary", kind="lead", once=True, max_width=520),
                ]  # fmt: skip
            case "running":
                cancel = kit.button(
                    "copies.cancel", _("Cancel"), lambda: app.spawn(export.cancel()), icon="close",
                    style="danger", once=True,
                )  # fmt: skip
                return [back, kit.spacer(), cancel]
            case _:
                again = kit.button("copies.again", _("Another copy"), export.show_list)
                return [back, kit.spacer(), again]
