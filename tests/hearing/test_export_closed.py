"""Which copies the parties get of hearings that were really closed and opened (S19)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.notes import AddNote
from kiosk.api.persons import SavePerson
from kiosk.clocks import recording_ns
from kiosk.evidence.device_key import load_device_signer
from kiosk.export.errors import ExportError
from kiosk.export.hearing_export import ExportResult, HearingExport
from tests.hearing.courtroom_rig import RULES, CourtroomRig
from tests.support.court_keys import CourtSecrets

pytestmark = pytest.mark.slow

GROUND, SECRET = "civ_adoption", "state_secret"


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[CourtroomRig]:
    rig = CourtroomRig(tmp_path)
    CourtSecrets().pin(rig.paths)
    yield rig
    rig.courtroom.shutdown(1)


def change(rig: CourtroomRig, closed: bool, **more: Any) -> None:
    rig.courtroom.change_publicity(closed, "p1", recording_ns(), **more)


def copied(rig: CourtroomRig, hearing: str, stick: Path) -> ExportResult:
    """End the hearing and copy it."""
    rig.courtroom.end("p1")
    rig.sealed(hearing)
    stick.mkdir()
    signer, _ = load_device_signer(rig.paths, rig.settings.kiosk.id)
    folder = rig.folder(hearing)
    return HearingExport(folder, stick, settings=rig.settings, rules=RULES, signer=signer).run()


def refused(rig: CourtroomRig, hearing: str, stick: Path) -> str:
    """End the hearing and see that it is not copied; return the code."""
    with pytest.raises(ExportError) as refusal:
        copied(rig, hearing, stick)
    assert list(stick.iterdir()) == []
    return refusal.value.code


def test_closed_for_a_while_and_open_for_the_announcement(
    keyed: CourtroomRig, tmp_path: Path
) -> None:
    hearing = keyed.begin()
    change(keyed, True, ground=GROUND, note="a child is heard")
    keyed.courtroom.add_mark("oath", "p1", "words in private")
    child = keyed.courtroom.save_person(SavePerson(name="Child C.", role="witness"), "p1").person
    mark = keyed.courtroom.add_mark("questioning", "p1", of=child.id).mark
    keyed.courtroom.add_note(AddNote(text="typed in private"), "p1")
    change(keyed, False)
    keyed.courtroom.add_note(AddNote(text="begun in private", ago_seconds=300.0), "p1")
    keyed.courtroom.add_note(AddNote(text="of a private mark", mark=mark.id), "p1")
    expert = keyed.courtroom.save_person(SavePerson(name="Expert E.", role="expert"), "p1").person
    keyed.courtroom.add_mark("questioning", "p1", of=expert.id)
    keyed.courtroom.add_note(AddNote(text="typed in public"), "p1")
    copy = copied(keyed, hearing, tmp_path / "stick")
    assert copy.left_out == (2,)
    said = (copy.folder / "index.html").read_text("utf-8")
    assert "с этого места заседание закрыто" in said
    assert "с этого места заседание открыто" in said
    assert "причина неизвестна" not in said
    everything = b"".join(path.read_bytes() for path in copy.folder.rglob("*") if path.is_file())
    assert "допрос: эксперт Expert E." in said
    assert "typed in public" in said
    private = ("Child C.", "typed in private", "begun in private", "of a private mark")
    for word in ("words in private", "a child is heard", GROUND, *private):
        assert word.encode() not in everything


def test_what_was_open_is_copied_although_the_end_was_closed(
    keyed: CourtroomRig, tmp_path: Path
) -> None:
    hearing = keyed.begin()
    change(keyed, True)
    change(keyed, False)
    change(keyed, True)
    copy = copied(keyed, hearing, tmp_path / "stick")
    assert copy.left_out == (2, 4)


def test_a_case_that_is_closed_has_no_copy_even_of_the_announcement(
    keyed: CourtroomRig, tmp_path: Path
) -> None:
    hearing = keyed.begin(publicity="closed", closure_ground=GROUND)
    change(keyed, False)
    assert refused(keyed, hearing, tmp_path / "stick") == "export_closed"


@pytest.mark.parametrize("late", [False, True])
def test_a_state_secret_has_no_copy(keyed: CourtroomRig, tmp_path: Path, late: bool) -> None:
    hearing = keyed.begin(**({} if late else {"state_secret": True}))
    if late:
        change(keyed, True, ground=SECRET)
    change(keyed, False)
    assert refused(keyed, hearing, tmp_path / "stick") == "export_closed"


def test_where_all_is_encrypted_only_the_court_copies(keyed: CourtroomRig, tmp_path: Path) -> None:
    recording = keyed.settings.recording.model_copy(update={"encrypt": "all"})
    keyed.courtroom.shutdown(1)
    keyed.settings = keyed.settings.model_copy(update={"recording": recording})
    keyed.start()
    hearing = keyed.begin()
    about = json.loads((keyed.folder(hearing) / "part-01" / "part.json").read_text())
    assert (about["closed"], about["encrypted"]) == (False, True)
    assert refused(keyed, hearing, tmp_path / "stick") == "export_encrypted"
