"""The case number, typed with Kazakh and Russian letters, and what is known of the case."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.visitor.form.case_number import CaseNumberView
from kiosk.ui.visitor.visitor_screen import FilingScreen
from kiosk.ui.visitor.widgets import compact_typing, typed_box
from kiosk.ui.widgets.keyboard import letter_keyboard


class CaseNumberScreen(FilingScreen):
    """The case number above the keys; the answer takes their place."""

    step = 1

    def body(self, view: CaseNumberView) -> Widget:
        """Return what is typed above the keys; the answer in place of them."""
        kit, _, case = self.kit, self.kit.translate.gettext, self.visit.case
        compact, text = kit.theme.compact, view.typed or _("Case number")
        typed = typed_box(kit, "number.typed", text, empty=not view.typed)
        if view.answer:
            colour = view.tone if view.tone in ("good", "caution") else "text"
            answer = kit.fitted_text(view.answer, "title", wid="number.answer", colour=colour,
                                     weight="semibold", valign="bottom")  # fmt: skip
            words = kit.column(answer, self.paragraph(view.detail, "number.detail"), gap=10)
            return kit.column(typed, words, gap=20, padding=(24, 12) if compact else (60, 24))
        keys = letter_keyboard(
            kit, case.type_number, case.show_next_keys, page=view.key_page, digits=True
        )
        if compact:
            line = (self.back(case.ask, words=False), typed, self._find(view))
            return compact_typing(kit, line, keys)
        return kit.column(typed, keys, gap=14, padding=(28, 14))

    def has_footer(self, view: CaseNumberView) -> bool:
        """Return whether there is room: on a small screen the keys need it."""
        return not self.kit.theme.compact or bool(view.answer)

    def _find(self, view: CaseNumberView) -> Widget:
        find = self.spawning(self.visit.case.find, enabled=bool(view.typed))
        return self.primary("number.find", self.kit.translate.gettext("Go on"), find, arrow=False)

    def footer(self, view: CaseNumberView) -> list[Widget]:
        """Return back; find, or take what was found."""
        kit, _, case = self.kit, self.kit.translate.gettext, self.visit.case
        if not view.answer:
            return [self.back(case.ask), *self.aids(), kit.spacer(), self._find(view)]
        change = kit.button(
            "number.again", _("Change the number"), case.change_number, icon="keyboard-outline"
        )
        take = self.primary("number.take", _("Go on"), None if view.is_searching else case.accept)
        return [change, *self.aids(), kit.spacer(), take]
