"""Draws a panel beside the running hearing: title, sentence, choices, and the way back."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.secretary.panel_views import Choice, PanelView
from kiosk.ui.widgets.kit import Kit

AT_ONCE = 6
SMALL_AT_ONCE = 4


def panel_card(kit: Kit, view: PanelView, desk: Desk) -> Widget:
    """Return the panel; its choices have pages where there are many."""
    conduct = desk.office.conduct
    most = SMALL_AT_ONCE if kit.theme.compact else AT_ONCE
    pages = max(1, -(-len(view.choices) // most))
    page = min(view.page, pages - 1)
    shown = view.choices[page * most : (page + 1) * most]
    choices = [_button(kit, choice, desk) for choice in shown]
    across = 4 if kit.theme.compact else 1 if view.asks else 2
    if across == 2 and len(choices) % 2:
        choices.append(kit.space())
    rows = [kit.row(*choices[n : n + across], gap=14) for n in range(0, len(choices), across)]
    for row in rows:
        row.spacing = kit.theme.gap
    back = kit.button(
        "panel.close", kit.say.gettext("Back"), lambda: conduct.open(None), icon="close",
        style="chosen", wide=True, height=-1, pad=8,
    )  # fmt: skip
    last: list[Widget] = [back]
    if pages > 1:
        last.append(
            kit.button(
                "panel.more", kit.say.gettext("More"), _turn(desk, (page + 1) % pages),
                icon_after="chevron-right", wide=True, height=-1, pad=8,
            )
        )  # fmt: skip
    words: list[Widget] = [
        kit.fit(view.title, "body", wid="panel.title", weight="semibold", size_hint_y=0.45, lines=2)
    ]
    if view.text:
        share = 0.7 if choices and not view.asks else 0.9 if kit.theme.compact else 1.6
        words.append(kit.fit(view.text, "body", wid="panel.text", size_hint_y=share))
    if not choices:
        words.append(kit.space())
    card = kit.card(*words, *rows, kit.row(*last, gap=12), tone="accent", gap=10, padding=12)
    card.spacing = kit.theme.gap
    return card


def _button(kit: Kit, choice: Choice, desk: Desk) -> Widget:
    return kit.button(
        f"panel.{choice.id}", choice.label, lambda: desk.do(desk.office.conduct.choose(choice.id)),
        icon="" if kit.theme.compact else choice.icon, style=choice.style,
        kind="small" if kit.theme.compact else "body", wide=True, height=-1, pad=12, once=True,
    )  # fmt: skip


def _turn(desk: Desk, page: int) -> Callable[[], None]:
    return lambda: desk.office.conduct.turn(page)
