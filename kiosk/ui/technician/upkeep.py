"""The services of the kiosk and their restart: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from kiosk.api.upkeep import ServiceStatus, StartReason
from kiosk.locale import N_
from kiosk.ui.actions.upkeep_actions import SERVICES, ServiceName, UpkeepState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import UpkeepPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

NAMES: dict[ServiceName, str] = {
    "recorder": N_("Recorder"),
    "sync": N_("Delivery"),
    "ui": N_("Touch screen"),
}
REASONS = {
    StartReason.BOOT: N_("started with the kiosk"),
    StartReason.TECHNICIAN: N_("restarted on this screen"),
    StartReason.STOPPED: N_("restarted by a command or an update"),
    StartReason.FAILED: N_("restarted after a failure"),
}


@dataclass(frozen=True)
class ServiceRow:
    """One service.

    Attributes:
        since: since when it runs, and its version.
        why: why it was started, and how often since the kiosk was switched on.
    """

    service: ServiceName
    name: str
    since: str
    why: str
    tone: Tone
    can_restart: bool


@dataclass(frozen=True)
class UpkeepView:
    """The services.

    Attributes:
        asked: the service whose restart awaits confirmation.
        question: what is asked then.
    """

    rows: tuple[ServiceRow, ...]
    asked: ServiceName | None
    question: str


def view(app: AppState) -> UpkeepView:
    """Return what the screen shows."""
    context, state = app.view_context(), app.upkeep.state
    rows = tuple(_row(context, state, name, app.is_clock_known) for name in SERVICES)
    question = ""
    if state.asked is not None:
        _ = context.translate.gettext
        question = _(
            "Restart “{service}”? It is back within a minute; nothing is lost.",
            service=_(NAMES[state.asked]),
        )
    return UpkeepView(rows, state.asked, question)


def _row(
    context: ViewContext, state: UpkeepState, service: ServiceName, is_clock_known: bool
) -> ServiceRow:
    _ = context.translate.gettext
    name, status = _(NAMES[service]), state.services.get(service)
    if service in state.restarting:
        return ServiceRow(service, name, _("Restarting…"), "", "accent", False)
    if service not in state.services:
        return ServiceRow(service, name, _("One moment…"), "", "plain", False)
    if status is None:
        return ServiceRow(service, name, _("It does not answer."), "", "fault", False)
    tone: Tone = "caution" if status.reason is StartReason.FAILED else "good"
    since = f"{_since(context, status, is_clock_known)} · {status.version}"
    return ServiceRow(service, name, since, _why(context, status), tone, True)


def _since(context: ViewContext, status: ServiceStatus, is_clock_known: bool) -> str:
    """Return since when it runs; for how long where no clock is known."""
    _ = context.translate.gettext
    minutes = int(status.up_seconds // 60)
    hours, minutes = divmod(minutes, 60)
    if not is_clock_known:
        return _("for {hours} h {minutes} min", hours=hours, minutes=minutes)
    began = (context.now - timedelta(seconds=status.up_seconds)).astimezone(context.zone)
    return _("since {date} {time}", date=began.strftime("%d.%m."), time=began.strftime("%H:%M"))


def _why(context: ViewContext, status: ServiceStatus) -> str:
    _ = context.translate.gettext
    reason = _(REASONS[status.reason])
    if status.starts == 1:
        return reason
    return _("{reason}; starts: {n}", reason=reason, n=status.starts)


def _services(state: UpkeepState) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(UpkeepPlace(), who=service_states.TECHNICIAN)(app)
        app.upkeep.state = state

    return prepare


def _status(hours: float, reason: StartReason, starts: int = 1) -> ServiceStatus:
    return ServiceStatus(version="0.1.0", up_seconds=hours * 3600, reason=reason, starts=starts)


_STATUSES: dict[ServiceName, ServiceStatus | None] = {
    "recorder": _status(49.5, StartReason.BOOT),
    "sync": _status(0.4, StartReason.FAILED, 12),
    "ui": _status(3.2, StartReason.STOPPED, 2),
}
SAMPLES: dict[str, Prepare] = {
    "upkeep": _services(UpkeepState(_STATUSES)),
    "upkeep-waiting": _services(UpkeepState()),
    "upkeep-asked": _services(UpkeepState(_STATUSES, asked="recorder")),
    "upkeep-restarting": _services(
        UpkeepState({**_STATUSES, "recorder": None}, restarting={"sync": 12})
    ),
}
