"""Questions that the rules ask after the start, with the answers that a tap can give."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.recorder import RunningHearing
from kiosk.hearing.session.hearing_state import BUTTON_MARK, LEFT_OUT_PREFIX
from kiosk.hearing.session.persons import OF_WHOM_PREFIX
from kiosk.hearing.session.receipts import RECEIPT_PREFIX
from kiosk.locale import N_
from kiosk.ui.actions.secretary_actions import MARK_SUBJECT_PREFIX, SCAN_RECEIPT
from kiosk.ui.formatting import sentence_case
from kiosk.ui.view_context import ViewContext

SENTENCES = {
    "format": N_("In which format is the hearing held?"),
    "format_decided_by": N_("Who decided on the format?"),
    "format_confirmed": N_("Deprivation of liberty is possible. Is it heard online all the same?"),
    "without_minutes": N_("No minutes are kept here. Did the judge decide to record?"),
    "nobody_came": N_("Nobody came. What did the presiding judge decide?"),
    "override": N_("The hearing began although not everything was ready. Who decided so?"),
    "format_ground": N_("On which ground was the format chosen?"),
    "format_application": N_("What is the number of the application on the format?"),
    "format_opinions": N_("What did the parties say on the format?"),
    "legal_basis": N_("Which norm allows taking part remotely?"),
    "publicity": N_(
        "The list does not say clearly whether the hearing is open or closed. How is it held?"
    ),
    "closure_ground": N_("On which ground is the hearing closed?"),
    "closure_basis": N_("On whose initiative is the hearing closed?"),
    "closure_application": N_("What is the number of the application to close the hearing?"),
    "closure_act": N_("What are number and date of the ruling that closes the hearing?"),
    "closure_text": N_("Which circumstances hinder an open hearing?"),
    "closure_admitted": N_("Who stays in the closed part?"),
    "kind": N_("Which kind of case is it?"),
    "failure_reason": N_("Why was there no recording for a while? It goes into the minutes."),
    "recess_reason": N_("Why was there a recess?"),
    "recovered": N_("The recording was cut off and goes on. Is everything in order now?"),
    "case_number": N_("What is the case number?"),
    "date": N_("Which day is it today?"),
}
OPINIONS = {
    "agreed": N_("All agree"),
    "objected": N_("Somebody objects"),
    "not_asked": N_("They were not asked"),
}
FIXED_ANSWERS: dict[str, dict[str, str]] = {
    "failure_reason": {
        "power": N_("Power failure"),
        "device": N_("A device failed"),
        "software": N_("The kiosk failed"),
        "unknown": N_("Not known"),
    },
    "recess_reason": {
        "rest": N_("Rest"),
        "documents": N_("Documents"),
        "participant": N_("A participant is missing"),
        "technical": N_("Technical reason"),
    },
    "format_ground": {
        "application": N_("Application of a party"),
        "initiative": N_("Initiative of the court"),
        "sanitary": N_("Sanitary situation"),
    },
    "format_confirmed": {
        "yes": N_("Yes, the court decided so"),
        "offline": N_("No, in the room"),
    },
    "without_minutes": {
        "yes": N_("Yes, the judge decided so"),
        "no": N_("No, I end the recording"),
    },
    "nobody_came": {
        "recorded": N_("The session is recorded"),
        "written": N_("Minutes in writing, no recording"),
        "none": N_("No minutes"),
    },
    "format_opinions": OPINIONS,
    "closure_basis": {
        "application": N_("Application of a party"),
        "initiative": N_("Initiative of the court"),
    },
    "closure_admitted": {
        "participants": N_("Only those who take part or are called"),
        "permitted": N_("Others too, with the court's permission"),
    },
    "publicity": {"open": N_("Open"), "closed": N_("Closed")},
    "recovered": {"seen": N_("Yes")},
}


@dataclass(frozen=True)
class Question:
    """One question of the rules, asked after the start."""

    subject: str
    text: str
    choices: tuple[tuple[str, str], ...]
    typed: bool = False
    letters: bool = False


def typed_subjects(context: ViewContext) -> frozenset[str]:
    """Return the subjects whose answers are typed: some of the rules', and the day."""
    return context.labels.typed_questions() | {"date"}


