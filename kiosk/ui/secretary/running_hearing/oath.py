"""View of the oath that is being taken (R46, R50; УПК 370(2)); no Kivy."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.recorder import RunningHearing
from kiosk.locale import N_
from kiosk.ui.view_context import ViewContext

OATH = "oath"
LANGUAGES = ("kk", "ru")
USUAL_LANGUAGE = "kk"
NOT_HEARD = N_(
    "Nobody was heard at the microphone during the oath. Repeat the oath, or go on: this is noted."
)


@dataclass(frozen=True)
class OathView:
    """An oath: its text in the language of the proceedings, large.

    Attributes:
        text: of the act; empty: there is none in that language, and ``missing`` says so.
        languages: id and own name of those that have the text.
    """

    mark: int
    name: str
    text: str
    missing: str
    norm: str
    language: str
    languages: tuple[tuple[str, str], ...]


def oath_view(context: ViewContext, hearing: RunningHearing, hidden: int) -> OathView | None:
    """Return the oath that goes on; None: none does, or its text is hidden.

    Args:
        hidden: number of the mark whose text the secretary has hidden.
    """
    _, rules = context.translate.gettext, context.labels.rules
    mark = hearing.newest_mark
    if mark is None or mark.type != OATH or mark.ended or mark.id == hidden:
        return None
    spoken = hearing.language or context.translate.language
    language = spoken if spoken in LANGUAGES else USUAL_LANGUAGE
    row = next((row for row in rules.oath.text if row.language == language and row.text), None)
    missing = _("The text of the oath is not known here. The presiding judge reads it out.")
    return OathView(
        mark=mark.id,
        name=mark.of.name if mark.of is not None else "",
        text=row.text or "" if row else "",
        missing="" if row else missing,
        norm=", ".join(row.source) if row else "",
        language=language,
        languages=tuple((code, rules.languages[code].name) for code in LANGUAGES),
    )


def oath_hint(context: ViewContext, hearing: RunningHearing) -> str:
    """Return what is to be said of the oath that was marked last; empty: nothing."""
    mark = hearing.newest_mark
    is_silent = mark is not None and mark.type == OATH and mark.heard is False
    return context.translate.gettext(NOT_HEARD) if is_silent else ""
