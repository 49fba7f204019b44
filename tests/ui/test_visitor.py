"""The visitor's views and the wiping of an absent visitor, without a window."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.config import Screen, Settings
from kiosk.filing.imaging.page_advice import ADVICE
from kiosk.filing.submission.status import WORDS, standing_of
from kiosk.locale import LANGUAGES, Translator
from kiosk.rules import load_rules
from kiosk.ui.catalogue import canned, papers, pictures
from kiosk.ui.desk import Desk
from kiosk.ui.facts import Schedule
from kiosk.ui.here import Here
from kiosk.ui.look import Look
from kiosk.ui.places import (
    AtHome,
    Calling,
    Feeding,
    Looking,
    Registered,
    Scanning,
    Stuck,
    Tracking,
    VisitPlace,
)
from kiosk.ui.rulebook import COMMON_TYPES, FREQUENT_EVENTS, RuleLabels
from kiosk.ui.views import current_screen
from kiosk.ui.visitor import end_views, paper_views
from kiosk.ui.widgets.code import QUIET, code_modules

RULES = load_rules()
SAY = Translator("en")
LABELS = RuleLabels(SAY, RULES)
HERE = Here(SAY, LABELS, ZoneInfo("Asia/Almaty"), canned.NOW)
FAULTS = ("scanner_jam", "scanner_cover_open", "scanner_lost", "page_incomplete", "scanner_busy")


class Clock:
    """Monotonic seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def settings_in(folder: Path) -> Settings:
    """Return settings with short waits."""
    base = pictures.settings(folder, *pictures.LARGE)
    screen = Screen(idle_seconds=30, countdown_seconds=10, receipt_seconds=90)
    return base.model_copy(update={"ui": screen})


def desk_in(folder: Path, clock: Callable[[], float]) -> Desk:
    """Return a desk without services."""
    return Desk(settings_in(folder), now=clock, wall=lambda: canned.NOW, rules=RULES)


def run(step: Coroutine[Any, Any, Any]) -> None:
    """Run ``step`` to its end."""
    asyncio.run(step)


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


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_says_what_is_safe_and_what_to_do(code: str) -> None:
    """Consequence first, pages kept, remedy; no code for the public."""
    view = paper_views.fault_view(HERE, Stuck(code, 2, 3))
    said = " ".join((view.title, view.kept, *view.lines, view.finish))
    assert view.kept == "2 pages are kept."
    assert view.lines
    assert code not in said
    assert view.can_finish


def test_a_jam_names_the_sheet_to_reload() -> None:
    """Reload sheet 3."""
    view = paper_views.fault_view(HERE, Stuck("scanner_jam", 2, 3))
    assert any("sheet 3" in line for line in view.lines)


def test_without_pages_there_is_nothing_to_finish_with() -> None:
    """An absent scanner at the beginning."""
    assert not paper_views.fault_view(HERE, Stuck("scanner_absent", 0, 1)).can_finish


@pytest.mark.parametrize(
    "place",
    [
        Feeding(),
        Feeding(3),
        Feeding(3, retake=2),
        Feeding(1, glass=True),
        Feeding(1, retake=1, glass=True),
        Scanning(2),
    ],
)
def test_feeding_says_one_thing(place: Feeding | Scanning) -> None:
    """A title and at least one sentence for every way of feeding."""
    view = paper_views.feed_view(HERE, place, ())
    assert view.title
    assert all(view.lines)
    assert view.scanning is isinstance(place, Scanning)


def test_staples_are_asked_for_before_the_first_page() -> None:
    """Only then."""
    assert "staples" in " ".join(paper_views.feed_view(HERE, Feeding(), ()).lines)
    assert "staples" not in " ".join(paper_views.feed_view(HERE, Feeding(2), ()).lines)


@pytest.mark.parametrize("code", [*ADVICE, "page_failed"])
def test_every_advice_is_said_in_words(code: str, tmp_path: Path) -> None:
    """Each check in words; what the kiosk mended itself does not flag the page."""
    desk = desk_in(tmp_path, Clock())
    filing = papers.filing(desk, 1, {1: (code,)})
    seen = {1: filing.looks_of(1)}
    known = {number: looks for number, looks in seen.items() if looks}
    view = paper_views.pages_view(HERE, Looking(1), filing.filing.kept_pages, known)
    helped = code in ADVICE and ADVICE[code].helped
    assert any(len(check.text) > 5 for check in view.checks)
    assert view.thumbs[0].flagged is not helped
    assert code not in " ".join(check.text for check in view.checks)


