"""Screen of the minutes: hearings, fields, lines, keys, confirmation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal

from kivy.uix.widget import Widget

from kiosk.ui.formatting import timer_text
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.secretary.sealed_hearing.minutes import (
    FORM,
    QUALITY,
    RECEIPT,
    TERM,
    Entry,
    MinutesView,
)
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.widgets.hardware_keys import HardwareKeys
from kiosk.ui.widgets.indicators import RecordingLight
from kiosk.ui.widgets.keyboard import letter_keyboard
from kiosk.ui.widgets.text import TextLine
from kiosk.ui.widgets.widget_kit import WidgetKit

PREFIXES = {"list": "hearing", "fields": "field", "lines": "line", "receipt": "whose"}
"""Of the names of entries."""


class MinutesScreen(StaffScreen):
    """The minutes of a hearing, step by step."""

    def __init__(self, kit: WidgetKit, name: str, app: Any) -> None:
        super().__init__(kit, name, app)
        self._keys = HardwareKeys(self, self._type, self._enter)
        self._timer: TextLine | None = None

    def update(self, view: MinutesView, chrome: ScreenChrome) -> None:
        """Show ``view``; an alarm of the recording stands above it as long as it lasts."""
        if view.alarm and (not chrome.notice or chrome.notice_action):
            alarm = view.alarm
            more = f"+{alarm.more}" if alarm.more else ""
            said = (alarm.sentence, alarm.remedy, more, chrome.notice)
            tone: Literal["fault", "caution"] = "fault" if alarm.tone == "fault" else "caution"
            chrome = replace(
                chrome, notice=" ".join(text for text in said if text), notice_tone=tone,
                is_notice_lasting=True,
            )  # fmt: skip
        super().update(view, chrome)

    def live(self) -> None:
        """Draw the running time of the recording."""
        if self._timer is not None:
            self._timer.text = timer_text(self.app.recorded_seconds)

    def header_key(self, view: MinutesView, chrome: ScreenChrome) -> Any:
        """Return what the header depends on: also whether the hearing is recorded meanwhile."""
        hours = len(timer_text(self.app.recorded_seconds))
        return (super().header_key(view, chrome), view.is_recording and hours)

    def header(self, view: MinutesView, chrome: ScreenChrome) -> list[Widget]:
        """Return the header; while the hearing is recorded, its light and time and the way back."""
        usual = super().header(view, chrome)
        self._timer = None
        if not view.is_recording:
            return usual
        kit = self.kit
        self._timer = kit.text_line(
            timer_text(self.app.recorded_seconds), "heading", wid="rec.timer", weight="tabular"
        )
        back = kit.button("minutes.hearing", kit.translate.gettext("Back to the hearing"),
                          self.app.minutes_desk.close_running, icon="arrow-left", style="primary",
                          pad=8)  # fmt: skip
        return [back, RecordingLight(kit, 30, on=True), self._timer, kit.spacer(), *usual[-2:]]

    def _type(self, text: str) -> None:
        self.app.secretary.minutes.type_text(text)

    def _enter(self) -> None:
        self.app.spawn(self.app.secretary.minutes.keep_line())

    def title(self, view: MinutesView) -> tuple[str, str]:
        """Return the case number, or what is listed."""
        return ("" if view.step in ("lines", "typing") else view.title), ""

    def has_footer(self, view: MinutesView) -> bool:
        """Return False while the keys need the room."""
        return view.step != "typing"

    def body(self, view: MinutesView) -> Widget:
        """Return the step."""
        match view.step:
            case "typing":
                return self._typing(view)
            case "confirm":
                return self._question(view)
            case "signature":
                return self._signature(view)
            case "receipt" if not view.entries:
                return self._question(view, "scanner")
            case _:
                return self._entries(view)

    # -- entries -------------------------------------------------------------------------------
    def _page(self, view: MinutesView) -> tuple[int, int, int]:
        """Return rows per page, the page that is shown, and the number of pages."""
        is_large = self.kit.theme.text_size > 2 or self.kit.theme.compact
        per_page = 3 if is_large else 5 if view.step == "fields" else 4
        pages = max(1, -(-len(view.entries) // per_page))
        return per_page, min(view.page, pages - 1), pages

    def _entries(self, view: MinutesView) -> Widget:
        kit = self.kit
        per_page, page, _pages = self._page(view)
        shown = list(enumerate(view.entries))[page * per_page : (page + 1) * per_page]
        rows = [self._entry(view, number, entry) for number, entry in shown]
        head: list[Widget] = []
        if view.step == "lines":
            head.append(
                kit.fitted_text(view.title, "body", wid="minutes.title", weight="semibold",
                                lines=2, size_hint_y=0.7)
            )  # fmt: skip
        if view.text and not (view.alarm and kit.theme.compact):  # the alarm needs the room
            head.append(
                kit.fitted_text(view.text, "body", wid="minutes.text", lines=2, size_hint_y=0.55)
            )
        return kit.column(*head, *kit.filled(rows, per_page), gap=12, padding=(28, 14))

    def _entry(self, view: MinutesView, number: int, entry: Entry) -> Widget:
        kit = self.kit
        is_line = view.step == "lines"
        text = kit.fitted_text(
            entry.text, "body", weight="regular" if is_line else "semibold", lines=2, ellipsis=True
        )
        words: list[Widget] = [text]
        if entry.below:
            words.append(
                kit.fitted_text(entry.below, "small", colour="quiet", lines=1, ellipsis=True)
            )
        note = [kit.pill(entry.note, entry.tone, max_width=330)] if entry.note else []
        prefix = PREFIXES.get(view.step, "")
        is_fixed = is_line and not view.can_change
        return kit.touchable_card(
            f"minutes.{prefix}.{number + 1}", f"{entry.text} {entry.note}",
            None if is_fixed else self._open(view, entry), kit.column(*words), *note,
            orientation="horizontal", padding=(22, 6), gap=14,
        )  # fmt: skip

    def _open(self, view: MinutesView, entry: Entry) -> Callable[[], None]:
        minutes, app = self.app.secretary.minutes, self.app
        if view.step == "list":
            return lambda: app.spawn(minutes.open_minutes(entry.id))
        if view.step == "receipt":
            return lambda: app.spawn(app.minutes_desk.keep_receipt_as(int(entry.id)))
        if entry.id == QUALITY:
            return self._open_quality
        if entry.id == RECEIPT:
            return app.minutes_desk.open_scan
        if entry.id == FORM:
            return lambda: app.spawn(minutes.toggle_form())
        if entry.id == TERM:
            return lambda: app.spawn(minutes.toggle_term())
        if view.step == "fields":
            return lambda: minutes.show_field(entry.id)
        return lambda: minutes.edit_line(int(entry.id))

    def _open_quality(self) -> None:
        minutes = self.app.secretary.minutes.state.minutes
        if minutes is not None:
            self.app.open_quality(minutes.hearing_id)

    # -- question and keys ---------------------------------------------------------------------
    def _question(self, view: MinutesView, icon: str = "check") -> Widget:
        kit = self.kit
        sign = kit.card(kit.centred(kit.icon(icon, 120, "tint_text")), tone="accent",
                        size_hint_x=0.3)  # fmt: skip
        words = kit.fitted_text(view.text, "heading", wid="minutes.question", lines=7)
        return kit.row(sign, kit.column(words), gap=40, padding=(50, 40))

    def _signature(self, view: MinutesView) -> Widget:
        kit = self.kit
        sign = kit.card(
            kit.centred(kit.icon("check" if view.is_signed else "pencil", 120, "tint_text")),
            tone="accent", size_hint_x=0.26,
        )  # fmt: skip
        words = [kit.fitted_text(view.text, "heading", wid="minutes.signature", lines=7)]
        if view.digest:
            label = kit.translate.gettext("SHA-256 of this file: {digest}", digest=view.digest)
            words.append(
                kit.fitted_text(label, "small", wid="minutes.digest", lines=3, size_hint_y=0.3)
            )
        return kit.row(sign, kit.column(*words), gap=40, padding=(40, 24))

    def _typing(self, view: MinutesView) -> Widget:
        kit, _, minutes = self.kit, self.kit.translate.gettext, self.app.secretary.minutes
        typing = view.typing
        assert typing is not None
        text = typing.text
        shown = kit.fitted_text(
            text or view.title, "option", wid="typing.text", weight="medium", lines=2,
            colour="text" if text else "quiet",
        )  # fmt: skip
        is_removal = not text.strip() and not view.is_new_line
        can_save = bool(text.strip()) or is_removal
        line = kit.row(
            kit.button("typing.back", "", lambda: self.app.spawn(minutes.step_back()),
                       icon="arrow-left", style="ghost", pad=8),
            kit.card(shown, padding=(16, 2), size_hint_x=2.6),
            kit.button("typing.save", _("Remove the line") if is_removal else _("Keep the line"),
                       self._enter if can_save else None, icon="check",
                       style="danger" if is_removal else "primary", fill=True, pad=8, once=True,
                       size_hint_x=0.9),
            gap="touch", height=kit.theme.target,
        )  # fmt: skip
        keys = letter_keyboard(
            kit, minutes.type, minutes.show_next_keys, page=typing.key_page,
            on_capitals=minutes.toggle_capitals, capitals=typing.has_capitals, digits=True,
        )  # fmt: skip
        return kit.column(line, keys, gap="touch", padding=(16, 8))

    # -- footer --------------------------------------------------------------------------------
    def footer(self, view: MinutesView) -> list[Widget]:
        """Return the way back, pages, and what can be done."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        minutes = app.secretary.minutes
        back = kit.button("minutes.back", _("Back"), lambda: app.spawn(minutes.step_back()))
        if view.step == "list":
            back = self.back_button()
        elif view.is_running:
            back = kit.button(
                "minutes.back", _("Back to the hearing"), app.minutes_desk.close_running
            )
        _per_page, page, pages = self._page(view)
        show = app.receipts.show_page if view.step == "receipt" else minutes.show_page
        pager = kit.pager("minutes", page, pages, show) if pages > 1 else ()
        match view.step:
            case "list":
                return [back, kit.spacer(), *pager]
            case "confirm":
                yes = (lambda: app.spawn(minutes.confirm())) if view.action else None
                return [
                    back,
                    kit.button("minutes.quality", _("Quality of the recording"),
                               self._open_quality, icon="headphones"),
                    kit.spacer(),
                    kit.button("minutes.confirm.yes", _("Confirm"), yes, icon="check",
                               style="primary", kind="lead", once=True),
                ]  # fmt: skip
            case "signature":
                return [back, kit.spacer(), *self._signature_steps(view)]
            case "receipt":
                return self._receipt_steps(view, back, pager)
            case "lines":
                add = (lambda: minutes.edit_line(-1)) if view.can_change else None
                return [
                    back, *self._undo(view), kit.spacer(), *pager,
                    kit.button("minutes.add", _("Add a line"), add, icon="plus", style="primary"),
                ]  # fmt: skip
            case _:
                undo = () if view.is_confirmed else self._undo(view)
                way_back = () if view.is_recording else (back,)  # it stands in the header
                return [*way_back, *self._languages(view), *undo, kit.spacer(), *pager,
                        *self._action(view)]  # fmt: skip

    def _signature_steps(self, view: MinutesView) -> list[Widget]:
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        minutes = app.secretary.minutes
        if view.is_signed:
            return []
        is_out = bool(view.digest)
        return [
            kit.button("minutes.hand_out", _("Write to the drive"),
                       lambda: app.spawn(minutes.hand_out()), icon="usb-flash-drive-outline",
                       style="plain" if is_out else "primary", once=True),
            kit.button("minutes.take_signature", _("Take the signature"),
                       lambda: app.spawn(minutes.take_signature()), icon="check",
                       style="primary" if is_out else "plain", once=True),
        ]  # fmt: skip

    def _receipt_steps(
        self, view: MinutesView, back: Widget, pager: Iterable[Widget]
    ) -> list[Widget]:
        """Return what can be done now: scan, choose the glass, stop, try again, take it back."""
        kit, _, app, state = self.kit, self.kit.translate.gettext, self.app, view.receipt
        assert state is not None
        if state.is_scanning:
            waits = state.step in ("paper", "glass")
            stop = app.receipts.stop_scan if waits else None
            glass = app.receipts.use_glass if waits else None
            return [
                kit.button("minutes.receipt.stop", _("Do not scan now"), stop, icon="close"),
                kit.spacer(),
                kit.button("minutes.receipt.glass", _("Scan from the glass"), glass,
                           icon="scanner"),
            ]  # fmt: skip
        if state.can_retry and not view.entries:
            again = kit.button("minutes.receipt.retry", _("Keep the scan again"),
                               lambda: app.spawn(app.minutes_desk.retry_receipt()), icon="check",
                               style="primary", once=True)  # fmt: skip
            return [back, kit.spacer(), again]
        undo = kit.button("minutes.receipt.withdraw", _("Take the scan back: wrong sheet"),
                          lambda: app.spawn(app.minutes_desk.withdraw_receipt()), icon="undo",
                          once=True)  # fmt: skip
        scan = kit.button("minutes.receipt.scan", _("Scan the signed sheet"),
                          lambda: app.spawn(app.minutes_desk.scan_receipt()), icon="scanner",
                          style="primary", once=True)  # fmt: skip
        can_undo = view.can_undo and not view.entries
        return [back, *([undo] if can_undo else []), kit.spacer(), *pager, scan]

    def _undo(self, view: MinutesView) -> list[Widget]:
        minutes, app = self.app.secretary.minutes, self.app
        undo = (lambda: app.spawn(minutes.undo())) if view.can_undo else None
        return [self.kit.button("minutes.undo", "", undo, icon="undo", once=True)]

    def _languages(self, view: MinutesView) -> list[Widget]:
        kit = self.kit
        if not view.can_change:
            return []
        return [
            kit.button(f"minutes.lang.{code}", name, self._choose(code),
                       style="chosen" if code == view.language else "plain", pad=10)
            for code, name in (("kk", "Қаз"), ("ru", "Рус"))
        ]  # fmt: skip

    def _choose(self, code: str) -> Callable[[], None]:
        minutes, app = self.app.secretary.minutes, self.app
        return lambda: app.spawn(minutes.choose_language("ru" if code == "ru" else "kk"))

    def _action(self, view: MinutesView) -> list[Widget]:
        minutes, app, kit = self.app.secretary.minutes, self.app, self.kit
        if not view.action:
            return []
        if view.is_confirmed:
            _ = kit.translate.gettext
            return [
                kit.button("minutes.signature", _("Signature"), minutes.show_signature,
                           icon="pencil"),
                kit.button("minutes.version", view.action,
                           lambda: app.spawn(minutes.begin_version()), icon="plus", once=True)
            ]  # fmt: skip
        return [
            kit.button("minutes.confirm", view.action, minutes.ask_confirm, icon="check",
                       style="primary", kind="lead")
        ]  # fmt: skip
