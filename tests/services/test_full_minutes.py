"""Full minutes: in place of short ones, and begun while the hearing runs. Requirements: S18."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kiosk.ipc import LocalClient
from kiosk.rules import load_rules
from tests.support.hearing_builder import BuiltHearing, add_part, close_part, new_hearing
from tests.support.minutes_rig import JUDGE, SECRETARY, MinutesRig

pytestmark = pytest.mark.slow
WITNESS = {"id": "w1", "role": "witness", "name": "Свидетель В."}


@pytest.fixture
def rig(tmp_path: Path) -> MinutesRig:
    return MinutesRig(tmp_path)


def texts(minutes: dict[str, Any], field: str) -> list[str]:
    return [
        line["text"] for row in minutes["fields"] if row["id"] == field for line in row["lines"]
    ]


def typed(minutes: dict[str, Any], field: str) -> list[str]:
    row = next(row for row in minutes["fields"] if row["id"] == field)
    return [line["text"] for line in row["lines"] if line["typed"]]


def run_hearing(rig: MinutesRig, **details: Any) -> BuiltHearing:
    """Open a hearing that records, with a mark in it; the calls are about it then."""
    built = new_hearing(rig.paths.hearings, rig.signer, language="ru", **details)
    add_part(built, fragments=1)
    rig.hearing = built.folder.name
    return built


def test_full_minutes_take_the_place_of_short_ones(rig: MinutesRig) -> None:
    """What was typed stays in the fields that both have; what is sealed says which they are."""

    async def steps(client: LocalClient) -> None:
        await rig.call(client, "/language", language="ru")
        short = await rig.call(client, "/fields", field="attendance", lines=["Омаров С., истец"])
        assert (short["form"], len(short["fields"])) == ("short", 10)
        full = await rig.call(client, "/form", form="full")
        wanted = [row.id for row in load_rules().full_protocol("civil").field]
        assert [row["id"] for row in full["fields"]] == wanted
        assert full["title"] == "протокол судебного заседания"
        assert (full["is_partial"], full["is_running"]) == (False, False)
        assert typed(full, "attendance") == ["Омаров С., истец"]
        assert "принесение клятвы" in texts(full, "rights")[0]
        await rig.call(client, "/fields", field="testimony", lines=["Видел подпись."])
        back = await rig.call(client, "/form", form="short")
        assert back["fields"] == short["fields"]
        again = await rig.call(client, "/form", form="full")
        assert typed(again, "testimony") == ["Видел подпись."]
        assert await rig.refusal(client, "/form", form="long") == "bad_request"
        await rig.confirm(client, SECRETARY)
        done = await rig.confirm(client, JUDGE)
        assert await rig.refusal(client, "/form", form="short") == "minutes_confirmed"
        told = json.loads((rig.sealed(done["sealed_id"]) / "minutes.json").read_text("utf-8"))
        assert (told["form"], told["title"]) == ("full", "протокол судебного заседания")
        assert "Видел подпись." in str(told["fields"])

    rig.run(steps)


def test_begun_in_the_hearing_and_finished_after_its_seal(rig: MinutesRig) -> None:
    """What was typed or taken out stays over each new filling; nothing is confirmed before."""
    built = run_hearing(rig)

    async def steps(client: LocalClient) -> None:
        assert await rig.refusal(client) == "export_not_sealed"
        assert await rig.refusal(client, "/form", form="short") == "export_not_sealed"
        begun = await rig.call(client, "/form", form="full")
        assert (begun["is_running"], begun["ended"], begun["form"]) == (True, "", "full")
        assert begun["empty"]
        assert await rig.call(client) == begun, "nothing has happened since"
        (oath,) = texts(begun, "rights")
        await rig.call(client, "/fields", field="rights", lines=[])
        await rig.call(client, "/fields", field="testimony", lines=["Видел подпись."])
        append = built.parts[0].append
        append("mark", {"id": 2, "type": "questioning", "part_seconds": 1.0, "of": WITNESS})
        append("mark", {"id": 3, "type": "rights_explained", "part_seconds": 2.0})
        # typed from what the screen shows: the newer mark must not count as taken out
        await rig.call(client, "/fields", field="testimony", lines=["Видел подпись.", "Позже."])
        later = await rig.call(client)
        assert typed(later, "testimony") == ["Видел подпись.", "Позже."]
        assert "Свидетель В." in texts(later, "testimony")[0]
        (explained,) = texts(later, "rights")
        assert explained != oath
        assert "разъяснение прав" in explained
        revision = later["revision"]
        assert await rig.refusal(client, "/confirm", revision=revision) == "export_not_sealed"
        assert await rig.refusal(client, "/form", form="short") == "export_not_sealed"
        close_part(built, 1)
        built.journal.end({"person": "p1"})
        assert await rig.refusal(client, "/confirm", revision=revision) == "minutes_changed"
        due = {
            row["hearing_id"]: row["due"] for row in (await client.get("/v1/minutes"))["hearings"]
        }
        ended = await rig.call(client)
        assert (ended["is_running"], ended["due"]) == (False, due[rig.hearing])
        assert ended["due"]
        assert typed(ended, "testimony") == ["Видел подпись.", "Позже."]
        assert texts(ended, "rights") == [explained]
        undone = await rig.call(client, "/undo")
        assert typed(undone, "testimony") == ["Видел подпись."]
        await rig.confirm(client, SECRETARY)
        done = await rig.confirm(client, JUDGE)
        kept = rig.sealed(done["sealed_id"]) / "recording/SHA256SUMS"
        assert kept.read_bytes() == (built.folder / "SHA256SUMS").read_bytes()

    rig.run(steps)


def test_of_a_criminal_case_the_list_is_said_to_be_incomplete(rig: MinutesRig) -> None:
    """УПК 347(3) was not read in full: the short fields, testimony, and what was read (S18)."""
    run_hearing(rig, kind="criminal")

    async def steps(client: LocalClient) -> None:
        full = await rig.call(client, "/form", form="full")
        assert full["is_partial"]
        assert {"course", "testimony", "torture"} <= {row["id"] for row in full["fields"]}
        for wanted in ("x", "00000000-0000-0000-0000-000000000000"):
            rig.hearing = wanted
            assert await rig.refusal(client, "/form", form="full") == "hearing_unknown"

    rig.run(steps)
