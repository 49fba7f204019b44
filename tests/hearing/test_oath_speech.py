"""An oath is heard alone and in full, or it is said that it was not; so is an explanation.

Requirements: R50, R51, S18.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import MicrophoneSettings
from kiosk.evidence.chain import read_chain
from kiosk.export.minutes import build_minutes
from kiosk.hardware.audibility.seat import Turn
from kiosk.hardware.sources.speech_detector import SpeechDetector
from kiosk.hearing.session.oath_speech import least_oath_seconds, said_meanwhile
from tests.hearing.courtroom_rig import RULES, CourtroomRig, courtroom_settings

ROLES = {
    "judge": "presiding",
    "witness": "witness",
    "left": "plaintiff",
    "free": "spare",
    "right": "plaintiff",
}
PARTICIPANTS = [{"role": "witness", "name": "Ержан Т."}]


def turn(name: str, begin: float, end: float) -> Turn:
    return Turn(name, round(begin * NS_PER_S), round(end * NS_PER_S))


@pytest.mark.parametrize(
    ("turns", "seconds", "also"),
    [
        ([], 0.0, ()),
        ([turn("witness", 12, 15)], 3.0, ()),
        ([turn("witness", 5, 11), turn("witness", 18, 40)], 3.0, ()),
        ([turn("witness", 12, 15), turn("witness", 12, 15.4)], 3.4, ()),
        ([turn("witness", 12, 15), turn("judge", 15, 19)], 3.0, ()),
        ([turn("witness", 12, 15), turn("judge", 14.1, 19)], 3.0, ()),
        ([turn("witness", 12, 15), turn("judge", 14, 19)], 3.0, ("judge",)),
        ([turn("witness", 12, 15), turn("judge", 9, 11), turn("left", 12, 16)], 3.0, ("left",)),
        ([turn("judge", 12, 15), turn("left", 12, 15)], 0.0, ()),
    ],
    ids=(
        *("nobody", "alone", "clipped", "told twice", "after", "short", "over it", "one of two"),
        "others only",
    ),
)
def test_time_at_the_right_microphone_counts_and_who_spoke_over_it(
    turns: list[Turn], seconds: float, also: tuple[str, ...]
) -> None:
    said = said_meanwhile(turns, "witness", [(10 * NS_PER_S, 20 * NS_PER_S)], RULES)
    assert (said.seconds, said.also) == (seconds, also)


def test_the_least_time_of_an_oath_follows_the_words_of_its_text() -> None:
    words = {row.language: len(row.text.split()) for row in RULES.oath.text if row.text}
    for language in ("kk", "ru"):
        assert least_oath_seconds(RULES, language) == pytest.approx(words[language] / 8, abs=0.06)
    assert least_oath_seconds(RULES, "en") == min(round(count / 8, 1) for count in words.values())


class ToldDetector(SpeechDetector):
    """A detector without its process: it says what a test tells it."""

    ended: tuple[Turn, ...] = ()
    running: tuple[Turn, ...] = ()

    def take_turns(self) -> list[Turn]:
        turns, self.ended = list(self.ended), ()
        return turns

    @property
    def running_turns(self) -> tuple[Turn, ...]:
        return self.running


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[CourtroomRig]:
    microphones = tuple(
        MicrophoneSettings(name=name, device=f"virtual:{name}", role=role)
        for name, role in ROLES.items()
    )
    made = CourtroomRig(tmp_path, courtroom_settings(tmp_path, microphones))
    made.sources.speech = ToldDetector(made.sources.microphones)
    made.begin(kind="criminal", format="offline", participants=PARTICIPANTS, language="ru")
    yield made
    made.courtroom.shutdown(1)


def listen(rig: CourtroomRig, name: str) -> None:
    """Say that the detector listened at ``name`` for ten minutes, and somebody spoke just now."""
    now_ns = recording_ns()
    source = next(row for row in rig.sources.microphones if row.name == name)
    source.hear_speech(now_ns + NS_PER_S, None)
    source.note_listened(now_ns - 600 * NS_PER_S, now_ns + NS_PER_S)


def say(
    rig: CourtroomRig, event: str, of: str, *, at: str, seconds: float, over: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Mark ``event`` half a minute ago, let somebody speak at ``at`` since, others over it; end it.

    Returns:
        the mark as in State.
    """
    number = rig.courtroom.add_mark(event, "s1", of=of).mark.id
    hearing = rig.courtroom.current
    assert hearing is not None
    mark = next(row for row in hearing.state.marks if row.number == number)
    hearing.state.parts[mark.part].tap_ns -= 30 * NS_PER_S
    hearing.recent_turns.clear()  # of what was said before
    begun_ns = hearing.state.parts[mark.part].tap_ns + round(mark.part_seconds * NS_PER_S)
    end_ns = begun_ns + round(seconds * NS_PER_S)
    speech = rig.sources.speech
    assert isinstance(speech, ToldDetector)
    speech.ended = (Turn(at, begun_ns, end_ns),)
    speech.running = tuple(Turn(name, begun_ns, end_ns) for name in over)
    listen(rig, at)
    rig.courtroom.end_oath(number, "s1")
    return next(row for row in rig.hearing()["marks"] if row["id"] == number)


