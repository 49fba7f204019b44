"""The oath begins with its mark and ends; whether it was heard is what the microphone heard.

Requirements: R46, R50, R52, УПК 370(2).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kiosk.api.persons import SavePerson
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import MicrophoneSettings
from kiosk.evidence.chain import read_chain
from kiosk.export.minutes import build_minutes
from kiosk.hardware.audibility.channel import Channel
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hearing.room.errors import BadRequestError
from tests.hearing.courtroom_rig import RULES, CourtroomRig, courtroom_settings

MICROPHONES = ("judge", "witness", "remote")
RATE = 48000
PARTICIPANTS = [{"role": "witness", "name": "Ержан Т."}, {"role": "victim", "name": "Омаров С."}]


@pytest.fixture
def rig(tmp_path: Path) -> Any:
    microphones = tuple(
        MicrophoneSettings(name=name, device=f"virtual:{name}", role=name) for name in MICROPHONES
    )
    rig = CourtroomRig(tmp_path, courtroom_settings(tmp_path, microphones))
    yield rig
    rig.courtroom.shutdown(1)


def speak(rig: CourtroomRig, name: str, level: float = 0.2, seconds_ago: int = 0) -> None:
    """Let the microphone ``name`` hear half a second of sound, never the same twice."""
    source = next(row for row in rig.sources.microphones if row.name == name)
    start_ns = recording_ns() - seconds_ago * NS_PER_S
    noise = np.random.default_rng(start_ns).normal(0, level * 32767, RATE // 2)
    source.meter.push(AudioBlock(0, 0, start_ns, noise.clip(-32768, 32767).astype(np.int16)))


def swear(rig: CourtroomRig, of: str = "p1") -> int:
    """Begin an oath; return the number of its mark."""
    return rig.courtroom.add_mark("oath", "s1", of=of).mark.id


def end(rig: CourtroomRig, mark: int) -> bool | None:
    return rig.courtroom.end_oath(mark, "s1").mark.heard


def begin(rig: CourtroomRig) -> str:
    return rig.begin(kind="criminal", format="offline", participants=PARTICIPANTS)


def test_it_is_heard_at_the_microphone_of_whoever_swears_and_nowhere_else(
    rig: CourtroomRig,
) -> None:
    hearing_id = begin(rig)
    speak(rig, "witness", seconds_ago=2)
    silent = swear(rig)
    speak(rig, "judge")
    assert end(rig, silent) is False, "what was said before it, or by the judge, is no oath"
    heard = swear(rig)
    speak(rig, "witness")
    assert end(rig, heard) is True
    marks = {mark["id"]: mark for mark in rig.hearing()["marks"]}
    assert (marks[silent]["heard"], marks[heard]["heard"]) == (False, True)
    assert marks[heard]["ended"] >= marks[heard]["at"]
    rig.courtroom.end("s1")
    rig.sealed(hearing_id)
    entries = read_chain(rig.folder(hearing_id) / "part-01" / "journal.jsonl").entries
    ends = [entry for entry in entries if entry["kind"] == "oath_ended"]
    assert [(e["mark"], e["microphone"], e["heard"], e["person"]) for e in ends] == [
        (silent, "witness", False, "s1"),
        (heard, "witness", True, "s1"),
    ]
    minutes = build_minutes(rig.folder(hearing_id), RULES, rig.settings, "ru").as_text()
    lines = [line for line in minutes.splitlines() if "клятвы" in line]
    assert ["никого не было слышно" in line for line in lines] == [True, False]


def test_noise_below_speech_is_no_oath(rig: CourtroomRig) -> None:
    begin(rig)
    mark = swear(rig)
    speak(rig, "witness", level=0.0001)
    assert end(rig, mark) is False


def test_a_seat_and_taking_part_online_say_where_to_listen(rig: CourtroomRig) -> None:
    begin(rig)
    rig.courtroom.save_person(SavePerson(id="p1", attendance="online"), "s1")
    mark = swear(rig)
    speak(rig, "remote")
    assert end(rig, mark) is True
    rig.courtroom.save_person(SavePerson(id="p2", seat="judge"), "s1")
    mark = swear(rig, "p2")
    speak(rig, "judge")
    assert end(rig, mark) is True


def test_where_nobody_can_know_it_is_not_claimed(tmp_path: Path) -> None:
    rig = CourtroomRig(tmp_path)
    begin(rig)
    mark = swear(rig)
    assert end(rig, mark) is None, "no microphone"
    rig.courtroom.shutdown(1)


def test_silence_is_not_claimed_where_the_voice_detector_did_not_listen(rig: CourtroomRig) -> None:
    begin(rig)
    source = next(row for row in rig.sources.microphones if row.name == "witness")
    source.expect_detector()
    assert end(rig, swear(rig)) is None, "it still starts"

    def listened(since_s: float, until_s: float) -> None:
        now_ns = recording_ns()
        source.note_listened(now_ns + round(since_s * NS_PER_S), now_ns + round(until_s * NS_PER_S))

    mark = swear(rig)
    source.hear_speech(None, None)
    listened(-60, 1)
    assert end(rig, mark) is False, "it listened, and nobody spoke"
    mark = swear(rig)
    listened(-60, -5)
    assert end(rig, mark) is None, "it is late"
    mark = swear(rig)
    listened(0, 1)
    assert end(rig, mark) is None, "it began in the middle, or after a hole"
    mark = swear(rig)
    source.lose_detector()
    assert end(rig, mark) is None, "it was lost in the middle"
    assert end(rig, swear(rig)) is False, "loud sounds count from now on"
    mark = swear(rig)
    source.hear_speech(recording_ns(), None)
    assert end(rig, mark) is True


def test_a_hole_in_which_somebody_may_have_spoken_is_told() -> None:
    channel = Channel(RATE)
    block = np.zeros(RATE // 10, np.int16)

    def push(at_s: float) -> int:
        channel.push(round(at_s * NS_PER_S), block)
        return channel.since_ns

    assert [push(at) for at in (5.0, 5.1, 5.3)] == [5 * NS_PER_S] * 3
    assert push(6.0) == 6 * NS_PER_S
    for number in range(1, 60):
        push(6.0 + number / 10)
    assert channel.since_ns == 8 * NS_PER_S, "four seconds wait, the older ones are forgotten"


def test_the_language_of_the_proceedings_is_one_that_the_rules_know(rig: CourtroomRig) -> None:
    begin(rig)
    assert rig.hearing()["language"] is None
    rig.statement("language", "ru")
    for wrong in ("de", 5, None, ["ru"]):
        with pytest.raises(BadRequestError):
            rig.statement("language", wrong)
    assert rig.hearing()["language"] == "ru"


def test_an_oath_ends_once_and_only_an_oath_does(rig: CourtroomRig) -> None:
    begin(rig)
    other = rig.courtroom.add_mark("questioning", "s1", of="p1").mark.id
    mark = swear(rig)
    withdrawn = swear(rig)
    rig.courtroom.undo_mark("s1")
    end(rig, mark)
    for number in (other, mark, withdrawn, 999):
        with pytest.raises(BadRequestError) as refused:
            end(rig, number)
        assert refused.value.code == "unknown_mark"
    assert len(rig.hearing()["marks"]) == 3, "nothing is lost"


def test_it_can_be_left_or_end_in_a_recess_and_is_the_same_after_a_crash(
    rig: CourtroomRig,
) -> None:
    """Nothing waits for the end of an oath."""
    begin(rig)
    left, ended = swear(rig), swear(rig)
    rig.courtroom.recess("s1")
    end(rig, ended)
    before = rig.hearing()["marks"]
    rig.crash()
    rig.start()
    assert [(m["ended"], m["heard"]) for m in rig.hearing()["marks"]] == [
        (m["ended"], m["heard"]) for m in before
    ]
    assert [bool(m["ended"]) for m in before if m["id"] in (left, ended)] == [False, True]


def explained(rig: CourtroomRig, event: str, of: str = "p1") -> int:
    return rig.courtroom.add_mark(event, "s1", of=of).mark.id


@pytest.mark.parametrize(
    ("event", "of"), [("warning_false_testimony", "p1"), ("non_disclosure_warned", "")]
)
def test_an_explanation_is_heard_at_the_presiding_judges_microphone(
    tmp_path: Path, event: str, of: str
) -> None:
    """R51: the presiding judge warns; what the witness says meanwhile is no warning."""
    microphones = tuple(
        MicrophoneSettings(name=name, device=f"virtual:{name}", role=role)
        for name, role in (("judge", "presiding"), ("witness", "witness"))
    )
    rig = CourtroomRig(tmp_path, courtroom_settings(tmp_path, microphones))
    hearing_id = begin(rig)
    silent = explained(rig, event, of)
    speak(rig, "witness")
    assert end(rig, silent) is False
    said = explained(rig, event, of)
    speak(rig, "judge")
    assert end(rig, said) is True
    with pytest.raises(BadRequestError):
        end(rig, said)
    signed = explained(rig, "receipt_taken")
    with pytest.raises(BadRequestError):
        end(rig, signed)
    rig.courtroom.end("s1")
    rig.sealed(hearing_id)
    entries = read_chain(rig.folder(hearing_id) / "part-01" / "journal.jsonl").entries
    ends = [entry for entry in entries if entry["kind"] == "explanation_ended"]
    assert [(e["mark"], e["microphone"], e["heard"]) for e in ends] == [
        (silent, "judge", False),
        (said, "judge", True),
    ]
    rig.courtroom.shutdown(1)