def test_a_provisional_number_is_explained(tmp_path: Path) -> None:
    """Another word, another tone, an explanation; the same number stays valid."""
    filing = papers.filing(desk_in(tmp_path, Clock()), 2)
    handed = papers.handed_in(filing, provisional=True)
    view = end_views.receipt_view(HERE, LABELS, Registered(1090.0, "printed"), handed)
    assert view.provisional
    assert view.label == "Provisional number"
    assert "registered by itself" in view.explained
    assert view.stages[1] == ("Registered", False)


@pytest.mark.parametrize("code", ["printer_silent", "printer_no_paper", "printer_absent"])
def test_a_printer_that_failed_points_to_the_code_on_the_screen(code: str, tmp_path: Path) -> None:
    """The document is handed in; photograph the code."""
    handed = papers.handed_in(papers.filing(desk_in(tmp_path, Clock()), 1))
    view = end_views.receipt_view(HERE, LABELS, Registered(1090.0, "failed", code), handed)
    assert "Photograph the code" in view.printer
    assert view.can_print
    assert view.reference.startswith("urn:uuid:")


@pytest.mark.parametrize("state", list(WORDS))
def test_each_state_of_a_filing_has_its_own_word(state: str) -> None:
    """R37-R39: received, sent, registered, accepted, returned, passed on are different words."""
    for language in LANGUAGES:
        say = Translator(language)
        assert len({say(word) for word in WORDS.values()}) == 6
    reason = "no signature" if state == "returned" else None
    answer = standing_of({"state": state, "number": "7514", "reason": reason})
    answer = replace(answer, age_seconds=240.0)
    view = end_views.track_view(HERE, Tracking("urn:uuid:x", answer))
    assert view.answer == SAY(WORDS[answer.state])
    assert view.number == "7514"
    assert "4 min" in view.detail
    assert ("no signature" in view.reason) == (state == "returned")


def test_closed_hearings_show_time_and_number_only() -> None:
    """R54: the title of a closed hearing is hidden from visitors."""
    view = end_views.hearings_view(HERE, Schedule.model_validate(canned.schedule()), 0, "")
    closed = next(row for row in view.rows if row.closed)
    assert closed.title == ""
    assert closed.time == "11:30"


def test_the_code_on_the_screen_can_be_read_back() -> None:
    """The QR code holds the reference, with its quiet zone."""
    import zxingcpp
    from PIL import Image

    text = "urn:uuid:00000000-0000-4000-8000-000000000001"
    side, pixels = code_modules(text)
    image = Image.frombytes("L", (side, side), pixels)
    assert pixels[: side * QUIET] == b"\xff" * side * QUIET
    large = image.resize((side * 8, side * 8), Image.Resampling.NEAREST)
    (found,) = zxingcpp.read_barcodes(large)
    assert found.text == text


# -- absent visitors ---------------------------------------------------------------------------


def absent(folder: Path, place: VisitPlace, seconds: float) -> tuple[str, str]:
    """Return the screen after ``seconds`` without a touch, and the language then."""
    clock = Clock()
    shown: list[str] = []

    async def steps() -> None:
        desk = desk_in(folder, clock)
        desk.set_look(Look("en", 3, high_contrast=True))
        desk.visit.filing = papers.filing(desk, 2)
        desk.visit.place = place
        clock.seconds += seconds
        desk.tick()
        await asyncio.sleep(0.05)
        shown.append(current_screen(desk))
        shown.append(desk.look.language)
        shown.append(str(len(list(desk.layout.filings.iterdir()))))
        await desk.close()

    run(steps())
    assert shown[2] == ("0" if shown[0] == "visitor.home" else "1")
    return shown[0], shown[1]


def test_an_absent_visitor_is_warned_then_wiped(tmp_path: Path) -> None:
    """Warning, countdown, then pages, language, text size and contrast are gone."""
    assert absent(tmp_path / "a", Looking(), 20) == ("visitor.pages", "en")
    assert absent(tmp_path / "b", Looking(), 32) == ("visitor.idle", "en")
    assert absent(tmp_path / "c", Looking(), 41) == ("visitor.home", "kk")


