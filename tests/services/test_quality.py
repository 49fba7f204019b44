"""The report and the presiding judge's word on a sealed hearing, by the calls. S18."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.minutes import MINUTES_OPERATIONS
from kiosk.clocks import recording_ns
from kiosk.export.minutes_record import read_record
from kiosk.ipc import LocalClient, ServiceRefusedError
from tests.support.contract import check_answer
from tests.support.hearing_builder import add_part, close_part, new_hearing
from tests.support.minutes_rig import JUDGE, SECRETARY, MinutesRig

pytestmark = pytest.mark.slow


@pytest.fixture
def rig(tmp_path: Path) -> MinutesRig:
    return MinutesRig(tmp_path)


def ended(rig: MinutesRig, *entries: dict[str, Any]) -> None:
    """Make a sealed hearing with these entries in its journal; the calls are about it then."""
    built = new_hearing(rig.paths.hearings, rig.signer, language="ru")
    tap_ns = recording_ns()
    add_part(built, fragments=6, tap_ns=tap_ns)
    for entry in entries:
        built.journal.append(entry["kind"], entry)
    close_part(built, 1, stop_ns=tap_ns + 2_400_000_000)
    built.journal.end({"person": "p1"})
    rig.hearing = built.folder.name


async def report(rig: MinutesRig, client: LocalClient) -> dict[str, Any]:
    path = f"/v1/minutes/{rig.hearing}/quality"
    answer = await client.get(path)
    check_answer(MINUTES_OPERATIONS, "GET", path, answer)
    return dict(answer)


def test_the_report_is_made_from_the_journals(rig: MinutesRig) -> None:
    row = {"kind": "speech", "part": 1, "source": "witness", "part_seconds": 0.5, "lasts": 1.5}
    ended(
        rig,
        {"kind": "speech_detector", "part": 1, "part_seconds": 0.1, "is_working": True},
        row | {"unclear_seconds": 1.2, "cause": "far", "intelligibility": 0.6},
        row | {"lasts": None},
    )

    async def steps(client: LocalClient) -> None:
        found = await report(rig, client)
        assert (found["seconds"], found["unchecked_seconds"]) == (2.4, 0.0)
        assert (found["verdict"], found["unreadable"], found["places"]) == ("unusable", 1, 1)
        assert found["worst"][0]["can_play"]
        for wanted in ("x", "00000000-0000-0000-0000-000000000000"):
            rig.hearing = wanted
            with pytest.raises(ServiceRefusedError) as refused:
                await report(rig, client)
            assert refused.value.code == "hearing_unknown"

    rig.run(steps)


def test_of_a_hearing_that_goes_on_there_is_no_report(rig: MinutesRig) -> None:
    """It was called unusable: a part that runs has no length yet."""
    built = new_hearing(rig.paths.hearings, rig.signer, language="ru")
    add_part(built, fragments=2)
    built.journal.flush()
    rig.hearing = built.folder.name

    async def steps(client: LocalClient) -> None:
        with pytest.raises(ServiceRefusedError) as refused:
            await report(rig, client)
        assert refused.value.code == "export_not_sealed"

    rig.run(steps)
    built.journal.close()


def test_a_call_that_is_refused_begins_no_minutes(rig: MinutesRig) -> None:
    """Whoever looks through the list must not find minutes that nobody wanted."""
    refused: dict[str, tuple[dict[str, Any], str]] = {
        "/quality": ({"is_good": True}, "quality_judge_only"),
        "/confirm": ({"revision": 7}, "minutes_changed"),
        "/fields": ({"field": "nothing", "lines": ["x"]}, "bad_request"),
        "/undo": ({}, "minutes_nothing_to_undo"),
        "/versions": ({}, "minutes_not_confirmed"),
        "/signature/file": ({}, "minutes_not_sealed"),
        "/signature": ({}, "minutes_not_sealed"),
        "/receipts": ({"pdf": "bm8gcGRm", "pages": 1, "mark": 1}, "receipt_no_pdf"),
    }

    async def steps(client: LocalClient) -> None:
        for step, (body, code) in refused.items():
            assert await rig.refusal(client, step, **body) == code, step
            assert not rig.paths.minutes_drafts.exists(), step
        with pytest.raises(ServiceRefusedError, match="no such scan"):
            await client.call("DELETE", f"/v1/minutes/{rig.hearing}/receipts/1")
        rig.person = JUDGE
        assert await rig.refusal(client, "/confirm", revision=1) == "minutes_secretary_first"
        assert not rig.paths.minutes_drafts.exists()
        said = await rig.call(client, "/quality", is_good=True)
        assert (said["quality"]["is_good"], said["revision"]) == (True, 2)
        assert said["sealed_id"] == ""

    rig.run(steps)


def test_the_word_of_the_judge_stands_in_the_sealed_minutes(rig: MinutesRig) -> None:
    """Only a judge says it, before confirming; a later word takes its place and both are kept."""

    async def steps(client: LocalClient) -> None:
        await rig.call(client, "/language", language="ru")
        assert await rig.refusal(client, "/quality", is_good=True) == "quality_judge_only"
        assert await rig.refusal(client, "/quality", is_good="perhaps") == "bad_request"
        await rig.confirm(client, SECRETARY)
        rig.person = JUDGE
        said = await rig.call(client, "/quality", is_good=False)
        assert (said["quality"]["is_good"], said["quality"]["name"]) == (False, JUDGE.name)
        assert said["stage"] == "secretary", "what was confirmed stays confirmed"
        again = await rig.call(client, "/quality", is_good=True)
        assert again["quality"]["is_good"]
        done = await rig.confirm(client, JUDGE)
        assert await rig.refusal(client, "/quality", is_good=False) == "minutes_confirmed"
        folder = rig.sealed(done["sealed_id"])
        told = json.loads((folder / "minutes.json").read_text("utf-8"))
        assert (told["quality"]["is_good"], told["quality"]["person"]) == (True, JUDGE.id)
        lines = (folder / "journal.jsonl").read_text("utf-8").splitlines()
        words = [json.loads(line) for line in lines if '"kind":"quality"' in line]
        assert [word["is_good"] for word in words] == [False, True]
        record = read_record(rig.paths.minutes_drafts / rig.hearing)
        assert record is not None
        assert record.quality is not None
        assert record.quality.is_good

    rig.run(steps)
