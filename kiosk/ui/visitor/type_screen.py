"""Which document is handed in: types by case kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.filing_screen import FilingScreen
from kiosk.ui.visitor.paper_views import DocumentTypeView


class DocumentTypeScreen(FilingScreen):
    """Document types by case kind; the most common first."""

    step = 1

    def body(self, view: DocumentTypeView) -> Widget:
        """Return groups at the left, types at the right; on a small screen the types alone."""
        kit, _ = self.kit, self.kit.translate.gettext
        if kit.theme.compact:
            return kit.column(self._types(view), padding=(24, 14))
        title = kit.fitted_text(
            _("Choose document type"), "headline", weight="semibold", lines=1, size_hint_y=0.15
        )
        groups = [
            kit.button(
                f"group.{group}", label, self._group(group), wide=True, height=-1, left=True,
                style="chosen" if group == view.group else "ghost", pad=18,
            )
            for group, label in view.groups
        ]  # fmt: skip
        left = kit.column(*groups, gap=10, size_hint_x=0.28)
        return kit.column(
            title, kit.row(left, self._types(view), gap=24), gap=12, padding=(60, 14, 60, 18)
        )

    def _types(self, view: DocumentTypeView) -> Widget:
        kit = self.kit
        columns = 2
        rows = 3 if kit.theme.compact or kit.theme.text_size > 2 else 4
        each = rows * columns
        pages = max(1, -(-len(view.types) // each))
        page = min(view.page, pages - 1)
        cells: list[Widget] = [
            kit.button(
                f"type.{kind}", label, self._choose(kind), wide=True, height=-1, left=True,
                kind="option", pad=20,
            )
            for kind, label in view.types[page * each : (page + 1) * each]
        ]  # fmt: skip
        cells += [kit.spacer() for _n in range(each - len(cells))]
        lines = [kit.row(*cells[n : n + columns], gap=14) for n in range(0, each, columns)]
        if kit.theme.compact:
            lines.append(self._small_steps(view, page, pages))
        elif pages > 1:
            lines.append(self._steps(view.group, page, pages))
        return kit.column(*lines, gap=14)

    def _small_steps(self, view: DocumentTypeView, page: int, pages: int) -> Widget:
        """Return one row that turns the pages and, after the last, goes on to the next group."""
        kit, _ = self.kit, self.kit.translate.gettext
        names = [group for group, _label in view.groups]
        after = names[(names.index(view.group) + 1) % len(names)]
        more = self._page(view.group, page + 1) if page + 1 < pages else self._group(after)
        return kit.row(
            kit.fitted_text(dict(view.groups)[view.group], "body", weight="semibold", lines=2),
            kit.button("type.more", _("More"), more, icon="chevron-down", wide=True, pad=12),
            gap=14,
            size_hint_y=None,
            height=kit.theme.target,
        )

    def _steps(self, group: str, page: int, pages: int) -> Widget:
        kit, _ = self.kit, self.kit.translate.gettext
        less = self._page(group, page - 1) if page else None
        more = self._page(group, page + 1) if page + 1 < pages else None
        return kit.row(
            kit.button("type.less", _("Back"), less, icon="chevron-up", wide=True, pad=12),
            kit.fitted_text(f"{page + 1} / {pages}", "body", weight="tabular", align="center",
                            size_hint_x=0.4, lines=1),
            kit.button("type.more", _("More"), more, icon="chevron-down", wide=True, pad=12),
            gap=14,
            size_hint_y=None,
            height=kit.theme.target,
        )  # fmt: skip

    def _group(self, group: str) -> Callable[[], None]:
        return lambda: self.app.visit.show_types(group, 0)

    def _page(self, group: str, page: int) -> Callable[[], None]:
        return lambda: self.app.visit.show_types(group, page)

    def _choose(self, kind: str) -> Callable[[], None]:
        return lambda: self.app.visit.choose_type(kind, self.app.display_settings.language)

    def footer(self, view: Any) -> list[Widget]:
        """Return back, text size, contrast, help."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        return [
            kit.button("back", _("Back"), visit.leave_types, icon="arrow-left"),
            *self.aids(),
            kit.spacer(),
            kit.button("type.call", _("Call the secretary"), visit.call_secretary,
                       icon="bell-ring-outline", max_width=420),
        ]  # fmt: skip
