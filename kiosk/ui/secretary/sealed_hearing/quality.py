"""The report for the presiding judge: the view (no Kivy). S18, УПК 347-1(2-1)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.quality import (
    CauseSeconds,
    LostSeconds,
    QualityReport,
    QualityWord,
    SeatQuality,
    UnclearPlace,
    Verdict,
)
from kiosk.api.recorder import RecorderState
from kiosk.api.recorder_calls import StaffSession
from kiosk.api.states import UnclearSpeech
from kiosk.clocks import parse_set_wall
from kiosk.export.texts import LOSSES
from kiosk.locale import N_
from kiosk.ui.actions.quality_actions import QualityState
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import sentence_case, timer_text
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.secretary.running_hearing.side_panel import playing_text
from kiosk.ui.secretary.sealed_hearing.quality_samples import QUALITY_SAMPLES
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

VERDICTS: dict[Verdict, tuple[str, Tone]] = {
    "usable": (
        N_("The recording is complete and can be made out. The presiding judge decides."),
        "good",
    ),
    "hear_first": (
        N_("Not everything was recorded or can be made out. Hear the places before you confirm."),
        "caution",
    ),
    "unusable": (
        N_("The recording is hardly usable. If the presiding judge finds so: full minutes."),
        "fault",
    ),
    "unchecked": (
        N_("Nobody knows how it sounds: speech was not listened to. Hear it before you confirm."),
        "caution",
    ),
}
MISSING = N_("Not everything was recorded or checked. See what is missing before you confirm.")
"""In place of the second sentence, where no place is hard to make out."""
CAUSES = {
    "noise": N_("too much noise"),
    "far": N_("the microphone is far away"),
    "cross_talk": N_("several people speak at once"),
    "clipped": N_("the microphone is overdriven"),
    "quiet": N_("the voice is much quieter than usual"),
}
NOT_PLAYED = N_("Not played here")
WITHHELD = {
    "closed": N_("Closed: not played here"),
    "encrypted": N_("Encrypted: not played here"),
}
"""Why a place is not played; nobody knows of a part that is damaged."""
NOBODY_SPOKE = N_("Nobody spoke")
NOT_CHECKED = N_("Not checked")
PARTLY_CHECKED = N_("Not checked in full")
SOURCES = {
    "camera": N_("camera"),
    "recorder": N_("the recorder"),
    "storage": N_("the kiosk’s own disk"),
    "mirror": N_("the second storage"),
}
"""Sources of the recording that are no microphones."""
CLEAR, HARD = 0.9, 0.75
"""Share of a seat's words that can be made out: good from the first on, poor below the second."""


@dataclass(frozen=True)
class QualityRow:
    """A seat, or a place that is hard to make out.

    Attributes:
        share: of the seat's words that can be made out, 0 to 1; None: nobody spoke, or a place.
        place: what a tap plays; None: it is a seat.
        begins_full: a tap begins full minutes.
    """

    text: str
    below: str
    note: str = ""
    tone: Tone = "plain"
    share: float | None = None
    place: UnclearPlace | None = None
    begins_full: bool = False


@dataclass(frozen=True)
class QualityView:
    """The report.

    Attributes:
        facts: what the sentence rests on, in figures.
        playing: what plays in the headset now; empty: nothing.
        word: what the presiding judge said.
        can_judge: whoever is signed in may say it now; ``is_good``: what was said last.
    """

    title: str
    sentence: str
    tone: Tone = "plain"
    facts: str = ""
    word: str = ""
    playing: str = ""
    rows: tuple[QualityRow, ...] = ()
    page: int = 0
    can_judge: bool = False
    is_good: bool | None = None


def view(app: AppState) -> QualityView:
    """Return what the screen shows."""
    state = app.secretary.quality.state
    return quality_view(app.view_context(), state, app.staff, app.recorder_state)


def quality_view(
    context: ViewContext,
    state: QualityState,
    staff: StaffSession | None,
    recorder: RecorderState | None = None,
) -> QualityView:
    """Return the view of ``state`` for whoever is signed in."""
    _, report = context.translate.gettext, state.report
    if report is None:
        text = _("The report cannot be made. Hear the recording before you confirm.")
        reading = _("The recording is being looked through…")
        tone: Tone = "caution" if state.is_unreadable else "plain"
        return QualityView(
            _("Quality of the recording"), text if state.is_unreadable else reading, tone
        )
    sentence, tone = VERDICTS[report.verdict]
    if report.verdict == "hear_first" and not report.places:
        sentence = MISSING
    word, is_open = report.word, not report.is_confirmed
    is_bad = report.verdict == "unusable" if word is None else not word.is_good
    can_begin_full = is_open and is_bad and not report.is_full
    may = staff is not None and staff.has_role("judge", "presiding")
    return QualityView(
        report.case_number or _("No case number"),
        _(sentence),
        tone,
        _facts(context, report),
        _word(context, word),
        playing_text(context, recorder) if recorder is not None else "",
        (
            *([_full_row(context)] if can_begin_full else ()),
            *(_seat_row(context, seat, report) for seat in report.seats),
            *(
                _place_row(context, f"{number}/{report.places}", row)
                for number, row in enumerate(report.worst, 1)
            ),
        ),
        state.page,
        is_open and may,
        None if word is None else word.is_good,
    )


