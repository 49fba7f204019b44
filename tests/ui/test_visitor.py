"""The visitor's views and the wiping of an absent visitor, without a window."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.published import Schedule, read_schedule
from kiosk.api.recorder import RecorderState
from kiosk.api.states import Phase
from kiosk.filing.imaging.page_advice import ADVICE
from kiosk.filing.submission.status import STAGE_LABELS, parse_status
from kiosk.locale import LANGUAGES, Translator
from kiosk.ui.app_state import AppState
from kiosk.ui.display_settings import DisplaySettings
from kiosk.ui.registry import (
    DocumentStatusPlace,
    HearingsPlace,
    HomePlace,
    InsertPaperPlace,
    OnlineServicesPlace,
    PageReviewPlace,
    ReceiptPlace,
    ScanFaultPlace,
    ScanningPlace,
    SecretaryCallPlace,
    VisitorPlace,
)
from kiosk.ui.rule_labels import COMMON_TYPES, FREQUENT_EVENTS, RuleLabels
from kiosk.ui.samples import documents as sample_documents
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.screen_loader import current_screen, view_of
from kiosk.ui.visitor.form import fee as fee_screen
from kiosk.ui.widgets.qr_code import QUIET_ZONE, qr_modules
from tests.ui.app_without_services import RULES, Clock, app_in, run

TRANSLATE = Translator("en")
LABELS = RuleLabels(TRANSLATE, RULES)
FAULTS = ("scanner_jam", "scanner_cover_open", "scanner_lost", "page_incomplete", "scanner_busy")


@pytest.fixture
def app(tmp_path: Path) -> AppState:
    """Return an application state in English, without services."""
    app = app_in(tmp_path, Clock())
    app.translate.switch_language("en")
    return app


def view_at(app: AppState, place: VisitorPlace) -> Any:
    """Return what the screen of ``place`` shows."""
    app.visit.place = place
    return view_of(current_screen(app), app)


# -- views -------------------------------------------------------------------------------------


def test_document_types_come_from_the_rules_most_common_first() -> None:
    """Every group is a case kind of the rules; no type is offered twice in one."""
    assert LABELS.types_of("common") == COMMON_TYPES
    for group in LABELS.groups():
        types = LABELS.types_of(group)
        assert types
        assert len(types) == len(set(types))
        assert types[-1] == "other"
    assert LABELS.types_of("civil")[0] == "claim"
    assert "witness_receipt" not in LABELS.types_of("civil")
    assert set(FREQUENT_EVENTS) <= set(RULES.events)


def test_the_choice_of_a_fee_says_that_two_may_be_due(app: AppState) -> None:
    """НК 665(4): a claim for money and for something else owes both fees."""
    both = "Whoever asks for money and for something else pays for both."
    for sample, is_said in (("fee-choose", True), ("fee-cassation", False)):
        fee_screen.SAMPLES[sample](app)
        assert (both in view_of(current_screen(app), app).text) is is_said


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_says_what_is_safe_and_what_to_do(code: str, app: AppState) -> None:
    """Consequence first, pages kept, remedy; no code for the public."""
    view = view_at(app, ScanFaultPlace(code, 2, 3))
    said = " ".join((view.title, view.kept, *view.lines, view.finish))
    assert view.kept == "2 pages are kept."
    assert view.lines
    assert code not in said
    assert view.can_finish


def test_a_jam_names_the_sheet_to_reload(app: AppState) -> None:
    """Reload sheet 3."""
    view = view_at(app, ScanFaultPlace("scanner_jam", 2, 3))
    assert any("sheet 3" in line for line in view.lines)


def test_without_pages_there_is_nothing_to_finish_with(app: AppState) -> None:
    """An absent scanner at the beginning."""
    assert not view_at(app, ScanFaultPlace("scanner_absent", 0, 1)).can_finish


@pytest.mark.parametrize(
    "place",
    [
        InsertPaperPlace(),
        InsertPaperPlace(3),
        InsertPaperPlace(3, retake=2),
        InsertPaperPlace(1, glass=True),
        InsertPaperPlace(1, retake=1, glass=True),
        ScanningPlace(2),
    ],
)
def test_feeding_says_one_thing(place: InsertPaperPlace | ScanningPlace, app: AppState) -> None:
    """A title and at least one sentence for every way of feeding."""
    app.visit.filing = sample_documents.filing(app, place.kept)
    view = view_at(app, place)
    assert view.title
    assert all(view.lines)
    assert view.scanning is isinstance(place, ScanningPlace)


def test_staples_are_asked_for_before_the_first_page(app: AppState) -> None:
    """Only then."""
    app.visit.filing = sample_documents.filing(app, 2)
    assert "staples" in " ".join(view_at(app, InsertPaperPlace()).lines)
    assert "staples" not in " ".join(view_at(app, InsertPaperPlace(2)).lines)


@pytest.mark.parametrize("code", [*ADVICE, "page_failed"])
def test_every_advice_is_said_in_words(code: str, app: AppState) -> None:
    """Each check in words; what the kiosk mended itself does not flag the page."""
    app.visit.filing = sample_documents.filing(app, 1, {1: (code,)})
    view = view_at(app, PageReviewPlace(1))
    helped = code in ADVICE and ADVICE[code].is_fixed
    assert any(len(check.text) > 5 for check in view.remarks)
    assert view.thumbnails[0].is_flagged is not helped
    assert code not in " ".join(check.text for check in view.remarks)


def test_a_provisional_number_is_explained(app: AppState) -> None:
    """Another word, another tone, an explanation; the same number stays valid."""
    filing = sample_documents.filing(app, 2)
    app.visit.submission = sample_documents.submission(filing, provisional=True)
    view = view_at(app, ReceiptPlace(1090.0, "printed"))
    assert view.provisional
    assert view.label == "Provisional number"
    assert "registered by itself" in view.explained
    assert view.stages[1] == ("Registered", False)


@pytest.mark.parametrize("code", ["printer_silent", "printer_no_paper", "printer_absent"])
def test_a_printer_that_failed_points_to_the_code_on_the_screen(code: str, app: AppState) -> None:
    """The document is handed in; photograph the code."""
    app.visit.submission = sample_documents.submission(sample_documents.filing(app, 1))
    view = view_at(app, ReceiptPlace(1090.0, "failed", code))
    assert "Photograph the code" in view.printer
    assert view.can_print
    assert view.reference.startswith("urn:uuid:")


@pytest.mark.parametrize("state", list(STAGE_LABELS))
def test_each_state_of_a_filing_has_its_own_word(state: str, app: AppState) -> None:
    """R37-R39: received, sent, registered, accepted, returned, passed on are different words."""
    for language in LANGUAGES:
        translate = Translator(language)
        assert len({translate(word) for word in STAGE_LABELS.values()}) == 6
    reason = "no signature" if state == "returned" else None
    answer = parse_status({"state": state, "number": "7514", "reason": reason})
    answer = replace(answer, age_seconds=240.0)
    view = view_at(app, DocumentStatusPlace("urn:uuid:x", answer))
    assert view.answer == TRANSLATE(STAGE_LABELS[answer.stage])
    assert view.number == "7514"
    assert "4 min" in view.detail
    assert ("no signature" in view.reason) == (state == "returned")


def test_closed_hearings_show_the_time_only(app: AppState) -> None:
    """R54: number and title of a closed hearing are hidden from visitors, as in the hall."""
    app.secretary.schedule = Schedule.model_validate(sample_data.schedule())
    view = view_at(app, HearingsPlace())
    closed = next(row for row in view.rows if row.closed)
    assert (closed.title, closed.case_number) == ("", "")
    assert closed.time == "11:30"


def test_online_services_have_what_they_are_for_and_a_code(app: AppState) -> None:
    """R7-R18, R38, R39: only those with an address; the court's setting comes first."""
    view = view_at(app, OnlineServicesPlace())
    assert [service for service, _ in view.services] == ["cabinet"]
    assert (view.chosen, view.url) == ("cabinet", "https://office.sud.kz")
    assert "registered users" in view.purpose
    named = {"cabinet": "", "portal": "https://portal.example", "video": "https://video.example/a"}
    ui = app.settings.ui.model_copy(update={"online_services": named})
    app.settings = app.settings.model_copy(update={"ui": ui})
    view = view_at(app, OnlineServicesPlace("video"))
    assert [service for service, _ in view.services] == ["portal", "video"]
    assert (view.chosen, view.url) == ("video", "https://video.example/a")
    assert "secretary gives the link" in view.purpose
    assert view_at(app, OnlineServicesPlace("cabinet")).chosen == "portal", "it has none any more"
    ui = ui.model_copy(update={"online_services": {"cabinet": ""}})
    app.settings = app.settings.model_copy(update={"ui": ui})
    assert view_at(app, OnlineServicesPlace()).url == "", "nothing is invented"


