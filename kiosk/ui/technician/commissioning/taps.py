"""What a tap on the screen of a step does, by its name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import CameraPlace


def tap(app: AppState, name: str) -> None:
    """Do what the button ``name`` (``verb`` or ``verb:value``) stands for."""
    verb, _, value = name.partition(":")
    actions = app.commissioning
    now: dict[str, Callable[[], None]] = {
        "go_on": actions.go_on,
        "show": lambda: actions.show(value),
        "back": actions.back,
        "skip": actions.ask_skip,
        "digit": lambda: actions.type_room(value),
        "input": lambda: actions.choose_input(value),
        "again": lambda: actions.ask_again(int(value)),
        "type": lambda: actions.codes.start("enrol" if value == "enrol" else "court_key"),
        "key": lambda: actions.codes.type_key(value),
        "output": lambda: actions.devices.try_output(value),
        "camera": lambda: _open_camera(app),
        "yes": lambda: actions.answer(True),
        "no": lambda: actions.answer(False),
    }
    later: dict[str, Callable[[], Awaitable[object]]] = {
        "begin": lambda: actions.begin(app.staff.person if app.staff else "", value),
        "language": lambda: actions.choose_language(value),
        "keep_room": actions.keep_room,
        "seat": lambda: actions.seat(value),
        "keep_microphones": actions.keep_microphones,
        "finish_walk": actions.finish_walk,
        "measure_again": actions.measure_again,
        "check": lambda: actions.run_checks(value),
        "printer": lambda: actions.choose_printer(value),
        "finish_checked": actions.finish_checked,
        "reason": lambda: actions.skip(value),
        "report": actions.make_report,
        "print": actions.print_report,
        "send": actions.send_code,
        "challenge": actions.codes.write_challenges,
        "stick": actions.stick.look,
        "outputs": actions.devices.choose_output,
        "keep_output": actions.keep_output,
        "scanners": lambda: actions.devices.choose_scanner(actions.settings()),
        "scanner": lambda: actions.keep_scanner(value),
        "take": lambda: actions.take_profile(value),
        "save": actions.stick.save,
        "close": actions.close,
    }
    if verb in now:
        now[verb]()
    elif verb in later:
        app.spawn(_run(later[verb]))


def _open_camera(app: AppState) -> None:
    """Open the camera's screen, which leads back here; then the picture is tested anew."""
    app.commissioning.leave_camera_untested()
    app.secretary.show(CameraPlace(is_in_steps=True))


async def _run(action: Callable[[], Awaitable[object]]) -> None:
    await action()
