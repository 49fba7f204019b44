"""On-screen keys: a PIN pad and a keyboard for case numbers with Kazakh and Russian letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kivy.uix.widget import Widget

from kiosk.ui.widgets.widget_kit import Style, WidgetKit

CASE_NUMBER_ROWS: tuple[str, ...] = ("12345", "67890", "-/")


def key_rows(
    kit: WidgetKit,
    rows: Sequence[str],
    on_key: Callable[[str], None],
    *,
    prefix: str = "key",
    delete: bool = True,
) -> Widget:
    """Return rows of keys named ``<prefix>.<c>``; ``""`` is sent by ``<prefix>.delete``.

    Args:
        rows: characters of each row.
        on_key: called with the character.
        prefix: of the keys' names.
        delete: add a key that deletes, at the end of the last row.
    """
    lines: list[Widget] = []
    for number, row in enumerate(rows):
        keys: list[Widget] = [_key(kit, f"{prefix}.{c}", c, on_key) for c in row]
        if delete and number == len(rows) - 1:
            keys.append(
                kit.button(f"{prefix}.delete", "", lambda: on_key(""), icon="backspace-outline",
                           fill=True, kind="heading")
            )  # fmt: skip
        lines.append(kit.row(*keys, gap="touch"))
    return kit.column(*lines, gap="touch")


def _key(kit: WidgetKit, wid: str, character: str, on_key: Callable[[str], None]) -> Widget:
    return kit.button(wid, character, lambda: on_key(character), fill=True, kind="heading")


# Kazakh letters that Russian lacks have a row of their own, as on keyboards sold here.
_KAZAKH = "ӘІҢҒҮҰҚӨҺЁ-."
_CYRILLIC = (_KAZAKH, "ЙЦУКЕНГШЩЗХЪ", "ФЫВАПРОЛДЖЭ", "ЯЧСМИТЬБЮ")
_LATIN = ("1234567890-/", "QWERTYUIOP№", "ASDFGHJKL«».", "ZXCVBNM")
_COMPACT = (
    ("ЙЦУКЕНГШЩ", "ЗХЪФЫВАПР", "ОЛДЖЭЯЧСМ", "ИТЬБЮ"),
    ("ӘІҢҒҮҰҚӨҺ", "-/()«»№.Ё", "123456789", "0"),
    ("QWERTYUIO", "PASDFGHJK", "LZXCVBNM-", "."),
)
DIGITS = ("12345", "67890")
NUMBER_PAD = ("123", "456", "789", "0")


def letter_rows(*, compact: bool, digits: bool, page: int) -> tuple[str, ...]:
    """Return the rows of one page of letters.

    Args:
        compact: a small screen has fewer keys a page.
        digits: with a row of digits on the first page (case numbers).
        page: number of the page; the first follows the last.
    """
    if compact:
        pages = (_COMPACT[1], _COMPACT[0], _COMPACT[2]) if digits else _COMPACT
        return pages[page % 3]
    first = ("1234567890-/()", *_CYRILLIC) if digits else _CYRILLIC
    return (first, _LATIN)[page % 2]


def letter_keyboard(
    kit: WidgetKit,
    on_key: Callable[[str], None],
    on_page: Callable[[], None],
    *,
    page: int = 0,
    digits: bool = False,
    on_capitals: Callable[[], None] | None = None,
    capitals: bool = False,
) -> Widget:
    """Return a keyboard with Kazakh, Russian and Latin letters, digits, space and delete.

    Keys are ``key.<c>``, ``key.space``, ``key.delete``, ``key.page`` and ``key.capitals``.

    Args:
        on_key: called with a capital letter, a space, or ``""`` for delete.
        on_page: called to turn to the next page of keys.
        page: which page is shown.
        digits: see :func:`letter_rows`.
        on_capitals: called to switch capitals on or off; None: there is no such key.
        capitals: whether letters are capitals now.
    """
    rows = letter_rows(compact=kit.theme.compact, digits=digits, page=page)
    after = letter_rows(compact=kit.theme.compact, digits=digits, page=page + 1)[-2][:3]
    lines: list[Widget] = []
    for number, row in enumerate(rows):
        keys: list[Widget] = [_key(kit, f"key.{c}", c, on_key) for c in row]
        if number == len(rows) - 1:
            keys.insert(0, _page_key(kit, after, on_page))
            if on_capitals is not None:
                keys.insert(1, _icon_key(kit, "key.capitals", "apple-keyboard-shift", on_capitals,
                                         chosen=capitals))  # fmt: skip
            space = _icon_key(kit, "key.space", "keyboard-space", lambda: on_key(" "))
            space.size_hint_x = 1 if len(row) > 8 else 2
            keys += [
                space,
                _icon_key(kit, "key.delete", "backspace-outline", lambda: on_key("")),
            ]
        lines.append(kit.row(*keys, gap="touch"))
    return kit.column(*lines, gap="touch")


def _page_key(kit: WidgetKit, shown: str, on_page: Callable[[], None]) -> Widget:
    return kit.button("key.page", shown, on_page, fill=True, pad=4, style="tint")


def _icon_key(
    kit: WidgetKit, wid: str, icon: str, on_tap: Callable[[], None], *, chosen: bool = False
) -> Widget:
    style: Style = "chosen" if chosen else "tint"
    return kit.button(wid, "", on_tap, icon=icon, fill=True, kind="heading", style=style)