def outcome(mark: dict[str, Any]) -> tuple[Any, ...]:
    return mark["heard"], mark["said_seconds"], mark["is_short"], tuple(mark["also"])


def minutes_of(rig: CourtroomRig, language: str) -> str:
    folder = rig.folder(rig.hearing()["id"])
    return build_minutes(folder, RULES, rig.settings, language).as_text()


def test_an_oath_that_is_heard_alone_and_in_full_is_not_remarked_on(rig: CourtroomRig) -> None:
    mark = say(rig, "oath", "p1", at="witness", seconds=6)
    assert outcome(mark) == (True, 6.0, False, ())


def test_who_spoke_over_an_oath_is_journalled_shown_and_in_the_minutes(rig: CourtroomRig) -> None:
    mark = say(rig, "oath", "p1", at="witness", seconds=6, over=("left", "right", "free"))
    assert outcome(mark) == (True, 6.0, False, ("free", "plaintiff"))
    part = rig.folder(rig.hearing()["id"]) / "part-01" / "journal.jsonl"
    (entry,) = [row for row in read_chain(part).entries if row["kind"] == "oath_ended"]
    assert (entry["also"], entry["said_seconds"]) == (["free", "plaintiff"], 6.0)
    assert "одновременно говорили и другие: free, истец" in minutes_of(rig, "ru")
    assert "басқалар да қатар сөйледі: " in minutes_of(rig, "kk")


def test_an_oath_that_is_too_short_for_its_text_is_said_to_be(rig: CourtroomRig) -> None:
    mark = say(rig, "oath", "p1", at="witness", seconds=1)
    assert outcome(mark) == (True, 1.0, True, ())
    assert "слышно слишком коротко: 1.0 с" in minutes_of(rig, "ru")
    assert "тым қысқа естілді: 1.0 с" in minutes_of(rig, "kk")


def test_the_warning_is_asked_of_the_presiding_judges_microphone(rig: CourtroomRig) -> None:
    event = "warning_false_testimony"
    assert outcome(say(rig, event, "p1", at="judge", seconds=3)) == (True, 3.0, False, ())
    assert outcome(say(rig, event, "p1", at="judge", seconds=1.5)) == (True, 1.5, True, ())
    over = say(rig, event, "p1", at="judge", seconds=3, over=("witness",))
    assert outcome(over) == (True, 3.0, False, ("witness",))


