"""How many sheets were inserted: one tap up to nine; a difference is shown in words."""

from __future__ import annotations

from functools import partial

from kivy.uix.widget import Widget

from kiosk.ui.visitor.form.sheet_count import SheetCountView
from kiosk.ui.visitor.visitor_screen import FilingScreen
from kiosk.ui.visitor.widgets import typed_box
from kiosk.ui.widgets.keyboard import NUMBER_PAD, key_rows


class SheetCountScreen(FilingScreen):
    """How many sheets were inserted: one tap up to nine; a difference is shown in words."""

    step = 3

    def body(self, view: SheetCountView) -> Widget:
        """Return the question with big digits, or the difference."""
        kit, compact = self.kit, self.kit.theme.compact
        if view.has_mismatch:
            words = (
                self.headline(view.title, "sheets.title"),
                self.paragraph(view.text, "sheets.text"),
            )
            card = self.picture_card("file-multiple-outline")
            padding = (24, 16) if compact else (60, 50)
            return kit.row(card, kit.column(*words, gap=14), gap=48, padding=padding)
        parts = [
            self.headline(view.title, "sheets.title", valign="middle", lines=2),
            self.paragraph(view.text, "sheets.text", colour="quiet"),
        ]
        if view.has_keypad:
            parts.append(typed_box(kit, "sheets.typed", view.typed or " "))
        padding = (24, 10) if compact else (60, 24)
        return kit.row(kit.column(*parts, gap=14), self._keys(view), gap=40, padding=padding)

    def _keys(self, view: SheetCountView) -> Widget:
        kit, documents = self.kit, self.visit.documents
        if view.has_keypad:
            keys = key_rows(kit, NUMBER_PAD, documents.type_sheet_count)
        else:
            digits = [
                kit.button(f"sheets.{number}", str(number),
                           partial(documents.set_sheet_count, number),
                           wide=True, height=-1, kind="title")
                for number in range(1, 10)
            ]  # fmt: skip
            more = kit.button("sheets.more", kit.translate.gettext("10 or more"),
                              documents.show_sheet_keypad, wide=True, height=-1,
                              kind="option")  # fmt: skip
            keys = kit.column(*kit.grid(digits, 3), more, gap="touch")
        keys.size_hint_x = 0.7
        return keys

    def footer(self, view: SheetCountView) -> list[Widget]:
        """Return the buttons: back and skip; after a mismatch accept, recount, and scan or look."""
        kit, _, documents = self.kit, self.kit.translate.gettext, self.visit.documents
        accept = documents.accept_sheet_count
        if view.has_mismatch:
            text, tap = _("Look at the pages"), self._look
            if view.has_missing_sheet:
                text, tap = _("Scan the missing sheet"), self.visit.scan.begin
            right = _("What was scanned is right")
            return [
                kit.button("sheets.right", right, accept, max_width=340),
                kit.button("sheets.again", "", documents.recount_sheets, icon="restart"),
                kit.spacer(),
                self.primary("sheets.scan", text, tap, arrow=False, max_width=460),
            ]
        skip = kit.button("sheets.skip", _("Leave out"), accept)
        children = [self.back(self._look), *self.aids(), kit.spacer(), skip]
        if view.has_keypad:
            submit = documents.submit_sheet_count if view.typed else None
            children.append(self.primary("sheets.ok", _("Go on"), submit, arrow=False))
        return children

    def _look(self) -> None:
        if self.visit.filing is not None:
            self.visit.page_review.open(self.visit.record.slot)
