"""The report for the presiding judge: is the recording complete, and can it be made out (S18).

УПК 347-1(2-1): the presiding judge checks completeness and quality; of a recording that is not
good enough full minutes are kept.
"""

from __future__ import annotations

from typing import Literal

from kiosk.api.base import Model, Moment, Rows
from kiosk.api.operations import COURT_ROLES, Operation

Verdict = Literal["usable", "hear_first", "unusable", "unchecked"]
"""Usable; places are to be heard before it is confirmed; not usable; nobody listened along."""


Withheld = Literal["closed", "encrypted", "damaged"]
"""Why a part is not played: closed to the public; open, and encrypted on this kiosk; not known."""


class CauseSeconds(Model):
    """Seconds that were hard to make out, and what disturbed most."""

    cause: str
    """As ``unclear`` of a microphone; empty: not told."""
    seconds: float
    below_usual_db: float | None = None
    """How much quieter than usual, mean over the seconds of which it is known; null: of none."""
    clipped_share: float | None = None
    """Of the speech, cut off at full scale, mean over the seconds; null: nowhere."""


class LostSeconds(Model):
    """Seconds of which a source has nothing, by what happened."""

    kind: str
    """As ``kind`` of an interruption."""
    count: int
    seconds: float
    has_unknown: bool = False
    """The length of one at least is not known; it is not in ``seconds``."""


class SeatQuality(Model):
    """What is known of a source of the recording: a microphone with whoever sits there, or other.

    ``name`` is empty where nobody said who sits there.
    """

    source: str
    role: str = ""
    name: str = ""
    turns: int = 0
    seconds: float = 0.0
    """Spoken there."""
    judged_seconds: float = 0.0
    """Of these, in turns that are long enough to tell how well they can be made out."""
    unclear_seconds: float = 0.0
    """Of these, in which the words were hard to make out."""
    causes: tuple[CauseSeconds, ...] = ()
    intelligibility: float | None = None
    """Estimated, 0 to 1; null: nothing was long enough to tell."""
    lost: tuple[LostSeconds, ...] = ()
    switched_off_seconds: float = 0.0
    """Its seat had switched it off: of what was said there nothing can be known."""


class UnclearPlace(Model):
    """A turn of speech whose words were hard to make out."""

    source: str
    role: str = ""
    name: str = ""
    part: int
    part_seconds: float
    seconds: float
    unclear_seconds: float
    cause: str = ""
    below_usual_db: float | None = None
    clipped_share: float | None = None
    at: Moment = ""
    can_play: bool = False
    """Its part can be read on this kiosk."""
    withheld: Withheld | None = None
    """Why not."""


class QualityWord(Model):
    """What the presiding judge said of the recording, who that was, and when."""

    is_good: bool
    """Complete and of good quality; else not usable."""
    person: str
    name: str = ""
    at: Moment = ""


class QualityReport(Model):
    """The report: a verdict by the stated limits, and what it rests on. The judge decides."""

    hearing_id: str
    case_number: str = ""
    verdict: Verdict
    seconds: float
    """Recorded in all parts."""
    spoken_seconds: float
    judged_seconds: float
    unclear_seconds: float
    unchecked_seconds: float
    """Recorded while no voice detector listened: of these nobody knows how they sound."""
    unreadable: int = 0
    """Lines of the journal that say who spoke and cannot be read; everything else is counted."""
    seats: Rows[SeatQuality] = ()
    worst: Rows[UnclearPlace] = ()
    """At most ten, the worst first."""
    places: int = 0
    """Of how many they are the worst."""
    word: QualityWord | None = None
    """The presiding judge's newest word; null: nothing was said yet."""
    is_full: bool = False
    """Full minutes were begun."""
    is_confirmed: bool = False
    """Both have confirmed the minutes: nothing is said any more, but in a new version."""


READ_QUALITY = Operation(
    "readQuality",
    "GET",
    "/v1/minutes/{id}/quality",
    "Completeness and audibility of a hearing that has ended, from its journals",
    answer=QualityReport,
    roles=COURT_ROLES,
    errors={409: ("hearing_unknown", "export_not_sealed", "journal_broken", "storage_failed")},
)
