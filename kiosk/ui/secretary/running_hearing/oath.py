"""View of the oath, and of what is explained, while it is said (R46, R50, R51, S11-S13)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.recorder import Mark, RunningHearing
from kiosk.locale import N_
from kiosk.rules.explanations import explanation_for, spoken_events
from kiosk.ui.formatting import sentence_case
from kiosk.ui.view_context import ViewContext

OATH = "oath"
LANGUAGES = ("kk", "ru")
USUAL_LANGUAGE = "kk"
NOT_HEARD = N_(
    "Nobody was heard at the microphone during the oath. Repeat the oath, or go on: this is noted."
)

NOT_EXPLAINED = N_(
    "The presiding judge was not heard at the microphone meanwhile. Repeat it, or go on: this is "
    "noted."
)
OTHERS_SPOKE = N_("Others spoke during the oath: {who}. Repeat the oath, or go on: this is noted.")
TOO_SHORT = N_("The oath was heard for {n} s only. Repeat the oath, or go on: this is noted.")
OTHERS_SPOKE_OVER_IT = N_(
    "Others spoke while the presiding judge explained: {who}. Repeat it, or go on: this is noted."
)
EXPLAINED_SHORT = N_(
    "The presiding judge was heard for {n} s only. Repeat it, or go on: this is noted."
)


@dataclass(frozen=True)
class OathView:
    """An oath or an explanation: its text in the language of the proceedings, large.

    Attributes:
        title: what is said.
        done: caption of the button that ends it.
        is_oath: whether it is an oath.
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
    title: str = ""
    done: str = ""
    is_oath: bool = True


def oath_view(context: ViewContext, hearing: RunningHearing, hidden: int) -> OathView | None:
    """Return the oath or explanation that goes on; None: none does, or its text is hidden.

    Args:
        hidden: number of the mark whose text the secretary has hidden.
    """
    _, rules = context.translate.gettext, context.labels.rules
    mark = hearing.newest_mark
    if mark is None or mark.ended or mark.id == hidden:
        return None
    spoken = hearing.language or context.translate.language
    language = spoken if spoken in LANGUAGES else USUAL_LANGUAGE
    if mark.type != OATH:
        return _explanation_view(context, hearing, mark, language)
    row = next((row for row in rules.oath.text if row.language == language and row.text), None)
    missing = _("The text of the oath is not known here. The presiding judge reads it out.")
    return OathView(
        mark=mark.id,
        name=mark.of.name if mark.of is not None else "",
        text=row.text or "" if row else "",
        missing="" if row else missing,
        norm=", ".join(row.source) if row else "",
        language=language,
        languages=_languages(context),
        title=_("Read the oath aloud"),
        done=_("The oath is taken"),
    )


def _languages(context: ViewContext) -> tuple[tuple[str, str], ...]:
    names = context.labels.rules.languages
    return tuple((code, names[code].name) for code in LANGUAGES)


def _explanation_view(
    context: ViewContext, hearing: RunningHearing, mark: Mark, language: str
) -> OathView | None:
    """Return what the presiding judge explains; None: nothing that the rules know."""
    _, labels = context.translate.gettext, context.labels
    rows = labels.rules.explanations.values()
    if mark.type not in spoken_events(rows):
        return None
    of = mark.of
    person = next((p for p in hearing.persons if of is not None and p.id == of.id), None)
    found = explanation_for(
        rows,
        mark.type,
        str(hearing.kind or ""),
        of.role if of is not None else "",
        minor=person is not None and person.minor,
    )
    if found is None:
        return None
    law = found.law_text(language)
    missing = _("The text of the law is not known here. The presiding judge says it.")
    return OathView(
        mark=mark.id,
        name=of.name if of is not None else "",
        text=law.text,
        missing="" if law.text else missing,
        norm=law.norm,
        language=language,
        languages=_languages(context),
        title=sentence_case(labels.event(mark.type)),
        done=_("It is said"),
        is_oath=False,
    )


def oath_hint(context: ViewContext, hearing: RunningHearing) -> str:
    """Return what is to be said of the oath that was marked last; empty: nothing."""
    mark, _ = hearing.newest_mark, context.translate.gettext
    if mark is None or mark.heard is None:
        return ""
    is_oath = mark.type == OATH
    if not mark.heard:
        return _(NOT_HEARD if is_oath else NOT_EXPLAINED)
    if mark.also:
        who = ", ".join(context.labels.role(role) for role in mark.also)
        return _(OTHERS_SPOKE if is_oath else OTHERS_SPOKE_OVER_IT, who=who)
    if mark.is_short:
        return _(TOO_SHORT if is_oath else EXPLAINED_SHORT, n=mark.said_seconds)
    return ""