def test_a_hearing_closed_here_shows_no_title(app: AppState) -> None:
    app.secretary.schedule = Schedule.model_validate(sample_data.schedule())
    first = app.secretary.schedule.hearings[0]
    app.recorder_state = RecorderState(phase=Phase.IDLE)
    assert view_at(app, HearingsPlace()).rows[0].title == first.title
    app.recorder_state = RecorderState(phase=Phase.IDLE, closed_hearings=(first.id,))
    row = view_at(app, HearingsPlace()).rows[0]
    assert (row.case_number, row.title, row.closed) == ("", "", True)


@pytest.mark.parametrize("known", [False, True])
def test_no_title_is_shown_while_the_recorder_is_silent(app: AppState, known: bool) -> None:
    """Nobody can tell then which hearings were closed in this room."""
    app.secretary.schedule = Schedule.model_validate(sample_data.schedule())
    app.recorder_state = RecorderState(phase=Phase.IDLE) if known else None
    app.recorder_connection.is_up = False if known else None
    rows = view_at(app, HearingsPlace()).rows
    assert {(row.title, row.case_number) for row in rows} == {("", "")}


@pytest.mark.parametrize("publicity", [None, 17, [], "", "opened"])
def test_a_hearing_that_is_not_clearly_open_shows_no_title(
    app: AppState, publicity: object
) -> None:
    listed = copy.deepcopy(sample_data.schedule())
    listed["hearings"][0] |= {"publicity": publicity, "title": "Secret"}
    app.secretary.schedule = read_schedule(listed, app.view_context().zone)
    view = view_at(app, HearingsPlace())
    assert view.rows[0].closed
    assert "Secret" not in str(view)


