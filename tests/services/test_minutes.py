"""Short minutes through the recorder's calls: filled in, corrected, confirmed, sealed.

Requirements: S16, S17, S21.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pikepdf.pdfa
import pytest

from kiosk.api.minutes import ShortMinutes
from kiosk.api.states import ClockState
from kiosk.auth.person import Person
from kiosk.evidence.chain import read_chain
from kiosk.evidence.cms import check_signature
from kiosk.export.minutes_record import append_entry, read_record
from kiosk.export.minutes_version import minutes_text
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.rules import load_rules
from kiosk.rules.terms import minutes_due
from kiosk.sync.outbox.manifest import read_manifest, ready_items
from tests.support.hearing_builder import add_part, close_part, new_hearing
from tests.support.minutes_rig import JUDGE, SECRETARY, MinutesRig

pytestmark = pytest.mark.slow


@pytest.fixture
def rig(tmp_path: Path) -> MinutesRig:
    return MinutesRig(tmp_path)


def lines(minutes: dict[str, Any], field: str) -> list[dict[str, Any]]:
    return list(next(row["lines"] for row in minutes["fields"] if row["id"] == field))


def test_the_kiosk_fills_in_what_it_knows_and_says_what_is_empty(rig: MinutesRig) -> None:
    async def steps(client: LocalClient) -> None:
        (row,) = (await client.get("/v1/minutes"))["hearings"]
        assert (row["hearing_id"], row["stage"]) == (rig.hearing, "none")
        zone = ZoneInfo(rig.settings.kiosk.timezone)
        ended = datetime.fromisoformat(row["ended"]).astimezone(zone).date()
        assert row["due"] == str(minutes_due(load_rules(), "civil", ended))
        minutes = await rig.call(client)
        assert (minutes["stage"], minutes["version"], minutes["language"]) == ("draft", 1, "kk")
        assert lines(minutes, "case") == [{"text": "2-15/2026", "typed": False}]
        assert "Ахметова А. Б." in str(lines(minutes, "court"))
        labels = {row["number"]: row["id"] for row in minutes["fields"]}
        assert [labels[number] for number in minutes["empty"]] == [
            "attendance",
            "recess",
            "announcement",
        ]
        (row,) = (await client.get("/v1/minutes"))["hearings"]
        assert row["stage"] == "draft"

    rig.run(steps)


def test_what_is_typed_is_told_apart_taken_back_and_kept_over_a_restart(rig: MinutesRig) -> None:
    async def first(client: LocalClient) -> None:
        await rig.call(client)
        changed = await rig.call(client, "/fields", field="attendance", lines=["Омаров С.\nистец"])
        assert lines(changed, "attendance") == [{"text": "Омаров С. истец", "typed": True}]
        both = ["2-15/2026", "Омаров к Ли"]
        changed = await rig.call(client, "/fields", field="case", lines=both)
        assert [line["typed"] for line in lines(changed, "case")] == [False, True]
        assert changed["can_undo"]

    async def after_restart(client: LocalClient) -> None:
        kept = await rig.call(client)
        assert [line["text"] for line in lines(kept, "case")] == ["2-15/2026", "Омаров к Ли"]
        undone = await rig.call(client, "/undo")
        assert [line["text"] for line in lines(undone, "case")] == ["2-15/2026"]
        assert lines(undone, "attendance")
        assert not lines(await rig.call(client, "/undo"), "attendance")
        assert await rig.refusal(client, "/undo") == "minutes_nothing_to_undo"

    rig.run(first)
    journal = rig.paths.minutes_drafts / rig.hearing / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"at":"2026-11-2')  # a power cut in the middle of a line
    rig.run(after_restart)
    kinds = [entry["kind"] for entry in read_chain(journal).entries]
    assert kinds == ["begun", "edited", "edited", "undone", "undone"]


def test_each_language_has_its_own_lines(rig: MinutesRig) -> None:
    async def steps(client: LocalClient) -> None:
        await rig.call(client, "/fields", field="attendance", lines=["талапкер келді"])
        russian = await rig.call(client, "/language", language="ru")
        assert russian["title"] == "краткий протокол судебного заседания"
        assert not lines(russian, "attendance")
        kazakh = await rig.call(client, "/language", language="kk")
        assert lines(kazakh, "attendance")[0]["text"] == "талапкер келді"

    rig.run(steps)


def test_wrong_requests_change_nothing(rig: MinutesRig) -> None:
    unsealed = new_hearing(rig.paths.hearings, rig.signer).folder.name

    async def steps(client: LocalClient) -> None:
        before = await rig.call(client)
        assert await rig.refusal(client, "/fields", field="nobody", lines=[]) == "bad_request"
        assert await rig.refusal(client, "/fields", field="case", lines=[7]) == "bad_request"
        assert await rig.refusal(client, "/fields", field="case", lines=[""]) == "bad_request"
        assert await rig.refusal(client, "/language", language="en") == "bad_request"
        assert await rig.refusal(client, "/versions") == "minutes_not_confirmed"
        same = [" ", *(line["text"] for line in lines(before, "case"))]
        assert await rig.call(client, "/fields", field="case", lines=same) == before
        for wanted, code in (
            ("x", "hearing_unknown"),
            ("00000000-0000-0000-0000-000000000000", "hearing_unknown"),
            (unsealed, "export_not_sealed"),
        ):
            with pytest.raises(ServiceRefusedError) as refused:
                await client.post(f"/v1/minutes/{wanted}", {})
            assert refused.value.code == code
        assert await rig.call(client) == before

    rig.run(steps)


def test_the_secretary_confirms_then_the_judge_and_what_was_read(rig: MinutesRig) -> None:
    async def steps(client: LocalClient) -> None:
        read = await rig.call(client)
        rig.person = JUDGE
        revision = read["revision"]
        refused = await rig.refusal(client, "/confirm", revision=revision)
        assert refused == "minutes_secretary_first"
        rig.person = SECRETARY
        await rig.call(client, "/fields", field="attendance", lines=["истец"])
        assert await rig.refusal(client, "/confirm", revision=revision) == "minutes_changed"
        once = await rig.confirm(client, SECRETARY)
        assert (once["stage"], once["sealed_id"]) == ("secretary", "")
        again = await rig.refusal(client, "/confirm", revision=once["revision"])
        assert again == "minutes_judge_next"
        rig.person = Person(SECRETARY.id, SECRETARY.name, ("secretary", "judge"))
        both = await rig.refusal(client, "/confirm", revision=once["revision"])
        assert both == "minutes_other_person"
        # a correction after the secretary's confirmation takes it back
        changed = await rig.call(client, "/fields", field="attendance", lines=["истец, ответчик"])
        assert (changed["stage"], changed["confirmations"]) == ("draft", [])
        await rig.confirm(client, SECRETARY)
        done = await rig.confirm(client, JUDGE)
        assert done["stage"] == "confirmed"
        assert (read["remarks_until"], done["due"]) == ("", "")
        assert len(done["remarks_until"]) == len("2026-12-09")
        assert [(row["role"], row["person"]) for row in done["confirmations"]] == [
            ("secretary", "p-1"),
            ("presiding", "p-2"),
        ]
        assert len(lines(done, "finished")) == 1
        for step, body in (
            ("/fields", {"field": "case", "lines": ["x"]}),
            ("/undo", {}),
            ("/language", {"language": "ru"}),
            ("/confirm", {"revision": done["revision"]}),
        ):
            assert await rig.refusal(client, step, **body) == "minutes_confirmed"
        assert await rig.call(client) == done

    rig.run(steps)


def test_the_longer_term_is_chosen_and_taken_back(rig: MinutesRig) -> None:
    """It is no change of the text: what the secretary confirmed stays (УПК 347(4), АПК 283(4))."""

    async def steps(client: LocalClient) -> None:
        usual = await rig.call(client)
        await rig.confirm(client, SECRETARY)
        longer = await rig.call(client, "/term", is_complex=True)
        assert longer["is_complex"]
        assert longer["due"] > usual["due"]
        assert longer["stage"] == "secretary"
        assert (await client.get("/v1/minutes"))["hearings"][0]["due"] == longer["due"]
        again = await rig.call(client, "/term", is_complex=True)
        assert again == longer
        assert await rig.refusal(client, "/term", is_complex="perhaps") == "bad_request"
        back = await rig.call(client, "/term", is_complex=False)
        assert (back["due"], back["is_complex"]) == (usual["due"], False)
        await rig.confirm(client, JUDGE)
        assert await rig.refusal(client, "/term", is_complex=True) == "minutes_confirmed"

    rig.run(steps)


def test_the_second_seal_covers_the_first_and_a_new_version_cites_the_former(
    rig: MinutesRig,
) -> None:
    first, second = rig.confirm_twice()
    for minutes in (first, second):
        folder = rig.sealed(minutes["sealed_id"])
        signed = check_signature(folder / "SHA256SUMS", folder / "SHA256SUMS.p7s", rig.court.ca)
        assert signed == rig.signer.certificate
        check = subprocess.run(
            ["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=False
        )
        assert check.returncode == 0, check.stderr
        recording = hashlib.sha256((rig.recording / "SHA256SUMS").read_bytes()).hexdigest()
        assert f"{recording}  recording/SHA256SUMS" in (folder / "SHA256SUMS").read_text()
        told = json.loads((folder / "minutes.json").read_text())
        assert told["recording"]["sums"] == recording
        assert [row["name"] for row in told["confirmed"]] == [SECRETARY.name, JUDGE.name]
    former = rig.sealed(first["sealed_id"]) / "SHA256SUMS"
    cited = json.loads((rig.sealed(second["sealed_id"]) / "minutes.json").read_text())["former"]
    assert cited == {
        "former": first["sealed_id"],
        "former_sums": hashlib.sha256(former.read_bytes()).hexdigest(),
    }


def test_what_a_person_removed_of_the_recording_is_told(rig: MinutesRig) -> None:
    async def steps(client: LocalClient) -> None:
        await rig.call(client, "/language", language="ru")
        before = await rig.call(client, "/fields", field="attendance", lines=["Омаров С."])
        assert {row["removed"] for row in before["fields"]} == {0}, "to add takes nothing away"
        changed = await rig.call(client, "/fields", field="means", lines=[])
        (field,) = (row for row in changed["fields"] if row["removed"])
        assert (field["id"], field["removed"]) == ("means", len(lines(before, "means")))
        record = read_record(rig.paths.minutes_drafts / rig.hearing)
        assert record is not None
        zone = ZoneInfo(rig.settings.kiosk.timezone)
        minutes = record.as_minutes(load_rules(), zone)
        text = minutes_text(record, minutes, load_rules(), zone)
        assert text.count(f"изменены или удалены человеком: {field['number']}\n") == 1

    rig.run(steps)


def test_the_pdf_conforms_to_pdf_a_2b(rig: MinutesRig) -> None:
    first, _second = rig.confirm_twice()
    path = rig.sealed(first["sealed_id"]) / "minutes.pdf"
    report = pikepdf.pdfa.validate_written(path, "2b")
    assert not report.violations
    with pikepdf.open(path) as pdf:
        assert str(pdf.Root.Lang) == "ru"
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        with pdf.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("2", "B")
            assert metadata["dc:title"] == "краткий протокол судебного заседания"


def test_a_power_cut_between_confirmation_and_seal_is_made_up_for(rig: MinutesRig) -> None:
    first, second = rig.confirm_twice()
    shutil.rmtree(rig.sealed(second["sealed_id"]))
    (rig.paths.minutes / ".unfinished" / "half").mkdir(parents=True)

    async def steps(client: LocalClient) -> None:
        (row,) = (await client.get("/v1/minutes"))["hearings"]
        assert row["stage"] == "confirmed"

    rig.run(steps)
    assert (rig.sealed(second["sealed_id"]) / "SHA256SUMS.p7s").is_file()
    assert first["sealed_id"] != second["sealed_id"]


def test_what_cannot_be_sealed_or_read_is_listed_with_its_problem(rig: MinutesRig) -> None:
    odd = new_hearing(rig.paths.hearings, rig.signer)
    odd.journal.end({"person": "p1"})
    append_entry(rig.paths.minutes_drafts / odd.folder.name, "begun", {"language": "kk"})
    blocked = rig.paths.minutes / ".unfinished"

    async def listed(client: LocalClient) -> dict[str, tuple[str, str]]:
        rows = (await client.get("/v1/minutes"))["hearings"]
        return {row["hearing_id"]: (row["stage"], row["problem"]) for row in rows}

    async def steps(client: LocalClient) -> None:
        await rig.confirm(client, SECRETARY)
        rig.person = JUDGE
        revision = (await rig.call(client))["revision"]
        blocked.write_bytes(b"")
        assert await rig.refusal(client, "/confirm", revision=revision) == "storage_failed"
        assert await listed(client) == {
            rig.hearing: ("confirmed", "storage_failed"),
            odd.folder.name: ("none", "journal_broken"),
        }
        blocked.unlink()
        assert (await listed(client))[rig.hearing] == ("confirmed", "")
        rig.paths.device_key.write_bytes(b"damaged since")
        assert (await listed(client))[rig.hearing] == ("confirmed", ""), "it is sealed"
        sealed = (await rig.call(client))["sealed_id"]
        assert (rig.sealed(sealed) / "SHA256SUMS.p7s").is_file()

    rig.run(steps)


def test_undo_takes_back_what_is_shown_and_nothing_of_the_other_language(rig: MinutesRig) -> None:
    async def steps(client: LocalClient) -> None:
        await rig.call(client, "/fields", field="attendance", lines=["талапкер келді"])
        russian = await rig.call(client, "/language", language="ru")
        assert not russian["can_undo"]
        assert await rig.refusal(client, "/undo") == "minutes_nothing_to_undo"
        kazakh = await rig.call(client, "/language", language="kk")
        assert kazakh["can_undo"]
        assert lines(kazakh, "attendance")

    rig.run(steps)


def test_a_clock_that_is_not_set_gives_the_minutes_no_day(
    rig: MinutesRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.services.minutes.clock_state", lambda: ClockState.UNSET)
    monkeypatch.setattr("kiosk.evidence.journal_file.format_wall", lambda: "1970-01-01T00:07:12Z")

    async def steps(client: LocalClient) -> None:
        await rig.confirm(client, SECRETARY)
        done = await rig.confirm(client, JUDGE)
        assert (done["stage"], lines(done, "finished")) == ("confirmed", [])
        assert (done["remarks_until"], done["remarks_decided_by"]) == ("", "")
        record = read_record(rig.paths.minutes_drafts / rig.hearing)
        assert record is not None
        sealed = ShortMinutes.model_validate(done)
        text = minutes_text(record, sealed, load_rules(), ZoneInfo("Asia/Almaty"))
        assert text.count("__.__.____ __:__") == 2, "nobody confirmed in 1970"
        assert "1970" not in text

    rig.run(steps)


def test_minutes_live_on_after_the_recording_was_deleted(rig: MinutesRig) -> None:
    async def begin(client: LocalClient) -> None:
        await rig.call(client)

    async def later(client: LocalClient) -> None:
        (row,) = (await client.get("/v1/minutes"))["hearings"]
        assert (row["hearing_id"], row["stage"]) == (rig.hearing, "draft")
        assert (row["case_number"], bool(row["due"])) == ("2-15/2026", True)
        await rig.confirm(client, SECRETARY)
        done = await rig.confirm(client, JUDGE)
        assert (rig.sealed(done["sealed_id"]) / "recording" / "SHA256SUMS").is_file()

    rig.run(begin)
    shutil.rmtree(rig.recording)
    rig.run(later)


def test_a_changed_journal_is_refused(rig: MinutesRig) -> None:
    async def begin(client: LocalClient) -> None:
        await rig.call(client, "/fields", field="attendance", lines=["истец"])
        await rig.call(client, "/fields", field="attendance", lines=["никто"])

    async def later(client: LocalClient) -> None:
        assert await rig.refusal(client) == "journal_broken"

    rig.run(begin)
    journal = rig.paths.minutes_drafts / rig.hearing / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace("истец".encode(), "судья".encode()))
    rig.run(later)


def test_sealed_minutes_are_delivered_and_drafts_are_not(rig: MinutesRig) -> None:
    first, second = rig.confirm_twice()
    items = {identifier for kind, identifier in ready_items(rig.paths) if kind == "report"}
    assert items == {first["sealed_id"], second["sealed_id"]}
    manifest = read_manifest(rig.paths, "report", first["sealed_id"])
    paths = {file.path for file in manifest.files}
    assert {"minutes.pdf", "recording/SHA256SUMS", "SHA256SUMS.p7s"} <= paths
    assert not manifest.is_courier_only


@pytest.mark.parametrize("is_early", [True, False], ids=["before", "after"])
def test_minutes_of_a_state_secret_never_leave_by_network(rig: MinutesRig, is_early: bool) -> None:
    marker = rig.recording / "courier-only"
    if is_early:
        marker.touch()
    first, _second = rig.confirm_twice()
    if is_early:
        shutil.rmtree(rig.recording)
    else:
        marker.touch()
    assert read_manifest(rig.paths, "report", first["sealed_id"]).is_courier_only


def test_what_keeps_no_minutes_is_not_offered(rig: MinutesRig) -> None:
    """Cassation, by its number, and mediation (АПК 179(7), 281(4))."""
    built = new_hearing(rig.paths.hearings, rig.signer, case_number="6003-25-00-4к/1454")
    add_part(built, fragments=2)
    close_part(built, 1)
    built.journal.end({"person": "p1"})

    async def steps(client: LocalClient) -> None:
        rows = (await client.get("/v1/minutes"))["hearings"]
        assert [row["hearing_id"] for row in rows] == [rig.hearing]

    rig.run(steps)