def _facts(context: ViewContext, report: QualityReport) -> str:
    _ = context.translate.gettext
    texts = [
        _("Recorded: {length}", length=timer_text(report.seconds)),
        _("spoken: {length}", length=timer_text(report.spoken_seconds)),
        _("hard to make out: {length}", length=timer_text(report.unclear_seconds)),
    ]
    if report.unchecked_seconds:
        texts.append(_("not checked: {length}", length=timer_text(report.unchecked_seconds)))
    if report.unreadable:
        texts.append(_("lines that cannot be read: {n}", n=report.unreadable))
    return " · ".join(texts)


def _word(context: ViewContext, word: QualityWord | None) -> str:
    """Return what the presiding judge said."""
    _ = context.translate.gettext
    if word is None:
        return _("The presiding judge has not said yet whether it is complete and of good quality.")
    at = parse_set_wall(word.at)
    when = "" if at is None else at.astimezone(context.zone).strftime("%d.%m.%Y %H:%M")
    who = ", ".join(text for text in (word.name or word.person, when) if text)
    if word.is_good:
        return _("Checked, complete and of good quality: {who}", who=who)
    return _("Checked, not usable: {who}", who=who)


def _who(context: ViewContext, row: SeatQuality | UnclearPlace) -> str:
    """Return role and name of a seat; of another source what it is called."""
    if row.source in SOURCES:
        return sentence_case(context.translate.gettext(SOURCES[row.source]))
    if not row.role:
        return sentence_case(context.labels.role(row.source))
    return ": ".join(
        text for text in (sentence_case(context.labels.role(row.role)), row.name) if text
    )


def _full_row(context: ViewContext) -> QualityRow:
    _ = context.translate.gettext
    below = _("In place of short minutes. What was typed stays.")
    return QualityRow(_("Begin full minutes"), below, begins_full=True)


def _seat_row(context: ViewContext, seat: SeatQuality, report: QualityReport) -> QualityRow:
    _ = context.translate.gettext
    texts = []
    if seat.turns:
        texts.append(_("spoken: {length}", length=timer_text(seat.seconds)))
    if seat.unclear_seconds:
        causes = ", ".join(text for row in seat.causes if (text := _cause(context, row)))
        texts.append(_("hard to make out: {length}", length=timer_text(seat.unclear_seconds)))
        texts[-1] += f" ({causes})" if causes else ""
    texts += [_lost_text(context, row) for row in seat.lost]
    if seat.switched_off_seconds:
        length = timer_text(seat.switched_off_seconds)
        texts.append(_("switched off at the seat: {length}", length=length))
    if not seat.seconds:
        is_explained = seat.lost or seat.switched_off_seconds
        note = "" if is_explained else _(_silence(report))
        return QualityRow(_who(context, seat), " · ".join(texts), note)
    judged = max(seat.judged_seconds, seat.unclear_seconds)
    if not judged:
        return QualityRow(_who(context, seat), " · ".join(texts), _("Too short to tell"))
    share = 1 - seat.unclear_seconds / judged
    tone: Tone = "good" if share >= CLEAR else "caution" if share >= HARD else "fault"
    note = _("Clear: {n} %", n=int(share * 100))
    return QualityRow(_who(context, seat), " · ".join(texts), note, tone, share)


def _cause(context: ViewContext, row: CauseSeconds | UnclearPlace) -> str:
    """Return what made words hard to make out, and by how much where that was measured."""
    _ = context.translate.gettext
    cause = _(CAUSES[row.cause]) if row.cause in CAUSES else ""
    if row.cause == UnclearSpeech.QUIET and row.below_usual_db is not None:
        return _("{cause}: −{n} dB", cause=cause, n=round(row.below_usual_db))
    if row.cause == UnclearSpeech.CLIPPED and row.clipped_share is not None:
        return _("{cause}: cut off {n} %", cause=cause, n=round(100 * row.clipped_share))
    return cause


def _silence(report: QualityReport) -> str:
    """Return what is said of a seat without speech: silence only where all was listened to."""
    if not report.unchecked_seconds:
        return NOBODY_SPOKE
    return NOT_CHECKED if report.unchecked_seconds >= report.seconds else PARTLY_CHECKED


def _lost_text(context: ViewContext, row: LostSeconds) -> str:
    _ = context.translate.gettext
    length = timer_text(row.seconds)
    if row.has_unknown:
        length = _("{length} and longer", length=length)
    kind = _(LOSSES.get(row.kind, row.kind))
    return _("not recorded: {length}, {kind}", length=length, kind=kind)


def _place_row(context: ViewContext, number: str, row: UnclearPlace) -> QualityRow:
    _ = context.translate.gettext
    when = context.clock_text(row.at, seconds=True)
    place = _("part {part}, {time}", part=row.part, time=timer_text(row.part_seconds))
    unclear = _(
        "hard to make out: {n} of {of} s", n=round(row.unclear_seconds), of=round(row.seconds)
    )
    below = " · ".join(text for text in (unclear, _cause(context, row), place) if text)
    title = " · ".join(text for text in (number, when, _who(context, row)) if text)
    note = _("Play") if row.can_play else _(WITHHELD.get(row.withheld or "", NOT_PLAYED))
    return QualityRow(title, below, note, place=row)


SAMPLES: dict[str, Prepare] = QUALITY_SAMPLES
