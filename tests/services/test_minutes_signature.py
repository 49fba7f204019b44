"""The secretary's own signature: onto her drive and back, by the recorder's calls (АПК 283(5)).

Requirements: S19, S21.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kiosk.evidence.chain import read_chain
from kiosk.evidence.cms import check_signature
from kiosk.evidence.person_signature import check_person_signature
from kiosk.ipc import LocalClient
from kiosk.sync.outbox.manifest import read_manifest, ready_items
from tests.support.minutes_rig import JUDGE, SECRETARY, MinutesRig
from tests.support.people_keys import People

pytestmark = pytest.mark.slow
HER_NAME = ("АХМЕТОВА АЙГҮЛ", "БОЛАТҚЫЗЫ")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("people"))


@pytest.fixture
def rig(tmp_path: Path, people: People) -> MinutesRig:
    """Return a kiosk with one drive and the roots of people's keys."""
    rig = MinutesRig(tmp_path)
    rig.plug("stick")
    shutil.copy(people.roots, rig.people_roots)
    return rig


async def confirmed(rig: MinutesRig, client: LocalClient) -> dict[str, Any]:
    await rig.confirm(client, SECRETARY)
    minutes = await rig.confirm(client, JUDGE)
    rig.person = SECRETARY
    return minutes


def kinds(rig: MinutesRig) -> list[str]:
    journal = rig.paths.minutes_drafts / rig.hearing / "journal.jsonl"
    return [str(entry["kind"]) for entry in read_chain(journal).entries]


def sealed_signature(rig: MinutesRig) -> Path:
    (path,) = rig.paths.minutes.glob("*/signature.json")
    return path.parent


def test_from_the_drive_and_back_sealed_and_delivered(rig: MinutesRig, people: People) -> None:
    async def steps(client: LocalClient) -> None:
        done = await confirmed(rig, client)
        assert (done["handed_out"], done["signature"]) == (None, None)
        out = (await rig.call(client, "/signature/file"))["handed_out"]
        folder = rig.drives / out["drive"] / out["folder"]
        assert sorted(path.name for path in folder.iterdir()) == [
            "SHA256.txt",
            "SHA256SUMS",
            "minutes.pdf",
        ]
        sealed, content = rig.sealed(done["sealed_id"]), (folder / "SHA256SUMS").read_bytes()
        assert content == (sealed / "SHA256SUMS").read_bytes()
        assert (folder / "minutes.pdf").read_bytes() == (sealed / "minutes.pdf").read_bytes()
        assert out["digest"] == hashlib.sha256(content).hexdigest()
        assert (folder / "SHA256.txt").read_text() == f"{out['digest']}  SHA256SUMS\n"
        (folder / "SHA256SUMS.cms").write_bytes(people.sign(*HER_NAME, content))
        signed = await rig.call(client, "/signature")
        assert signed["signature"]["name"] == " ".join(HER_NAME)
        assert await rig.refusal(client, "/signature") == "minutes_signed"
        assert await rig.refusal(client, "/signature/file") == "minutes_signed"
        assert (await rig.call(client))["signature"] == signed["signature"]

    rig.run(steps)
    folder = sealed_signature(rig)
    check_signature(folder / "SHA256SUMS", folder / "SHA256SUMS.p7s", rig.court.ca)
    check_person_signature(folder / "minutes/SHA256SUMS", folder / "minutes.cms", people.roots)
    told = json.loads((folder / "signature.json").read_text())
    assert (
        told["minutes_sums"]
        == hashlib.sha256((rig.sealed(told["minutes"]) / "SHA256SUMS").read_bytes()).hexdigest()
    )
    assert "IIN" not in str(told)
    assert kinds(rig)[-2:] == ["handed_out", "signed"]
    assert ("report", folder.name) in ready_items(rig.paths)
    delivered = {file.path for file in read_manifest(rig.paths, "report", folder.name).files}
    assert {"minutes.cms", "signature.json", "minutes/SHA256SUMS"} <= delivered


