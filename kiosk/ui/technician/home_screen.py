"""The technician's first screen: large entries, and what is wrong now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

import kiosk
from kiosk.locale import N_
from kiosk.ui.registry import TechnicianPlace
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.home import TechnicianHomeView, TileRow

MAX_ALARMS, MAX_ALARMS_COMPACT = 4, 2


class HomeScreen(StaffScreen):
    """What a technician can do here."""

    heading = N_("Technician")

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title, which kiosk, which version."""
        title, _ = super().title(view)
        return title, f"{self.app.settings.kiosk.id} · {kiosk.__version__}"

    def has_footer(self, _view: Any) -> bool:
        """Return False: everything is in the body."""
        return False

    def body(self, view: TechnicianHomeView) -> Widget:
        """Return the entries and the alarms."""
        kit = self.kit
        cells: list[Widget] = [self._tile(row) for row in view.rows]
        columns = 2 if len(cells) < 5 else 3
        full = len(cells) // columns * columns
        rows = kit.grid(cells[:full], columns, gap=20)
        alarms = self._alarms(view)
        alarms.size_hint_x = columns - len(cells[full:])
        last = kit.row(*cells[full:], alarms, gap=20)
        return kit.column(*rows, last, gap=20, padding=(40, 20))

    def _tile(self, row: TileRow) -> Widget:
        kit = self.kit
        words = kit.column(kit.fitted_text(row.title, "heading", weight="semibold", lines=2))
        if not kit.theme.compact:  # there is no room for a sentence
            words.add_widget(kit.fitted_text(row.text, "body", colour="quiet", lines=2))
        return kit.touchable_card(
            f"tech.open.{row.tile.name}",
            row.title,
            self._open(row.tile.place),
            kit.icon(row.tile.icon, 56),
            words,
            orientation="horizontal",
            padding=(28, 10),
            gap=20,
        )

    def _open(self, place: TechnicianPlace) -> Callable[[], None]:
        return lambda: self.app.secretary.show(place)

    def _alarms(self, view: TechnicianHomeView) -> Widget:
        """Return the alarms of now, the first few in words."""
        kit = self.kit
        if view.text:
            text = kit.fitted_text(view.text, "body", wid="tech.well", colour="good", lines=2)
            return kit.row(kit.icon("check-circle", 36, "good"), text, gap=16)
        count = MAX_ALARMS_COMPACT if kit.theme.compact else MAX_ALARMS
        more = len(view.alarms) - count
        texts = [*view.alarms[:count], *([f"+ {more}"] if more > 0 else [])]
        words = kit.fitted_text(
            "\n".join(texts), "body", wid="tech.alarms", colour="caution", valign="top"
        )
        return kit.row(kit.icon("alert-circle", 36, "caution"), words, gap=16)
