"""The visitor's steps without a window: case, applicant, documents, sheets, parking, voice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.recorder import RecorderState
from kiosk.ui.actions.filing_cleanup import clean_up_filings
from kiosk.ui.app_state import AppState
from kiosk.ui.display_settings import DisplaySettings
from kiosk.ui.registry import (
    ApplicantPlace,
    CaseNumberPlace,
    DocumentsPlace,
    PageReviewPlace,
    ParkedPlace,
    ResumePlace,
    SecretaryCallPlace,
    SheetCountPlace,
    SummaryPlace,
)
from kiosk.ui.samples import documents as sample_documents
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.screen_loader import current_screen, view_of
from kiosk.ui.spoken_text import spoken_text
from tests.support.waiting import wait_for
from tests.ui.app_without_services import Clock, app_in, run


def with_pages(folder: Path, count: int = 3) -> AppState:
    """Return an application state whose visitor has scanned the claim."""
    app = app_in(folder, Clock())
    app.visit.filing = sample_documents.filing(app, count)
    return app


def current_place(app: AppState) -> Any:
    """Return where the visitor is."""
    return app.visit.place


async def until(met: Any) -> None:
    """Wait until ``met`` holds."""
    await asyncio.to_thread(wait_for, met, "the step")


def test_everything_may_be_left_out_and_nothing_is_a_dead_end(tmp_path: Path) -> None:
    """One tap each; the summary says what is missing; a step from there leads back to it."""

    async def steps() -> None:
        app = with_pages(tmp_path)
        visit = app.visit
        visit.case.ask()
        visit.case.skip()
        assert isinstance(current_place(app), ApplicantPlace)
        visit.applicant.finish()
        assert current_place(app) == DocumentsPlace()
        visit.documents.finish()
        assert current_place(app) == SummaryPlace()
        view = view_of(current_screen(app), app)
        assert any(
            line.target == "slots" and line.label == app.translate("Missing") for line in view.rows
        )
        visit.case.ask()
        visit.case.start_new("civil")
        assert current_place(app) == SummaryPlace()
        assert visit.filing is not None
        assert visit.filing.record.case_kind == "civil"
        await app.close()

    run(steps())


def test_an_exemption_is_found_by_what_it_hangs_on_in_the_language_of_the_screen(
    tmp_path: Path,
) -> None:
    """Two taps to one of 36; who changes the language on the way reads that one."""

    async def steps() -> None:
        app = with_pages(tmp_path)
        form = app.visit.fee
        form.ask()
        form.choose_fee("property")
        form.show_options("exemption_group")
        groups = [group for group, _ in view_of(current_screen(app), app).choices]
        assert groups == ["person", "claim", "document", "organisation"]
        form.choose_exemption_group("claim")
        app.translate.switch_language("ru")
        assert ("alimony", "Алименты") in view_of(current_screen(app), app).choices
        app.translate.switch_language("kk")
        assert ("alimony", "Алимент") in view_of(current_screen(app), app).choices
        form.choose_exemption("alimony")
        view = view_of(current_screen(app), app)
        assert (view.exempt, view.figure) == ("Алимент", "")
        assert app.visit.record.fee is not None
        assert app.visit.record.fee.exemption == "alimony"
        form.show_options("exemption_group")
        form.choose_exemption_group("person")
        assert len(view_of(current_screen(app), app).choices) == 2
        await app.close()

    run(steps())


def test_the_fee_of_copies_is_typed_as_two_numbers(tmp_path: Path) -> None:
    """НК 665(1)12): 0.1 of the index for each document, 0.03 for each page."""

    async def steps() -> None:
        app = with_pages(tmp_path)
        form, filing = app.visit.fee, app.visit.filing
        assert filing is not None
        filing.update_details(document_type="copy_request")
        form.ask()
        assert view_of(current_screen(app), app).needs == "counts"
        form.type_count("2")
        form.count("pages")
        for digit in "10":
            form.type_count(digit)
        view = view_of(current_screen(app), app)
        assert [number for _, _, number in view.counts] == ["2", "10"]
        assert "алғанда төлеңіз" in view.text, "НК 672(1)1)"
        assert app.visit.record.fee is not None
        assert (app.visit.record.fee.documents, app.visit.record.fee.pages) == (2, 10)
        form.ask()
        again = view_of(current_screen(app), app)
        assert [number for _, _, number in again.counts] == ["2", "10"], "asked again, still there"
        await app.close()

    run(steps())


def test_a_fee_that_the_applicant_cannot_owe_is_asked_anew(tmp_path: Path) -> None:
    """An organisation has no divorce; what was chosen before is let go, not refused."""

    async def steps() -> None:
        app = with_pages(tmp_path)
        form, filing = app.visit.fee, app.visit.filing
        assert filing is not None
        form.ask()
        form.choose_fee("divorce")
        filing.update_details(applicant={"kind": "entity"})
        form.ask()
        view = view_of(current_screen(app), app)
        assert (view.choosing, view.chosen) == ("fee", "")
        assert "divorce" not in dict(view.choices)
        filing.update_details(document_type="private_appeal")
        form.ask()
        assert view_of(current_screen(app), app).text == app.translate(
            "Nobody pays a state fee for this document."
        )
        await app.close()

    run(steps())


def test_only_papers_of_visitors_are_offered_and_a_letter_is(tmp_path: Path) -> None:
    """A prosecutor's motion, a police report and a witness's receipt do not come from visitors."""

    async def steps() -> None:
        app = with_pages(tmp_path)
        labels = app.labels
        offered = {row for group in labels.groups() for row in labels.types_of(group)}
        missing = set(labels.rules.document_types) - offered
        assert missing == {
            "admin_offence_protocol",
            "prosecutor_appeal",
            "witness_receipt",
            "interpreter_receipt",
        }
        assert "letter" in labels.types_of("common")
        await app.close()

    run(steps())


def test_a_right_number_leads_on_and_a_wrong_one_is_said_at_once(tmp_path: Path) -> None:
    """The check digit in words; a name gets its capitals; nothing of it is refused."""

    async def steps() -> None:
        app = with_pages(tmp_path)
        applicant = app.visit.applicant
        applicant.ask()
        for digit in "900101300018":
            applicant.type(digit)
        view = view_of("visitor.applicant", app)
        assert view.active_field == "iin"
        assert view.fields[0].advice == app.translate(
            "A digit is wrong. Compare it with your document."
        )
        applicant.type("")
        applicant.type("7")
        assert view_of("visitor.applicant", app).active_field == "name"
        for key in "ӘЛИ ҚАЛИ":
            applicant.type(key)
        applicant.finish()
        assert app.visit.filing is not None
        known = app.visit.filing.record.applicant
        assert (known.name, known.iin) == ("Әли Қали", "900101300017")
        await app.close()

    run(steps())


def test_sheets_that_differ_are_told_and_can_be_right(tmp_path: Path) -> None:
    """Three were scanned: four is a difference, three goes on, leaving it out too."""

    async def steps() -> None:
        app = with_pages(tmp_path)
        visit = app.visit
        visit.place = PageReviewPlace()
        visit.page_review.finish()
        assert current_place(app) == SheetCountPlace()
        visit.documents.set_sheet_count(4)
        assert current_place(app) == SheetCountPlace(declared=4)
        assert view_of("visitor.sheet_count", app).has_missing_sheet
        visit.documents.accept_sheet_count()
        assert current_place(app) == DocumentsPlace()
        await app.close()

    run(steps())


def test_pages_move_within_and_between_documents(tmp_path: Path) -> None:
    """By a touch on the page before which it belongs, or on another document."""

    async def steps() -> None:
        app = with_pages(tmp_path)
        visit = app.visit
        visit.place = PageReviewPlace(3, layout="move")
        visit.page_review.move(1)
        assert [page.number for page in visit.slot_pages] == [3, 1, 2]
        visit.page_review.move_to_document("evidence")
        assert [page.number for page in visit.slot_pages] == [1, 2]
        assert [page.slot for page in visit.pages][-1] == "evidence"
        await app.close()

    run(steps())


def test_parked_papers_come_back_with_the_ticket_alone(tmp_path: Path) -> None:
    """Without printer the code is on the screen; typed, it opens the papers again."""

    async def steps() -> None:
        app = with_pages(tmp_path, 2)
        visit = app.visit
        visit.place = DocumentsPlace()
        await visit.parking.park()
        place = current_place(app)
        assert isinstance(place, ParkedPlace)
        assert visit.filing is None
        assert view_of("visitor.parked", app).shows_code
        await visit.wipe()
        visit.parking.ask_for_ticket()
        for key in place.ticket.code.replace("-", ""):
            visit.parking.type_ticket_code(key)
        assert view_of("visitor.resume", app).typed.count("-") == 3
        looked = asyncio.create_task(visit.parking.resume())
        await until(lambda: visit.filing is not None)
        looked.cancel()
        assert current_place(app) == DocumentsPlace()
        assert len(visit.pages) == 2
        await app.close()

    run(steps())


def test_a_wrong_ticket_is_said(tmp_path: Path) -> None:
    """It opens nothing."""

    async def steps() -> None:
        app = app_in(tmp_path, Clock())
        app.handle_badge("KIOSK-TICKET:0000000000000000")
        await until(lambda: current_place(app) == ResumePlace(is_unknown=True))
        await app.close()

    run(steps())


def test_a_hearing_that_starts_parks_the_papers(tmp_path: Path) -> None:
    """The ticket stays until the visitor's screen is seen again, since it was not printed."""

    async def steps() -> None:
        app = with_pages(tmp_path, 1)
        app.visit.place = DocumentsPlace()
        app.recorder_state = RecorderState.model_validate(sample_data.recorder())
        app.handle_recorder_event("state", sample_data.recording())
        await until(
            lambda: (
                isinstance(current_place(app), ParkedPlace)
                and current_place(app).printing == "failed"
            )
        )
        assert current_place(app).hearing_started
        clock: Any = app.now
        clock.seconds += 500
        app.tick()
        assert isinstance(current_place(app), ParkedPlace)
        await app.close()

    run(steps())


