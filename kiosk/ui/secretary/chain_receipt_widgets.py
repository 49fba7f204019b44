"""Widgets of the chain receipt: print button, status text, picture."""

from __future__ import annotations

from io import BytesIO

from kivy.core.image import Image as CoreImage
from kivy.uix.image import Image
from kivy.uix.widget import Widget

from kiosk.alarms import alarm_of
from kiosk.ui.actions.chain_receipt_printer import ChainReceiptState
from kiosk.ui.app_state import AppState
from kiosk.ui.widgets.widget_kit import WidgetKit


def chain_receipt_button(kit: WidgetKit, app: AppState, hearing_id: str = "") -> Widget:
    """Return the button that prints the receipt of the open hearing, or of ``hearing_id``."""
    printing = app.chain_receipt.state.state == "printing"
    tap = None if printing else lambda: app.spawn(app.chain_receipt.print(hearing_id))
    return kit.button(
        "slip.print",
        kit.translate.gettext("Slip for the parties"),
        tap,
        icon="receipt-text-outline",
        max_width=360,
        once=True,
    )


def chain_receipt_status(kit: WidgetKit, slip: ChainReceiptState) -> Widget | None:
    """Return the print status as text; None: no receipt was requested."""
    _ = kit.translate.gettext
    match slip.state:
        case "printing":
            return kit.text(_("The slip is being printed…"), "body", wid="slip.text")
        case "printed":
            text = _("The slip is printed. Hand it to the parties.")
            return kit.text(text, "body", wid="slip.text", colour="good")
        case "failed":
            alarm = alarm_of(slip.code)
            text = _("The slip was not printed. The parties may photograph it here.")
            remedy = alarm.remedy(kit.translate, staff=True)
            return kit.text(f"{text} {remedy}", "body", wid="slip.text", colour="caution")
        case _:
            return None


def chain_receipt_picture(kit: WidgetKit, png: bytes) -> Widget:
    """Return the receipt as it would have been printed, with its code."""
    texture = CoreImage(BytesIO(png), ext="png").texture
    picture = Image(texture=texture, fit_mode="contain")
    return kit.card(picture, padding=4, size_hint_x=0.5)
