"""The court's keys for closed parts: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kiosk.alarms import alarm_of
from kiosk.api.court_keys import CourtKeyStatus, EncryptionTest
from kiosk.clocks import parse_wall
from kiosk.locale import N_
from kiosk.ui.actions.court_key_actions import ANSWER_LENGTH, CourtKeyState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import CourtKeysPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

NAMES = {"court": N_("Key of the court"), "escrow": N_("Key of the escrow")}
SHOWN = 8
"""Characters of a key that are shown from its beginning and from its end."""


@dataclass(frozen=True)
class KeyRow:
    """One key: whose, its beginning and end, and whether it is proven."""

    name: str
    title: str
    key: str
    proof: str
    tone: Tone


@dataclass(frozen=True)
class CourtKeysView:
    """The keys, and what came of the last tap.

    Attributes:
        typed: the answer that is being typed, in groups; None: nothing is.
    """

    rows: tuple[KeyRow, ...]
    text: str
    tone: Tone
    typed: str | None
    can_act: bool
    can_answer: bool


def view(app: AppState) -> CourtKeysView:
    """Return what the screen shows."""
    context, state = app.view_context(), app.court_keys.state
    keys = state.keys
    rows: tuple[KeyRow, ...] = ()
    if keys is not None and keys.is_pinned:
        rows = (
            _row(context, "court", keys.court_key, keys.court),
            _row(context, "escrow", keys.escrow_key, keys.escrow),
        )
    text, tone = _text(context, state)
    typed = None
    if state.typed is not None:
        typed = "-".join(state.typed[n : n + 4] for n in range(0, len(state.typed), 4))
    is_idle = not state.is_working
    is_complete = len(state.typed or "") == ANSWER_LENGTH
    return CourtKeysView(rows, text, tone, typed, bool(rows) and is_idle, is_complete and is_idle)


def _row(context: ViewContext, name: str, key: str, proven: str | None) -> KeyRow:
    _ = context.translate.gettext
    short = f"{key[:SHOWN]} … {key[-SHOWN:]}" if key else ""
    moment = parse_wall(proven)
    if moment is None:
        return KeyRow(name, _(NAMES[name]), short, _("Not proven yet"), "caution")
    day = moment.astimezone(context.zone).strftime("%d.%m.%Y")
    text = _("Its holder could decrypt on {day}. It has no end.", day=day)
    return KeyRow(name, _(NAMES[name]), short, text, "good")


def _text(context: ViewContext, state: CourtKeyState) -> tuple[str, Tone]:
    """Return what came of the last tap, else what is to be done."""
    _ = context.translate.gettext
    if state.is_working or state.keys is None:
        return _("One moment…"), "plain"
    if state.problem:
        return context.alarm_text(state.problem), "caution"
    if not state.keys.is_pinned:
        return context.alarm_text("court_key_missing"), "fault"
    if state.typed is not None:
        return _("Type the 16 characters that are read out to you."), "plain"
    if state.tested is not None:
        milliseconds = round(state.tested.milliseconds)
        return _("Encrypted and read back in {n} ms: closed parts work.", n=milliseconds), "good"
    if state.files:
        files = ", ".join(state.files)
        return _("On the stick: {file}", file=files), "good"
    if state.keys.court and state.keys.escrow:
        return _("Closed parts are encrypted to both keys."), "plain"
    return alarm_of("court_key_unproven").say(context.translate), "caution"


def _state(**changes: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(CourtKeysPlace(), who=service_states.TECHNICIAN)(app)
        app.court_keys.state = CourtKeyState(**changes)

    return prepare


_KEYS = CourtKeyStatus(
    is_pinned=True,
    court=service_states.at(9, 10),
    court_key="age1qyqsz8m6tq5wzl0c4k7h3d9y2xn5g8v6r4e2w0u7s5a3f9j1k8p6t4lq7f3k",
    escrow_key="age1v9d2xn5g8m6tq5wzl0c4k7h3d9y2xn5g8v6r4e2w0u7s5a3f9j1k8p2m8h",
)
_ALL = _KEYS.model_copy(update={"escrow": service_states.at(9, 20)})
_FILES = ("kiosk-4-07-court-challenge.age", "kiosk-4-07-escrow-challenge.age")
SAMPLES: dict[str, Prepare] = {
    "court_keys": _state(keys=_KEYS),
    "court_keys-missing": _state(keys=CourtKeyStatus(is_pinned=False)),
    "court_keys-tested": _state(keys=_ALL, tested=EncryptionTest(bytes=262_144, milliseconds=4.2)),
    "court_keys-challenge": _state(keys=_KEYS, files=_FILES),
    "court_keys-answer": _state(keys=_KEYS, typed="7K3MQ2TD"),
    "court_keys-wrong": _state(keys=_KEYS, typed="7K3MQ2TDABCD2345", problem="challenge_wrong"),
}
