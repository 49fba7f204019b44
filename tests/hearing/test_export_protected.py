"""What a protected person says is in no copy, nor whatever names them (S9, УПК 213(4), 370(7))."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import av
import pytest

from kiosk.config import MicrophoneSettings, PathSettings, Settings
from kiosk.export.hearing_export import ExportRequest, ExportResult, HearingExport
from kiosk.export.protected_spans import ProtectedSpan, protected_spans
from kiosk.export.recipient import Recipient
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.rules import load_rules
from tests.support.hearing_builder import MICROPHONES, add_part, close_part, new_hearing
from tests.support.identity import Court

pytestmark = pytest.mark.slow

RULES = load_rules()
NAME, OTHER = "Куәгерова Айгүл", "Петров П. П."
SECOND = 1_000_000_000
WITNESS = {"id": "p1", "role": "witness", "name": NAME}
ACCUSED = {"id": "p2", "role": "accused_in_court", "name": OTHER}
PROTECTED = {**WITNESS, "pseudonym": "Куә 1", "person": "s1", "decided_by": "court"}
TAKEN_BACK = {**WITNESS, "pseudonym": "", "person": "s1", "decided_by": "court"}
FRAGMENTS = 40
LENGTH = FRAGMENTS * 0.4


class Stick:
    """A sealed hearing of two parts, in which a witness is questioned, and a stick."""

    def __init__(self, folder: Path, *, before: list[dict[str, Any]], after: list[dict[str, Any]]):
        """Build it; ``before`` and ``after`` the questioning these entries are journalled."""
        self.court = Court.make(folder / "court")
        self.signer = self.court.device()
        self.target = folder / "stick"
        self.target.mkdir()
        microphones = tuple(
            MicrophoneSettings(name=name, role=role, device=f"mic_{name}")
            for name, role in zip(MICROPHONES, ("presiding", "witness"), strict=True)
        )
        paths = PathSettings(data=folder / "data", run=folder / "run")
        self.settings = Settings(paths=paths, microphones=microphones)
        self.built = new_hearing(folder / "data" / "hearings", self.signer)
        for entry in (WITNESS, ACCUSED, *before):
            self.built.journal.append("person", entry)
        for part in (1, 2):
            tap = part * 100 * SECOND
            journal = add_part(self.built, fragments=FRAGMENTS, tap_ns=tap)
            for mark in MARKS[part]:
                moment = {"seconds": 0.0, "person": "s1", "note": ""}
                journal.append("mark", {**moment, **mark})
            close_part(self.built, part, stop_ns=tap + int(LENGTH * SECOND))
            reason = {"subject": "recess_reason", "value": f"{NAME} is unwell", "person": "s1"}
            self.built.journal.append("statement", reason)
        for entry in after:
            self.built.journal.append("person", entry)
        self.built.journal.end({"person": "s1"})

    def export(self, **more: Any) -> ExportResult:
        return HearingExport(
            self.built.folder,
            self.target,
            settings=self.settings,
            rules=RULES,
            signer=self.signer,
            request=ExportRequest(**more),
        ).run()


MARKS: dict[int, list[dict[str, Any]]] = {
    1: [
        {"id": 1, "type": "court_enters", "part_seconds": 1.0},
        {"id": 2, "type": "questioning", "part_seconds": 14.0, "of": WITNESS, "note": f"{NAME}!"},
    ],
    2: [
        {"id": 3, "type": "questioning", "part_seconds": 1.0, "of": ACCUSED},
        {"id": 4, "type": "debates", "part_seconds": 12.0, "note": f"of {NAME} and {OTHER}"},
    ],
}  # left out from 4 s of the first part to 11 s of the second


def packets(path: Path) -> set[str]:
    """Return a hash of each coded packet of a file."""
    with av.open(str(path)) as container:
        return {_hash(packet) for packet in container.demux() if packet.size}


def _hash(packet: Any) -> str:
    return hashlib.sha256(bytes(packet)).hexdigest()


def times(copy: ExportResult) -> dict[str, tuple[float, float]]:
    """Return from when to when each video of the copy is, in seconds of its part."""
    videos = json.loads((copy.folder / "manifest.json").read_text("utf-8"))["videos"]
    return {
        file["name"]: (round(file["offset"], 1), round(file["offset"] + file["seconds"], 1))
        for files in videos.values()
        for file in files
    }


def everything(copy: ExportResult) -> bytes:
    return b"".join(path.read_bytes() for path in copy.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("before", "after"), [([PROTECTED], []), ([], [PROTECTED])],
                         ids=["decided-before", "decided-after"])  # fmt: skip
def test_the_questioning_is_cut_out_and_nothing_names_them(
    tmp_path: Path, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    stick = Stick(tmp_path, before=before, after=after)
    copy = stick.export(originals="yes")
    assert times(copy) == {
        "video/part-01.mp4": (0.0, 4.0),
        "video/part-02.mp4": (11.0, LENGTH),
    }
    assert (copy.withheld, copy.originals) == (2, False), "not even when they are asked for"
    assert not (copy.folder / "original").exists()
    assert [path.name for path in (copy.folder / "seal").iterdir()] == ["device-certificates.pem"]
    assert NAME.encode() not in everything(copy)
    page = (copy.folder / "index.html").read_text("utf-8")
    assert f"of Куә 1 and {OTHER}" in page
    assert "Куә 1 is unwell" in page
    assert "часть 1, 0:00:04.000 – 0:00:16.000" in page
    assert "2-бөлік, 0:00:00.000 – 0:00:11.000" in page


def test_who_takes_the_copy_and_by_which_application_names_nobody_withheld(tmp_path: Path) -> None:
    """Both are typed: also the protected person takes a copy, or is named in an application."""
    stick = Stick(tmp_path, before=[PROTECTED], after=[])
    asked = {"application": f"№ 7, {NAME.upper()}", "recipient": Recipient(NAME, is_warned=True)}
    copy = stick.export(**asked)
    told = everything(copy)
    assert NAME.encode() not in told
    assert NAME.upper().encode() not in told
    manifest = json.loads((copy.folder / "manifest.json").read_text("utf-8"))
    assert (manifest["given_to"], manifest["warned"]) == ("Куә 1", True)
    assert manifest["asked"]["application"] == "№ 7, Куә 1"
    page = (copy.folder / "index.html").read_text("utf-8")
    assert ": Куә 1\\n" in page, "the page says it before the warning"


def test_no_packet_of_the_questioning_is_on_the_stick(tmp_path: Path) -> None:
    stick = Stick(tmp_path, before=[PROTECTED], after=[])
    copy = stick.export()
    for part, first, last in (("part-01", 4.0, 16.0), ("part-02", 0.0, 11.0)):
        (video,) = (copy.folder / "video").glob(f"{part}*.mp4")
        for track in ("main", "channels"):
            run = stick.built.folder / part / track / "run-01"
            hidden = _between(run, tmp_path / "joined.mp4", first, last)
            assert len(hidden) > 25
            assert not packets(video) & hidden


def _between(run: Path, target: Path, first: float, last: float) -> set[str]:
    """Return the hashes of the key packets of a run that lie in a stretch.

    Every packet of sound is one; of pictures the others repeat themselves, as nothing moves.
    """
    files = [run / "init.mp4", *sorted(run.glob("*.m4s"))]
    target.write_bytes(b"".join(path.read_bytes() for path in files))
    with av.open(str(target)) as container:
        return {
            _hash(packet)
            for packet in container.demux()
            if packet.size
            and packet.is_keyframe
            and packet.pts is not None
            and first < float(packet.pts * packet.time_base) + 0.05 < last
        }


def test_what_was_taken_back_leaves_the_copy_whole(tmp_path: Path) -> None:
    stick = Stick(tmp_path, before=[PROTECTED], after=[TAKEN_BACK])
    copy = stick.export(originals="yes")
    assert set(times(copy)) == {"video/part-01.mp4", "video/part-02.mp4"}
    assert (copy.withheld, copy.originals) == (0, True)
    assert (copy.folder / "seal" / "journal.jsonl").exists()
    assert NAME in (copy.folder / "index.html").read_text("utf-8")


def test_the_guide_of_a_cut_copy_checks_what_is_there(tmp_path: Path) -> None:
    copy = Stick(tmp_path, before=[PROTECTED], after=[]).export()
    for language, words in (("ru", "суд взял под защиту"), ("kk", "сот қорғауға алған")):
        guide = (copy.folder / f"check-{language}.txt").read_text("utf-8")
        assert words in guide
        assert "cd seal" not in guide
        assert "sha256sum -c SHA256SUMS" in guide


# -- where they are heard ------------------------------------------------------------------------
def spans(
    *marks: dict[str, Any], people: tuple[dict[str, Any], ...] = (PROTECTED,)
) -> list[tuple[int, float, float]]:
    """Return the stretches in a hearing of two parts of 100 s each."""
    state = HearingState({"id": "1", "kind": "criminal"})
    for person in people:
        state.apply(0, {"kind": "person", **person})
    for part in (1, 2):
        state.apply(0, {"kind": "part_opened", "part": part, "tap_ns": 0, "at": ""})
        state.apply(part, {"kind": "closed", "stop_ns": 100 * SECOND})
    for number, mark in enumerate(marks, 1):
        part = mark.get("part", 1)
        state.apply(part, {"kind": "mark", "id": number, "at": "", **mark})
    return [(row.part, row.begin, row.end) for row in protected_spans(state, RULES)]


QUESTIONED = {"type": "questioning", "of": WITNESS, "part_seconds": 40.0}


def test_a_questioning_over_a_recess_is_left_out_in_both_parts() -> None:
    debates = {"type": "debates", "part": 2, "part_seconds": 25.0}
    assert spans(QUESTIONED, debates) == [(1, 30.0, 100.0), (2, 0.0, 35.0)]


def test_without_an_end_it_lasts_until_the_end() -> None:
    objection = {"type": "motion", "part_seconds": 50.0}
    again = {"type": "questioning", "of": WITNESS, "part": 2, "part_seconds": 25.0}
    assert spans(QUESTIONED, objection, again) == [(1, 30.0, 100.0), (2, 0.0, 100.0)]


def test_an_end_during_a_recess_counts_by_what_was_recorded_until_then() -> None:
    retired = {"type": "retirement", "part": 0, "seconds": 100.0}
    assert spans(QUESTIONED, retired) == [(1, 30.0, 100.0), (2, 0.0, 10.0)]


def test_a_questioning_of_which_nobody_said_whom_it_concerns_may_be_theirs() -> None:
    unnamed = {"type": "questioning", "of_whom": True, "part_seconds": 40.0}
    last = {"type": "debates", "part_seconds": 60.0}
    assert spans(unnamed, last) == [(1, 30.0, 70.0)]
    assert spans(unnamed, last, people=(WITNESS,)) == [], "nobody is protected"


def test_of_others_nothing_is_left_out_and_stretches_that_meet_are_one() -> None:
    other = {"type": "questioning", "of": ACCUSED, "part_seconds": 50.0}
    soon = {**QUESTIONED, "part_seconds": 55.0}
    last = {"type": "debates", "part_seconds": 60.0}
    assert spans(other, last) == []
    assert spans(QUESTIONED, other, soon, last) == [(1, 30.0, 70.0)]
    assert ProtectedSpan(1, 0.0, 5.0, is_to_end=True).cut_end > 10**9
