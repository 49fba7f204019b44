"""The second storage and its adoption: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kiosk.alarms import alarm_of
from kiosk.api.upkeep import MirrorStorage
from kiosk.ui.actions.upkeep_actions import UpkeepState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import SecondStoragePlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

_ALARMS = {
    "off": "mirror_off",
    "absent": "mirror_absent",
    "foreign": "mirror_foreign",
    "read_only": "mirror_failed",
    "failed": "mirror_failed",
}


@dataclass(frozen=True)
class SecondStorageView:
    """The second storage.

    Attributes:
        place: where it is mounted, and its space.
        question: what is asked before it is adopted; empty: nothing.
    """

    text: str
    tone: Tone
    remedy: str
    place: str
    can_adopt: bool
    question: str


def view(app: AppState) -> SecondStorageView:
    """Return what the screen shows."""
    context, state = app.view_context(), app.upkeep.state
    _, mirror = context.translate.gettext, state.mirror
    if mirror is None:
        return SecondStorageView(_("One moment…"), "plain", "", "", False, "")
    place = _place(context, mirror)
    if mirror.state == "ok":
        text = _("The second storage is there; every hearing is copied to it.")
        return SecondStorageView(text, "good", "", place, False, "")
    alarm = alarm_of(_ALARMS[mirror.state])
    question = _question(context, mirror) if state.is_adoption_asked else ""
    return SecondStorageView(
        alarm.say(context.translate),
        "plain" if mirror.state == "off" else "caution",
        alarm.remedy(context.translate, staff=True),
        place,
        mirror.state == "foreign",
        question,
    )


def _question(context: ViewContext, mirror: MirrorStorage) -> str:
    _ = context.translate.gettext
    if mirror.kiosk:
        return _(
            "This storage belongs to {kiosk}. Take it over? What is on it stays.",
            kiosk=mirror.kiosk,
        )
    return _("Nothing marks this storage. Make it the second one? What is on it stays.")


def _place(context: ViewContext, mirror: MirrorStorage) -> str:
    _ = context.translate.gettext
    if mirror.free_bytes is None or mirror.total_bytes is None:
        return mirror.folder
    free, total = round(mirror.free_bytes / 1e9), round(mirror.total_bytes / 1e9)
    space = _("{free} of {total} GB free", free=free, total=total)
    return f"{mirror.folder} · {space}"


def _storage(*, is_asked: bool = False, **mirror: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(SecondStoragePlace(), who=service_states.TECHNICIAN)(app)
        found = MirrorStorage.model_validate({"folder": "/media/kiosk-mirror", **mirror})
        app.upkeep.state = UpkeepState(mirror=found, is_adoption_asked=is_asked)

    return prepare


_SPACE: dict[str, Any] = {"free_bytes": 412 * 10**9, "total_bytes": 500 * 10**9}
SAMPLES: dict[str, Prepare] = {
    "second_storage": _storage(state="ok", kiosk="kiosk-4-07", **_SPACE),
    "second_storage-off": _storage(folder="", state="off"),
    "second_storage-absent": _storage(state="absent"),
    "second_storage-foreign": _storage(state="foreign", kiosk="kiosk-4-08", **_SPACE),
    "second_storage-asked": _storage(is_asked=True, state="foreign", kiosk="kiosk-4-08", **_SPACE),
    "second_storage-new": _storage(is_asked=True, state="foreign", **_SPACE),
}
