"""View of sealing and delivery (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.alarms import alarm_of
from kiosk.ui.formatting import size_text
from kiosk.ui.secretary.hearing.recording import tone_of
from kiosk.ui.service_models import (
    Delivery,
)
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext


@dataclass(frozen=True)
class DeliveryView:
    """After the end: sealing, then the way to the central system."""

    case_number: str
    sealing: bool
    sealed_text: str
    delivery_text: str
    delivery_tone: Tone
    done: bool
    fraction: float | None
    hearing_id: str = ""


def delivery_view(
    context: ViewContext,
    case_number: str,
    *,
    sealing: bool,
    delivery: Delivery | None,
    online: bool,
    hearing_id: str = "",
) -> DeliveryView:
    """Return the view of sealing and delivery after the end of a hearing."""
    _ = context.translate.gettext
    text, tone, fraction = _("Waiting for delivery"), "plain", None
    state = delivery.state if delivery else "queued"
    if state == "delivered" and delivery and delivery.central_sha256_match is False:
        text, tone = alarm_of("hash_mismatch").say(context.translate), "fault"
    elif state == "delivered":
        text, tone = _("Delivered. The central system's own check matches."), "good"
    elif state == "failed":
        text, tone = alarm_of("delivery_failed").say(context.translate), "caution"
    elif state == "sending" and delivery and delivery.bytes_total:
        fraction = min(1.0, delivery.bytes_done / delivery.bytes_total)
        done, total = (
            size_text(delivery.bytes_done, context.translate),
            size_text(delivery.bytes_total, context.translate),
        )
        text = _("Being delivered: {done} of {total}", done=done, total=total)
    elif not online:
        text, tone = _("No connection. It is delivered by itself as soon as it is back."), "caution"
    return DeliveryView(
        case_number=case_number or _("No case number"),
        sealing=sealing,
        sealed_text=_("The recording is being sealed…")
        if sealing
        else _("The recording is sealed."),
        delivery_text="" if sealing else text,
        delivery_tone="good" if tone == "good" else tone_of(tone),
        done=not sealing,
        fraction=None if sealing else fraction,
        hearing_id=hearing_id,
    )