def test_time_stands_still_while_paper_moves_or_is_stuck(tmp_path: Path) -> None:
    """Nothing is wiped while the scanner works; a jam is given ten minutes."""
    assert absent(tmp_path / "a", Scanning(2), 500)[0] == "visitor.scanning"
    assert absent(tmp_path / "b", Stuck("scanner_jam", 2, 3), 500)[0] == "visitor.fault"
    assert absent(tmp_path / "c", Calling(), 500)[0] == "visitor.called"
    assert absent(tmp_path / "d", Stuck("scanner_jam", 2, 3), 700)[0] == "visitor.home"


def test_the_receipt_stays_its_time(tmp_path: Path) -> None:
    """At least 90 s, then everything is wiped."""
    clock = Clock()

    async def steps() -> None:
        desk = desk_in(tmp_path, clock)
        filing = papers.filing(desk, 1)
        desk.visit.filing = filing
        desk.visit.handed_in = papers.handed_in(filing)
        desk.visit.place = Registered(clock() + 90, "printed")
        desk.set_look(Look("ru"))
        clock.seconds += 89
        desk.tick()
        assert current_screen(desk) == "visitor.receipt"
        assert desk.wipe_seconds == 1
        clock.seconds += 2
        desk.tick()
        await asyncio.sleep(0.05)
        assert current_screen(desk) == "visitor.home"
        assert desk.look == Look("kk")
        await desk.close()

    run(steps())


def test_a_language_left_at_home_is_reset(tmp_path: Path) -> None:
    """Language, text size and contrast go with the visitor who never filed anything."""
    clock = Clock()

    async def steps() -> None:
        desk = desk_in(tmp_path, clock)
        desk.set_look(Look("en", 4))
        clock.seconds += 31
        desk.tick()
        assert desk.look == Look("kk")
        await asyncio.sleep(0.01)
        await desk.close()

    run(steps())


def test_leaving_with_pages_is_asked_once_more(tmp_path: Path) -> None:
    """Home asks first; staying keeps the pages, leaving wipes them."""

    async def steps() -> None:
        desk = desk_in(tmp_path, Clock())
        desk.visit.filing = papers.filing(desk, 2)
        desk.visit.place = Looking()
        desk.visit.ask_home()
        assert current_screen(desk) == "visitor.leave"
        desk.visit.stay()
        assert current_screen(desk) == "visitor.pages"
        desk.visit.ask_home()
        desk.visit.leave()
        await asyncio.sleep(0.05)
        assert isinstance(desk.visit.place, AtHome)
        assert list(desk.layout.filings.iterdir()) == []
        await desk.close()

    run(steps())


def test_a_deleted_page_comes_back(tmp_path: Path) -> None:
    """Delete with undo; the last page of all may go too."""

    async def steps() -> None:
        desk = desk_in(tmp_path, Clock())
        visit = desk.visit
        visit.filing = papers.filing(desk, 2)
        visit.place = Looking(2)
        visit.review.delete()
        assert [page.number for page in visit.pages] == [1]
        visit.review.undo()
        assert [page.number for page in visit.pages] == [1, 2]
        assert visit.place == Looking(2)
        visit.review.delete()
        visit.review.delete()
        assert visit.pages == ()
        visit.confirm()
        assert isinstance(visit.place, Looking)
        await desk.close()

    run(steps())


def test_help_comes_back_to_where_the_visitor_was(tmp_path: Path) -> None:
    """The sign for help hides nothing for good."""

    async def steps() -> None:
        desk = desk_in(tmp_path, Clock())
        visit = desk.visit
        visit.filing = papers.filing(desk, 1)
        visit.place = Looking(1)
        visit.call_secretary()
        assert current_screen(desk) == "visitor.called"
        visit.call_done()
        assert visit.place == Looking(1)
        await desk.close()

    run(steps())


def test_looks_change_one_thing_at_a_time() -> None:
    """Four sizes in a circle; an unknown language changes nothing."""
    look = Look("kk")
    assert look.with_language("ru") == replace(look, language="ru")
    assert look.with_language("xx") == look
    sizes = []
    for _n in range(5):
        sizes.append(look.text_size)
        look = look.with_next_text_size()
    assert sizes == [1, 2, 3, 4, 1]
    assert look.with_other_contrast().with_other_contrast() == look
