"""The technician's camera: view and samples (no Kivy)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kiosk.api.camera import Ability, CameraDetails, CameraPicture, HeldPicture
from kiosk.api.states import CameraState
from kiosk.locale import N_
from kiosk.ui.actions.camera_actions import MOST_EV, ZOOMS, CameraScreenState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import CameraPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

ABILITY_NAMES: dict[Ability, str] = {
    "focus": N_("the focus"),
    "flicker": N_("the flicker of lamps"),
    "exposure": N_("the brightness"),
    "zoom": N_("the part of the room"),
    "rotation": N_("the rotation"),
    "rate": N_("the pictures a second"),
}
FOCUS_WORDS = {
    "idle": N_("Focus: held"),
    "scanning": N_("Focus: being looked for…"),
    "focused": N_("Focus: found"),
    "failed": N_("Focus: not found. Is there light, and nothing close to the camera?"),
}


@dataclass(frozen=True)
class CameraView:
    """The camera's picture and what can be done about it.

    Attributes:
        message: in place of the picture; empty: it is shown.
        lines: what holds, and what this camera cannot do.
        can_zoom_in, can_zoom_out, can_move, can_focus, can_hold, can_rotate, can_brighten,
            can_darken, can_flicker: what can be tapped.
        is_focus_held: the focus is fixed.
        flicker: the frequency of the mains.
        kept: whether what is seen is kept.
        is_in_steps: it leads back to the steps in which the room is set up.
    """

    message: str
    lines: tuple[str, ...]
    tone: Tone
    can_focus: bool
    can_hold: bool
    is_focus_held: bool
    can_rotate: bool
    is_turned: bool
    is_mirrored: bool
    can_zoom_in: bool
    can_zoom_out: bool
    can_move: bool
    can_darken: bool
    can_brighten: bool
    can_flicker: bool
    flicker: str
    is_changed: bool
    kept: str
    is_in_steps: bool = False


def view(app: AppState) -> CameraView:
    """Return what the screen shows."""
    context, state = app.view_context(), app.camera.state
    details = state.details
    _ = context.translate.gettext
    picture = details.picture if details else CameraPicture()
    cannot = details.cannot if details else tuple(ABILITY_NAMES)
    zoom, can_expose = "zoom" not in cannot, "exposure" not in cannot
    is_automatic = picture.exposure != "fixed"
    lines, tone = _lines(context, details) if details else ((), "plain")
    hertz = picture.flicker_hz
    kept = _("Not kept yet") if state.is_changed else _("This is kept.") if details else ""
    return CameraView(
        message=_message(context, state),
        lines=lines,
        tone=tone,
        can_focus="focus" not in cannot,
        can_hold="focus" not in cannot
        and bool(details and details.holds.focus_dioptres is not None),
        is_focus_held=picture.focus == "fixed",
        can_rotate="rotation" not in cannot,
        is_turned=picture.rotation == 180,
        is_mirrored=picture.mirror,
        can_zoom_in=zoom and picture.zoom < ZOOMS[-1],
        can_zoom_out=zoom and picture.zoom > 1,
        can_move=zoom and picture.zoom > 1,
        can_darken=can_expose and is_automatic and picture.brightness_ev > -MOST_EV,
        can_brighten=can_expose and is_automatic and picture.brightness_ev < MOST_EV,
        can_flicker="flicker" not in cannot,
        flicker=_("Lamps {n} Hz", n=hertz) if hertz else _("Daylight"),
        is_changed=state.is_changed,
        kept=kept,
        is_in_steps=_is_in_steps(app),
    )


def _is_in_steps(app: AppState) -> bool:
    place = app.secretary.place
    return isinstance(place, CameraPlace) and place.is_in_steps


def _message(context: ViewContext, state: CameraScreenState) -> str:
    """Return why there is no picture; empty: there is one."""
    _ = context.translate.gettext
    if state.is_down:
        return _("The recorder does not answer, or there is no camera.")
    if state.details is None or state.details.state is CameraState.STARTING:
        return _("One moment…")
    if state.details.state is not CameraState.OK:
        return _("No picture")
    return ""


def _lines(context: ViewContext, details: CameraDetails) -> tuple[tuple[str, ...], Tone]:
    """Return what is said of the picture, and its tone."""
    lines = [*_sharpness(context, details), *_focus(context, details)]
    limit, sharpness = details.sharpness_limit, details.sharpness
    is_unsharp = limit is not None and sharpness is not None and sharpness < limit
    is_lost = details.holds.focus == "failed" and details.picture.focus != "fixed"
    _ = context.translate.gettext
    if details.cannot:
        names = ", ".join(_(ABILITY_NAMES[name]) for name in details.cannot)
        lines.append(_("This camera cannot set: {names}", names=names))
    if details.unmet:
        names = ", ".join(_(ABILITY_NAMES[name]) for name in details.unmet)
        lines.append(_("It is asked for all the same: {names}", names=names))
    is_wrong = bool(is_unsharp or is_lost or details.unmet)
    return tuple(lines), "caution" if is_wrong else "plain"


def _number(context: ViewContext, value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text if context.translate.language == "en" else text.replace(".", ",")


def _sharpness(context: ViewContext, details: CameraDetails) -> Iterator[str]:
    """Yield the sharpness beside its limit, with what to do about it."""
    _ = context.translate.gettext
    if details.sharpness is None:
        yield _("Sharpness: being measured; there must be something to see in the picture")
        return
    value = _number(context, details.sharpness, 0)
    if details.sharpness_limit is None or details.sharpness_then is None:
        yield _("Sharpness: {n} % (not yet measured at commissioning)", n=value)
        return
    least, then = (
        _number(context, n, 0) for n in (details.sharpness_limit, details.sharpness_then)
    )
    yield _(
        "Sharpness: {n} % (at least {least} %; at commissioning {then} %)",
        n=value,
        least=least,
        then=then,
    )
    if details.sharpness < details.sharpness_limit:
        yield _("Wipe the lens, then tap “Focus now”.")


def _focus(context: ViewContext, details: CameraDetails) -> Iterator[str]:
    """Yield what the camera says of its focus."""
    _ = context.translate.gettext
    holds = details.holds
    if holds.focus is None:
        return
    text = _(FOCUS_WORDS[holds.focus])
    if holds.focus in ("idle", "focused") and holds.focus_dioptres:
        distance = _number(context, 1 / holds.focus_dioptres, 1)
        text = _("{focus}, at {n} m", focus=text, n=distance)
    yield text


# -- samples -------------------------------------------------------------------------------------


def _shown(state: CameraScreenState) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(CameraPlace(), who=service_states.TECHNICIAN)(app)
        app.camera.state = state

    return prepare


def _details(picture: CameraPicture = CameraPicture(), **values: Any) -> CameraDetails:  # noqa: B008 (frozen)
    holds = HeldPicture(focus="focused", focus_dioptres=0.4)
    return CameraDetails(**{"state": CameraState.OK, "picture": picture, "holds": holds, **values})


_ZOOMED = CameraPicture(zoom=2.0, rotation=180, focus="fixed", focus_dioptres=0.4)
SAMPLES: dict[str, Prepare] = {
    "camera": _shown(
        CameraScreenState(
            _details(sharpness=71.0, sharpness_then=70.5, sharpness_limit=49.4), CameraPicture()
        )
    ),
    "camera-changed": _shown(CameraScreenState(_details(_ZOOMED, sharpness=66.0), CameraPicture())),
    "camera-unsharp": _shown(
        CameraScreenState(
            _details(
                holds=HeldPicture(focus="failed"),
                sharpness=31.0,
                sharpness_then=70.5,
                sharpness_limit=49.4,
            ),
            CameraPicture(),
        )
    ),
    "camera-web_cam": _shown(
        CameraScreenState(
            _details(
                CameraPicture(rotation=180),
                holds=HeldPicture(),
                cannot=("focus", "flicker", "zoom", "rotation", "rate"),
                unmet=("rotation",),
                sharpness=44.0,
            ),
            CameraPicture(rotation=180),
        )
    ),
    "camera-down": _shown(CameraScreenState(is_down=True)),
}