def test_a_summons_is_taken_where_the_case_is_asked(tmp_path: Path) -> None:
    """Its code names the case; it is kept although nobody can be asked."""

    async def steps() -> None:
        app = with_pages(tmp_path, 1)
        app.visit.case.ask()
        app.handle_badge("https://example.kz/?case=7514-26-00-2/1187")
        place = current_place(app)
        await until(
            lambda: isinstance(current_place(app), CaseNumberPlace) and current_place(app).found
        )
        place = current_place(app)
        assert isinstance(place, CaseNumberPlace)
        assert place.typed == "7514-26-00-2/1187"
        app.visit.case.accept()
        assert app.visit.filing is not None
        assert app.visit.filing.record.case_known == "unchecked"
        await app.close()

    run(steps())


def test_the_voice_is_reset_with_the_visitor(tmp_path: Path) -> None:
    """Its volume too; each screen of a visitor has words to say, and none is a name."""

    async def steps() -> None:
        app = app_in(tmp_path, Clock())
        app.recorder_state = RecorderState.model_validate(sample_data.recorder())
        usual = app.voice.device.volume
        app.set_display_settings(DisplaySettings().with_next_voice().with_next_voice())
        app.speak("visitor.home", view_of("visitor.home", app))
        assert app.voice.device.volume == 100
        app.speak("secretary.lock", None)
        app.finish_visit()
        assert app.display_settings.voice == 0
        assert app.voice.device.volume == usual
        app.recorder_state = RecorderState.model_validate(sample_data.recording())
        app.speak("visitor.home", view_of("visitor.home", app))
        assert app.voice.device.is_hearing_active
        app.visit.filing = sample_documents.filing(app, 1)
        app.visit.place = DocumentsPlace()
        assert spoken_text(view_of("visitor.documents", app))
        await asyncio.sleep(0.01)
        await app.close()

    run(steps())


