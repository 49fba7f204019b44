"""A receipt scanned after the hearing's end is kept with its minutes. Requirements: R47, R48."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import pyrage
import pytest

from kiosk.api.minutes import MINUTES_OPERATIONS
from kiosk.api.receipts import receipt_code
from kiosk.evidence.chain import read_chain
from kiosk.ipc import LocalClient
from tests.support.contract import check_answer
from tests.support.court_keys import CourtSecrets
from tests.support.hearing_builder import add_part, close_part, new_hearing
from tests.support.minutes_rig import JUDGE, SECRETARY, MinutesRig

pytestmark = pytest.mark.slow
PDF = b"%PDF-1.7 signed by hand"
MARK = 7


@pytest.fixture
def rig(tmp_path: Path) -> MinutesRig:
    """Return a sealed criminal hearing whose receipt was printed, and not scanned by its end."""
    rig = MinutesRig(tmp_path)
    built = new_hearing(rig.paths.hearings, rig.signer, kind="criminal", language="ru")
    part = add_part(built, fragments=1)
    part.append("mark", {"id": MARK, "type": "receipt_taken", "part_seconds": 1.0})
    close_part(built, 1)
    built.journal.end({"person": "p1"})
    rig.recording, rig.hearing = built.folder, built.folder.name
    return rig


def scan(rig: MinutesRig, pdf: bytes = PDF, hearing: str = "") -> dict[str, Any]:
    """Return the scan of a sheet with its code."""
    codes = [receipt_code(hearing or rig.hearing, MARK)]
    return {"codes": codes, "pdf": base64.b64encode(pdf).decode()}


def course(minutes: dict[str, Any]) -> str:
    return str(next(row["lines"] for row in minutes["fields"] if row["id"] == "course"))


def test_the_minutes_say_so_and_the_second_seal_covers_it(rig: MinutesRig) -> None:
    """The sealed hearing stays byte for byte; what was typed stays beside the corrected line."""

    async def steps(client: LocalClient) -> None:
        before = await rig.call(client)
        assert "не отсканирована" in course(before)
        lines = [line["text"] for row in before["fields"] if row["id"] == "course"
                 for line in row["lines"]]  # fmt: skip
        await rig.call(client, "/fields", field="course", lines=[*lines, "Дополнение."])
        kept = await rig.call(client, "/receipts", **scan(rig))
        assert "не отсканирована" not in course(kept)
        assert "receipts/001.pdf" in course(kept)
        assert "Дополнение." in course(kept)
        assert [row["mark"] for row in kept["late_receipts"]] == [MARK]
        again = await rig.refusal(client, "/receipts", **scan(rig))
        assert again == "receipt_scanned_already"
        path = f"/v1/minutes/{rig.hearing}/receipts"
        back = await client.call("DELETE", f"{path}/1", {})
        assert "не отсканирована" in course(back)
        assert back["late_receipts"] == []
        await rig.call(client, "/receipts", **scan(rig, PDF + b", the right sheet"))
        await rig.confirm(client, SECRETARY)
        done = await rig.confirm(client, JUDGE)
        assert await rig.refusal(client, "/receipts", **scan(rig)) == "minutes_confirmed"
        folder = rig.sealed(done["sealed_id"])
        assert (folder / "receipts/001.pdf").read_bytes() == PDF, "withdrawn, and not erased"
        assert (folder / "receipts/002.pdf").read_bytes() == PDF + b", the right sheet"
        check = ["sha256sum", "-c", "--strict", "SHA256SUMS"]
        assert subprocess.run(check, cwd=folder, capture_output=True, check=False).returncode == 0
        assert "receipts/002.pdf" in (folder / "SHA256SUMS").read_text()
        assert "receipts/002.pdf" in course(done)
        kinds = [entry["kind"] for entry in read_chain(folder / "journal.jsonl").entries]
        assert kinds[2:5] == ["receipt_scanned", "receipt_withdrawn", "receipt_scanned"]

    seal = (rig.recording / "SHA256SUMS").read_bytes()
    files = {path: path.stat().st_mtime_ns for path in rig.recording.rglob("*")}
    rig.run(steps)
    assert (rig.recording / "SHA256SUMS").read_bytes() == seal
    assert {path: path.stat().st_mtime_ns for path in rig.recording.rglob("*")} == files


def test_a_wrong_sheet_leaves_no_trace(rig: MinutesRig) -> None:
    async def steps(client: LocalClient) -> None:
        before = await rig.call(client)
        other = scan(rig, hearing="00000000-0000-4000-8000-000000000000")
        wrong = [
            (other, "receipt_other_hearing"),
            (scan(rig, b"no PDF"), "receipt_no_pdf"),
            ({**scan(rig), "codes": []}, "receipt_unknown"),
            ({**scan(rig), "codes": [], "mark": 1}, "receipt_unknown"),
            ({"codes": []}, "bad_request"),
        ]
        for body, code in wrong:
            assert await rig.refusal(client, "/receipts", **body) == code
        assert await rig.call(client) == before
        named = await rig.call(client, "/receipts", **{**scan(rig), "codes": [], "mark": MARK})
        assert not named["late_receipts"][0]["by_code"]

    rig.run(steps)


def test_the_events_without_a_scan_are_listed_until_they_have_one(rig: MinutesRig) -> None:
    async def steps(client: LocalClient) -> None:
        path = f"/v1/minutes/{rig.hearing}/receipts"
        answer = await client.get(path)
        check_answer(MINUTES_OPERATIONS, "GET", path, answer)
        assert [(row["mark"], row["type"]) for row in answer["receipts"]] == [
            (MARK, "receipt_taken")
        ]
        assert not (rig.paths.minutes_drafts / rig.hearing).exists(), "looking begins no minutes"
        await rig.call(client, "/receipts", **scan(rig))
        assert (await client.get(path))["receipts"] == []

    rig.run(steps)


def test_of_a_secret_hearing_only_the_court_can_read_it(rig: MinutesRig) -> None:
    """Without the court's keys nothing is kept; with them no readable byte is on the disk."""
    (rig.recording / "courier-only").touch()
    draft = rig.paths.minutes_drafts / rig.hearing

    async def steps(client: LocalClient) -> None:
        await rig.call(client)
        assert await rig.refusal(client, "/receipts", **scan(rig)) == "court_key_missing"
        court = CourtSecrets()
        court.pin(rig.paths)
        kept = await rig.call(client, "/receipts", **scan(rig))
        assert "receipts/001.pdf.age" in course(kept)
        files = [path for path in draft.rglob("*") if path.is_file()]
        assert not any(PDF in path.read_bytes() for path in files)
        kept_file = draft / "receipts/001.pdf.age"
        assert pyrage.decrypt(kept_file.read_bytes(), [court.court]) == PDF

    rig.run(steps)
