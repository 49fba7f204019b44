"""What the parties see: the copy's page in a real browser, and the growing recording."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.config import MicrophoneSettings, PathSettings, Settings
from kiosk.export.hearing_export import HearingExport
from kiosk.recording.journal.part_journal import PartJournal
from kiosk.rules import load_rules
from tests.support.browser import Browser, serve_folder
from tests.support.fake_media import FakeCamera, FakeMicrophone, WriterRig
from tests.support.hearing_builder import BuiltHearing, new_hearing
from tests.support.identity import Court

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SECOND = 1_000_000_000
RATES = {"judge": 48_000, "witness": 48_000}
TIME = "return document.querySelector('video').currentTime"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


def record(journal: PartJournal, start_ns: int, seconds: int) -> WriterRig:
    """Record flashes and beeps into the part, journalled."""
    shutil.rmtree(journal.folder / "main", ignore_errors=True)
    recorded = WriterRig(journal.folder, start_ns)
    writer = recorded.create_writer(RATES)
    until = start_ns + seconds * SECOND
    microphones = {name: FakeMicrophone(start_ns) for name in RATES}
    recorded.run(writer, until, FakeCamera(start_ns), microphones)
    writer.stop_at(until)
    writer.finish(until)
    for fragment in recorded.fragments:
        journal.add_fragment(fragment)
    return recorded


def part(built: BuiltHearing, start_ns: int, seconds: int, marks: dict[str, float]) -> None:
    """Add a recorded part with ``marks`` (event and second)."""
    number = len(built.parts) + 1
    about = {"microphones": [{"name": name} for name in RATES]}
    journal = built.journal.open_part(number, {"reason": "start", "tap_ns": start_ns}, about)
    built.parts.append(journal)
    record(journal, start_ns, seconds)
    for event, at in marks.items():
        fields = {"id": number * 10 + round(at), "type": event, "note": "<b>&</b>"}
        journal.append("mark", {**fields, "seconds": at, "part_seconds": at})
    for source, begin, unclear in (("judge", 2.0, 0.0), ("witness", 4.0, 1.5)):
        turn = {"source": source, "part_seconds": begin, "lasts": 1.5, "unclear_seconds": unclear}
        built.journal.append("speech", {"part": number, "intelligibility": 0.8, **turn})
    journal.end({"reason": "recess", "stop_ns": start_ns + seconds * SECOND})
    built.journal.append("part_closed", {"part": number, "reason": "recess", "why": "</script>"})
    built.journal.seal_part(journal)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a copy with two parts; names with spaces and letters as sticks have them."""
    folder = tmp_path_factory.mktemp("copy")
    signer = Court.make(folder / "court").device()
    built = new_hearing(folder / "hearings", signer)
    part(built, 5 * SECOND, 20, {"opening": 1.0, "testimony": 12.0})
    part(built, 60 * SECOND, 6, {"announcement": 3.0})
    built.journal.end({"person": "p1"})
    stick = folder / "USB диск 1"
    stick.mkdir()
    microphones = tuple(
        MicrophoneSettings(name=name, role="witness", device=f"mic_{name}") for name in RATES
    )
    settings = Settings(paths=PathSettings(data=folder, run=folder), microphones=microphones)
    rules = load_rules()
    export = HearingExport(built.folder, stick, settings=settings, rules=rules, signer=signer)
    return export.run().folder / "index.html"


def test_the_page_plays_from_the_stick(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    browser.wait("return document.querySelector('video').readyState >= 2", "a picture")
    length = browser.run("return document.querySelector('video').duration")
    assert length == pytest.approx(20.0, abs=0.1)
    browser.run("document.querySelector('video').play()")
    browser.wait(f"{TIME} > 0.5", "the time going on")
    heard = browser.wait(
        "return document.querySelector('video').webkitAudioDecodedByteCount", "decoded sound"
    )
    assert heard > 0
    assert browser.run("return document.querySelector('video').videoWidth") == 160
    assert browser.console_errors() == []


def test_a_click_on_a_moment_jumps_there(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    browser.wait("return document.querySelector('video').readyState >= 2", "a picture")
    browser.click("#marks li:nth-child(2) button")
    browser.wait(f"{TIME} >= 12 && !document.querySelector('video').seeking", "the jump")
    assert browser.run(TIME) < 20
    current = browser.text("#marks [aria-current=true]")
    assert "0:00:12" in current
    assert "<b>&</b>" in current  # a note is text, never markup


def test_lanes_show_who_spoke_and_jump_from_turn_to_turn(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    browser.wait("return document.querySelector('video').readyState >= 2", "a picture")
    places = browser.run(
        "return [...document.querySelectorAll('.lane i')]"
        ".map(i => [parseFloat(i.style.left), parseFloat(i.style.width)])"
    )
    assert [pytest.approx(place, abs=0.1) for place in ([10, 7.5], [20, 7.5])] == places
    assert browser.run("return document.querySelectorAll('.lane i.unclear').length") == 1
    for moment in (2, 4):
        browser.click("#words_on")
        browser.wait(f"{TIME} >= {moment} && !document.querySelector('video').seeking", "the jump")
        browser.run("document.querySelector('video').pause()")
        assert browser.run(TIME) < moment + 2
    browser.click(".lane i")
    browser.wait(f"{TIME} < 4 && !document.querySelector('video').seeking", "the first turn again")


def test_the_parts_follow_each_other(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    browser.click("#parts button:nth-child(2)")
    browser.wait("return document.querySelector('video').src.endsWith('part-02.mp4')", "part 2")
    browser.click("#marks button")
    browser.wait(f"{TIME} >= 3", "the jump in part 2")
    browser.click("#parts button:nth-child(1)")
    browser.wait("return document.querySelector('video').readyState >= 2", "a picture")
    browser.run("let v = document.querySelector('video'); v.currentTime = 19.5; v.play()")
    browser.wait("return document.querySelector('video').src.endsWith('part-02.mp4')", "part 2")


def test_the_language_is_switched(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    seen = {}
    for language in ("kk", "ru"):
        browser.click(f"#{language}")
        assert browser.run("return document.documentElement.lang") == language
        seen[language] = browser.text()
    assert "Отырыстың барысы" in seen["kk"]
    assert "Ход заседания" in seen["ru"]
    assert "0:01:01.000" in seen["ru"]  # 20 s, a recess of 35 s, 6 s
    assert "sha256sum -c" in seen["ru"]


def test_nothing_but_the_stick_is_asked_for(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    browser.wait("return document.querySelector('video').readyState >= 2", "a picture")
    loaded = browser.run("return performance.getEntriesByType('resource').map(e => e.name)")
    assert all(name.startswith("file://") for name in loaded), json.dumps(loaded)


def test_the_recording_plays_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    """The playlist as it lies on the disk when the part has ended: it plays and jumps."""
    start = 5 * SECOND
    recorded = WriterRig(tmp_path, start)
    writer = recorded.create_writer(RATES)
    camera, microphones = FakeCamera(start), {name: FakeMicrophone(start) for name in RATES}
    (tmp_path / "index.html").write_text("<video muted src='main/index.m3u8'></video>")
    writer.stop_at(start + 18 * SECOND)
    recorded.run(writer, start + 18 * SECOND, camera, microphones)
    writer.finish(start + 18 * SECOND)
    with serve_folder(tmp_path) as url:
        browser.open(f"{url}/index.html")
        browser.wait("return document.querySelector('video').readyState >= 2", "a picture")
        browser.run("let v = document.querySelector('video'); v.currentTime = 13; v.play()")
        browser.wait(f"{TIME} > 13.3", "playing from the middle")
