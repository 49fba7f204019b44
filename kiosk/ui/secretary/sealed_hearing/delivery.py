"""Sealing and delivery after the end of a hearing: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.alarms import alarm_of
from kiosk.api.sync import Delivery
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import size_text
from kiosk.ui.registry import DeliveryPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext


@dataclass(frozen=True)
class DeliveryView:
    """After the end: sealing, then the way to the central system."""

    case_number: str
    sealing: bool
    sealed_text: str
    delivery_text: str = ""
    delivery_tone: Tone = "plain"
    fraction: float | None = None
    hearing_id: str = ""


def view(app: AppState) -> DeliveryView:
    """Return what the screen shows: of the hearing that is being sealed, or has just ended."""
    place, recorder = app.secretary.place, app.recorder_state
    hearing = recorder.hearing if recorder else None
    if isinstance(place, DeliveryPlace):
        hearing_id, number = place.hearing_id, place.case_number
    else:
        hearing_id, number = "", ""
    hearing_id = hearing_id or (hearing.id if hearing else "")
    number = number or (hearing.case_number if hearing else None) or ""
    if recorder and recorder.phase == "sealing":
        return sealing_view(app.view_context(), number, hearing_id)
    delivery = app.secretary.deliveries.get(hearing_id, Delivery())
    online = bool(app.sync_state and app.sync_state.link.state == "up")
    return delivery_view(app.view_context(), number, hearing_id, delivery, online=online)


def sealing_view(context: ViewContext, case_number: str, hearing_id: str) -> DeliveryView:
    """Return the view of a hearing that is being sealed."""
    _ = context.translate.gettext
    number = case_number or _("No case number")
    return DeliveryView(number, True, _("The recording is being sealed…"), hearing_id=hearing_id)


def delivery_view(
    context: ViewContext, case_number: str, hearing_id: str, delivery: Delivery, *, online: bool
) -> DeliveryView:
    """Return the view of the delivery of a sealed hearing."""
    _ = context.translate.gettext
    text, tone, fraction = _delivery(context, delivery, online)
    number = case_number or _("No case number")
    sealed = _("The recording is sealed.")
    return DeliveryView(number, False, sealed, text, tone, fraction, hearing_id)


def _delivery(
    context: ViewContext, delivery: Delivery, online: bool
) -> tuple[str, Tone, float | None]:
    """Return what is said of a delivery, its tone, and the fraction that is done."""
    _ = context.translate.gettext
    match delivery.state:
        case "delivered" if delivery.central_sha256_match is False:
            return alarm_of("hash_mismatch").say(context.translate), "fault", None
        case "delivered":
            return _("Delivered. The central system's own check matches."), "good", None
        case "failed":
            return alarm_of("delivery_failed").say(context.translate), "caution", None
        case "sending" if delivery.bytes_total:
            done = size_text(delivery.bytes_done, context.translate)
            total = size_text(delivery.bytes_total, context.translate)
            text = _("Being delivered: {done} of {total}", done=done, total=total)
            return text, "plain", min(1.0, delivery.bytes_done / delivery.bytes_total)
        case _ if online:
            return _("Waiting for delivery"), "plain", None
        case _:
            text = _("No connection. It is delivered by itself as soon as it is back.")
            return text, "caution", None


# -- samples -------------------------------------------------------------------------------------


def _delivery_of(delivery: Delivery, link: str = "up") -> Prepare:
    return staff_at(
        DeliveryPlace("h1", "7514-26-00-2/4511"),
        sync=service_states.sync(link),
        deliveries={"h1": delivery},
    )


SAMPLES: dict[str, Prepare] = {
    "delivery-waiting": _delivery_of(Delivery(), "down"),
    "delivery-sending": _delivery_of(
        Delivery(state="sending", bytes_done=18_400_000, bytes_total=61_000_000)
    ),
    "delivery-delivered": _delivery_of(Delivery(state="delivered", central_sha256_match=True)),
    "delivery-mismatch": _delivery_of(Delivery(state="delivered", central_sha256_match=False)),
}
