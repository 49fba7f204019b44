"""Which document is handed in: types by case kind."""

from __future__ import annotations

from functools import partial
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.entry.document_type import DocumentTypeView
from kiosk.ui.visitor.visitor_screen import FilingScreen


class DocumentTypeScreen(FilingScreen):
    """Document types by case kind; the most common first."""

    step = 1

    def body(self, view: DocumentTypeView) -> Widget:
        """Return groups at the left, types at the right; on a small screen the types alone."""
        kit = self.kit
        types = kit.column(*self._types(view), gap=14)
        if kit.theme.compact:
            return kit.column(types, padding=(24, 14))
        title = self.headline(view.title, valign="middle", lines=1, size_hint_y=0.15)
        groups = [
            kit.button(f"group.{group}", label, partial(self.visit.show_types, group, 0),
                       wide=True, height=-1, left=True, pad=18,
                       style="chosen" if group == view.group else "ghost")
            for group, label in view.groups
        ]  # fmt: skip
        left = kit.column(*groups, gap=10, size_hint_x=0.28)
        columns = kit.row(left, types, gap=24)
        return kit.column(title, columns, gap=12, padding=(60, 14, 60, 18))

    def _types(self, view: DocumentTypeView) -> list[Widget]:
        """Return the rows of one page of types, and the buttons that turn the pages."""
        kit, compact = self.kit, self.kit.theme.compact
        each = 6 if compact or kit.theme.text_size > 2 else 8
        pages = max(1, -(-len(view.types) // each))
        page = min(view.page, pages - 1)
        language = self.app.display_settings.language
        cells = kit.filled(
            [
                kit.button(f"type.{kind}", label, partial(self.visit.choose_type, kind, language),
                           wide=True, height=-1, left=True, kind="option", pad=20)
                for kind, label in view.types[page * each : (page + 1) * each]
            ],
            each,
        )  # fmt: skip
        lines: list[Widget] = list(kit.grid(cells, 2, gap=14))
        if compact:
            lines.append(self._compact_steps(view, page, pages))
        elif pages > 1:
            lines.append(self._steps(view.group, page, pages))
        return lines

    def _compact_steps(self, view: DocumentTypeView, page: int, pages: int) -> Widget:
        """Return one row that turns the pages and, after the last, goes on to the next group."""
        kit, _, show = self.kit, self.kit.translate.gettext, self.visit.show_types
        names = [group for group, _label in view.groups]
        after = names[(names.index(view.group) + 1) % len(names)]
        more = partial(show, view.group, page + 1) if page + 1 < pages else partial(show, after, 0)
        return kit.row(
            kit.fitted_text(dict(view.groups)[view.group], "body", weight="semibold", lines=2),
            kit.button("type.more", _("More"), more, icon="chevron-down", wide=True, pad=12),
            gap=14,
            size_hint_y=None,
            height=kit.theme.target,
        )

    def _steps(self, group: str, page: int, pages: int) -> Widget:
        kit, _ = self.kit, self.kit.translate.gettext
        texts = (_("Back"), _("More"))
        less, more = kit.pager("type", page, pages, partial(self.visit.show_types, group),
                               texts=texts, wide=True, pad=12)  # fmt: skip
        number = kit.fitted_text(f"{page + 1} / {pages}", "body", weight="tabular",
                                 align="center", size_hint_x=0.4, lines=1)  # fmt: skip
        return kit.row(less, number, more, gap=14, size_hint_y=None, height=kit.theme.target)

    def footer(self, _view: Any) -> list[Widget]:
        """Return back, text size, contrast, help."""
        call = self.call_button("type.call", max_width=420)
        return [self.back(self.visit.leave_types), *self.aids(), self.kit.spacer(), call]
