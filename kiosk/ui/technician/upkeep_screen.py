"""Screen of the services and their restart."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.registry import StaffListPlace
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.upkeep import ServiceRow, UpkeepView
from kiosk.ui.theme import tone_colour


class UpkeepScreen(StaffScreen):
    """The three services: since when, why, and a restart that is asked about once."""

    heading = N_("Upkeep")

    def body(self, view: UpkeepView) -> Widget:
        """Return one card for each service."""
        rows = [self._card(row) for row in view.rows]
        return self.kit.column(*rows, gap=12, padding=(40, 12))

    def _card(self, row: ServiceRow) -> Widget:
        kit, _ = self.kit, self.kit.translate.gettext
        wid = f"upkeep.{row.service}"
        colour = tone_colour(row.tone, "quiet")
        words = kit.column(
            kit.fitted_text(row.name, "heading", weight="semibold", lines=1),
            kit.fitted_text(row.since, "body", wid=f"{wid}.since", lines=1),
            kit.fitted_text(row.why, "body", wid=f"{wid}.why", colour=colour, lines=2),
        )
        restart = kit.button(
            f"{wid}.restart",
            _("Restart"),
            self._ask(row) if row.can_restart else None,
            icon="restart",
        )
        return kit.card(words, restart, orientation="horizontal", gap="touch", padding=(28, 4))

    def _ask(self, row: ServiceRow) -> Callable[[], None]:
        return lambda: self.app.upkeep.ask_restart(row.service)

    def footer(self, view: UpkeepView) -> list[Widget]:
        """Return the question and its answers, else what leads to the people."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        if view.asked is None:
            people = kit.button(
                "upkeep.people",
                _("Who may sign in here"),
                lambda: app.secretary.show(StaffListPlace()),
                icon="account-outline",
            )
            return [people, kit.spacer()]
        return [
            kit.fitted_text(view.question, "body", wid="upkeep.question", weight="semibold"),
            kit.button("upkeep.keep", _("Cancel"), lambda: app.upkeep.ask_restart(None)),
            kit.button(
                "upkeep.restart", _("Restart"), lambda: app.spawn(app.upkeep.restart()),
                icon="restart", style="primary", once=True,
            ),
        ]  # fmt: skip