def open_question(
    context: ViewContext, hearing: RunningHearing, postponed: frozenset[str]
) -> Question | None:
    """Return the question to ask now: of the rules first, then about a press of the button."""
    newest = hearing.newest_mark  # what was left out before it is said now and asked later
    fresh = {f"{LEFT_OUT_PREFIX}{missing}" for missing in newest.left_out} if newest else set()
    fresh |= {f"{RECEIPT_PREFIX}{newest.id}"} if newest else set()
    for subject in hearing.open_questions:
        if subject not in postponed | fresh and not subject.startswith(OF_WHOM_PREFIX):
            return build_question(context, subject, hearing)
    for mark in hearing.marks:
        subject = f"{MARK_SUBJECT_PREFIX}{mark.id}"
        if mark.type == BUTTON_MARK and not mark.withdrawn and subject not in postponed:
            return _button_mark_question(context, hearing, subject, mark.at)
    return None


def _button_mark_question(
    context: ViewContext, hearing: RunningHearing, subject: str, at: str
) -> Question:
    """Return the question about the moment at which the button was pressed."""
    _, labels = context.translate.gettext, context.labels
    text = _("The button was pressed at {time}. What was it?", time=context.clock_text(at, True))
    first = [*(step.event for step in hearing.due[:1]), *labels.frequent_events(hearing.kind)]
    events = [*first, *(e for e in labels.event_order(hearing.kind) if e not in first)]
    choices = tuple((e, sentence_case(labels.event(e))) for e in dict.fromkeys(events))
    return Question(subject, text, choices)


def left_out_text(context: ViewContext, missing: str, hearing: RunningHearing) -> str:
    """Return what was left out, in words.

    Args:
        missing: ``EVENT`` or ``EVENT:PERSON``.
    """
    event, _, person = missing.partition(":")
    label, name = sentence_case(context.labels.event(event)), hearing.name_of(person)
    return f"{label} ({name})" if name else label


def build_question(context: ViewContext, subject: str, hearing: RunningHearing) -> Question:
    """Return the question about ``subject`` with the answers that a tap can give.

    Args:
        subject: as in ``open_questions``.
        hearing: grounds and norms depend on its kind.
    """
    _ = context.translate.gettext
    if subject.startswith(LEFT_OUT_PREFIX):
        event = left_out_text(context, subject.removeprefix(LEFT_OUT_PREFIX), hearing)
        text = _("Not marked before this: {event}", event=event)
        answers = (("done", _("It was done")), ("not_due", _("Not needed here")))
        return Question(subject, text, answers)
    if subject.startswith(RECEIPT_PREFIX):
        return _receipt_question(context, subject, hearing)
    unknown = _("Is it settled: {subject}?", subject=subject)
    text = _(SENTENCES[subject]) if subject in SENTENCES else unknown
    return Question(
        subject,
        text,
        _choices(context, subject, hearing),
        subject in typed_subjects(context),
        subject in context.labels.sentence_questions(),
    )


def _receipt_question(context: ViewContext, subject: str, hearing: RunningHearing) -> Question:
    """Return the question about a receipt that was printed and is not scanned (R48)."""
    _ = context.translate.gettext
    mark = next((m for m in hearing.marks if f"{RECEIPT_PREFIX}{m.id}" == subject), None)
    name = mark.of.name if mark is not None and mark.of is not None else ""
    about = name or (context.clock_text(mark.at) if mark is not None else "")
    text = _("The receipt is printed and not scanned: {name}", name=about)
    answers = ((SCAN_RECEIPT, _("To the receipt")), ("paper", _("It stays on paper only")))
    return Question(subject, text, answers)


def _choices(
    context: ViewContext, subject: str, hearing: RunningHearing
) -> tuple[tuple[str, str], ...]:
    """Return value and label of each answer; none where the answer is typed."""
    _, labels, kind = context.translate.gettext, context.labels, hearing.kind or ""
    if subject in typed_subjects(context):
        return ()
    match subject:
        case "format":
            return tuple(row for row in labels.formats() if row[0] in hearing.formats)
        case "format_decided_by":
            ruling = _("The court, by a ruling")
            return _role_choice(context, "presiding"), ("court_ruling", ruling)
        case "override":
            return _role_choice(context, "presiding"), _role_choice(context, "secretary")
        case "legal_basis":
            return labels.legal_bases(kind)
        case "closure_ground":
            return labels.closure_grounds(kind)
        case "kind":
            return tuple((k, sentence_case(labels.kind(k))) for k in labels.kinds())
        case _:
            answers = FIXED_ANSWERS.get(subject, {"yes": N_("Yes")})
            return tuple((value, _(label)) for value, label in answers.items())


def _role_choice(context: ViewContext, role: str) -> tuple[str, str]:
    return role, sentence_case(context.labels.role(role))