def test_the_code_on_the_screen_can_be_read_back() -> None:
    """The QR code holds the reference, with its quiet zone."""
    import zxingcpp
    from PIL import Image

    text = "urn:uuid:00000000-0000-4000-8000-000000000001"
    side, pixels = qr_modules(text)
    image = Image.frombytes("L", (side, side), pixels)
    assert pixels[: side * QUIET_ZONE] == b"\xff" * side * QUIET_ZONE
    large = image.resize((side * 8, side * 8), Image.Resampling.NEAREST)
    (found,) = zxingcpp.read_barcodes(large)
    assert found.text == text


# -- absent visitors ---------------------------------------------------------------------------


def absent(folder: Path, place: VisitorPlace, seconds: float) -> tuple[str, str]:
    """Return the screen after ``seconds`` without a touch, and the language then."""
    clock = Clock()
    shown: list[str] = []

    async def steps() -> None:
        app = app_in(folder, clock)
        app.set_display_settings(DisplaySettings("en", 3, high_contrast=True))
        app.visit.filing = sample_documents.filing(app, 2)
        app.visit.place = place
        clock.seconds += seconds
        app.tick()
        await asyncio.sleep(0.05)
        shown.append(current_screen(app))
        shown.append(app.display_settings.language)
        shown.append(str(len(list(app.paths.filings.iterdir()))))
        await app.close()

    run(steps())
    assert shown[2] == ("0" if shown[0] == "visitor.home" else "1")
    return shown[0], shown[1]


@pytest.mark.slow
def test_an_absent_visitor_is_warned_then_wiped(tmp_path: Path) -> None:
    """Warning, countdown, then pages, language, text size and contrast are gone."""
    assert absent(tmp_path / "a", PageReviewPlace(), 20) == ("visitor.page_review", "en")
    assert absent(tmp_path / "b", PageReviewPlace(), 32) == ("visitor.idle_warning", "en")
    assert absent(tmp_path / "c", PageReviewPlace(), 41) == ("visitor.home", "kk")


