"""Screen after the end of a hearing: sealing, then delivery to the central system."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.secretary.chain_receipt_widgets import (
    chain_receipt_button,
    chain_receipt_picture,
    chain_receipt_status,
)
from kiosk.ui.secretary.sealed_hearing.delivery import DeliveryView
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.theme import Tone
from kiosk.ui.widgets.indicators import Meter


class DeliveryScreen(StaffScreen):
    """After the end: sealing, delivery, done."""

    def title(self, view: DeliveryView) -> tuple[str, str]:
        """Return the case number."""
        return view.case_number, ""

    def body_key(self, view: DeliveryView) -> Any:
        """The body depends on the view and the chain receipt."""
        return (view, self.app.chain_receipt.state)

    def footer_key(self, view: DeliveryView) -> Any:
        """The footer depends on the view and the chain receipt."""
        return (view, self.app.chain_receipt.state)

    def body(self, view: DeliveryView) -> Widget:
        """Return what has happened and what is happening."""
        kit, _ = self.kit, self.kit.translate.gettext
        good = view.delivery_tone == "good"
        icon = "timer-sand" if view.sealing else "cloud-check-outline" if good else "lock"
        tone: Tone = "good" if good else "accent"
        colour = "good" if good else "tint_text"
        slip = self.app.chain_receipt.state
        picture = (
            chain_receipt_picture(kit, slip.picture)
            if slip.picture
            else kit.card(kit.centred(kit.icon(icon, 130, colour)), tone=tone, size_hint_x=0.34)
        )
        sealed = "sealing.text" if view.sealing else "sealed.text"
        words: list[Widget] = [
            kit.spacer(),
            kit.text(view.sealed_text, "title", wid=sealed, weight="semibold"),
        ]
        if view.delivery_text:
            words.append(
                kit.text(
                    view.delivery_text, "lead", wid="delivery.text",
                    colour={"good": "good", "caution": "caution", "fault": "fault"}.get(
                        view.delivery_tone, "text"
                    ),
                )
            )  # fmt: skip
        if view.fraction is not None:
            bar = Meter(kit, 22)
            bar.fill(view.fraction)
            words.append(bar)
        if not view.sealing and not good:
            words.append(kit.text(_("You need not wait: it goes on by itself."), colour="quiet"))
        told = chain_receipt_status(kit, slip)
        if told:
            words.append(told)
        words.append(kit.spacer())
        return kit.row(picture, kit.column(*words, gap=18), gap=44, padding=(60, 60))

    def footer(self, view: DeliveryView) -> list[Widget]:
        """Return done."""
        from kiosk.ui.registry import TodayPlace

        kit, _, app = self.kit, self.kit.translate.gettext, self.app

        def leave() -> None:
            app.chain_receipt.clear()
            app.secretary.show(TodayPlace())

        done = leave if view.done else None
        return [
            *([chain_receipt_button(kit, app, view.hearing_id)] if view.done else []),
            kit.spacer(),
            kit.button("sealed.done", _("Done"), done, style="primary", kind="lead"),
        ]
