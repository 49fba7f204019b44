"""The documents of the filing: all at the left, the next one large, one tap to finish."""

from __future__ import annotations

from functools import partial
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.form.documents import DocumentRow, DocumentsView
from kiosk.ui.visitor.visitor_screen import FilingScreen
from kiosk.ui.widgets.touchable import Tap


class DocumentsScreen(FilingScreen):
    """All documents at the left, the next one large, one tap to finish."""

    step = 3

    def body(self, view: DocumentsView) -> Widget:
        """Return the list and the document that is next."""
        gap, padding = (14, (20, 10)) if self.kit.theme.compact else (28, (40, 20))
        return self.kit.row(self._list(view), self._next(view), gap=gap, padding=padding)

    def _list(self, view: DocumentsView) -> Widget:
        kit = self.kit
        each = 3 if kit.theme.compact else 5
        pages = max(1, -(-len(view.rows) // each))
        chosen = next(n for n, row in enumerate(view.rows) if row.id == view.chosen)
        # The place counts pages from 1; 0 is the page of the chosen document.
        page = min(view.page - 1, pages - 1) if view.page else chosen // each
        shown = view.rows[page * each : (page + 1) * each]
        rows = kit.filled([self._row(row, row.id == view.chosen) for row in shown], each)
        if pages > 1:
            less, more = kit.pager("slots", page, pages, self._show_page, wide=True)
            rows.append(kit.row(less, more, gap=14, size_hint_y=None, height=kit.theme.target))
        return kit.column(*rows, gap="touch", size_hint_x=0.5)

    def _show_page(self, page: int) -> None:
        self.visit.documents.show(page + 1)

    def _row(self, row: DocumentRow, chosen: bool) -> Widget:
        kit = self.kit
        colour = row.tone if row.tone in ("good", "caution") else "quiet"
        words: list[Widget] = [kit.fitted_text(row.label, "body", weight="medium")]
        if row.state:
            words.append(
                kit.fitted_text(row.state, "small", colour=colour, weight="medium", lines=1,
                                size_hint_y=0.7)
            )  # fmt: skip
        return kit.touchable_card(
            f"slot.{row.id}",
            f"{row.label} {row.state}".strip(),
            partial(self.visit.documents.show, chosen=row.id),
            kit.icon(row.icon, 38, colour),
            kit.column(*words),
            chosen=chosen,
            orientation="horizontal",
            padding=(18, 6),
            gap=14,
        )

    def _next(self, view: DocumentsView) -> Widget:
        """Return the chosen document and what can be done with it."""
        kit = self.kit
        label = kit.fitted_text(view.label, "title", wid="slots.label", weight="semibold",
                                valign="bottom")  # fmt: skip
        note = kit.fitted_text(view.note, "lead", wid="slots.told", colour="quiet", valign="top",
                               size_hint_y=0.6)  # fmt: skip
        buttons = self._buttons(view)
        height = max(kit.theme.target, kit.px(92))
        lines = [
            kit.row(*buttons[n : n + 2], gap="touch", size_hint_y=None, height=height)
            for n in range(0, len(buttons), 2)
        ]
        padding = 12 if kit.theme.compact else 24
        return kit.card(
            kit.column(label, note, *lines, gap="touch"), padding=padding, size_hint_x=0.62
        )

    def _buttons(self, view: DocumentsView) -> list[Widget]:
        _, visit, slot = self.kit.translate.gettext, self.visit, view.chosen
        documents, scan = visit.documents, partial(visit.scan.begin, slot)

        def button(name: str, text: str, icon: str, on_tap: Tap, style: Any = "plain") -> Widget:
            return self.kit.button(f"slots.{name}", text, on_tap, icon=icon, wide=True, height=-1,
                                   pad=10, style=style)  # fmt: skip

        if view.pages:
            look = partial(visit.page_review.open, slot)
            found = [
                button("look", _("Look at the pages"), "magnify-plus-outline", look),
                button("scan", _("Add sheets"), "tray-arrow-down", scan),
            ]
            if view.many:
                add, text = partial(documents.add, slot), _("One more of these")
                found.append(button("another", text, "file-plus-outline", add, "tint"))
            return found
        found = [button("scan", _("Scan it"), "scanner", scan, "tint")]
        skip = partial(documents.skip, slot, not view.skipped)
        if view.skipped:
            found.append(button("unskip", _("I have it after all"), "undo", skip))
        else:
            found.append(button("skip", _("I do not have it"), "minus-circle-outline", skip))
        if view.fee:
            found.append(button("fee", _("How much is the fee?"), "calculator", visit.fee.ask))
        return found

    def footer(self, view: DocumentsView) -> list[Widget]:
        """Return aids, park, originals, nothing more."""
        kit, _, documents = self.kit, self.kit.translate.gettext, self.visit.documents
        text = view.originals or _("It does not fit the scanner")
        done = documents.finish if self.visit.pages else None
        return [
            *self.aids(),
            *self.park_button(),
            kit.button("slots.originals", text, documents.ask_originals,
                       icon="package-variant", max_width=270),
            kit.spacer(),
            self.primary("slots.done", _("Nothing more"), done, max_width=420),
        ]  # fmt: skip
