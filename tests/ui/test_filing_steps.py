"""The visitor's steps without a window: case, applicant, documents, sheets, parking, voice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from kiosk.ui.catalogue import canned, papers
from kiosk.ui.desk import Desk
from kiosk.ui.facts import Recorder
from kiosk.ui.look import Look
from kiosk.ui.places import (
    AtHome,
    Calling,
    Confirming,
    Counting,
    Gathering,
    Introducing,
    Looking,
    NamingCase,
    Parked,
    Resuming,
)
from kiosk.ui.views import current_screen, view_of
from kiosk.ui.visitor.prompts import prompt_of
from tests.ui.test_visitor import Clock, desk_in, run
from tests.waiting import wait_for


def with_pages(folder: Path, count: int = 3) -> Desk:
    """Return a desk whose visitor has scanned the claim."""
    desk = desk_in(folder, Clock())
    desk.visit.filing = papers.filing(desk, count)
    return desk


def here(desk: Desk) -> Any:
    """Return where the visitor is."""
    return desk.visit.place


async def until(met: Any) -> None:
    """Wait until ``met`` holds."""
    await asyncio.to_thread(wait_for, met, "the step")


def test_everything_may_be_left_out_and_nothing_is_a_dead_end(tmp_path: Path) -> None:
    """One tap each; the summary says what is missing; a step from there leads back to it."""

    async def steps() -> None:
        desk = with_pages(tmp_path)
        visit, telling = desk.visit, desk.visit.telling
        telling.ask_case()
        telling.leave_case_out()
        assert isinstance(here(desk), Introducing)
        telling.who_done()
        assert here(desk) == Gathering()
        telling.nothing_more()
        assert here(desk) == Confirming()
        view = view_of(current_screen(desk), desk)
        assert any(line.go == "slots" and line.label == desk.say("Missing") for line in view.lines)
        telling.ask_case()
        telling.new_case("civil")
        assert here(desk) == Confirming()
        assert visit.filing is not None
        assert visit.filing.filing.case_kind == "civil"
        await desk.close()

    run(steps())


def test_a_right_number_leads_on_and_a_wrong_one_is_said_at_once(tmp_path: Path) -> None:
    """The check digit in words; a name gets its capitals; nothing of it is refused."""

    async def steps() -> None:
        desk = with_pages(tmp_path)
        telling = desk.visit.telling
        telling.ask_who()
        for digit in "900101300018":
            telling.who_key(digit)
        view = view_of("visitor.who", desk)
        assert view.entry == "iin"
        assert view.entries[0].advice == desk.say(
            "A digit is wrong. Compare it with your document."
        )
        telling.who_key("")
        telling.who_key("7")
        assert view_of("visitor.who", desk).entry == "name"
        for key in "ӘЛИ ҚАЛИ":
            telling.who_key(key)
        telling.who_done()
        assert desk.visit.filing is not None
        known = desk.visit.filing.filing.applicant
        assert (known.name, known.iin) == ("Әли Қали", "900101300017")
        await desk.close()

    run(steps())


def test_sheets_that_differ_are_told_and_can_be_right(tmp_path: Path) -> None:
    """Three were scanned: four is a difference, three goes on, leaving it out too."""

    async def steps() -> None:
        desk = with_pages(tmp_path)
        visit = desk.visit
        visit.place = Looking()
        visit.review.done()
        assert here(desk) == Counting()
        visit.telling.sheets(4)
        assert here(desk) == Counting(said=4)
        assert view_of("visitor.sheets", desk).fewer
        visit.telling.sheets_right()
        assert here(desk) == Gathering()
        await desk.close()

    run(steps())


def test_pages_move_within_and_between_documents(tmp_path: Path) -> None:
    """By a touch on the page before which it belongs, or on another document."""

    async def steps() -> None:
        desk = with_pages(tmp_path)
        visit = desk.visit
        visit.place = Looking(3, shape="move")
        visit.review.move(1)
        assert [page.number for page in visit.slot_pages] == [3, 1, 2]
        visit.review.move_to("evidence")
        assert [page.number for page in visit.slot_pages] == [1, 2]
        assert [page.slot for page in visit.pages][-1] == "evidence"
        await desk.close()

    run(steps())


def test_parked_papers_come_back_with_the_ticket_alone(tmp_path: Path) -> None:
    """Without printer the code is on the screen; typed, it opens the papers again."""

    async def steps() -> None:
        desk = with_pages(tmp_path, 2)
        visit = desk.visit
        visit.place = Gathering()
        await visit.later.park()
        place = here(desk)
        assert isinstance(place, Parked)
        assert visit.filing is None
        assert view_of("visitor.parked", desk).shows_code
        await visit.wipe()
        visit.later.ask_ticket()
        for key in place.ticket.code.replace("-", ""):
            visit.later.ticket_key(key)
        assert view_of("visitor.resume", desk).typed.count("-") == 3
        looked = asyncio.create_task(visit.later.resume())
        await until(lambda: visit.filing is not None)
        looked.cancel()
        assert here(desk) == Gathering()
        assert len(visit.pages) == 2
        await desk.close()

    run(steps())


def test_a_wrong_ticket_is_said(tmp_path: Path) -> None:
    """It opens nothing."""

    async def steps() -> None:
        desk = desk_in(tmp_path, Clock())
        desk.badge("KIOSK-TICKET:0000000000000000")
        await until(lambda: here(desk) == Resuming(wrong=True))
        await desk.close()

    run(steps())


def test_a_hearing_that_starts_parks_the_papers(tmp_path: Path) -> None:
    """The ticket stays until the visitor's screen is seen again, since it was not printed."""

    async def steps() -> None:
        desk = with_pages(tmp_path, 1)
        desk.visit.place = Gathering()
        desk.recorder = Recorder.model_validate(canned.recorder())
        desk._from_recorder("state", canned.recording())
        await until(lambda: isinstance(here(desk), Parked) and here(desk).printing == "failed")
        assert here(desk).because
        clock: Any = desk.now
        clock.seconds += 500
        desk.tick()
        assert isinstance(here(desk), Parked)
        await desk.close()

    run(steps())


