"""Export screen: choose hearing and drive, then progress and result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.registry import TodayPlace
from kiosk.ui.secretary.sealed_hearing.export import DriveRow, ExportView, SealedHearingRow
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.widgets.indicators import Meter


class ExportScreen(StaffScreen):
    """Draws :class:`ExportView`."""

    def title(self, view: ExportView) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Copy for the parties"), ""

    def body(self, view: ExportView) -> Widget:
        """Return the step."""
        match view.step:
            case "list":
                return self._hearing_list(view)
            case "medium":
                return self._drive_choice(view)
            case _:
                return self._progress(view)

    def _hearing_list(self, view: ExportView) -> Widget:
        kit = self.kit
        rows_per_page = self._rows_per_page()
        text = kit.fitted_text(view.text, "heading", wid="copies.text", weight="semibold", lines=2,
                               size_hint_y=0.6)  # fmt: skip
        page = min(view.page, max(0, -(-len(view.rows) // rows_per_page) - 1))
        shown = view.rows[page * rows_per_page : (page + 1) * rows_per_page]
        rows = [self._row(n + 1, row) for n, row in enumerate(shown)]
        rows += [kit.spacer() for _n in range(rows_per_page - len(rows))]
        return kit.column(text, *rows, gap=14, padding=(28, 16))

    def _rows_per_page(self) -> int:
        return 3 if self.kit.theme.text_size > 2 or self.kit.theme.compact else 4

    def _row(self, number: int, row: SealedHearingRow) -> Widget:
        kit = self.kit
        case = kit.fitted_text(row.case_number, "heading", weight="semibold", lines=1)
        details = kit.fitted_text(row.details, "small", colour="quiet", lines=1, ellipsis=True)
        parts: list[Widget] = [kit.column(case, details)]
        if row.note:
            tone: Any = "dark" if row.closed else "caution"
            parts.append(kit.pill(row.note, tone, "lock" if row.closed else "", max_width=420))
        return kit.touchable_card(
            f"copies.hearing.{number}", f"{row.case_number} {row.note}",
            lambda: self.app.secretary.export.choose_hearing(row.hearing), *parts,
            orientation="horizontal", padding=(24, 6), gap=14,
        )  # fmt: skip

    def _drive_choice(self, view: ExportView) -> Widget:
        kit, _ = self.kit, self.kit.translate.gettext
        words: list[Widget] = [
            kit.fitted_text(view.title, "title", weight="semibold", lines=1),
            kit.fitted_text(view.text, "heading", wid="copies.text", lines=2),
            *(kit.fitted_text(note, "body", colour="caution", lines=3) for note in view.notes),
        ]
        drives = [self._drive_card(n + 1, drive) for n, drive in enumerate(view.drives[:3])]
        if not drives:
            drives = [kit.card(kit.centred(kit.icon("usb-flash-drive-outline", 110, "tint_text")),
                               tone="accent")]  # fmt: skip
        words.append(kit.spacer())
        languages = [
            kit.button(
                f"copies.lang.{code}", name, self._language(code), wide=True,
                style="chosen" if code == view.language else "plain",
                icon="check" if code == view.language else "",
            )
            for code, name in (("kk", "Қазақша"), ("ru", "Русский"))
        ]  # fmt: skip
        row = kit.row(*languages, size_hint_y=None, height=kit.theme.target)
        row.spacing = kit.theme.gap
        says = kit.fitted_text(
            _("Language of page and statement"), "small", colour="quiet", lines=1, size_hint_y=0.5
        )
        left = kit.column(*words, says, row, gap=14)
        spaces = 3 - len(drives) if view.drives else 0
        right = kit.column(*drives, *(kit.spacer() for _n in range(spaces)), gap=14)
        return kit.row(left, right, gap=32, padding=(40, 24))

    def _drive_card(self, number: int, drive: DriveRow) -> Widget:
        kit = self.kit
        name = kit.fitted_text(drive.name, "heading", weight="semibold", lines=1)
        free = kit.fitted_text(drive.free, "body", colour="quiet", lines=1)
        return kit.touchable_card(
            f"copies.medium.{number}", drive.name,
            lambda: self.app.secretary.export.choose_drive(drive.path),
            kit.icon("usb-flash-drive-outline", 46), kit.column(name, free),
            chosen=drive.chosen, orientation="horizontal", padding=(24, 10), gap=16,
        )  # fmt: skip

    def _language(self, code: str) -> Callable[[], None]:
        return lambda: self.app.secretary.export.choose_language(code)

    def _progress(self, view: ExportView) -> Widget:
        kit = self.kit
        icon = {"good": "check-circle", "fault": "alert-circle"}.get(view.tone, "content-copy")
        colour = {"good": "good", "fault": "fault"}.get(view.tone, "tint_text")
        tone = view.tone if view.tone in ("good", "fault") else "accent"
        picture = kit.card(kit.centred(kit.icon(icon, 120, colour)), tone=tone, size_hint_x=0.3)
        words: list[Widget] = [
            kit.fitted_text(view.title, "heading", colour="quiet", lines=1),
            kit.fitted_text(view.text, "title", wid="copies.text", weight="semibold"),
        ]
        if view.fraction is not None:
            bar = Meter(kit, 24)
            bar.fill(view.fraction)
            words.append(bar)
        words += [kit.fitted_text(note, "lead") for note in view.notes]
        return kit.row(picture, kit.column(*words, gap=16), gap=40, padding=(50, 40))

    def footer(self, view: ExportView) -> list[Widget]:
        """Return the way back and the one action."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        export = app.secretary.export
        leave = kit.button("back", _("Back"), lambda: app.secretary.show(TodayPlace()))
        match view.step:
            case "list":
                return [leave, kit.spacer(), *self._pager(view)]
            case "medium":
                start = (lambda: app.spawn(export.start())) if view.can_start else None
                return [
                    kit.button("copies.list", _("Back"), export.show_list),
                    kit.spacer(),
                    kit.button("copies.start", _("Make the copy"), start, icon="content-copy",
                               style="primary", kind="lead", once=True, max_width=520),
                ]  # fmt: skip
            case "running":
                return [
                    leave,
                    kit.spacer(),
                    kit.button("copies.cancel", _("Cancel"), lambda: app.spawn(export.cancel()),
                               icon="close", style="danger", once=True),
                ]  # fmt: skip
            case _:
                return [
                    leave,
                    kit.spacer(),
                    kit.button("copies.again", _("Another copy"), export.show_list),
                ]

    def _pager(self, view: ExportView) -> list[Widget]:
        kit, export = self.kit, self.app.secretary.export
        pages = -(-len(view.rows) // self._rows_per_page())
        if pages < 2:
            return []
        page = min(view.page, pages - 1)
        less = (lambda: export.show_page(page - 1)) if page else None
        more = (lambda: export.show_page(page + 1)) if page + 1 < pages else None
        return [
            kit.button("copies.less", "", less, icon="chevron-up"),
            kit.button("copies.more", "", more, icon="chevron-down"),
        ]