def test_a_sound_that_is_no_turn_of_speech_is_no_oath(rig: CourtroomRig) -> None:
    """A cough was told as an oath of 0.0 s."""
    for mark in (
        say(rig, "oath", "p1", at="witness", seconds=0),
        say(rig, "warning_false_testimony", "p1", at="judge", seconds=0.04, over=("witness",)),
    ):
        assert outcome(mark) == (False, None, None, ())
    assert "в микрофон никого не было слышно" in minutes_of(rig, "ru")


def test_what_is_said_in_a_recess_is_no_oath(rig: CourtroomRig) -> None:
    """It is not recorded."""
    number = rig.courtroom.add_mark("oath", "s1", of="p1").mark.id
    hearing, speech = rig.courtroom.current, rig.sources.speech
    assert hearing is not None
    assert isinstance(speech, ToldDetector)
    rig.courtroom.recess("s1")
    stop_ns = hearing.state.parts[1].stop_ns
    assert stop_ns is not None
    rig.courtroom.resume("s1")
    hearing.state.parts[2].tap_ns += 40 * NS_PER_S
    speech.ended = (Turn("witness", stop_ns, stop_ns + 30 * NS_PER_S),)
    listen(rig, "witness")
    mark = rig.courtroom.end_oath(number, "s1").mark
    assert (mark.heard, mark.said_seconds, mark.is_short) == (False, None, None)


def test_a_turn_that_ends_while_an_oath_is_ended_is_not_lost(rig: CourtroomRig) -> None:
    class Ending(ToldDetector):
        """The turn ends between the recorder's two questions."""

        def take_turns(self) -> list[Turn]:
            found = super().take_turns()
            self.ended, self.running = self.running, ()
            return found

    rig.sources.speech = Ending(rig.sources.microphones)
    mark = say(rig, "oath", "p1", at="witness", seconds=6, over=("left",))
    assert outcome(mark) == (True, 6.0, False, ("plaintiff",))


def test_a_turn_that_ends_at_the_end_of_the_hearing_is_told_once(rig: CourtroomRig) -> None:
    class Ending(SpeechDetector):
        """The turn ends between the two looks at what was said."""

        def take_turns(self) -> list[Turn]:
            return [turn("judge", 5, 9), turn("witness", 1, 3)]

        @property
        def running_turns(self) -> tuple[Turn, ...]:
            return turn("judge", 5, 8), turn("left", 2, 4)

    told = Ending(rig.sources.microphones).take_all_turns()
    assert told == [turn("judge", 5, 9), turn("witness", 1, 3), turn("left", 2, 4)]


def test_who_speaks_when_the_recorder_is_ended_is_journalled(rig: CourtroomRig) -> None:
    hearing = rig.courtroom.current
    assert hearing is not None
    tap_ns, hearing_id = hearing.state.parts[1].tap_ns, hearing.state.id
    speech = rig.sources.speech
    assert isinstance(speech, ToldDetector)
    speech.running = (Turn("judge", tap_ns, tap_ns + 10**18),)
    rig.courtroom.shutdown(5)
    rig.start()
    (row,) = rig.lines(hearing_id, "speech")
    assert (row["part"], row["source"], row["part_seconds"]) == (1, "judge", 0.0)


def test_nothing_is_said_where_the_detector_did_not_listen(rig: CourtroomRig) -> None:
    source = next(row for row in rig.sources.microphones if row.name == "witness")
    number = rig.courtroom.add_mark("oath", "s1", of="p1").mark.id
    source.hear_speech(recording_ns(), None)
    mark = rig.courtroom.end_oath(number, "s1").mark
    assert (mark.heard, mark.said_seconds, mark.is_short, mark.also) == (True, None, None, ())


def test_what_was_said_of_an_oath_is_the_same_after_a_crash(rig: CourtroomRig) -> None:
    before = say(rig, "oath", "p1", at="witness", seconds=1, over=("left",))
    rig.crash()
    rig.start()
    after = next(row for row in rig.hearing()["marks"] if row["id"] == before["id"])
    assert outcome(after) == outcome(before) == (True, 1.0, True, ("plaintiff",))
