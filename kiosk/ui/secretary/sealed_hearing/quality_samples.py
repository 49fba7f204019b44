"""Samples of the report for the presiding judge."""

from __future__ import annotations

from typing import Any

from kiosk.api.quality import (
    CauseSeconds,
    LostSeconds,
    QualityReport,
    QualityWord,
    SeatQuality,
    UnclearPlace,
    Withheld,
)
from kiosk.ui.actions.quality_actions import QualityState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import QualityPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.service_states import at
from kiosk.ui.samples.staff_states import staff_at


def _seat(source: str, role: str, name: str, seconds: float, **more: Any) -> SeatQuality:
    values = {"turns": -int(-seconds // 12), "seconds": seconds, "judged_seconds": seconds, **more}
    return SeatQuality(source=source, role=role, name=name, **values)


def _places(count: int, withheld: Withheld | None = None) -> tuple[UnclearPlace, ...]:
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
            cause=("far", "quiet", "clipped", "noise", "cross_talk")[n % 5],
            below_usual_db=14.6 if n % 5 == 1 else None,
            clipped_share=0.11 if n % 5 == 2 else None,
            at=at(10, 3 + 7 * n % 50, 17),
            can_play=withheld is None,
            withheld=withheld,
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
            CauseSeconds(cause="quiet", seconds=26.0, below_usual_db=14.6),
        ),
    ),
    _seat(
        *("plaintiff", "plaintiff", "Ахметов А.", 640.0),
        lost=(LostSeconds(kind="muted", count=2, seconds=41.0),),
    ),
    _seat("defendant", "defendant_civil", "Ли В.", 0.0),
    _seat("spare", "spare", "", 0.0, switched_off_seconds=6303.0),
)
USABLE = QualityReport(
    hearing_id="1",
    case_number="7514-26-00-2/4491",
    verdict="usable",
    seconds=6303.0,
    spoken_seconds=3372.0,
    judged_seconds=3300.0,
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
            _seat("witness", "witness", "", 48.0),  # before somebody was named there
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
_SHORT = _seat("judge", "presiding", "", 2.0, judged_seconds=0.0)
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
QUALITY_SAMPLES: dict[str, Prepare] = {
    "quality-usable": _at(USABLE),
    "quality-good": _at(USABLE, word=_GOOD),
    "quality-hear-first": _at(HEAR_FIRST),
    "quality-missing": _at(HEAR_FIRST.model_copy(update={"worst": (), "places": 0})),
    "quality-places": _at(HEAR_FIRST, page=1),
    "quality-playing": _at(HEAR_FIRST, page=1, recorder=_PLAYING),
    "quality-closed": _at(
        HEAR_FIRST.model_copy(update={"worst": _places(3, "closed"), "places": 3}), page=1
    ),
    "quality-encrypted": _at(
        HEAR_FIRST.model_copy(update={"worst": _places(3, "encrypted"), "places": 3}), page=1
    ),
    "quality-unusable": _at(UNUSABLE),
    "quality-bad": _at(UNUSABLE, word=_BAD),
    "quality-unchecked": _at(UNCHECKED),
    "quality-short": _at(USABLE.model_copy(update={"seats": (_SHORT, _SEATS[3])})),
    "quality-secretary": _at(HEAR_FIRST, service_states.SECRETARY),
    "quality-reading": _at(None),
    "quality-unreadable": _at(None, is_unreadable=True),
}
