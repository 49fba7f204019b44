"""Every sample shows its screen, and its view can be made in every language without a window."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import kiosk.ui
from kiosk.locale import LANGUAGES, Translator
from kiosk.rules import Rules, load_rules
from kiosk.ui import screenshots
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import (
    SCREEN_OF_PLACE,
    SCREENS,
    ScreenDefinition,
    SignInPlace,
    StaffPlace,
    VisitorPlace,
)
from kiosk.ui.samples.screen_sample import ScreenSample
from kiosk.ui.samples.service_states import NOW
from kiosk.ui.screen_loader import all_samples, current_screen, view_of

SCREEN_SAMPLES = all_samples()
RULES: Rules = load_rules()
TRANSLATE = Translator()


def app_in(state: ScreenSample, folder: Path) -> AppState:
    """Return the application's state of ``state``."""
    settings = screenshots.make_settings(folder, *screenshots.LARGE)
    app = AppState(settings, now=lambda: 1000.0, wall=lambda: NOW, translate=TRANSLATE, rules=RULES)
    state.prepare(app)
    return app


@pytest.mark.slow
@pytest.mark.parametrize("state", SCREEN_SAMPLES, ids=[state.name for state in SCREEN_SAMPLES])
def test_state_shows_its_screen_in_every_language(state: ScreenSample, tmp_path: Path) -> None:
    """The screen is a function of the state; the view differs between the languages."""
    app = app_in(state, tmp_path)
    assert current_screen(app) == state.screen
    views = set()
    for language in LANGUAGES:
        TRANSLATE.switch_language(language)
        views.add(repr(view_of(state.screen, app)))
        assert app.screen_chrome().clock in ("09:52", "")
    assert views


def test_every_place_leads_to_a_screen() -> None:
    """The registry knows each place once, and each screen once."""
    places = {*get_args(VisitorPlace), *get_args(StaffPlace), *get_args(SignInPlace)}
    assert set(SCREEN_OF_PLACE) == places
    assert len({screen.name for screen in SCREENS}) == len(SCREENS)


@pytest.mark.parametrize("screen", SCREENS, ids=[screen.name for screen in SCREENS])
def test_every_screen_has_a_sample(screen: ScreenDefinition) -> None:
    """Each screen of the registry is among the samples, so that its view is made above."""
    assert screen.name in {state.screen for state in SCREEN_SAMPLES}


@pytest.mark.slow
@pytest.mark.parametrize("screen", SCREENS, ids=[screen.name for screen in SCREENS])
def test_every_screen_has_a_widget(screen: ScreenDefinition) -> None:
    """The registry names its module and class; they are found without importing Kivy."""
    module, class_name = screen.widget_path
    source = Path(kiosk.ui.__file__).parent / f"{module.replace('.', '/')}.py"
    classes = {n.name for n in ast.parse(source.read_bytes()).body if isinstance(n, ast.ClassDef)}
    assert class_name in classes


@pytest.mark.slow
def test_view_state_needs_no_kivy() -> None:
    """Views, application state and samples import no Kivy."""
    code = (
        "import sys; from kiosk.ui.screen_loader import all_samples; all_samples(); "
        "sys.exit(any(name.split('.')[0] == 'kivy' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
