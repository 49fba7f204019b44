"""Card with the text of an oath or explanation, large enough to be read from a step away."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.running_hearing.oath import OathView
from kiosk.ui.theme import Kind
from kiosk.ui.widgets.widget_kit import WidgetKit


def oath_card(kit: WidgetKit, app: AppState, view: OathView) -> Widget:
    """Return the oath with what ends it; nothing of the recording is covered."""
    _, secretary = kit.translate.gettext, app.secretary

    def choose(language: str) -> Callable[[], None]:
        return lambda: app.spawn(secretary.choose_oath_language(language))

    title = " · ".join(text for text in (view.title, view.name, view.norm) if text)
    lines = 1 if view.is_oath else 2
    height = round(kit.min_font * (0.3 + 1.3 * lines))
    head = kit.fitted_text(
        title, "small", colour="quiet", wid="oath.head", lines=lines, height=height
    )
    kind: Kind = "headline" if view.is_oath else "body"  # an explanation is longer
    text = kit.fitted_text(view.text or view.missing, kind, wid="oath.text", weight="medium")
    languages = [
        kit.button(
            f"oath.language.{code}", name, choose(code), fill=True, pad=8,
            style="chosen" if code == view.language else "plain",
        )
        for code, name in view.languages
    ]  # fmt: skip
    about = str(view.mark)
    hide = kit.button(
        "oath.hide", _("Hide the text"), lambda: secretary.hide_oath(view.mark), fill=True, pad=8,
        about=about,
    )  # fmt: skip
    end = kit.button(
        "oath.end", view.done, lambda: app.spawn(secretary.end_oath(view.mark)),
        icon="" if kit.theme.compact else "check", style="primary", fill=True, once=True, pad=8,
        size_hint_x=1.6, about=about,
    )  # fmt: skip
    buttons = kit.row(*languages, hide, end, gap=12, height=kit.theme.target)
    return kit.card(head, text, buttons, tone="accent", gap=8, padding=12)
