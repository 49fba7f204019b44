"""Copies and slips for the parties; readiness of line, storages and keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from kiosk.alarms import is_known
from kiosk.hardware.receipt_printer import PrinterNoPaperError
from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.ui.catalogue import canned, pictures
from kiosk.ui.catalogue.hearing_states import BUSY, SEALED, STICK
from kiosk.ui.facts import Recorder, Sync
from kiosk.ui.here import Here
from kiosk.ui.rulebook import RuleLabels
from kiosk.ui.secretary.copies import Copies, CopiesState, CopyEvent
from kiosk.ui.secretary.copy_views import copies_view, stage_word
from kiosk.ui.secretary.readiness import readiness
from kiosk.ui.secretary.slips import Slips
from tests.ui.doubles import FakeRecorder

SAY = Translator("en")
HERE = Here(SAY, RuleLabels(SAY, load_rules()), ZoneInfo("Asia/Almaty"), canned.NOW)


def with_copies(
    recorder: FakeRecorder, steps: Callable[[Copies], Coroutine[Any, Any, None]]
) -> list[str]:
    """Run ``steps``; return the codes that were shown."""
    codes: list[str] = []

    async def run() -> None:
        client = LocalClient(recorder.socket)
        await steps(Copies(client, lambda: None, codes.append))
        await client.close()

    asyncio.run(run())
    return codes


def test_a_copy_from_the_list_to_the_end(recorder: FakeRecorder) -> None:
    """List, hearing, the only stick chosen by itself, language, progress, done."""
    recorder.answers["/v1/hearings"] = {"hearings": [one.model_dump() for one in SEALED]}
    recorder.answers["/v1/exports/media"] = {"media": [STICK.model_dump()]}
    recorder.answers["/v1/exports"] = {"id": "c1"}

    async def steps(copies: Copies) -> None:
        await copies.begin("ru")
        assert len(copies_view(HERE, copies.state).rows) == len(SEALED)
        copies.choose(SEALED[1])
        assert not copies_view(HERE, copies.state).can_start
        await copies.look()
        view = copies_view(HERE, copies.state)
        assert view.can_start
        assert "closed parts" in view.notes[0]
        copies.choose_language("kk")
        await copies.start()
        told = {"hearing_id": "2", "medium": "/m/1", "language": "kk"}
        assert recorder.calls[-1] == ("/v1/exports", told)
        running = {"id": "c1", "hearing_id": "2", "state": "running", "stage": "video"}
        copies.take({**running, "done": 1, "total": 4})
        assert copies_view(HERE, copies.state).fraction == 0.25
        await copies.cancel()
        assert "/v1/exports/c1" in recorder.paths()
        copies.take({**running, "state": "done", "files": 9, "left_out": [2]})
        view = copies_view(HERE, copies.state)
        assert (view.step, view.tone) == ("ended", "good")
        copies.back()
        assert copies_view(HERE, copies.state).step == "list"

    assert with_copies(recorder, steps) == []


def test_a_closed_hearing_is_refused_with_the_reason(recorder: FakeRecorder) -> None:
    """S19: said on the tap, nothing is asked of the recorder."""

    async def steps(copies: Copies) -> None:
        copies.state = CopiesState(hearings=SEALED)
        copies.choose(SEALED[2])
        assert copies.state.chosen is None

    assert with_copies(recorder, steps) == ["export_closed"]
    view = copies_view(HERE, CopiesState(hearings=SEALED))
    assert [row.closed for row in view.rows] == [False, False, True, False, False]


def test_a_stick_that_is_pulled_out_is_chosen_no_more(recorder: FakeRecorder) -> None:
    """The list of sticks is live."""
    recorder.answers["/v1/exports/media"] = {"media": [STICK.model_dump()]}

    async def steps(copies: Copies) -> None:
        await copies.look()
        assert copies.state.medium == STICK.path
        recorder.answers["/v1/exports/media"] = {"media": []}
        await copies.look()
        assert copies.state.medium is None

    with_copies(recorder, steps)


@pytest.mark.parametrize(
    "code",
    ["export_no_space", "export_medium_failed", "export_differs", "export_source_changed"],
)
def test_every_error_of_a_copy_is_said_in_words(code: str) -> None:
    """Consequence and remedy; never the code."""
    assert is_known(code)
    event = CopyEvent(hearing_id="1", state="failed", code=code)
    view = copies_view(HERE, CopiesState(hearings=SEALED, event=event))
    assert view.tone == "fault"
    assert view.notes[0]
    assert "_" not in view.text


def test_stages_have_different_words() -> None:
    """What is being done now."""
    stages = ("checking", "original", "video", "reading_back", "finishing")
    assert len({stage_word(HERE, stage) for stage in stages}) == 5


def test_an_old_end_is_no_news(recorder: FakeRecorder) -> None:
    """The recorder tells its newest event to every new listener."""

    async def steps(copies: Copies) -> None:
        copies.take({"id": "old", "state": "done"})
        assert copies.state.event is None

    with_copies(recorder, steps)


SLIP = {
    "hearing_id": "h1",
    "case_number": "7514",
    "count": 3,
    "hash": "ab" * 32,
    "groups": [],
    "signed_at": canned.at(9, 50),
    "code": "kiosk-head:h1:3:" + "ab" * 32,
    "sealed": False,
}


def slips_of(
    recorder: FakeRecorder, folder: Path, error: Exception | None
) -> tuple[Slips, list[Image.Image], list[str], LocalClient]:
    """Return slips whose printer fails with ``error``, what it printed, codes shown."""
    printed: list[Image.Image] = []
    codes: list[str] = []

    async def print_image(image: Image.Image) -> None:
        if error:
            raise error
        printed.append(image)

    client = LocalClient(recorder.socket)
    settings = pictures.settings(folder, *pictures.LARGE)
    return (
        Slips(settings, client, SAY, print_image, lambda: None, codes.append),
        printed,
        codes,
        client,
    )


def test_a_slip_is_printed_or_shown_with_its_code(recorder: FakeRecorder, folder: Path) -> None:
    """Out of paper: the same slip on the screen; its code can be read."""
    import io

    import zxingcpp

    recorder.answers["/v1/hearing/slip"] = SLIP

    async def run() -> None:
        slips, printed, _codes, client = slips_of(recorder, folder, None)
        await slips.print()
        assert slips.state.state == "printed"
        assert printed[0].width == 576
        await client.close()
        slips, printed, _codes, client = slips_of(recorder, folder, PrinterNoPaperError("none"))
        await slips.print("h1")
        assert (slips.state.state, slips.state.code) == ("failed", "printer_no_paper")
        (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(slips.state.picture)))
        assert found.text == SLIP["code"]
        await client.close()

    asyncio.run(run())


def test_no_slip_before_anything_is_signed(recorder: FakeRecorder, folder: Path) -> None:
    """A sentence, no half slip."""
    recorder.refusals["/v1/hearing/slip"] = "slip_none"

    async def run() -> None:
        slips, printed, codes, client = slips_of(recorder, folder, None)
        await slips.print()
        assert (slips.state.state, printed, codes) == ("", [], ["slip_none"])
        await client.close()

    asyncio.run(run())


def test_readiness_says_line_backlog_second_copy_and_keys() -> None:
    """Each in a sentence of its own, with its time."""
    state = canned.recorder(
        mirror={"state": "absent"},
        court_keys={"state": "missing", "needed": True},
        storage={"state": "ok", "hours_left": 1.0, "planned": {"hours_needed": 2, "fits": False}},
    )
    lines = readiness(HERE, Recorder.model_validate(state), Sync.model_validate(BUSY))
    said = {line.item: line for line in lines}
    assert said["link"].text.startswith("09:40 · The line is just about")
    assert "Done at 18:30" in said["queue"].text
    assert "slowly" in said["queue"].text
    assert said["full"].text == "The disk will be full: 23:00"
    assert said["mirror"].remedy
    assert said["keys"].tone == "fault"
    assert "no room for the whole" in said["disk"].text
    assert said["courier"].text == "For the courier: 1"
