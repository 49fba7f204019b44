"""Draws a side panel of the running hearing: title, sentence, choices, back."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.hearing.side_panel import Choice, PanelView
from kiosk.ui.widgets.widget_kit import WidgetKit

CHOICES_PER_PAGE = 6
COMPACT_CHOICES_PER_PAGE = 4


def panel_card(kit: WidgetKit, view: PanelView, app: AppState) -> Widget:
    """Return the panel; its choices have pages where there are many."""
    side_panel = app.secretary.side_panel
    per_page = COMPACT_CHOICES_PER_PAGE if kit.theme.compact else CHOICES_PER_PAGE
    pages = max(1, -(-len(view.choices) // per_page))
    page = min(view.page, pages - 1)
    shown = view.choices[page * per_page : (page + 1) * per_page]
    choices = [_choice_button(kit, choice, app) for choice in shown]
    columns = 4 if kit.theme.compact else 1 if view.is_confirmation else 2
    if columns == 2 and len(choices) % 2:
        choices.append(kit.spacer())
    rows = [kit.row(*choices[n : n + columns], gap=14) for n in range(0, len(choices), columns)]
    for row in rows:
        row.spacing = kit.theme.gap
    back = kit.button(
        "panel.close", kit.translate.gettext("Back"), lambda: side_panel.show(None), icon="close",
        style="chosen", wide=True, height=-1, pad=8,
    )  # fmt: skip
    last: list[Widget] = [back]
    if pages > 1:
        last.append(
            kit.button(
                "panel.more", kit.translate.gettext("More"), _show_page(app, (page + 1) % pages),
                icon_after="chevron-right", wide=True, height=-1, pad=8,
            )
        )  # fmt: skip
    words: list[Widget] = [
        kit.fitted_text(
            view.title, "body", wid="panel.title", weight="semibold", size_hint_y=0.45, lines=2
        )
    ]
    if view.text:
        share = 0.7 if choices and not view.is_confirmation else 0.9 if kit.theme.compact else 1.6
        words.append(kit.fitted_text(view.text, "body", wid="panel.text", size_hint_y=share))
    if not choices:
        words.append(kit.spacer())
    card = kit.card(*words, *rows, kit.row(*last, gap=12), tone="accent", gap=10, padding=12)
    card.spacing = kit.theme.gap
    return card


def _choice_button(kit: WidgetKit, choice: Choice, app: AppState) -> Widget:
    return kit.button(
        f"panel.{choice.id}",
        choice.label,
        lambda: app.spawn(app.secretary.side_panel.choose(choice.id)),
        icon="" if kit.theme.compact else choice.icon,
        style=choice.style,
        kind="small" if kit.theme.compact else "body",
        wide=True,
        height=-1,
        pad=12,
        once=True,
    )


def _show_page(app: AppState, page: int) -> Callable[[], None]:
    return lambda: app.secretary.side_panel.show_page(page)
