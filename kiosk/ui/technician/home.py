"""The technician's first screen: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.alarms import alarm_of, name_source
from kiosk.locale import N_
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import (
    AlarmLogPlace,
    CameraPlace,
    CommissioningPlace,
    CourtKeysPlace,
    PaperPlace,
    SecondStoragePlace,
    SelfTestPlace,
    SupportPlace,
    TechnicianHomePlace,
    TechnicianPlace,
    UpkeepPlace,
)
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at


@dataclass(frozen=True)
class Tile:
    """One entry; its words are message ids.

    Attributes:
        name: of its button, ``tech.open.<name>``.
    """

    name: str
    icon: str
    title: str
    text: str
    place: TechnicianPlace


TILES = (
    Tile(
        "commissioning",
        "microphone",
        N_("Set up the room"),
        N_("Devices and seats"),
        CommissioningPlace(),
    ),
    Tile(
        "self_test",
        "check-decagram",
        N_("Self-test"),
        N_("Test every device and service"),
        SelfTestPlace(),
    ),
    Tile(
        "camera",
        "video-outline",
        N_("Camera"),
        N_("Picture, focus, part of the room"),
        CameraPlace(),
    ),
    Tile(
        "upkeep",
        "wrench-outline",
        N_("Upkeep"),
        N_("Services and their restart"),
        UpkeepPlace(),
    ),
    Tile(
        "alarm_log",
        "bell-ring-outline",
        N_("Last alarms"),
        N_("What was, when, and what to do"),
        AlarmLogPlace(),
    ),
    Tile(
        "second_storage",
        "harddisk",
        N_("Second storage"),
        N_("Its state, and a new one"),
        SecondStoragePlace(),
    ),
    Tile(
        "court_keys",
        "key-variant",
        N_("Court keys"),
        N_("Try and prove them"),
        CourtKeysPlace(),
    ),
    Tile(
        "paper",
        "printer-outline",
        N_("Receipt printer"),
        N_("Paper and a test print"),
        PaperPlace(),
    ),
    Tile(
        "support",
        "help-circle-outline",
        N_("Help by phone"),
        N_("A code for the support"),
        SupportPlace(),
    ),
)
"""What the screen offers, in this order."""


@dataclass(frozen=True)
class TileRow:
    """One entry in the language of the screen."""

    tile: Tile
    title: str
    text: str


@dataclass(frozen=True)
class TechnicianHomeView:
    """The entries, and what is wrong with the kiosk now."""

    rows: tuple[TileRow, ...]
    alarms: tuple[str, ...]
    text: str


def view(app: AppState) -> TechnicianHomeView:
    """Return what the screen shows."""
    context = app.view_context()
    _ = context.translate.gettext
    rows = tuple(TileRow(tile, _(tile.title), _(tile.text)) for tile in TILES)
    recorder, sync = app.shown_recorder_state, app.sync_state
    names = {m.name: context.role_label(m) for m in recorder.microphones}
    texts = tuple(
        alarm_of(alarm.code).say(context.translate, name_source(alarm.source or "", names))
        for alarm in (*recorder.alarms, *(sync.alarms if sync else ()))
    )
    return TechnicianHomeView(rows, texts, "" if texts else _("Nothing is wrong now."))


SAMPLES: dict[str, Prepare] = {
    "technician_home": staff_at(TechnicianHomePlace(), who=service_states.TECHNICIAN),
    "technician_home-alarms": staff_at(
        TechnicianHomePlace(),
        service_states.recorder(
            alarms=[
                {"code": code, "source": source, "since": service_states.ago(6)}
                for code, source in (
                    ("disk_low", None),
                    ("microphone_muted", "witness"),
                    ("court_key_unproven", None),
                    ("staff_list_ends_soon", None),
                )
            ]
        ),
        who=service_states.TECHNICIAN,
    ),
}
