"""The report for the presiding judge: view and samples (no Kivy). S18, УПК 347-1(2-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
from kiosk.export.texts import LOSSES
from kiosk.locale import N_
from kiosk.ui.actions.quality_actions import QualityState
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import sentence_case, timer_text
from kiosk.ui.registry import QualityPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.service_states import at
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.secretary.running_hearing.side_panel import playing_text
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
}
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
            *(_seat_row(context, seat) for seat in report.seats),
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
    values = {"name": word.name, "time": context.clock_text(word.at)}
    if word.is_good:
        return _("Checked, complete and of good quality: {name}, {time}", **values)
    return _("Checked, not usable: {name}, {time}", **values)


def _who(context: ViewContext, row: SeatQuality | UnclearPlace) -> str:
    """Return role and name of a seat; of another source what it is called."""
    if row.source == "camera":
        return sentence_case(context.translate.gettext("camera"))
    if not row.role:
        return sentence_case(context.labels.role(row.source))
    return ": ".join(
        text for text in (sentence_case(context.labels.role(row.role)), row.name) if text
    )


def _full_row(context: ViewContext) -> QualityRow:
    _ = context.translate.gettext
    below = _("In place of short minutes. What was typed stays.")
    return QualityRow(_("Begin full minutes"), below, begins_full=True)


def _seat_row(context: ViewContext, seat: SeatQuality) -> QualityRow:
    _ = context.translate.gettext
    texts = []
    if seat.turns:
        texts.append(_("spoken: {length}", length=timer_text(seat.seconds)))
    if seat.unclear_seconds:
        causes = ", ".join(_(CAUSES[row.cause]) for row in seat.causes if row.cause in CAUSES)
        texts.append(_("hard to make out: {length}", length=timer_text(seat.unclear_seconds)))
        texts[-1] += f" ({causes})" if causes else ""
    texts += [_lost_text(context, row) for row in seat.lost]
    if not seat.seconds:
        note = "" if seat.lost else _("Nobody spoke")
        return QualityRow(_who(context, seat), " · ".join(texts), note)
    share = max(0.0, 1 - seat.unclear_seconds / seat.seconds)
    tone: Tone = "good" if share >= CLEAR else "caution" if share >= HARD else "fault"
    note = _("Clear: {n} %", n=int(share * 100))
    return QualityRow(_who(context, seat), " · ".join(texts), note, tone, share)


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
    cause = _(CAUSES[row.cause]) if row.cause in CAUSES else ""
    below = " · ".join(text for text in (unclear, cause, place) if text)
    title = " · ".join(text for text in (number, when, _who(context, row)) if text)
    note = _("Play") if row.can_play else _("Closed: not played here")
    return QualityRow(title, below, note, place=row)


# -- samples -------------------------------------------------------------------------------------


def _seat(source: str, role: str, name: str, seconds: float, **more: Any) -> SeatQuality:
    values = {"turns": round(seconds / 12), "seconds": seconds, **more}
    return SeatQuality(source=source, role=role, name=name, **values)


def _places(count: int, *, can_play: bool = True) -> tuple[UnclearPlace, ...]:
    seats = (("witness", "witness", "Ержан Т."), ("defendant", "defendant_civil", "Ли В."))
    return tuple(
        UnclearPlace(
            source=seats[n % 2][0],
            role=seats[n % 2][1],
            name=seats[n % 2][2],
            part=1 + n % 2,
            part_seconds=421.0 * (n + 1),
            seconds=34.0 - 2 * n,
            unclear_seconds=22.0 - 2 * n,
            cause=("far", "noise", "cross_talk")[n % 3],
            at=at(10, 3 + 7 * n % 50, 17),
            can_play=can_play,
        )
        for n in range(count)
    )


_SEATS = (
    _seat("judge", "presiding", "", 1820.0),
    _seat(
        *("witness", "witness", "Ержан Т.", 912.0),
        unclear_seconds=96.0,
        causes=(
            CauseSeconds(cause="far", seconds=70.0),
            CauseSeconds(cause="noise", seconds=26.0),
        ),
    ),
    _seat(
        *("plaintiff", "plaintiff", "Ахметов А.", 640.0),
        lost=(LostSeconds(kind="muted", count=2, seconds=41.0),),
    ),
    _seat("defendant", "defendant_civil", "Ли В.", 0.0),
)
USABLE = QualityReport(
    hearing_id="1",
    case_number="7514-26-00-2/4491",
    verdict="usable",
    seconds=6303.0,
    spoken_seconds=3372.0,
    unclear_seconds=0.0,
    unchecked_seconds=0.0,
    seats=(_SEATS[0], _seat("witness", "witness", "Ержан Т.", 912.0), _SEATS[3]),
)
HEAR_FIRST = USABLE.model_copy(
    update={
        "verdict": "hear_first",
        "unclear_seconds": 96.0,
        "unchecked_seconds": 12.0,
        "seats": _SEATS,
        "worst": _places(10),
        "places": 14,
    }
)
_POOR = _seat(
    *("witness", "witness", "Ержан Т.", 912.0),
    unclear_seconds=610.0,
    causes=(CauseSeconds(cause="noise", seconds=610.0),),
)
UNUSABLE = HEAR_FIRST.model_copy(
    update={
        "verdict": "unusable",
        "unclear_seconds": 610.0,
        "seats": (
            _POOR,
            _SEATS[0],
            SeatQuality(
                source="recorder",
                lost=(LostSeconds(kind="power", count=1, seconds=301.0, has_unknown=True),),
            ),
        ),
    }
)
UNCHECKED = USABLE.model_copy(
    update={
        "verdict": "unchecked",
        "spoken_seconds": 0.0,
        "unchecked_seconds": 6303.0,
        "seats": (_SEATS[3],),
    }
)
_GOOD = QualityWord(is_good=True, person="p-2", name="Серікова С. С.", at=at(12, 20))
_BAD = _GOOD.model_copy(update={"is_good": False})
JUDGE = service_states.SECRETARY | {"person": "p-2", "name": "Серікова С. С.", "roles": ["judge"]}


def _at(
    report: QualityReport | None,
    who: dict[str, Any] = JUDGE,
    word: QualityWord | None = None,
    recorder: dict[str, Any] | None = None,
    **more: Any,
) -> Prepare:
    shown = report and report.model_copy(update={"word": word})

    def prepare(app: AppState) -> None:
        staff_at(QualityPlace(), recorder, who=who)(app)
        app.secretary.quality.state = QualityState("1", shown, **more)

    return prepare


_PLAYING = service_states.recorder(
    listening={"source": "witness", "seconds": 4.0, "of_seconds": 31.0}
)
SAMPLES: dict[str, Prepare] = {
    "quality-usable": _at(USABLE),
    "quality-good": _at(USABLE, word=_GOOD),
    "quality-hear-first": _at(HEAR_FIRST),
    "quality-missing": _at(HEAR_FIRST.model_copy(update={"worst": (), "places": 0})),
    "quality-places": _at(HEAR_FIRST, page=1),
    "quality-playing": _at(HEAR_FIRST, page=1, recorder=_PLAYING),
    "quality-closed": _at(
        HEAR_FIRST.model_copy(update={"worst": _places(3, can_play=False), "places": 3}), page=1
    ),
    "quality-unusable": _at(UNUSABLE),
    "quality-bad": _at(UNUSABLE, word=_BAD),
    "quality-unchecked": _at(UNCHECKED),
    "quality-secretary": _at(HEAR_FIRST, service_states.SECRETARY),
    "quality-reading": _at(None),
    "quality-unreadable": _at(None, is_unreadable=True),
}