def test_a_summons_is_taken_where_the_case_is_asked(tmp_path: Path) -> None:
    """Its code names the case; it is kept although nobody can be asked."""

    async def steps() -> None:
        desk = with_pages(tmp_path, 1)
        desk.visit.telling.ask_case()
        desk.badge("https://example.kz/?case=7514-26-00-2/1187")
        place = here(desk)
        await until(lambda: isinstance(here(desk), NamingCase) and here(desk).found)
        place = here(desk)
        assert isinstance(place, NamingCase)
        assert place.typed == "7514-26-00-2/1187"
        desk.visit.telling.take_case()
        assert desk.visit.filing is not None
        assert desk.visit.filing.filing.case_known == "unchecked"
        await desk.close()

    run(steps())


def test_the_voice_is_reset_with_the_visitor(tmp_path: Path) -> None:
    """Its volume too; each screen of a visitor has words to say, and none is a name."""

    async def steps() -> None:
        desk = desk_in(tmp_path, Clock())
        desk.recorder = Recorder.model_validate(canned.recorder())
        usual = desk.voice.volume
        desk.set_look(Look().with_next_voice().with_next_voice())
        desk.speak("visitor.home", AtHome())
        assert desk.voice.volume == 100
        desk.speak("secretary.locked", None)
        desk.finish_visit()
        assert desk.look.voice == 0
        assert desk.voice.volume == usual
        desk.recorder = Recorder.model_validate(canned.recording())
        desk.speak("visitor.home", AtHome())
        assert desk.voice.hearing_runs
        desk.visit.filing = papers.filing(desk, 1)
        desk.visit.place = Gathering()
        assert prompt_of("visitor.slots", view_of("visitor.slots", desk), desk.say)
        await asyncio.sleep(0.01)
        await desk.close()

    run(steps())


def test_the_called_secretary_is_told_at_signing_in(tmp_path: Path) -> None:
    """No sound: the sign on the screen, and a message to who signs in."""

    async def steps() -> None:
        desk = desk_in(tmp_path, Clock())
        desk.visit.call_secretary()
        assert here(desk) == Calling()
        answer = {**canned.SECRETARY}

        class Client:
            token: str | None = None

            async def post(self, *_given: Any) -> dict[str, Any]:
                return answer

        client, desk.recorder_line.client = desk.recorder_line.client, Client()  # type: ignore[assignment]
        await desk.sign_in({"badge": "b"})
        desk.recorder_line.client = client
        assert desk.notice is not None
        assert desk.notice.code == "visitor_calls"
        await desk.close()

    run(steps())


def test_what_is_over_is_tidied_every_minute(tmp_path: Path, monkeypatch: Any) -> None:
    """Expired tickets and what a crash left are wiped, delivered documents are tidied."""

    async def steps() -> None:
        desk = desk_in(tmp_path, Clock())
        called: list[str] = []
        told = asyncio.Event()

        async def tidy(*_given: Any) -> int:
            called.append("tidy")
            told.set()
            return 0

        monkeypatch.setattr(desk.filing_desk, "tidy", tidy)
        monkeypatch.setattr(desk.filing_desk, "wipe_unfinished", lambda _age: called.append("wipe"))
        task = asyncio.create_task(desk._tidy_filings())
        async with asyncio.timeout(20):
            await told.wait()
        task.cancel()
        assert called[:2] == ["wipe", "tidy"]
        await desk.close()

    run(steps())
