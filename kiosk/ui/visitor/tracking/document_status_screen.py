"""Where a document is, by the code of its receipt; a ticket opens a parked filing."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.tracking.document_status import DocumentStatusView
from kiosk.ui.visitor.visitor_screen import VisitorScreen
from kiosk.ui.visitor.widgets import stage_strip


class DocumentStatusScreen(VisitorScreen):
    """Where a document is, by the code of its receipt; a ticket opens a parked filing."""

    def title(self, _view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Where is my document?"), ""

    def body(self, view: DocumentStatusView) -> Widget:
        """Return what to hold to the reader, or the answer."""
        kit, _ = self.kit, self.kit.translate.gettext
        padding = (24, 14) if kit.theme.compact else (60, 40)
        if view.answer:
            return kit.column(*self._answer(view), gap=14, padding=padding)
        text = _(
            "Only this code shows where your document is. A ticket of papers that you keep for "
            "later opens them the same way."
        )
        title = self.headline(_("Hold the code of your receipt to the reader"))
        words = kit.column(title, self.paragraph(text), gap=14)
        card = self.picture_card("qrcode-scan", 170, "accent", 0.36)
        return kit.row(card, words, gap=48, padding=padding)

    def _answer(self, view: DocumentStatusView) -> list[Widget]:
        kit = self.kit
        colour = "caution" if view.tone == "caution" else "good"
        parts = [self.headline(view.answer, "track.answer", colour=colour)]
        if view.number:
            parts.append(kit.fitted_text(view.number, "title", wid="track.number",
                                         weight="tabular", lines=1, size_hint_y=0.6))  # fmt: skip
        parts.append(kit.fitted_text(view.detail, "say", wid="track.detail", colour="quiet",
                                     size_hint_y=0.5))  # fmt: skip
        if view.reason:
            parts.append(kit.fitted_text(view.reason, "say", wid="track.reason", size_hint_y=0.8))
        if view.stages and not kit.theme.compact:
            parts.append(stage_strip(kit, view.stages))
        if view.printer:
            tone = view.printer_tone if view.printer_tone in ("good", "caution") else "quiet"
            parts.append(kit.fitted_text(view.printer, "body", wid="track.printer", colour=tone,
                                         size_hint_y=0.9))  # fmt: skip
        return parts

    def footer(self, view: DocumentStatusView) -> list[Widget]:
        """Return back; the ticket's code, or the receipt printed again."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.visit
        children = [self.back(visit.leave_or_ask), *self.aids(), kit.spacer()]
        if view.stages:
            again = self.spawning(visit.tracking.reprint_receipt, enabled=view.can_print)
            children.append(kit.button("track.print", _("Print the receipt again"), again,
                                       icon="printer-outline", once=True,
                                       max_width=460))  # fmt: skip
        elif not view.answer:
            children.append(kit.button("track.ticket", _("Type a ticket's code"),
                                       visit.parking.ask_for_ticket, icon="ticket-outline",
                                       max_width=460))  # fmt: skip
        return children
