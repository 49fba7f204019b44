"""The receipt: registration number, state of the document, time until the screen is wiped."""

from __future__ import annotations

from functools import partial
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.theme import Kind, Tone
from kiosk.ui.visitor.submission.receipt import ReceiptView
from kiosk.ui.visitor.visitor_screen import FilingScreen
from kiosk.ui.visitor.widgets import stage_strip
from kiosk.ui.widgets.code_picture import CodePicture


class ReceiptScreen(FilingScreen):
    """The receipt: registration number, state of the document, time until it is wiped."""

    step = 4

    def body(self, view: ReceiptView) -> Widget:
        """Return number and stages at the left, code and printer at the right."""
        kit, compact = self.kit, self.kit.theme.compact
        colour = view.printer_tone if view.printer_tone in ("good", "caution") else "quiet"
        right = kit.card(
            CodePicture(view.reference, size_hint_y=0.7 if compact else 1.5),
            kit.fitted_text(view.printer, "body", wid="receipt.printer", colour=colour,
                            align="center"),
            gap=10,
            padding=20,
            size_hint_x=0.4,
        )  # fmt: skip
        return kit.row(self._registration(view), right, gap=40, padding=(60, 22))

    def _registration(self, view: ReceiptView) -> Widget:
        kit = self.kit
        tone: Tone = "caution" if view.provisional else "good"
        icon = "clock-outline" if view.provisional else "check-circle"
        pill = kit.pill(view.state, tone, icon, wid="receipt.state", max_width=640)
        kind: Kind = "lead" if view.provisional or view.originals else "body"
        return kit.column(
            kit.row(pill, kit.spacer(), size_hint_y=0.7),
            kit.fitted_text(view.label, "body", colour="quiet", valign="bottom", size_hint_y=0.5,
                            lines=1),
            kit.fitted_text(view.number, "display", wid="receipt.number", weight="tabular",
                            lines=1, size_hint_y=1.2),
            kit.fitted_text(view.summary, "body", wid="receipt.summary", colour="quiet",
                            valign="top", size_hint_y=0.8),
            *([] if kit.theme.compact else [stage_strip(kit, view.stages)]),
            kit.fitted_text(view.originals or view.explained, kind, wid="receipt.explained",
                            valign="top"),
            gap=8,
        )  # fmt: skip

    def footer_key(self, view: ReceiptView) -> Any:
        """Return whether it can be printed, and the countdown."""
        return (view.can_print, self.app.wipe_seconds_left)

    def footer(self, view: ReceiptView) -> list[Widget]:
        """Return print again, countdown, done."""
        kit, _ = self.kit, self.kit.translate.gettext
        print_receipt = self.visit.print_receipt
        is_small = kit.theme.compact or kit.theme.text_size > 2
        large = self.spawning(partial(print_receipt, large=True), enabled=view.can_print)
        return [
            self.print_button("receipt.print", print_receipt, view.can_print),
            kit.button("receipt.large", "" if is_small else _("In large print"), large,
                       icon="format-font-size-increase", once=True, max_width=300),
            *self.aids(),
            self.wipe_countdown("receipt.wipe"),
            self.primary("receipt.done", _("Done"), self.app.finish_visit, arrow=False),
        ]  # fmt: skip
