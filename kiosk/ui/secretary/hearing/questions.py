"""What the rules want to know after the start, with the answers that a tap can give."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.hearing.session.hearing_state import BUTTON_MARK
from kiosk.ui.actions.secretary_actions import MARK_SUBJECT_PREFIX
from kiosk.ui.formatting import sentence_case
from kiosk.ui.service_models import (
    RunningHearing,
)
from kiosk.ui.view_context import ViewContext

TYPED_SUBJECTS = frozenset({"case_number", "date"})


@dataclass(frozen=True)
class Question:
    """One thing the rules want to know, asked after the start."""

    subject: str
    text: str
    choices: tuple[tuple[str, str], ...]
    typed: bool = False


def open_question(
    context: ViewContext, hearing: RunningHearing, postponed: frozenset[str]
) -> Question | None:
    """Return what is asked now: of the rules first, then what a press of the button meant."""
    for subject in hearing.open_questions:
        if subject not in postponed:
            return build_question(context, subject, hearing.kind or "")
    for mark in hearing.marks:
        subject = f"{MARK_SUBJECT_PREFIX}{mark.id}"
        if mark.type == BUTTON_MARK and not mark.withdrawn and subject not in postponed:
            return _button_mark_question(context, hearing, subject, mark.at)
    return None


def _button_mark_question(
    context: ViewContext, hearing: RunningHearing, subject: str, at: str
) -> Question:
    """Return the question what the moment was at which the button was pressed."""
    _, labels = context.translate.gettext, context.labels
    text = _("The button was pressed at {time}. What was it?", time=context.clock_text(at, True))
    first = [*hearing.expected[:1], *labels.frequent_events()]
    events = [*first, *(e for e in labels.event_order() if e not in first)]
    choices = tuple((e, sentence_case(labels.event(e))) for e in dict.fromkeys(events))
    return Question(subject, text, choices)


def build_question(context: ViewContext, subject: str, kind: str) -> Question:
    """Return the question about ``subject`` with the answers that a tap can give.

    Args:
        subject: as in ``open_questions``.
        kind: case kind of the hearing (grounds and norms depend on it).
    """
    _, labels = context.translate.gettext, context.labels
    text, choices = "", tuple[tuple[str, str], ...]()
    match subject:
        case "format":
            text = _("In which format is the hearing held?")
            choices = tuple((f, labels.form(f)) for f in ("offline", "online", "mixed"))
        case "format_decided_by":
            text = _("Who decided on the format?")
            choices = (
                _role_choice(context, "presiding"),
                ("court_ruling", _("The court, by a ruling")),
            )
        case "override":
            text = _("The hearing began although not everything was ready. Who decided so?")
            choices = (_role_choice(context, "presiding"), _role_choice(context, "secretary"))
        case "legal_basis":
            text = _("Which norm allows taking part remotely?")
            choices = labels.legal_bases(kind)
        case "closure_ground":
            text = _("On which ground is the hearing closed?")
            choices = labels.closure_grounds(kind)
        case "kind":
            text = _("Which kind of case is it?")
            choices = tuple((k, sentence_case(labels.kind(k))) for k in labels.kinds())
        case "failure_reason":
            text = _("Why was there no recording for a while? It goes into the minutes.")
            choices = _failure_reasons(context)
        case "recess_reason":
            text = _("Why was there a recess?")
            choices = _recess_reasons(context)
        case "recovered":
            text = _("The recording was cut off and goes on. Is everything in order now?")
            choices = (("seen", _("Yes")),)
        case "case_number":
            return Question(subject, _("What is the case number?"), (), typed=True)
        case "date":
            return Question(subject, _("Which day is it today?"), (), typed=True)
        case _:
            text = _("Is it settled: {subject}?", subject=subject)
            choices = (("yes", _("Yes")),)
    return Question(subject, text, choices)


def _role_choice(context: ViewContext, role: str) -> tuple[str, str]:
    return role, sentence_case(context.labels.role(role))


def _failure_reasons(context: ViewContext) -> tuple[tuple[str, str], ...]:
    _ = context.translate.gettext
    return (
        ("power", _("Power failure")),
        ("device", _("A device failed")),
        ("software", _("The kiosk failed")),
        ("unknown", _("Not known")),
    )


def _recess_reasons(context: ViewContext) -> tuple[tuple[str, str], ...]:
    _ = context.translate.gettext
    return (
        ("rest", _("Rest")),
        ("documents", _("Documents")),
        ("participant", _("A participant is missing")),
        ("technical", _("Technical reason")),
    )
