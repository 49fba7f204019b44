"""Screen after the end of a hearing: sealing, then delivery to the central system."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.secretary.chain_receipt_widgets import (
    chain_receipt_button,
    chain_receipt_or_icon,
    chain_receipt_status,
)
from kiosk.ui.secretary.sealed_hearing.delivery import DeliveryView
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.theme import tone_colour
from kiosk.ui.widgets.indicators import Meter


class DeliveryScreen(StaffScreen):
    """After the end: sealing, delivery, done."""

    def title(self, view: DeliveryView) -> tuple[str, str]:
        """Return the case number."""
        return view.case_number, ""

    def body_key(self, view: DeliveryView) -> Any:
        """Return what the body depends on: also the chain receipt."""
        return (view, self.app.chain_receipt.state)

    footer_key = body_key

    def body(self, view: DeliveryView) -> Widget:
        """Return what has happened and what is happening."""
        kit, _, receipt = self.kit, self.kit.translate.gettext, self.app.chain_receipt.state
        good = view.delivery_tone == "good"
        name = "timer-sand" if view.sealing else "cloud-check-outline" if good else "lock"
        icon = kit.icon(name, 130, "good" if good else "tint_text")
        sealed = "sealing.text" if view.sealing else "sealed.text"
        words: list[Widget] = [kit.text(view.sealed_text, "title", wid=sealed, weight="semibold")]
        if view.delivery_text:
            colour = tone_colour(view.delivery_tone, "text")
            words.append(kit.text(view.delivery_text, "lead", wid="delivery.text", colour=colour))
        if view.fraction is not None:
            bar = Meter(kit, 22)
            bar.fill(view.fraction)
            words.append(bar)
        if not view.sealing and not good:
            words.append(kit.text(_("You need not wait: it goes on by itself."), colour="quiet"))
        words += chain_receipt_status(kit, receipt)
        picture = chain_receipt_or_icon(kit, receipt, icon, "good" if good else "accent", 0.34)
        column = kit.column(kit.spacer(), *words, kit.spacer(), gap=18)
        return kit.row(picture, column, gap=44, padding=(60, 60))

    def footer(self, view: DeliveryView) -> list[Widget]:
        """Return the chain receipt and done."""
        kit, app = self.kit, self.app

        def leave() -> None:
            app.chain_receipt.clear()
            app.secretary.show_today()

        done = kit.button(
            "sealed.done",
            kit.translate.gettext("Done"),
            None if view.sealing else leave,
            style="primary",
            kind="lead",
        )
        if view.sealing:
            return [kit.spacer(), done]
        minutes = kit.button(
            "sealed.minutes",
            kit.translate.gettext("Minutes"),
            lambda: app.minutes_desk.open(view.hearing_id),
            icon="pencil",
        )
        quality = kit.button(
            "sealed.quality",
            kit.translate.gettext("Quality of the recording"),
            lambda: app.open_quality(view.hearing_id),
            icon="headphones",
            max_width=330,
        )
        receipt = chain_receipt_button(kit, app, view.hearing_id)
        return [receipt, minutes, quality, kit.spacer(), done]