def test_time_stands_still_while_paper_moves_or_is_stuck(tmp_path: Path) -> None:
    """Nothing is wiped while the scanner works; a jam is given ten minutes."""
    assert absent(tmp_path / "a", ScanningPlace(2), 500)[0] == "visitor.scanning"
    assert (
        absent(tmp_path / "b", ScanFaultPlace("scanner_jam", 2, 3), 500)[0] == "visitor.scan_fault"
    )
    assert absent(tmp_path / "c", SecretaryCallPlace(), 500)[0] == "visitor.secretary_call"
    assert absent(tmp_path / "d", ScanFaultPlace("scanner_jam", 2, 3), 700)[0] == "visitor.home"


def test_the_receipt_stays_its_time(tmp_path: Path) -> None:
    """At least 90 s, then everything is wiped."""
    clock = Clock()

    async def steps() -> None:
        app = app_in(tmp_path, clock)
        filing = sample_documents.filing(app, 1)
        app.visit.filing = filing
        app.visit.submission = sample_documents.submission(filing)
        app.visit.place = ReceiptPlace(clock() + 90, "printed")
        app.set_display_settings(DisplaySettings("ru"))
        clock.seconds += 89
        app.tick()
        assert current_screen(app) == "visitor.receipt"
        assert app.wipe_seconds_left == 1
        clock.seconds += 2
        app.tick()
        await asyncio.sleep(0.05)
        assert current_screen(app) == "visitor.home"
        assert app.display_settings == DisplaySettings("kk")
        await app.close()

    run(steps())


def test_a_language_left_at_home_is_reset(tmp_path: Path) -> None:
    """Language, text size and contrast go with the visitor who never filed anything."""
    clock = Clock()

    async def steps() -> None:
        app = app_in(tmp_path, clock)
        app.set_display_settings(DisplaySettings("en", 4))
        clock.seconds += 31
        app.tick()
        assert app.display_settings == DisplaySettings("kk")
        await asyncio.sleep(0.01)
        await app.close()

    run(steps())


def test_leaving_with_pages_is_asked_once_more(tmp_path: Path) -> None:
    """Home asks first; staying keeps the pages, leaving wipes them."""

    async def steps() -> None:
        app = app_in(tmp_path, Clock())
        app.visit.filing = sample_documents.filing(app, 2)
        app.visit.place = PageReviewPlace()
        app.visit.leave_or_ask()
        assert current_screen(app) == "visitor.leave_confirmation"
        app.visit.cancel_leaving()
        assert current_screen(app) == "visitor.page_review"
        app.visit.leave_or_ask()
        app.visit.leave()
        await asyncio.sleep(0.05)
        assert isinstance(app.visit.place, HomePlace)
        assert list(app.paths.filings.iterdir()) == []
        await app.close()

    run(steps())


def test_a_deleted_page_comes_back(tmp_path: Path) -> None:
    """Delete with undo; the last page of all may go too."""

    async def steps() -> None:
        app = app_in(tmp_path, Clock())
        visit = app.visit
        visit.filing = sample_documents.filing(app, 2)
        visit.place = PageReviewPlace(2)
        visit.page_review.delete()
        assert [page.number for page in visit.pages] == [1]
        visit.page_review.undo()
        assert [page.number for page in visit.pages] == [1, 2]
        assert visit.place == PageReviewPlace(2)
        visit.page_review.delete()
        visit.page_review.delete()
        assert visit.pages == ()
        visit.show_summary()
        assert isinstance(visit.place, PageReviewPlace)
        await app.close()

    run(steps())


def test_help_comes_back_to_where_the_visitor_was(tmp_path: Path) -> None:
    """The sign for help hides nothing for good."""

    async def steps() -> None:
        app = app_in(tmp_path, Clock())
        visit = app.visit
        visit.filing = sample_documents.filing(app, 1)
        visit.place = PageReviewPlace(1)
        visit.call_secretary()
        assert current_screen(app) == "visitor.secretary_call"
        visit.end_call()
        assert visit.place == PageReviewPlace(1)
        await app.close()

    run(steps())


def test_looks_change_one_thing_at_a_time() -> None:
    """Four sizes in a circle; an unknown language changes nothing."""
    look = DisplaySettings("kk")
    assert look.with_language("ru") == replace(look, language="ru")
    assert look.with_language("xx") == look
    sizes = []
    for _n in range(5):
        sizes.append(look.text_size)
        look = look.with_next_text_size()
    assert sizes == [1, 2, 3, 4, 1]
    assert look.with_toggled_contrast().with_toggled_contrast() == look
