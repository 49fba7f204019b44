"""The minutes: list of hearings, fields, lines, confirmation: view and samples (no Kivy)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from kiosk.api.minutes import (
    Confirmation,
    MinutesForSignature,
    MinutesLanguage,
    MinutesLine,
    MinutesRow,
    MinutesSignature,
    MinutesSummary,
    ShortMinutes,
)
from kiosk.api.persons import MarkedPerson
from kiosk.api.receipts import Receipt, UnscannedReceipt
from kiosk.api.recorder_calls import StaffSession
from kiosk.api.states import Phase
from kiosk.clocks import parse_set_wall, parse_wall
from kiosk.locale import N_
from kiosk.rules import load_rules
from kiosk.ui.actions.minutes_actions import MinutesState
from kiosk.ui.actions.receipt_actions import ReceiptState, late_receipts_path
from kiosk.ui.actions.typing_actions import Typing
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import sentence_case
from kiosk.ui.registry import MinutesPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare, alarm
from kiosk.ui.samples.service_states import at
from kiosk.ui.samples.staff_states import hearing_runs, staff_at
from kiosk.ui.secretary.running_hearing.notices import AlarmView, alarm_view
from kiosk.ui.secretary.sealed_hearing.late_receipt import late_receipt_text
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

Step = Literal["list", "fields", "lines", "typing", "confirm", "signature", "receipt"]
TERM = "term"
FORM = "form"
RECEIPT = "receipt"
QUALITY = "quality"
"""The entries after the fields: they choose term and form, scan a receipt, open the report."""
STAGES: dict[str, tuple[str, Tone]] = {
    "none": (N_("Not begun"), "caution"),
    "draft": (N_("Being written"), "caution"),
    "secretary": (N_("The judge is to confirm"), "accent"),
    "confirmed": (N_("Confirmed and sealed"), "good"),
}


@dataclass(frozen=True)
class Entry:
    """A hearing, a field or a line: what a tap opens.

    Attributes:
        below: a second, quiet line.
        note: short words on a coloured ground.
    """

    id: str
    text: str
    below: str = ""
    note: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class MinutesView:
    """The minutes, step by step.

    Attributes:
        text: a sentence above the entries; of a step without entries all that it says.
        can_change: nobody has sealed this version.
        action: what the large button says: to confirm, or to begin a new version; empty: nothing.
        is_signed: the secretary's own signature over this version is here.
        is_running: the hearing runs; the way back leads to it.
        receipt: what the scanner does, in the step that scans one.
        is_recording: they are written while the hearing is recorded; one tap leads back to it.
        alarm: of the recording meanwhile.
        digest: SHA-256, in groups of four, of what she signs; empty: it was not handed out.
    """

    step: Step
    title: str
    text: str = ""
    entries: tuple[Entry, ...] = ()
    page: int = 0
    language: MinutesLanguage = "kk"
    can_change: bool = False
    can_undo: bool = False
    is_confirmed: bool = False
    action: str = ""
    typing: Typing | None = None
    is_new_line: bool = False
    is_signed: bool = False
    is_running: bool = False
    digest: str = ""
    receipt: ReceiptState | None = None
    is_recording: bool = False
    alarm: AlarmView | None = None


def view(app: AppState) -> MinutesView:
    """Return what the screen shows."""
    context, state = app.view_context(), app.secretary.minutes.state
    path = late_receipts_path(state.minutes.hearing_id) if state.minutes else ""
    shown = minutes_view(context, state, app.staff, app.receipts.state_of(path))
    recorder = app.shown_recorder_state
    if recorder.phase != Phase.RECORDING:
        return shown
    return replace(shown, is_recording=True, alarm=alarm_view(context, recorder))


def minutes_view(
    context: ViewContext,
    state: MinutesState,
    staff: StaffSession | None,
    receipt: ReceiptState | None = None,
) -> MinutesView:
    """Return the view of ``state`` for whoever is signed in.

    Args:
        receipt: of the scanner, for the step that scans a receipt.
    """
    _, minutes, row = context.translate.gettext, state.minutes, state.row
    if minutes is None:
        return _list_view(context, state)
    if row is not None and state.line is not None:
        title = f"{row.number}. {sentence_case(row.label)}"
        return MinutesView("typing", title, typing=state.typing, is_new_line=state.line < 0)
    if row is not None:
        return _lines_view(context, minutes, row, state.page)
    if state.is_confirm_asked:
        return _confirm_view(context, minutes, staff)
    if state.is_scanning and minutes.stage != "confirmed":
        scanning = receipt or ReceiptState()
        text, is_kept = late_receipt_text(context, minutes, scanning), bool(minutes.late_receipts)
        title = minutes.case_number or _("No case number")
        entries = tuple(_choice_entry(context, row) for row in scanning.choices)
        page = scanning.page
        return MinutesView(
            "receipt", title, text, entries, page, receipt=scanning, can_undo=is_kept
        )
    if state.is_signing and minutes.stage == "confirmed":
        return _signature_view(context, minutes)
    return _fields_view(context, minutes, staff, state.page)


def _choice_entry(context: ViewContext, row: UnscannedReceipt) -> Entry:
    """Return an event of which a scan may be the signed receipt."""
    event = sentence_case(context.labels.event(row.type))
    who = "" if row.of is None else " ".join((context.labels.role(row.of.role), row.of.name))
    when = context.clock_text(row.at, seconds=True)
    return Entry(str(row.mark), event, " · ".join(text for text in (who.strip(), when) if text))


def _list_view(context: ViewContext, state: MinutesState) -> MinutesView:
    _ = context.translate.gettext
    entries = tuple(_hearing_entry(context, row) for row in state.hearings or ())
    text = _("Whose minutes?") if entries else _("There is no sealed hearing here.")
    text = text if state.hearings is not None else _("The list is being read…")
    return MinutesView("list", _("Minutes"), text, entries, state.page)


def _hearing_entry(context: ViewContext, row: MinutesSummary) -> Entry:
    _ = context.translate.gettext
    started = parse_set_wall(row.started)
    when = started.astimezone(context.zone).strftime("%d.%m.%Y %H:%M") if started else ""
    note, tone = STAGES[row.stage]
    if row.problem:
        is_confirmed = row.stage == "confirmed"
        note = N_("Confirmed, not sealed yet") if is_confirmed else N_("Cannot be read")
        tone = "fault"
    due = _("due by {day}", day=_day(row.due)) if row.due else ""
    when = " · ".join(filter(None, (when, due)))
    return Entry(row.hearing_id, row.case_number or _("No case number"), when, _(note), tone)


def _day(iso: str) -> str:
    return ".".join(reversed(iso.split("-")))


def _fields_view(
    context: ViewContext, minutes: ShortMinutes, staff: StaffSession | None, page: int
) -> MinutesView:
    _ = context.translate.gettext
    note, _tone = STAGES[minutes.stage]
    words = [_(note)]
    if minutes.form == "full":
        words.insert(0, _("Full minutes"))
    if minutes.is_partial:
        words.append(_("the list of fields of УПК 347(3) is not complete here"))
    if minutes.is_running:
        words.append(_("confirmed after the end of the hearing"))
    if minutes.version > 1:
        words.append(_("version {n}", n=minutes.version))
    if minutes.due:
        words.append(_("due by {day}", day=_day(minutes.due)))
    if minutes.remarks_until:
        words.append(_("remarks until {day}", day=_day(minutes.remarks_until)))
    if minutes.remarks_decided_by:
        words.append(_("decision on them by {day}", day=_day(minutes.remarks_decided_by)))
    if minutes.empty:
        words.append(_empty_text(context, minutes))
    is_confirmed = minutes.stage == "confirmed"
    if is_confirmed:
        is_signed = minutes.signature is not None
        words.insert(1, _("signed by the secretary") if is_signed else _("not signed yet"))
    action = _("New version") if is_confirmed else _("Confirm")
    return MinutesView(
        "fields",
        minutes.case_number or _("No case number"),
        " · ".join(words),
        (
            *(_field_entry(context, row, row.number in minutes.empty) for row in minutes.fields),
            *_quality_entry(context, minutes),
            *_receipt_entry(context, minutes),
            *_form_entry(context, minutes),
            *_term_entry(context, minutes),
        ),
        page,
        minutes.language,
        not is_confirmed,
        minutes.can_undo,
        is_confirmed,
        action if is_confirmed or _turn_problem(minutes, staff) == "" else "",
        is_running=minutes.is_running,
    )


def _quality_entry(context: ViewContext, minutes: ShortMinutes) -> tuple[Entry, ...]:
    """Return what leads to the report for the presiding judge; nothing while the hearing runs."""
    if minutes.is_running:
        return ()
    _, word = context.translate.gettext, minutes.quality
    note = _("Not checked yet")
    tone: Tone = "caution"
    if word is not None:
        note = _("Complete and of good quality") if word.is_good else _("Not usable")
        tone = "good" if word.is_good else "fault"
    below = _("Who can be made out, what is missing, and the places to hear.")
    return (Entry(QUALITY, _("Quality of the recording"), below, note, tone),)


def _receipt_entry(context: ViewContext, minutes: ShortMinutes) -> tuple[Entry, ...]:
    """Return what scans a receipt into the minutes; nothing while they cannot take one."""
    if minutes.stage == "confirmed" or minutes.is_running:
        return ()
    _, count = context.translate.gettext, len(minutes.late_receipts)
    note = _("Scanned: {n}", n=count) if count else ""
    below = _("For a receipt that was signed after the hearing.")
    return (Entry(RECEIPT, _("Scan a signed receipt"), below, note, "accent"),)


def _form_entry(context: ViewContext, minutes: ShortMinutes) -> tuple[Entry, ...]:
    """Return what chooses short or full minutes, after the fields; nothing once it is settled."""
    if minutes.stage == "confirmed" or minutes.is_running:
        return ()
    _ = context.translate.gettext
    text = _("Full minutes: the recording is not complete, or hard to make out (АПК 282(2))")
    if minutes.kind == "criminal":
        text = _("Full minutes: the recording is not complete or of poor quality (УПК 347-1(2-1))")
    is_full = minutes.form == "full"
    note = _("Full minutes") if is_full else _("Short minutes")
    below = _("A tap changes it. What was typed stays.")
    return (Entry(FORM, text, below, note, "accent" if is_full else "plain"),)


def _term_entry(context: ViewContext, minutes: ShortMinutes) -> tuple[Entry, ...]:
    """Return what chooses the term, after the fields; nothing where none is known or left."""
    if not minutes.due:
        return ()
    _ = context.translate.gettext
    longer = _("Longer term: several episodes, or a jury (УПК 347(4))")
    if minutes.kind != "criminal":
        longer = _("Longer term: complex case (АПК 283(4))")
    below = _("A tap changes it. Due by {day}.", day=_day(minutes.due))
    note = _("Longer term counts") if minutes.is_complex else _("Usual term counts")
    return (Entry(TERM, longer, below, note, "accent" if minutes.is_complex else "plain"),)


def _turn_problem(minutes: ShortMinutes, staff: StaffSession | None) -> str:
    """Return the code that says why this person cannot confirm now; empty: they can."""
    if minutes.is_running:
        return "export_not_sealed"
    if staff is None:
        return "minutes_secretary_first"
    if not minutes.confirmations:
        return "" if staff.has_role("secretary") else "minutes_secretary_first"
    return "" if staff.has_role("judge", "presiding") else "minutes_judge_next"


def _empty_text(context: ViewContext, minutes: ShortMinutes) -> str:
    numbers = ", ".join(map(str, minutes.empty))
    return context.translate.gettext("empty fields: {numbers}", numbers=numbers)


def _field_entry(context: ViewContext, row: MinutesRow, is_empty: bool) -> Entry:
    _ = context.translate.gettext
    title = f"{row.number}. {sentence_case(row.label)}"
    below = "; ".join(line.text for line in row.lines)
    if is_empty:
        return Entry(row.id, title, "", _("Empty"), "caution")
    is_typed = any(line.typed for line in row.lines)
    return Entry(row.id, title, below, _("Typed") if is_typed else "", "accent")


def _lines_view(
    context: ViewContext, minutes: ShortMinutes, row: MinutesRow, page: int
) -> MinutesView:
    _ = context.translate.gettext
    entries = tuple(
        Entry(
            str(number),
            line.text,
            "",
            _("Typed") if line.typed else _("From the recording"),
            "accent" if line.typed else "plain",
        )
        for number, line in enumerate(row.lines)
    )
    can_change = minutes.stage != "confirmed"
    text = _("Nothing is written here yet.") if not entries else ""
    if entries and can_change:
        text = _("Tap a line to correct it.")
    return MinutesView(
        "lines",
        f"{row.number}. {sentence_case(row.label)}",
        text,
        entries,
        page,
        minutes.language,
        can_change,
        minutes.can_undo,
    )


def _confirm_view(
    context: ViewContext, minutes: ShortMinutes, staff: StaffSession | None
) -> MinutesView:
    _ = context.translate.gettext
    texts = [_("You confirm the minutes as secretary. The presiding judge confirms after you.")]
    if minutes.confirmations:
        texts = [_("You confirm the minutes as presiding judge. They are sealed then.")]
        texts.append(_("Nothing in them can be changed; a correction is a new version."))
        if minutes.quality is None:
            texts.append(_("You have not said yet whether the recording is usable."))
    if minutes.empty:
        texts.append(f"{sentence_case(_empty_text(context, minutes))}.")
    action = "" if _turn_problem(minutes, staff) else _("Confirm")
    title = minutes.case_number or _("No case number")
    return MinutesView("confirm", title, " ".join(texts), action=action)


def _signature_view(context: ViewContext, minutes: ShortMinutes) -> MinutesView:
    """Return how the secretary signs with her own key, and how far she is (АПК 283(5))."""
    _, signed, written = context.translate.gettext, minutes.signature, minutes.handed_out
    texts = [
        _("The minutes are not signed yet. Plug your USB drive in and write what is to be signed.")
    ]
    digest = ""
    if signed is not None:
        until = parse_wall(signed.valid_until)
        day = until.astimezone(context.zone).strftime("%d.%m.%Y") if until else ""
        texts = [
            _("The minutes are signed: {name}.", name=signed.name),
            _("The signature holds; the certificate is valid until {day}.", day=day),
            _("It is sealed and is delivered with the minutes."),
        ]
    elif written is not None:
        texts = [
            _("Written to the drive, folder {folder}.", folder=written.folder),
            _("Sign the file SHA256SUMS at your workstation and save the signature beside it."),
            _("Then plug the drive in here again and take the signature."),
        ]
        groups = [written.digest[start : start + 4] for start in range(0, len(written.digest), 4)]
        digest = " ".join(groups)
    title = minutes.case_number or _("No case number")
    return MinutesView(
        "signature", title, " ".join(texts), is_signed=signed is not None, digest=digest
    )


# -- samples -------------------------------------------------------------------------------------

_LABELS = (
    "жылы, айы, күні және орны",
    "басталған және аяқталған уақыты",
    "соттың атауы, судьяның, хатшының тегі мен аты-жөні",
    "істің атауы",
    "келгендер",
    "үзіліс және іс кейінге қалдырылғанда жаңа отырыс күні",
    "шешімнің жария етілгені, дайындау мерзімі, шағым жасау тәртібі мен мерзімі",
    "түпкілікті нысанда жасалған күні",
    "аудио-, бейнежазба құралдарының қолданылуы",
    "жазбасы бар файлдың атауы",
)
_IDS = (
    *("date_place", "times", "court", "case", "attendance"),
    *("recess", "announcement", "finished", "means", "file"),
)
_LINES: dict[str, tuple[MinutesLine, ...]] = {
    "date_place": (
        MinutesLine(text="27.11.2026"),
        MinutesLine(text="Алматы қаласының Бостандық аудандық соты, № 3 сот залы"),
    ),
    "times": (MinutesLine(text="10:02 – 11:47"),),
    "court": (
        MinutesLine(text="төрағалық етуші: Серікова С. С."),
        MinutesLine(text="сот отырысының хатшысы: Ахметова А. Б."),
    ),
    "case": (MinutesLine(text="7514-26-00-2/4491 · Омаров С. және Ли В., несие шарты бойынша"),),
    "attendance": (
        MinutesLine(text="талапкер: Омаров С. · сот залында"),
        MinutesLine(text="жауапкер: Ли В. · техникалық байланыс құралдары арқылы · 11:20 кетті"),
        MinutesLine(
            text="жауапкердің өкілі: Байтұрсынова-Қожахметова Г., сенімхат № 17", typed=True
        ),
    ),
    "means": (MinutesLine(text="Аудио- және бейнежазбаны киоск жүргізді: kiosk-0001."),),
    "file": (MinutesLine(text="part-01 · 10:02:11 · 1:45:03"),),
}


def _sample(**changes: Any) -> ShortMinutes:
    fields = tuple(
        MinutesRow(number=number, id=name, label=label, lines=_LINES.get(name, ()))
        for number, (name, label) in enumerate(zip(_IDS, _LABELS, strict=True), 1)
    )
    values: dict[str, Any] = {
        "hearing_id": "1",
        "case_number": "7514-26-00-2/4491",
        "kind": "civil",
        "revision": 3,
        "fields": fields,
        "empty": (6, 7),
        "due": "2026-12-02",
        "can_undo": True,
    }
    return ShortMinutes.model_validate({**values, **changes})


def full_minutes(**changes: Any) -> ShortMinutes:
    """Return full minutes: the fields of the rules data, filled where the short ones are."""
    kind = str(changes.get("kind", "civil"))
    fields = tuple(
        MinutesRow(
            number=row.number, id=row.id, label=row.label.kk or "", lines=_LINES.get(row.id, ())
        )
        for row in load_rules().full_protocol(kind).field
    )
    empty = tuple(row.number for row in fields if not row.lines)
    return _sample(form="full", fields=fields, empty=empty, **changes)


BY_SECRETARY = Confirmation(role="secretary", person="p-1", name="Ахметова А. Б.", at=at(12, 0))
BY_JUDGE = Confirmation(role="presiding", person="p-2", name="Серікова С. С.", at=at(12, 30))
FOR_JUDGE = _sample(stage="secretary", confirmations=(BY_SECRETARY,))
DONE = _sample(
    due="",
    remarks_until="2026-12-10",
    remarks_decided_by="2026-12-17",
    stage="confirmed",
    version=2,
    can_undo=False,
    confirmations=(BY_SECRETARY, BY_JUDGE),
)
HANDED_OUT = DONE.model_copy(
    update={
        "handed_out": MinutesForSignature(
            drive="ADATA-16",
            folder="minutes-7514-26-00-2-4491_5f0c91d2",
            digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            at=at(12, 40),
        )
    }
)
SIGNED = HANDED_OUT.model_copy(
    update={
        "signature": MinutesSignature(
            name="АХМЕТОВА АЙГҮЛ БОЛАТҚЫЗЫ", valid_until="2027-06-30T12:00:00.000Z", at=at(13, 5)
        )
    }
)
HEARINGS = tuple(
    MinutesSummary.model_validate(
        {"hearing_id": str(n), "case_number": f"7514-26-00-2/{4490 + n}", "stage": stage}
        | {"started": at(8 + n, 0), "due": "" if stage == "confirmed" else "2026-12-02"}
    )
    for n, stage in enumerate(("none", "draft", "secretary", "confirmed", "confirmed"), 1)
)
TROUBLED = tuple(
    row.model_copy(update={"problem": "" if row.stage == "none" else "storage_failed"})
    for row in HEARINGS[:4]
    if row.stage != "secretary"
)
JUDGE = service_states.SECRETARY | {"person": "p-2", "name": "Серікова С. С.", "roles": ["judge"]}
LONG = Typing("жауапкердің өкілі: Байтұрсынова-Қожахметова Г., сенімхат № 17, 2026 жылғы 3 қараша")


def _at(state: MinutesState, who: dict[str, Any] = service_states.SECRETARY) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(MinutesPlace(), who=who)(app)
        app.secretary.minutes.state = state

    return prepare


def _running(phase: str = "recess", alarms: Sequence[Any] = (), **changes: Any) -> Prepare:
    """Return full minutes that are written in a hearing."""

    def prepare(app: AppState) -> None:
        hearing_runs(phase, alarms=[*alarms])(app)
        state = app.recorder_state
        assert state is not None
        assert state.hearing is not None
        minutes = full_minutes(hearing_id=state.hearing.id, due="", is_running=True, **changes)
        app.secretary.place = MinutesPlace()
        app.secretary.minutes.state = MinutesState(minutes=minutes)

    return prepare


def _typing_in_hearing(app: AppState) -> None:
    _running("recording", [alarm("microphone_absent", "defendant")])(app)
    state = app.secretary.minutes.state
    app.secretary.minutes.state = replace(state, opened="attendance", line=-1, typing=LONG)


def _scanning(receipt: ReceiptState, *kept: Receipt) -> Prepare:
    """Return the step that scans a receipt after the hearing."""
    minutes = _sample(late_receipts=kept)

    def prepare(app: AppState) -> None:
        _at(MinutesState(minutes=minutes, is_scanning=True))(app)
        app.receipts.state = replace(receipt, path=late_receipts_path(minutes.hearing_id))

    return prepare


_CHOICES = tuple(
    UnscannedReceipt(
        mark=number, type=type_, at=at(10, number), of=MarkedPerson(id="p1", role=role, name=name)
    )
    for number, type_, role, name in (
        (3, "receipt_taken", "witness", "Ержан Т."),
        (5, "receipt_taken", "victim", "Ли В."),
        (9, "non_disclosure_receipt", "witness", "Ахметова Гүлмира Серікқызы"),
    )
)
SAMPLES: dict[str, Prepare] = {
    "minutes-full": _at(MinutesState(minutes=full_minutes())),
    "minutes-full-form": _at(MinutesState(minutes=full_minutes(), page=9)),
    "minutes-full-running": _running(),
    "minutes-full-recording": _running("recording"),
    "minutes-full-recording-alarm": _running(
        "recording", [alarm("microphone_absent", "defendant"), alarm("disk_low")]
    ),
    "minutes-full-recording-typing": _typing_in_hearing,
    "minutes-full-criminal": _running(kind="criminal", is_partial=True),
    "minutes-list": _at(MinutesState(HEARINGS)),
    "minutes-list-problems": _at(MinutesState(TROUBLED)),
    "minutes-none": _at(MinutesState(())),
    "minutes": _at(MinutesState(minutes=_sample())),
    "minutes-long-number": _at(MinutesState(minutes=_sample(case_number="7514-26-00-2/" * 15))),
    "minutes-receipt": _at(MinutesState(minutes=_sample(), is_scanning=True)),
    "minutes-receipt-paper": _scanning(ReceiptState(step="paper")),
    "minutes-receipt-kept": _scanning(ReceiptState(kept=3), Receipt(mark=3, scan=1)),
    "minutes-receipt-wrong": _scanning(ReceiptState(problem="receipt_other_hearing")),
    "minutes-receipt-whose": _scanning(ReceiptState(can_retry=True, choices=_CHOICES)),
    "minutes-receipt-none": _scanning(ReceiptState(problem="receipt_unknown")),
    "minutes-receipt-waits": _scanning(ReceiptState(problem="recorder_down", can_retry=True)),
    "minutes-second-page": _at(MinutesState(minutes=_sample(), page=1)),
    "minutes-longer-term": _at(
        MinutesState(minutes=_sample(is_complex=True, due="2026-12-11"), page=9)
    ),
    "minutes-lines": _at(MinutesState(minutes=_sample(), opened="attendance")),
    "minutes-empty-field": _at(MinutesState(minutes=_sample(), opened="recess")),
    "minutes-typing": _at(
        MinutesState(minutes=_sample(), opened="attendance", line=2, typing=LONG)
    ),
    "minutes-confirm": _at(MinutesState(minutes=_sample(), is_confirm_asked=True)),
    "minutes-judge": _at(MinutesState(minutes=FOR_JUDGE), JUDGE),
    "minutes-judge-confirm": _at(MinutesState(minutes=FOR_JUDGE, is_confirm_asked=True), JUDGE),
    "minutes-waiting": _at(MinutesState(minutes=FOR_JUDGE)),
    "minutes-confirmed": _at(MinutesState(minutes=DONE)),
    "minutes-to-sign": _at(MinutesState(minutes=DONE, is_signing=True)),
    "minutes-handed-out": _at(MinutesState(minutes=HANDED_OUT, is_signing=True)),
    "minutes-signed": _at(MinutesState(minutes=SIGNED, is_signing=True)),
}