def test_each_fault_is_told_and_changes_nothing(
    rig: MinutesRig, people: People, tmp_path: Path
) -> None:
    async def steps(client: LocalClient) -> None:
        assert await rig.refusal(client, "/signature/file") == "minutes_not_sealed"
        assert await rig.refusal(client, "/signature") == "minutes_not_sealed"
        done = await confirmed(rig, client)
        content = (rig.sealed(done["sealed_id"]) / "SHA256SUMS").read_bytes()
        assert await rig.refusal(client, "/signature") == "minutes_signature_missing"
        foreign = People(tmp_path / "foreign")
        path = rig.drives / "stick" / "returned.CMS"
        for code, signature in (
            ("signature_malformed", b"not a signature"),
            ("signature_malformed", b""),
            ("signature_other_content", people.sign(*HER_NAME, content + b" ")),
            ("signature_untrusted", foreign.sign(*HER_NAME, content)),
            ("signature_expired", people.sign(*HER_NAME, content, began=10, days=5)),
            ("signature_other_person", people.sign("СЕРИКОВА САУЛЕ", "", content)),
        ):
            path.write_bytes(signature)
            assert await rig.refusal(client, "/signature") == code
        rig.people_roots.unlink()
        assert await rig.refusal(client, "/signature") == "minutes_roots_missing"
        shutil.copy(people.roots, rig.people_roots)
        rig.plug("second")
        assert await rig.refusal(client, "/signature") == "minutes_drives_several"
        for drive in ("stick", "second"):
            shutil.rmtree(rig.drives / drive)
        assert await rig.refusal(client, "/signature") == "minutes_drive_absent"
        assert await rig.refusal(client, "/signature/file") == "minutes_drive_absent"
        assert await rig.call(client) == done

    rig.run(steps)
    assert kinds(rig) == ["begun", "confirmed", "confirmed"]
    assert not list(rig.paths.minutes.glob("*/signature.json"))


def test_among_other_files_the_one_that_holds_is_taken(rig: MinutesRig, people: People) -> None:
    async def steps(client: LocalClient) -> None:
        done = await confirmed(rig, client)
        content = (rig.sealed(done["sealed_id"]) / "SHA256SUMS").read_bytes()
        drive = rig.drives / "stick"
        (drive / "a.cms").write_bytes(b"\0")
        (drive / "b.p7s").write_bytes(people.sign("СЕРИКОВА САУЛЕ", "", content))
        (drive / "folder.cms").mkdir()
        (drive / "link.cms").symlink_to(rig.paths.device_key)
        out = (await rig.call(client, "/signature/file"))["handed_out"]
        for number in range(50):
            (drive / f"of-another-case-{number:02d}.cms").write_bytes(b"\0")
        (drive / out["folder"] / "z.sig").write_bytes(people.sign(*HER_NAME, content))
        assert (await rig.call(client, "/signature"))["signature"]["name"] == " ".join(HER_NAME)

    rig.run(steps)


@pytest.mark.parametrize("reason", ["secret", "deleted", "closed"])
def test_of_a_hearing_that_is_not_open_only_the_list_of_hashes_leaves(
    rig: MinutesRig, people: People, reason: str
) -> None:
    """S19, R86: also where nobody can see any more whether it was open."""
    if reason == "secret":
        (rig.recording / "courier-only").touch()

    async def steps(client: LocalClient) -> None:
        done = await confirmed(rig, client)
        if reason == "deleted":
            shutil.rmtree(rig.recording)
        if reason == "closed":
            path = rig.recording / "part-01" / "part.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | {"closed": True}))
        out = (await rig.call(client, "/signature/file"))["handed_out"]
        folder = rig.drives / "stick" / out["folder"]
        assert sorted(path.name for path in folder.iterdir()) == ["SHA256.txt", "SHA256SUMS"]
        assert done["case_number"].split("/")[0] not in out["folder"]
        content = (folder / "SHA256SUMS").read_bytes()
        (folder / "s.cms").write_bytes(people.sign(*HER_NAME, content))
        await rig.call(client, "/signature")

    rig.run(steps)
    name = sealed_signature(rig).name
    assert read_manifest(rig.paths, "report", name).is_courier_only == (reason == "secret")


def test_a_power_cut_before_the_seal_of_the_signature_is_made_up_for(
    rig: MinutesRig, people: People
) -> None:
    async def steps(client: LocalClient) -> None:
        done = await confirmed(rig, client)
        content = (rig.sealed(done["sealed_id"]) / "SHA256SUMS").read_bytes()
        (rig.drives / "stick" / "s.cms").write_bytes(people.sign(*HER_NAME, content))
        await rig.call(client, "/signature")

    async def after(client: LocalClient) -> None:
        await client.get("/v1/minutes")

    rig.run(steps)
    folder = sealed_signature(rig)
    before = (folder / "minutes.cms").read_bytes()
    shutil.rmtree(folder)
    shutil.rmtree(rig.drives / "stick")
    rig.run(after)
    assert (folder / "minutes.cms").read_bytes() == before


def test_a_new_version_is_signed_anew(rig: MinutesRig, people: People) -> None:
    async def steps(client: LocalClient) -> None:
        done = await confirmed(rig, client)
        path = rig.drives / "stick" / "s.cms"
        content = (rig.sealed(done["sealed_id"]) / "SHA256SUMS").read_bytes()
        path.write_bytes(people.sign(*HER_NAME, content))
        await rig.call(client, "/signature")
        begun = await rig.call(client, "/versions")
        assert (begun["handed_out"], begun["signature"]) == (None, None)
        await confirmed(rig, client)
        assert await rig.refusal(client, "/signature") == "signature_other_content"

    rig.run(steps)
