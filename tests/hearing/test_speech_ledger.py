"""Who spoke is in the journal and in State; words hard to make out are an alarm (S18)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.states import MicrophoneState, UnclearSpeech
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import MicrophoneSettings
from kiosk.hardware.audibility.seat import Turn
from kiosk.hardware.sources.sources import Sources
from kiosk.hardware.sources.speech_detector import SpeechDetector
from kiosk.hearing.monitoring.lamp import unheard
from kiosk.hearing.monitoring.unclear_words import UnclearSentences
from kiosk.hearing.session.speech_ledger import WORST, SpeechLedger, turn_fields
from tests.hearing import courtroom_rig
from tests.hearing.courtroom_rig import CourtroomRig, courtroom_settings
from tests.support.waiting import wait_for


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[CourtroomRig]:
    microphones = tuple(
        MicrophoneSettings(name=name, role=name, device=f"mic_{name}")
        for name in ("judge", "witness")
    )
    made = CourtroomRig(tmp_path, courtroom_settings(tmp_path, microphones))
    yield made
    made.crash()


def turn(name: str, start_ns: int, seconds: float, unclear_s: float = 0.0, **more: Any) -> Turn:
    return Turn(name, start_ns, start_ns + round(seconds * NS_PER_S), unclear_s=unclear_s, **more)


def alarms(rig: CourtroomRig) -> set[tuple[str, str]]:
    return {(row["code"], row["source"]) for row in rig.state()["alarms"]}


@pytest.mark.parametrize("cause", list(UnclearSpeech))
def test_unclear_words_are_an_alarm_of_their_seat_while_recorded(
    rig: CourtroomRig, cause: UnclearSpeech
) -> None:
    witness = next(row for row in rig.sources.microphones if row.name == "witness")
    witness.set_state(MicrophoneState.OK)
    witness.hear_speech(recording_ns(), cause)
    assert (cause.alarm, "witness") not in alarms(rig), "nothing is recorded"
    rig.begin(format="offline")
    assert (cause.alarm, "witness") in alarms(rig)
    witness.hear_speech(recording_ns(), None)
    assert (cause.alarm, "witness") not in alarms(rig)
    witness.hear_speech(recording_ns(), cause)
    witness.lose_detector()
    assert (cause.alarm, "witness") not in alarms(rig), "nobody knows now"


MOMENTS: tuple[tuple[int, UnclearSpeech | None, str, bool], ...] = (
    (0, UnclearSpeech.FAR, "unclear_far", True),
    (30, UnclearSpeech.FAR, "unclear_far", True),
    (40, None, "", False),
    (50, UnclearSpeech.NOISE, "", True),
    (59, UnclearSpeech.NOISE, "", True),
    (60, UnclearSpeech.NOISE, "unclear_noise", True),
    (125, UnclearSpeech.NOISE, "unclear_noise", True),
    (126, None, "", False),
    (127, UnclearSpeech.QUIET, "unclear_quiet", True),
)
"""Seconds, what is measured, the sentence that is told, and whether the lamp must blink."""


@pytest.mark.parametrize("is_restarted", [False, True])
def test_the_sentence_comes_once_a_minute_and_the_lamp_follows_the_words(
    rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch, *, is_restarted: bool
) -> None:
    """The lamp was steady over words that were unclear again before the minute was over.

    A detector that was started again told the sentence anew.
    """
    begun_ns = recording_ns()
    witness = next(row for row in rig.sources.microphones if row.name == "witness")
    witness.set_state(MicrophoneState.OK)
    rig.begin(format="offline")
    for seconds, cause, sentence, must_blink in MOMENTS:
        now_ns = begun_ns + seconds * NS_PER_S
        monkeypatch.setattr("kiosk.hearing.monitoring.state.recording_ns", lambda now=now_ns: now)
        if is_restarted and cause is None:
            witness.lose_detector()
        else:
            witness.hear_speech(begun_ns, cause)
        state = rig.courtroom.state()
        told = [row.code for row in state.alarms if row.code.startswith("unclear_")]
        assert told == ([sentence] if sentence else []), f"at {seconds} s"
        assert ("witness" in unheard(state)) is must_blink, f"at {seconds} s"


def test_a_state_that_was_begun_earlier_ends_no_sentence() -> None:
    sentences, row = UnclearSentences(), ("unclear_far", "witness")
    assert sentences.limit([row], 2 * NS_PER_S) == [row]
    assert sentences.limit([], NS_PER_S) == []
    assert sentences.limit([row], 3 * NS_PER_S) == [row]


def test_a_turn_over_two_parts_has_its_unclear_seconds_once(rig: CourtroomRig) -> None:
    """Each part had all of them."""
    hearing_id = rig.begin(format="offline")
    rig.courtroom.recess("p1")
    rig.courtroom.resume("p1")
    hearing = rig.courtroom.current
    assert hearing is not None
    first, second = hearing.state.parts[1], hearing.state.parts[2]
    second.tap_ns = first.stop_ns = first.tap_ns + 15 * NS_PER_S
    hearing.add_turns([turn("judge", first.tap_ns, 20, 8.0)])
    rows = rig.lines(hearing_id, "speech")
    assert [(row["part"], row["lasts"], row["unclear_seconds"]) for row in rows] == [
        (1, 15.0, 6.0),
        (2, 5.0, 2.0),
    ]


def test_turns_are_journalled_with_their_part_and_known_after_a_crash(rig: CourtroomRig) -> None:
    hearing_id = rig.begin(format="offline")
    hearing = rig.courtroom.current
    assert hearing is not None
    tap_ns = hearing.state.parts[1].tap_ns
    before = turn("judge", tap_ns - 9 * NS_PER_S, 5)
    early = turn("judge", tap_ns - NS_PER_S, 3, intelligibility=0.9)
    more = {"intelligibility": 0.7, "level_db": -41.5, "usual_db": -27.0, "clipped_share": 0.08}
    late = turn("witness", tap_ns + 4 * NS_PER_S, 6, 2.4, cause="quiet", **more)
    hearing.add_turns([before, early, late])
    hearing.settle(5)
    rows = [
        (row["source"], row["part"], row["part_seconds"], row["lasts"], row["unclear_seconds"])
        for row in rig.lines(hearing_id, "speech")
    ]
    assert rows == [("judge", 1, 0.0, 2.0, 0.0), ("witness", 1, 4.0, 6.0, 2.4)]
    shown = rig.hearing()["speech"]
    assert [(row["source"], row["seconds"], row["unclear_seconds"]) for row in shown] == [
        ("judge", 2.0, 0.0),
        ("witness", 6.0, 2.4),
    ]
    assert shown[1]["worst"] == [shown[1]["latest"]]
    assert shown[1]["latest"]["cause"] == "quiet"
    assert (shown[1]["latest"]["below_usual_db"], shown[1]["latest"]["clipped_share"]) == (
        *(14.5, 0.08),
    )
    assert shown[0]["latest"]["below_usual_db"] is shown[0]["latest"]["clipped_share"] is None


class EndedDetector(SpeechDetector):
    """A detector without its process: a turn has ended that nobody took, another goes on."""

    def take_all_turns(self) -> list[Turn]:
        now_ns = recording_ns()
        return [turn("witness", now_ns - 50 * NS_PER_S, 60), turn("judge", now_ns, -0.05)]


def test_who_spoke_last_is_in_the_journal_when_the_hearing_ends(rig: CourtroomRig) -> None:
    rig.sources.speech = EndedDetector(rig.sources.microphones)
    hearing_id = rig.begin(format="offline")
    wait_for(lambda: rig.hearing()["part_seconds"] > 0.1, "something recorded")
    rig.courtroom.end("s1")
    rig.sealed(hearing_id)
    (row,) = rig.lines(hearing_id, "speech")
    assert (row["source"], row["part"], row["part_seconds"]) == ("witness", 1, 0.0)
    assert row["lasts"] > 0


class ListeningSources(Sources):
    """Sources whose detector was started before the courtroom was made, as the service does."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.speech = EndedDetector(self.microphones)


