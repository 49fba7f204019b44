"""The last alarms of the kiosk: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.alarms import Severity, alarm_of, name_source
from kiosk.api.upkeep import LoggedAlarm
from kiosk.clocks import parse_wall
from kiosk.ui.actions.upkeep_actions import UpkeepState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import AlarmLogPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

_TONES: dict[Severity, Tone] = {
    Severity.FAULT: "fault",
    Severity.WARNING: "caution",
    Severity.NOTICE: "accent",
}


@dataclass(frozen=True)
class AlarmRow:
    """One alarm: what it meant, when, and what to do."""

    sentence: str
    time: str
    remedy: str
    tone: Tone


@dataclass(frozen=True)
class AlarmLogView:
    """The alarms, and the page that is shown, from 0; ``text`` is said in place of none."""

    rows: tuple[AlarmRow, ...]
    page: int
    text: str


def view(app: AppState) -> AlarmLogView:
    """Return what the screen shows."""
    context, alarms, place = app.view_context(), app.upkeep.state.alarms, app.secretary.place
    page = place.page if isinstance(place, AlarmLogPlace) else 0
    _ = context.translate.gettext
    if alarms is None:
        return AlarmLogView((), 0, _("One moment…"))
    names = {m.name: context.role_label(m) for m in app.shown_recorder_state.microphones}
    rows = tuple(_row(context, row, name_source(row.source or "", names)) for row in alarms)
    return AlarmLogView(rows, page, "" if rows else _("No alarm is known."))


def _row(context: ViewContext, row: LoggedAlarm, source: str) -> AlarmRow:
    alarm = alarm_of(row.code)
    return AlarmRow(
        alarm.say(context.translate, source),
        _times(context, row),
        alarm.remedy(context.translate, staff=True),
        _TONES[alarm.severity] if row.lasts else "plain",
    )


def _times(context: ViewContext, row: LoggedAlarm) -> str:
    """Return begin and end; a time that no clock vouches for is marked."""
    _ = context.translate.gettext
    began = _moment(context, row.began)
    if not row.is_clock_trusted:
        began = _("{time} (clock not checked)", time=began)
    if row.lasts:
        return _("since {time}; it lasts", time=began)
    ended = _moment(context, row.ended) if row.ended else _("not known")
    return _("{began} to {ended}", began=began, ended=ended)


def _moment(context: ViewContext, text: str) -> str:
    moment = parse_wall(text)
    return moment.astimezone(context.zone).strftime("%d.%m. %H:%M") if moment else "–"


def _alarms(*rows: LoggedAlarm, page: int = 0) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(AlarmLogPlace(page), who=service_states.TECHNICIAN)(app)
        app.upkeep.state = UpkeepState(alarms=rows)

    return prepare


_ROWS = (
    LoggedAlarm(code="disk_low", began=service_states.at(8, 2), lasts=True),
    LoggedAlarm(
        code="microphone_muted",
        source="witness",
        began=service_states.at(8, 40),
        ended=service_states.at(8, 52),
    ),
    LoggedAlarm(code="supply_weak", began=service_states.at(7, 1), is_clock_trusted=False),
    LoggedAlarm(code="central_unreachable", began=service_states.at(6, 0)),
)
SAMPLES: dict[str, Prepare] = {
    "alarm_log": _alarms(*_ROWS),
    "alarm_log-many": _alarms(*_ROWS * 5, page=1),
    "alarm_log-none": _alarms(),
}
