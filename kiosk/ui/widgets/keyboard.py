"""On-screen keys: a PIN pad and a keyboard for case numbers with Kazakh and Russian letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kivy.uix.widget import Widget

from kiosk.ui.widgets.kit import Kit

CASE_NUMBER_ROWS: tuple[str, ...] = ("12345", "67890", "-/")


def key_rows(
    kit: Kit,
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
                kit.button(
                    f"{prefix}.delete", "", lambda: on_key(""), icon="backspace-outline",
                    wide=True, height=-1, kind="heading",
                )
            )  # fmt: skip
        lines.append(kit.row(*keys, gap=14))
    box = kit.column(*lines)
    box.spacing = kit.theme.gap
    for line in lines:
        line.spacing = kit.theme.gap
    return box


def _key(kit: Kit, wid: str, character: str, on_key: Callable[[str], None]) -> Widget:
    return kit.button(
        wid, character, lambda: on_key(character), wide=True, height=-1, kind="heading"
    )
