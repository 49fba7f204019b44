"""Screen of help by phone."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.support import SupportView
from kiosk.ui.theme import tone_colour


class SupportScreen(StaffScreen):
    """One button, then the code to read out."""

    heading = N_("Help by phone")

    def body(self, view: SupportView) -> Widget:
        """Return what is sent, the code, and whether it has arrived."""
        kit = self.kit
        parts: list[Widget] = [kit.fitted_text(view.text, "lead", wid="support.text")]
        if view.code:
            parts.append(
                kit.fitted_text(
                    view.code,
                    "title",
                    wid="support.code",
                    weight="tabular",
                    align="center",
                    factor=2.0,
                    lines=1,
                )
            )
        if view.state:
            colour = tone_colour(view.tone, "quiet")
            parts.append(kit.fitted_text(view.state, "body", wid="support.state", colour=colour))
        return kit.column(kit.card(*parts, gap=10), padding=(40, 24))

    def footer(self, view: SupportView) -> list[Widget]:
        """Return the two ways."""
        kit, _ = self.kit, self.kit.translate.gettext
        drive, send = (
            self._send(to_drive) if view.can_send else None for to_drive in (True, False)
        )
        return [
            kit.button(
                "support.drive", _("Onto the stick, too"), drive, icon="usb-flash-drive-outline"
            ),
            kit.spacer(),
            kit.button("support.send", _("Send it, show a code"), send, style="primary"),
        ]

    def _send(self, to_drive: bool) -> Callable[[], None]:
        app = self.app
        return lambda: app.spawn(app.upkeep.send_support(to_drive=to_drive))
