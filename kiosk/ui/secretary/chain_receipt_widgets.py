"""Widgets of the chain receipt: print button, state of printing, picture."""

from __future__ import annotations

from io import BytesIO

from kivy.core.image import Image as CoreImage
from kivy.uix.image import Image
from kivy.uix.widget import Widget

from kiosk.alarms import alarm_of
from kiosk.ui.actions.chain_receipt_printer import ChainReceiptState
from kiosk.ui.app_state import AppState
from kiosk.ui.theme import Tone
from kiosk.ui.widgets.widget_kit import WidgetKit


def chain_receipt_button(kit: WidgetKit, app: AppState, hearing_id: str = "") -> Widget:
    """Return the button that prints the receipt of the open hearing, or of ``hearing_id``."""
    printing = app.chain_receipt.state.state == "printing"
    tap = None if printing else lambda: app.spawn(app.chain_receipt.print(hearing_id))
    text = kit.translate.gettext("Slip for the parties")
    return kit.button(
        "slip.print", text, tap, icon="receipt-text-outline", max_width=360, once=True
    )


def chain_receipt_status(kit: WidgetKit, receipt: ChainReceiptState) -> list[Widget]:
    """Return the state of printing as text; nothing when no receipt was requested."""
    _ = kit.translate.gettext
    match receipt.state:
        case "printing":
            text, colour = _("The slip is being printed…"), "text"
        case "printed":
            text, colour = _("The slip is printed. Hand it to the parties."), "good"
        case "failed":
            remedy = alarm_of(receipt.code).remedy(kit.translate, staff=True)
            text = _("The slip was not printed. The parties may photograph it here.")
            text, colour = f"{text} {remedy}", "caution"
        case _:
            return []
    return [kit.text(text, "body", wid="slip.text", colour=colour)]


def chain_receipt_or_icon(
    kit: WidgetKit, receipt: ChainReceiptState, icon: Widget, tone: Tone, width: float
) -> Widget:
    """Return the receipt as it would have been printed, with its code; else a card with ``icon``.

    Args:
        width: share of the screen that the card takes.
    """
    if not receipt.picture:
        return kit.card(kit.centred(icon), tone=tone, size_hint_x=width)
    texture = CoreImage(BytesIO(receipt.picture), ext="png").texture
    return kit.card(Image(texture=texture, fit_mode="contain"), padding=4, size_hint_x=0.5)
