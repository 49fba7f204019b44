"""Every canned state shows its screen, and its view can be made in every language, windowless."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.locale import LANGUAGES, Translator
from kiosk.rules import Rules, load_rules
from kiosk.ui.catalogue import pictures
from kiosk.ui.catalogue.canned import NOW
from kiosk.ui.catalogue.state import State
from kiosk.ui.catalogue.states import STATES
from kiosk.ui.desk import Desk
from kiosk.ui.screen import NAMES_OF_PLACES
from kiosk.ui.views import current_screen, view_of

RULES: Rules = load_rules()
SAY = Translator()


def desk_in(state: State, folder: Path) -> Desk:
    """Return a desk in ``state``."""
    settings = pictures.settings(folder, *pictures.LARGE)
    desk = Desk(settings, now=lambda: 1000.0, wall=lambda: NOW, say=SAY, rules=RULES)
    state.prepare(desk)
    return desk


@pytest.mark.parametrize("state", STATES, ids=[state.name for state in STATES])
def test_state_shows_its_screen_in_every_language(state: State, tmp_path: Path) -> None:
    """The screen is a function of the state; the view differs between the languages."""
    desk = desk_in(state, tmp_path)
    assert current_screen(desk) == state.screen
    views = set()
    for language in LANGUAGES:
        SAY.switch(language)
        views.add(repr(view_of(state.screen, desk)))
        assert desk.frame().clock in ("09:52", "")
    assert views


def test_every_place_has_a_canned_state() -> None:
    """No screen is left out of the catalogue."""
    assert {state.screen for state in STATES} >= set(NAMES_OF_PLACES.values())


def test_view_state_needs_no_kivy() -> None:
    """Views, desk and canned states import no window."""
    code = (
        "import sys; import kiosk.ui.views, kiosk.ui.catalogue.states; "
        "sys.exit(any(name.split('.')[0] == 'kivy' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
