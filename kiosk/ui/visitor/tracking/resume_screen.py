"""Resumes a parked filing: the code of its ticket is read or typed."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.tracking.resume import ResumeView
from kiosk.ui.visitor.visitor_screen import VisitorScreen
from kiosk.ui.visitor.widgets import compact_typing, typed_box
from kiosk.ui.widgets.keyboard import key_rows

KEYS = ("1234567890", "ABCDEFGH", "JKMNPQRS", "TVWXYZ")
COMPACT_KEYS = ("123456789", "0ABCDEFGH", "JKMNPQRST", "VWXYZ")


class ResumeScreen(VisitorScreen):
    """Resumes a parked filing: the code of its ticket is read or typed."""

    def title(self, _view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Go on with your papers"), ""

    def body(self, view: ResumeView) -> Widget:
        """Return what is typed, what came of it, and the keys."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.visit
        compact = kit.theme.compact
        typed = typed_box(kit, "resume.typed", view.typed or " ")
        keys = key_rows(kit, COMPACT_KEYS if compact else KEYS, visit.parking.type_ticket_code)
        if compact:
            line = (self.back(visit.leave_or_ask, words=False), typed, self._open(view))
            return compact_typing(kit, line, keys)
        text = view.answer or _("Hold the ticket to the reader, or type its code.")
        colour = "caution" if view.answer and not view.is_searching else "text"
        words = kit.fitted_text(text, "lead", wid="resume.text", colour=colour)
        top = kit.row(words, typed, gap=24, size_hint_y=None, height=kit.px(110))
        return kit.column(top, keys, gap=14, padding=(48, 14))

    def has_footer(self, _view: Any) -> bool:
        """Return whether there is room: on a small screen the keys need it."""
        return not self.kit.theme.compact

    def _open(self, view: ResumeView) -> Widget:
        is_ready = view.is_complete and not view.is_searching
        tap = self.spawning(self.visit.parking.resume, enabled=is_ready)
        return self.primary("resume.open", self.kit.translate.gettext("Go on"), tap, arrow=False)

    def footer(self, view: ResumeView) -> list[Widget]:
        """Return back and go on."""
        back = self.back(self.visit.leave_or_ask)
        return [back, *self.aids(), self.kit.spacer(), self._open(view)]