def test_how_loud_the_last_hearings_were_is_known_and_given_to_the_detector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courtroom_rig, "Sources", ListeningSources)
    microphone = MicrophoneSettings(name="witness", role="witness", device="mic_witness")
    rig = CourtroomRig(tmp_path, courtroom_settings(tmp_path, (microphone,)))
    detector = rig.sources.speech
    assert detector is not None
    for level_db in (-30.0, -34.0, -31.0):
        assert detector.usual_level("witness") is None
        hearing_id = rig.begin(format="offline")
        hearing = rig.courtroom.current
        assert hearing is not None
        tap_ns = hearing.state.parts[1].tap_ns
        long = turn("witness", tap_ns, 25, intelligibility=0.9, level_db=level_db)
        hearing.add_turns([long, turn("witness", tap_ns, 1)])
        rig.courtroom.end("s1")
        rig.sealed(hearing_id)
        rows = rig.lines(hearing_id, "speech")
        assert level_db in [row["level_db"] for row in rows]
    wait_for(lambda: detector.usual_level("witness") == -31.0, "the third hearing is known")
    rig.crash()


@pytest.mark.parametrize(
    ("start_s", "seconds", "stop_s", "wanted"),
    [
        (-5, 4, None, None),
        (-1, 3, None, (0.0, 2.0)),
        (4, 3, None, (4.0, 3.0)),
        (4, 3, 6, (4.0, 2.0)),
        (7, 3, 6, None),
    ],
)
def test_only_what_was_said_while_the_part_ran_is_kept(
    start_s: int, seconds: int, stop_s: int | None, wanted: tuple[float, float] | None
) -> None:
    tap_ns = 10**12
    stop_ns = None if stop_s is None else tap_ns + stop_s * NS_PER_S
    fields = turn_fields(turn("judge", tap_ns + start_s * NS_PER_S, seconds), 1, tap_ns, stop_ns)
    found = None if fields is None else (fields["part_seconds"], fields["lasts"])
    assert found == wanted


def test_the_state_keeps_the_worst_places_and_does_not_grow() -> None:
    ledger = SpeechLedger()
    for number in range(500):
        ledger.apply(
            {
                "part": 1,
                "source": "judge",
                "part_seconds": number * 10.0,
                "lasts": 8.0,
                "intelligibility": 0.8 if number % 2 else None,
                "unclear_seconds": number % 7 / 2,
                "cause": "noise",
            }
        )
    (total,) = ledger.describe()
    assert (total.turns, total.seconds) == (500, 4000.0)
    assert total.intelligibility == pytest.approx(0.8)
    assert len(total.worst) == WORST
    assert {row.unclear_seconds for row in total.worst} == {3.0}
    assert total.latest.part_seconds == 4990.0
