"""The technician's upkeep: the services, since when they run, and their restart (no Kivy)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kiosk.api.base import read_leniently
from kiosk.api.recorder_calls import ListedPeople, ListedPerson
from kiosk.api.recorder_operations import GET_STAFF
from kiosk.api.sync import GET_REPORT_DELIVERY, Delivery
from kiosk.api.upkeep import (
    ADOPT_MIRROR,
    GET_ALARM_LOG,
    GET_MIRROR,
    GET_SERVICE,
    RESTART,
    SEND_SUPPORT,
    AlarmLog,
    LoggedAlarm,
    MirrorStorage,
    ServiceStatus,
    StartReason,
    SupportBundle,
)
from kiosk.errors import KioskError
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.services.service_life import ServiceLife
from kiosk.services.upkeep import require_supervision
from kiosk.ui.registry import (
    AlarmLogPlace,
    SecondStoragePlace,
    StaffListPlace,
    StaffPlace,
    SupportPlace,
    UpkeepPlace,
)

log = logging.getLogger(__name__)
ServiceName = Literal["recorder", "sync", "ui"]
SERVICES: tuple[ServiceName, ...] = ("recorder", "sync", "ui")
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class UpkeepState:
    """What the screen of the services shows.

    Attributes:
        services: by name; None: it does not answer.
        asked: the service whose restart awaits confirmation.
        restarting: what was told to restart and has not come back, with its starts before.
        alarms: the last alarms of recorder and sync, the newest first; None: not read yet.
        mirror: what is in the place of the second storage; None: not known.
        is_adoption_asked: whether to adopt it is being asked.
        people: who may sign in with a PIN; None: not known.
        support: the support bundle that was made on this visit of the screen.
        is_support_sent: whether the central system has it.
        is_support_made: whether it is being made.
    """

    services: dict[ServiceName, ServiceStatus | None] = field(default_factory=dict)
    asked: ServiceName | None = None
    restarting: dict[ServiceName, int] = field(default_factory=dict)
    alarms: tuple[LoggedAlarm, ...] | None = None
    mirror: MirrorStorage | None = None
    is_adoption_asked: bool = False
    people: tuple[ListedPerson, ...] | None = None
    support: SupportBundle | None = None
    is_support_sent: bool = False
    is_support_made: bool = False


class UpkeepActions:
    """What a tap on the technician's upkeep does.

    Args:
        recorder, sync: the services; the recorder's client holds the technician's token.
        life: of the touch screen's own process.
        screen_refusal: code of why the screen must not end now; empty: it may.
        on_change: called after every change.
        on_error: called with an error's code.

    Attributes:
        end_screen: ends the touch screen's process in order.
    """

    def __init__(
        self,
        recorder: LocalClient,
        sync: LocalClient,
        life: ServiceLife,
        screen_refusal: Callable[[], str],
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        self._recorder, self._sync, self._life = recorder, sync, life
        self._screen_refusal = screen_refusal
        self._notify_change, self._report_error = on_change, on_error
        self.state = UpkeepState()
        self.end_screen: Callable[[], None] = lambda: None

    async def poll(self, place: Callable[[], StaffPlace | None]) -> None:
        """Ask the services for what the screen of ``place`` shows; None: nobody is there."""
        while True:
            match place():
                case UpkeepPlace():
                    await self.refresh()
                case AlarmLogPlace():
                    await self.refresh_alarms()
                case SecondStoragePlace():
                    await self.refresh_mirror()
                case SupportPlace():
                    await self.refresh_support()
                case StaffListPlace():
                    await self.refresh_people()
                case _ if self.state != UpkeepState():
                    self.state = UpkeepState()
            await asyncio.sleep(POLL_SECONDS)

    async def refresh(self) -> None:
        """Ask each service once."""
        recorder, sync = await asyncio.gather(_ask(self._recorder), _ask(self._sync))
        services: dict[ServiceName, ServiceStatus | None] = {
            "recorder": recorder,
            "sync": sync,
            "ui": self._life.status(),
        }
        waiting = {
            name: starts
            for name, starts in self.state.restarting.items()
            if (status := services[name]) is None or status.starts <= starts
        }
        self._set(services=services, restarting=waiting)

    async def refresh_alarms(self) -> None:
        """Read the last alarms of recorder and sync."""
        logs = await asyncio.gather(_alarms(self._recorder), _alarms(self._sync))
        rows = sorted((row for rows in logs for row in rows), key=_order, reverse=True)
        self._set(alarms=tuple(rows))

    async def refresh_people(self) -> None:
        """Ask the recorder who may sign in with a PIN."""
        try:
            answer = await self._recorder.get(GET_STAFF.path)
            people = read_leniently(ListedPeople, answer)[0].people
        except (KioskError, ValueError):
            return
        if people != self.state.people:
            self._set(people=people)

    async def refresh_mirror(self) -> None:
        """Ask what is in the place of the second storage."""
        try:
            answer = await self._recorder.get(GET_MIRROR.path)
            found = read_leniently(MirrorStorage, answer)[0]
        except (KioskError, ValueError):
            found = None
        self._set(mirror=found)

    def ask_adoption(self, *, is_asked: bool) -> None:
        """Ask whether to adopt what is there, or withdraw the question."""
        self._set(is_adoption_asked=is_asked)

    async def adopt(self) -> None:
        """Make what is there the second storage; whose it was has been said in the question."""
        kiosk = self.state.mirror.kiosk if self.state.mirror else ""
        self._set(is_adoption_asked=False)
        try:
            await self._recorder.post(ADOPT_MIRROR.path, {"kiosk": kiosk})
        except ServiceRefusedError as error:
            self._report_error(error.code)
        except KioskError:
            self._report_error("recorder_down")
        await self.refresh_mirror()

    async def send_support(self, *, to_drive: bool) -> None:
        """Have the support bundle made; also onto the removable drive."""
        if self.state.is_support_made:
            return
        self._set(is_support_made=True)
        try:
            answer = await self._recorder.post(SEND_SUPPORT.path, {"to_drive": to_drive}, 30.0)
            self._set(support=SupportBundle.model_validate(answer), is_support_sent=False)
        except ServiceRefusedError as error:
            self._report_error(error.code)
        except (KioskError, ValueError):
            self._report_error("recorder_down")
        finally:
            self._set(is_support_made=False)

    async def refresh_support(self) -> None:
        """Ask sync whether the bundle has arrived."""
        support = self.state.support
        if support is None or self.state.is_support_sent:
            return
        try:
            path = GET_REPORT_DELIVERY.path.replace("{id}", support.report)
            delivery = read_leniently(Delivery, await self._sync.get(path, 3.0))[0]
        except (KioskError, ValueError):
            return
        self._set(is_support_sent=delivery.state == "delivered")

    def ask_restart(self, name: ServiceName | None) -> None:
        """Ask whether to restart ``name``; None: withdraw the question."""
        self._set(asked=name)

    async def restart(self) -> None:
        """Restart the service that was asked about."""
        name = self.state.asked
        self._set(asked=None)
        if name == "ui":
            self.restart_screen()
        elif name is not None and await self._post_restart(name):
            status = self.state.services.get(name)
            starts = status.starts if status else 0
            self._set(restarting={**self.state.restarting, name: starts})

    async def take_settings(self) -> None:
        """Restart delivery and screen, so that they take new settings."""
        await self._post_restart("sync")  # one that is down takes them at its next start
        self.restart_screen()

    def restart_screen(self) -> None:
        """End this process; systemd starts it again.

        Raises:
            RestartRefusedError: nobody would start it again.
        """
        require_supervision()
        if code := self._screen_refusal():
            self._report_error(code)
            return
        self._life.end_reason = StartReason.TECHNICIAN
        self.end_screen()

    async def _post_restart(self, name: ServiceName) -> bool:
        """Tell a service to restart; return whether it will."""
        client = self._recorder if name == "recorder" else self._sync
        self._sync.token = self._recorder.token
        try:
            await client.post(RESTART.path)
        except ServiceRefusedError as error:
            self._report_error(error.code)
            return False
        except KioskError:
            self._report_error("recorder_down" if name == "recorder" else "service_down")
            return False
        finally:
            self._sync.token = None
        return True

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()


async def _alarms(client: LocalClient) -> tuple[LoggedAlarm, ...]:
    """Return the last alarms of a service; none where it does not answer."""
    try:
        return read_leniently(AlarmLog, await client.get(GET_ALARM_LOG.path))[0].alarms
    except (KioskError, ValueError) as error:
        log.debug("no answer: %s", error)
        return ()


def _order(alarm: LoggedAlarm) -> tuple[bool, str]:
    """Return by what alarms are ordered: those that last, then the newest."""
    return alarm.lasts, alarm.began


async def _ask(client: LocalClient) -> ServiceStatus | None:
    """Return what a service says of itself; None: nothing."""
    try:
        return read_leniently(ServiceStatus, await client.get(GET_SERVICE.path, 2.0))[0]
    except (KioskError, ValueError) as error:
        log.debug("no answer: %s", error)
        return None
