"""The screen of names from which a sign-in with a PIN starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.staff.people import PeopleView, PersonRow
from kiosk.ui.staff.sign_in_screen import SignInScreen


class PeopleScreen(SignInScreen):
    """Large rows with names; a badge may be held to the reader at any time."""

    def body(self, view: PeopleView) -> Widget:
        """Return the sentence and the names of one page."""
        kit, _ = self.kit, self.kit.translate.gettext
        question = _("Who are you? Or hold your badge to the reader.")
        text = kit.text(view.text or question, "heading", wid="people.text", weight="medium")
        if not view.rows:
            return kit.column(kit.spacer(), text, kit.spacer(), padding=(60, 24))
        per_page = self._per_page
        first = min(view.page, self._pages(view) - 1) * per_page
        shown = enumerate(view.rows[first : first + per_page], first + 1)
        cells = kit.filled([self._row(number, row) for number, row in shown], per_page)
        rows = [kit.row(*cells[n : n + 2], gap=20) for n in range(0, per_page, 2)]
        return kit.column(text, *rows, gap=16, padding=(40, 20))

    @property
    def _per_page(self) -> int:
        theme = self.kit.theme
        return 4 if theme.text_size > 2 or theme.compact else 6

    def _pages(self, view: PeopleView) -> int:
        return max(1, -(-len(view.rows) // self._per_page))

    def _row(self, number: int, row: PersonRow) -> Widget:
        kit = self.kit
        words = [kit.fitted_text(row.name, "heading", weight="semibold", lines=2)]
        if row.roles:
            words.append(kit.fitted_text(row.roles, "body", colour="quiet", lines=1))
        return kit.touchable_card(
            f"people.{number}", row.name, self._choose(row), *words, padding=(24, 10), gap=4
        )

    def _choose(self, row: PersonRow) -> Callable[[], None]:
        return lambda: self.app.sign_in.choose(row.person)

    def footer(self, view: Any) -> list[Widget]:
        """Return cancel and the pages."""
        kit, sign_in = self.kit, self.app.sign_in
        cancel = kit.button("people.cancel", kit.translate.gettext("Cancel"), sign_in.close)
        pages = self._pages(view)
        if pages == 1:
            return [cancel, kit.spacer()]
        page = min(view.page, pages - 1)
        return [cancel, kit.spacer(), *kit.pager("people", page, pages, sign_in.show_page)]
