"""The slip for the parties on a screen: its button, what became of it, and its picture."""

from __future__ import annotations

from io import BytesIO

from kivy.core.image import Image as CoreImage
from kivy.uix.image import Image
from kivy.uix.widget import Widget

from kiosk.alarms import alarm_of
from kiosk.ui.desk import Desk
from kiosk.ui.secretary.slips import SlipState
from kiosk.ui.widgets.kit import Kit


def slip_button(kit: Kit, desk: Desk, hearing_id: str = "") -> Widget:
    """Return the button that prints the slip of the open hearing, or of ``hearing_id``."""
    printing = desk.slips.state.state == "printing"
    tap = None if printing else lambda: desk.do(desk.slips.print(hearing_id))
    return kit.button(
        "slip.print", kit.say.gettext("Slip for the parties"), tap, icon="receipt-text-outline",
        most=360, once=True,
    )  # fmt: skip


def slip_word(kit: Kit, slip: SlipState) -> Widget | None:
    """Return what became of the slip, in words; None: none was asked for."""
    _ = kit.say.gettext
    match slip.state:
        case "printing":
            return kit.text(_("The slip is being printed…"), "body", wid="slip.text")
        case "printed":
            text = _("The slip is printed. Hand it to the parties.")
            return kit.text(text, "body", wid="slip.text", colour="good")
        case "failed":
            alarm = alarm_of(slip.code)
            text = _("The slip was not printed. The parties may photograph it here.")
            remedy = alarm.remedy(kit.say, staff=True)
            return kit.text(f"{text} {remedy}", "body", wid="slip.text", colour="caution")
        case _:
            return None


def slip_picture(kit: Kit, png: bytes) -> Widget:
    """Return the slip as it would have been printed, with its code."""
    texture = CoreImage(BytesIO(png), ext="png").texture
    picture = Image(texture=texture, fit_mode="contain")
    return kit.card(picture, padding=4, size_hint_x=0.5)
