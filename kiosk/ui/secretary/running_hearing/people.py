"""Views of the people of a hearing: whom a mark concerns, who sits where, notes (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.persons import PROTECTING_KIND, HearingPerson
from kiosk.api.recorder import Mark, Microphone, RecorderState, RunningHearing
from kiosk.hearing.session.persons import OF_WHOM_PREFIX
from kiosk.locale import N_
from kiosk.rules.explanations import RECEIPT_EVENTS
from kiosk.ui.actions.people_actions import (
    AnswerSheet,
    NoteSheet,
    PeopleSheet,
    PersonSheet,
    Sheet,
)
from kiosk.ui.actions.secretary_actions import SOMEBODY_ELSE
from kiosk.ui.actions.typing_actions import Typing
from kiosk.ui.formatting import sentence_case
from kiosk.ui.secretary.running_hearing.admission import must_leave
from kiosk.ui.secretary.running_hearing.panel_view import Choice, PanelView
from kiosk.ui.secretary.running_hearing.questions import Question
from kiosk.ui.view_context import ViewContext

NOBODY = ""
"""Answer to the question of whom a mark is: no single person."""
MAX_SHOWN_NAME, MAX_WORD = 32, 20
ATTENDANCE = {"hall": N_("In the room"), "online": N_("Online"), "absent": N_("Did not come")}
MEANS = {
    "own": (N_("Own device"), "lan-connect"),
    "court": (N_("A court's device"), "gavel"),
    "institution": (N_("Means of an institution"), "door"),
}


@dataclass(frozen=True)
class TypingView:
    """Text that is being typed.

    Attributes:
        hint: shown while nothing is typed.
        tie: the mark that a note can be tied to, with its label; None: there is none.
        is_tied: whether it is.
    """

    title: str
    typing: Typing
    hint: str
    action: str
    tie: tuple[int, str] | None = None
    is_tied: bool = False


SheetView = PanelView | TypingView


def needs_keys(view: SheetView | None) -> bool:
    """Return whether the keys need the whole width."""
    return isinstance(view, TypingView)


def shown_name(text: str) -> str:
    """Return a name, shortened where it would fill the screen."""
    # a line breaks at blanks only: a long double surname would be cut in the middle
    is_long = any(len(word) > MAX_WORD for word in text.split())
    name = text.replace("-", "- ") if is_long else text
    return name if len(name) <= MAX_SHOWN_NAME else f"{name[: MAX_SHOWN_NAME - 1].rstrip()}…"


def person_label(context: ViewContext, role: str, name: str) -> str:
    """Return role and name of somebody."""
    label = sentence_case(context.labels.role(role)) if role else ""
    return ": ".join(part for part in (label, shown_name(name)) if part)


def seat_of(person: HearingPerson, microphones: tuple[Microphone, ...]) -> str:
    """Return the microphone at which somebody sits: their seat, else that of their role."""
    if person.seat:
        return person.seat
    return next((m.name for m in microphones if person.role in (m.role, *m.roles)), "")


def whose_words(context: ViewContext, recorder: RecorderState, source: str) -> str:
    """Return who speaks at a microphone: one person by role and name, else all roles it serves.

    Nobody is named where others sit there, too: whose words they are nobody has said.
    """
    microphone = next((row for row in recorder.microphones if row.name == source), None)
    if microphone is None:
        return source
    persons = recorder.hearing.persons if recorder.hearing else ()
    there = [
        row.shown
        for row in persons
        if seat_of(row, recorder.microphones) == source
        and row.attendance not in ("absent", "online")
        and not row.left
    ]
    if len(there) == 1 and there[0].name and len(microphone.roles) <= 1:
        return person_label(context, there[0].role, there[0].name)
    roles = dict.fromkeys(microphone.roles or (microphone.role or microphone.name,))
    return ", ".join(sentence_case(context.labels.role(role)) for role in roles)


# -- whom a mark concerns ------------------------------------------------------------------------


def whom_question(
    context: ViewContext,
    recorder: RecorderState,
    postponed: frozenset[str],
    speaking: tuple[str, ...],
    *,
    newest: bool,
) -> Question | None:
    """Return the question whom a mark concerns, or None.

    Args:
        speaking: microphones that were heard at the newest mark, the loudest first.
        newest: only of the newest mark; else of the others.
    """
    hearing = recorder.hearing or RunningHearing(id="")
    marks = [mark for mark in hearing.marks if not mark.withdrawn]
    asked = marks[-1:] if newest else list(reversed(marks[:-1]))
    for mark in asked:
        subject = f"{OF_WHOM_PREFIX}{mark.id}"
        if subject in hearing.open_questions and subject not in postponed:
            return _whom(context, recorder, mark, speaking if newest else ())
    return None


def _whom(
    context: ViewContext, recorder: RecorderState, mark: Mark, speaking: tuple[str, ...]
) -> Question:
    _, labels = context.translate.gettext, context.labels
    event = sentence_case(labels.event(mark.type))
    text = _("{time} {event}: whom does it concern?",
             event=event, time=context.clock_text(mark.at, True))  # fmt: skip
    row = labels.rules.events.get(mark.type)
    barred = row.never_of if row else ()  # S7
    people = candidates(recorder, row.of if row else (), speaking)
    people = tuple(person for person in people if person.role not in barred)
    choices = [(p.id, person_label(context, p.role, p.name)) for p in people]
    choices += [(SOMEBODY_ELSE, _("Somebody else…")), (NOBODY, _("Nobody in particular"))]
    return Question(f"{OF_WHOM_PREFIX}{mark.id}", text, tuple(choices))


def candidates(
    recorder: RecorderState, roles: tuple[str, ...], speaking: tuple[str, ...]
) -> tuple[HearingPerson, ...]:
    """Return the people of the hearing in the order in which they are offered.

    Of those whose role fits whoever speaks comes first, then by role; the others follow, and who is
    not there comes last.
    """
    persons = recorder.hearing.persons if recorder.hearing else ()

    def order(person: HearingPerson) -> tuple[bool, bool, int, int]:
        seat, fits = seat_of(person, recorder.microphones), person.role in roles
        loudness = speaking.index(seat) if seat in speaking else len(speaking)
        is_away = bool(person.left) or person.attendance == "absent"
        return is_away, not fits, loudness, roles.index(person.role) if fits else len(roles)

    return tuple(sorted(persons, key=order))


# -- sheets --------------------------------------------------------------------------------------


def sheet_view(
    context: ViewContext, recorder: RecorderState, sheet: Sheet | None
) -> SheetView | None:
    """Return the view of the open sheet; None: none is open."""
    hearing = recorder.hearing or RunningHearing(id="")
    match sheet:
        case PeopleSheet():
            return _people_view(context, recorder, hearing, sheet)
        case PersonSheet():
            return _person_view(context, hearing, sheet)
        case NoteSheet():
            return _note_view(context, hearing, sheet)
        case AnswerSheet():
            keep = context.translate.gettext("Keep")
            return TypingView(sheet.question, sheet.typing, sheet.question, keep)
        case None:
            return None


def _people_view(
    context: ViewContext, recorder: RecorderState, hearing: RunningHearing, sheet: PeopleSheet
) -> PanelView:
    _ = context.translate.gettext
    person = next((p for p in hearing.persons if p.id == sheet.person), None)
    if person is not None:
        choices = _person_choices(context, recorder, hearing, person)
        title = person_label(context, person.role, person.name)
        return PanelView(title, "", choices, sheet.page)
    choices = tuple(
        Choice(f"person:{p.id}", _person_line(context, recorder, p), "account-outline")
        for p in hearing.persons
    )
    add = Choice("add:", _("Add a person"), "plus", "primary")
    text = "" if choices else _("Nobody is named yet.")
    return PanelView(_("People"), text, (*choices, add), sheet.page)


def _person_line(context: ViewContext, recorder: RecorderState, person: HearingPerson) -> str:
    _ = context.translate.gettext
    state = _("left") if person.left else _(ATTENDANCE.get(person.attendance, ""))
    state = _("called in") if person.called else state
    hearing = recorder.hearing
    admission = ""
    if hearing is not None and hearing.closed is not None:
        admission = _("admitted") if person.admitted else ""
        if must_leave(context.labels.rules, hearing, person):
            admission = _("must leave")
    seat = next((m for m in recorder.microphones if m.name == person.seat), None)
    texts = (
        person_label(context, person.role, person.name),
        context.microphone_label(seat) if seat else "",
        state.lower(),
        _("name withheld") if person.pseudonym else "",
        admission,
    )
    return " · ".join(text for text in texts if text)


def _person_choices(
    context: ViewContext,
    recorder: RecorderState,
    hearing: RunningHearing,
    person: HearingPerson,
) -> tuple[Choice, ...]:
    _ = context.translate.gettext
    seat = seat_of(person, recorder.microphones)

    def choice(
        what: str, label: str, icon: str, *, chosen: bool = False
    ) -> Choice:  # what holds now stands out
        return Choice(what, label, icon, "primary" if chosen else "plain")

    places = [
        choice(f"attendance:{value}", _(label), "check", chosen=person.attendance == value)
        for value, label in ATTENDANCE.items()
    ]
    seats = [
        choice(f"seat:{m.name}", _("Sits at: {name}", name=context.microphone_label(m)),
               "microphone", chosen=m.name == seat)
        for m in recorder.microphones
    ]  # fmt: skip
    left = _("Is back") if person.left else _("Has left")
    called = _("Called in: take back") if person.called else _("Call in from the hall")
    what = "called:" if person.called else "called:yes"
    places.append(choice(what, called, "account-voice", chosen=bool(person.called)))
    more = [
        choice("left:" if person.left else "left:yes", left, "door", chosen=bool(person.left)),
        choice("minor:" if person.minor else "minor:yes", _("Under sixteen"), "account-outline",
               chosen=person.minor),
        choice("role:", _("Another role"), "account-question-outline"),
        *_protection(context, hearing, person),
        choice("remove:", _("Remove: added by mistake"), "minus-circle-outline"),
    ]  # fmt: skip
    means = [
        choice(f"means:{value}", _(label), icon, chosen=value == means_of(person))
        for value, (label, icon) in MEANS.items()
    ]
    is_remote = person.attendance == "online" or (
        not person.attendance and hearing.format in ("online", "mixed")
    )
    admission = [
        choice("admitted:" if person.admitted else "admitted:yes",
               _("Admitted to the closed part"), "check", chosen=person.admitted)
    ] if hearing.closed is not None else []  # fmt: skip
    receipts = [
        choice(
            f"receipt:{m.id}", sentence_case(context.labels.event(m.type)), "file-document-outline"
        )
        for m in hearing.marks
        if m.type in RECEIPT_EVENTS and m.of and m.of.id == person.id and not m.withdrawn
    ]
    return (*receipts, *admission, *places, *(means if is_remote else ()), *seats, *more)


def _protection(
    context: ViewContext, hearing: RunningHearing, person: HearingPerson
) -> tuple[Choice, ...]:
    """Return the choices about a name and its withholding, which the court decides (S9).

    A name that is withheld is not corrected: it is nowhere shown.
    """
    _ = context.translate.gettext
    name = Choice("name:", _("Correct the name"), "keyboard-outline", "plain")
    label = _("Protected: name withheld")
    if person.pseudonym:
        act = _("Number and date of the act: {act}", act=person.act or _("not said"))
        return (Choice("protected:", label, "lock", "primary"),
                Choice("act:", act, "keyboard-outline", "plain"))  # fmt: skip
    if hearing.kind != PROTECTING_KIND or person.role not in context.labels.rules.roles:
        return (name,)
    return name, Choice("protected:yes", label, "lock", "plain")


def means_of(person: HearingPerson) -> str:
    """Return by whose means somebody takes part from afar (R28, АПК 133-3(3)); empty: not said."""
    if person.institution:
        return "institution"
    return {True: "own", False: "court", None: ""}[person.own_device]


def _person_view(context: ViewContext, hearing: RunningHearing, sheet: PersonSheet) -> SheetView:
    _, labels = context.translate.gettext, context.labels
    mark = next((m for m in hearing.marks if m.id == sheet.mark), None)
    if sheet.role is None:
        row = labels.rules.events.get(mark.type) if mark else None
        roles = labels.roles_of(hearing.kind or "", row.of if row else ())
        choices = (Choice(f"role:{r}", sentence_case(labels.role(r))) for r in roles)
        return PanelView(_("Which role?"), "", tuple(choices), sheet.page)
    if sheet.is_act:
        title = _("Number and date of the court's act")
        return TypingView(title, sheet.typing, title, _("Save"))
    title = sentence_case(labels.role(sheet.role)) if sheet.role else _("Correct the name")
    return TypingView(title, sheet.typing, _("Surname and initials"), _("Save"))


def _note_view(context: ViewContext, hearing: RunningHearing, sheet: NoteSheet) -> SheetView:
    _, labels = context.translate.gettext, context.labels
    mark = next((m for m in reversed(hearing.marks) if not m.withdrawn), None)
    if sheet.is_typing:
        tie = None
        if mark is not None:
            event = sentence_case(labels.event(mark.type))
            tie = (mark.id, _("To: {event}", event=event))
        is_tied = mark is not None and sheet.mark == mark.id
        return TypingView(_("Note"), sheet.typing, _("Note"), _("Keep"), tie, is_tied)
    typed = Choice("type:", _("Type"), "keyboard-outline", "primary")
    templates = tuple(Choice(f"template:{i}", label) for i, label in labels.note_templates())
    kept = [note for note in hearing.notes if not note.withdrawn]
    undo = tuple(
        Choice(f"withdraw:{n.id}", _("Take back: {note}", note=shown_name(n.text)), "undo")
        for n in kept[-1:]
    )
    full = Choice("minutes:", _("Full minutes"), "file-document-outline")
    minutes = (full,) if hearing.keeps_minutes else ()
    return PanelView(_("Note"), "", (typed, *minutes, *templates, *undo), sheet.page)
