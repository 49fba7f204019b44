"""Screen of the second storage."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.second_storage import SecondStorageView
from kiosk.ui.theme import tone_colour


class SecondStorageScreen(StaffScreen):
    """Whether the second storage is there, and a new one after a question."""

    heading = N_("Second storage")

    def body(self, view: SecondStorageView) -> Widget:
        """Return its state, what to do, and where it is."""
        kit = self.kit
        words = [
            kit.fitted_text(
                view.text,
                "heading",
                wid="mirror.text",
                weight="semibold",
                colour=tone_colour(view.tone, "text"),
            )
        ]
        if view.remedy:
            words.append(kit.fitted_text(view.remedy, "lead", wid="mirror.remedy"))
        words.append(kit.fitted_text(view.place, "body", wid="mirror.place", colour="quiet"))
        return kit.column(kit.card(*words, gap=10), padding=(40, 24))

    def footer(self, view: SecondStorageView) -> list[Widget]:
        """Return the way to a new storage: a question first."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        if view.question:
            return [
                kit.fitted_text(view.question, "body", wid="mirror.question", weight="semibold"),
                kit.button("mirror.keep", _("Cancel"), lambda: self._ask(is_asked=False)),
                kit.button(
                    "mirror.adopt.confirm", _("Use it"), lambda: app.spawn(app.upkeep.adopt()),
                    style="primary", once=True,
                ),
            ]  # fmt: skip
        ask = (lambda: self._ask(is_asked=True)) if view.can_adopt else None
        adopt = kit.button("mirror.adopt", _("Use the storage that is there"), ask, icon="harddisk")
        return [kit.spacer(), adopt]

    def _ask(self, *, is_asked: bool) -> None:
        self.app.upkeep.ask_adoption(is_asked=is_asked)
