"""Export screen: choose hearing and drive, then progress and result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.secretary.sealed_hearing.export import DriveRow, ExportView, SealedHearingRow
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.theme import Tone, tone_colour
from kiosk.ui.widgets.hardware_keys import HardwareKeys
from kiosk.ui.widgets.indicators import Meter
from kiosk.ui.widgets.keyboard import letter_keyboard
from kiosk.ui.widgets.widget_kit import WidgetKit

MAX_DRIVES = 3


class ExportScreen(StaffScreen):
    """Copies for the parties, step by step."""

    heading = N_("Copy for the parties")

    def __init__(self, kit: WidgetKit, name: str, app: Any) -> None:
        super().__init__(kit, name, app)
        self._keys = HardwareKeys(self, self._type, self._enter)

    def _type(self, text: str) -> None:
        self.app.secretary.export.type_text(text)

    def _enter(self) -> None:
        self.app.secretary.export.keep_name()

    def has_footer(self, view: ExportView) -> bool:
        """Return False while the keys need the room."""
        return view.step != "typing"

    def body(self, view: ExportView) -> Widget:
        """Return the step."""
        match view.step:
            case "list":
                return self._hearing_list(view)
            case "person":
                return self._people(view)
            case "typing":
                return self._typing(view)
            case "warning":
                return self._warning(view)
            case "medium":
                return self._drive_choice(view)
            case _:
                return self._progress(view)

    def _page(self, view: ExportView) -> tuple[int, int, int]:
        """Return rows per page, the page that is shown, and the number of pages."""
        per_page = 3 if self.kit.theme.text_size > 2 or self.kit.theme.compact else 4
        pages = max(1, -(-len(view.people or view.rows) // per_page))
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

    def _people(self, view: ExportView) -> Widget:
        kit = self.kit
        per_page, page, _pages = self._page(view)
        text = kit.fitted_text(
            view.text, "heading", wid="copies.text", weight="semibold", lines=2, size_hint_y=0.6
        )
        shown = view.people[page * per_page : (page + 1) * per_page]
        rows = [
            kit.touchable_card(
                f"copies.person.{number}", name, self._give_to(name),
                kit.fitted_text(name, "heading", weight="semibold", lines=1, ellipsis=True),
                orientation="horizontal", padding=(24, 6),
            )
            for number, name in enumerate(shown, 1)
        ]  # fmt: skip
        return kit.column(text, *kit.filled(rows, per_page), gap=14, padding=(28, 16))

    def _give_to(self, name: str) -> Callable[[], None]:
        return lambda: self.app.secretary.export.give_to(name)

    def _warning(self, view: ExportView) -> Widget:
        kit = self.kit
        sign = kit.card(kit.centred(kit.icon("scale-balance", 120, "tint_text")), tone="accent",
                        size_hint_x=0.26)  # fmt: skip
        words = [
            kit.fitted_text(view.text, "heading", wid="copies.warning", weight="semibold", lines=2,
                            size_hint_y=0.5),
            *(kit.fitted_text(note, "option", lines=5) for note in view.notes),
        ]  # fmt: skip
        return kit.row(sign, kit.column(*words, gap=12), gap=40, padding=(40, 24))

    def _typing(self, view: ExportView) -> Widget:
        kit, _, export = self.kit, self.kit.translate.gettext, self.app.secretary.export
        typing = view.typing
        assert typing is not None
        text = typing.text
        shown = kit.fitted_text(
            text or view.text, "option", wid="typing.text", weight="medium", lines=2,
            colour="text" if text else "quiet",
        )  # fmt: skip
        line = kit.row(
            kit.button("typing.back", "", export.step_back, icon="arrow-left", style="ghost",
                       pad=8),
            kit.card(shown, padding=(16, 2), size_hint_x=2.6),
            kit.button("typing.save", _("Keep the name"), self._enter if text.strip() else None,
                       icon="check", style="primary", fill=True, pad=8, size_hint_x=0.9),
            gap="touch", height=kit.theme.target,
        )  # fmt: skip
        keys = letter_keyboard(
            kit, export.type, export.show_next_keys, page=typing.key_page,
            on_capitals=export.toggle_capitals, capitals=typing.has_capitals, digits=True,
        )  # fmt: skip
        return kit.column(line, keys, gap="touch", padding=(16, 8))

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
            *([] if len(view.notes) > 1 else [kit.spacer()]),
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
            case "person":
                _per_page, page, pages = self._page(view)
                pager = kit.pager("copies", page, pages, export.show_page) if pages > 1 else ()
                return [
                    kit.button("copies.back", _("Back"), export.step_back), kit.spacer(), *pager,
                    kit.button("copies.other", _("Somebody else"), export.type_name,
                               icon="keyboard-outline", style="primary"),
                ]  # fmt: skip
            case "warning":
                return [
                    kit.button("copies.back", _("Back"), export.step_back), kit.spacer(),
                    kit.button("copies.warned", _("Warned"), export.confirm_warning, icon="check",
                               style="primary", kind="lead"),
                ]  # fmt: skip
            case "medium":
                start = (lambda: app.spawn(export.start())) if view.can_start else None
                return [
                    kit.button("copies.list", _("Back"), export.step_back),
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
