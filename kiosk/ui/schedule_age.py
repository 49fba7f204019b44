"""Says how old the list of hearings is."""

from __future__ import annotations

from kiosk.alarms import alarm_of
from kiosk.api.published import Schedule
from kiosk.clocks import parse_wall
from kiosk.storage.age_stamp import age_seconds
from kiosk.ui.formatting import age_text
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

STALE_HOURS = 12


def schedule_age(context: ViewContext, schedule: Schedule | None) -> tuple[str, Tone]:
    """Return the age of the list in words, and whether to worry.

    Where nobody can tell its age (the kiosk was restarted without a clock), its time is said.
    """
    _ = context.translate.gettext
    received = parse_wall(schedule.pulled_at) if schedule else None
    if schedule is None or received is None:
        return alarm_of("no_schedule").say(context.translate), "caution"
    seconds = age_seconds(schedule.pulled)
    if seconds is None:
        time = received.astimezone(context.zone).strftime("%d.%m. %H:%M")
        return _("List received {time} (clock not checked)", time=time), "caution"
    text = _("List received {age} ago", age=age_text(seconds, context.translate))
    if seconds < 90:
        text = _("List is up to date")
    return text, "caution" if seconds > STALE_HOURS * 3600 else "plain"