@pytest.mark.usefixtures("recorder")
def test_the_called_secretary_is_told_at_signing_in(folder: Path) -> None:
    """No sound: the sign on the screen, and a message to who signs in."""

    async def steps() -> None:
        app = app_in(folder, Clock())
        app.visit.call_secretary()
        assert current_place(app) == SecretaryCallPlace()
        await app.sign_in.with_badge("badge-secretary")
        assert app.notices.passing is not None
        assert app.notices.passing.code == "visitor_calls"
        await app.close()

    run(steps())


def test_expired_filings_are_cleaned_up_every_minute(tmp_path: Path, monkeypatch: Any) -> None:
    """Expired tickets and abandoned filings are wiped, delivered documents are removed."""

    async def steps() -> None:
        app = app_in(tmp_path, Clock())
        called: list[str] = []
        removed = asyncio.Event()

        async def remove_delivered(*_arguments: Any) -> int:
            called.append("remove")
            removed.set()
            return 0

        monkeypatch.setattr(app.filing_service, "remove_delivered", remove_delivered)
        monkeypatch.setattr(
            app.filing_service, "wipe_unfinished", lambda _age: called.append("wipe")
        )
        task = asyncio.create_task(clean_up_filings(app.filing_service, lambda: False))
        async with asyncio.timeout(20):
            await removed.wait()
        task.cancel()
        assert called[:2] == ["wipe", "remove"]
        await app.close()

    run(steps())
