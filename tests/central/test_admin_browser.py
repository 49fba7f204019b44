"""The page for court IT in a real browser, with 2,000 kiosks: layout, order, keyboard."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.identity.courts import put_court
from kiosk.central.identity.seed import SeedCourt
from kiosk.central.server import open_database
from kiosk.clocks import format_wall, wall_time
from kiosk.locale import Language
from tests.support.browser import Browser
from tests.support.central_rig import admin_page
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.browser]

TAB, ENTER = "\ue004", "\ue007"  # W3C WebDriver, 17.4.2
KIOSKS = 2000
FIELD = "document.activeElement.name === 'q'"


def fill(database: Database) -> None:
    """Create a court with 2,000 kiosks, most of them healthy."""
    now = wall_time()
    endless = {"queue": {"items": 9, "bytes": 10**10, "endless": True}}
    full = {"storage": {"free_bytes": 2 * 10**10, "total_bytes": 10**11}}
    full["storage"]["full_at"] = format_wall(now + timedelta(days=2))  # type: ignore[assignment]
    odd: dict[int, dict[str, Any]] = {7: endless, 8: full}
    well = {"version": "0.1.0", "selftest": {"passed": 10, "failed": 0, "at": format_wall(now)}}
    rows = [
        {
            "id": f"kiosk-{number:04d}",
            "court": "7599",
            "room": str(number),
            "last_seen": format_wall(now),
            "state": well | odd.get(number, {}),
            "state_at": format_wall(now),
        }
        for number in range(1, KIOSKS + 1)
    ]
    late = {
        "id": "5d3e8b8e-0000-4000-8000-000000000001",
        "court": "7599",
        "room": "5",
        "scheduled_at": format_wall(now - timedelta(minutes=20)),
        "hearing": {"case_number": "7599-26-00-2/1284"},
    }
    held = {"id": "5d3e8b8e-0000-4000-8000-000000000002", "kind": "hearing", "kiosk": "kiosk-0001"}
    held |= {"manifest": {"hearing": {"case_number": "7599-26-00-1/87"}, "files": []}, "digest": ""}  # type: ignore[dict-item]
    problem = {"delivery": held["id"], "code": "journal_rewritten", "detail": "part 1 count 4"}
    hour = format_wall(now - timedelta(hours=1))
    names: dict[Language, str] = {"kk": "Сот", "ru": "Суд", "en": "Court"}
    with database.write() as connection:
        put_court(connection, SeedCourt(id="7599", name=names))
        connection.execute(schema.kiosks.insert(), rows)
        connection.execute(schema.schedule.insert(), [late])
        connection.execute(schema.deliveries.insert().values(**held, final=True, created_at=hour))
        connection.execute(schema.problems.insert().values(**problem, at=hour))
        incident = {"kiosk": "kiosk-0001", "code": "journal_rewritten", "subject": held["id"]}
        connection.execute(schema.incidents.insert().values(**incident, detail="p. 1", at=hour))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's address."""
    folder = tmp_path_factory.mktemp("admin")
    database = open_database(folder / "data")
    fill(database)
    app = admin_page(database, folder / "store").application()
    loop, ready = asyncio.new_event_loop(), threading.Event()
    address: list[str] = []

    async def start() -> None:
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address.append(f"http://127.0.0.1:{runner.addresses[0][1]}/?lang=en")
        ready.set()

    def serve() -> None:
        loop.run_until_complete(start())
        loop.run_forever()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(30)
    yield address[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    database.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    if shutil.which("chromedriver") is None:
        pytest.skip("chromium-driver is not installed")
    with Browser() as browser:
        yield browser


def test_exceptions_come_first_and_all_fits_1280_pixels(browser: Browser, page: str) -> None:
    browser.open(page)
    wide = browser.run("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1] <= 1280
    tops = browser.run(
        "return ['attention', 'kiosks', 'hearings', 'filings']"
        ".map(id => document.getElementById(id).getBoundingClientRect().top)"
    )
    assert tops == sorted(tops)
    assert tops[0] < 200, "without scrolling"
    lines = browser.run(
        "return [...document.querySelectorAll('#attention li')].map(x => x.innerText)"
    )
    assert "7599-26-00-2/1284 was to begin" in lines[0], "the fault before the cautions"
    assert any("will be full by" in line for line in lines)
    assert any("by tomorrow morning" in line for line in lines)
    clipped = browser.run(
        "return [...document.querySelectorAll('#kiosks td')]"
        ".filter(x => x.scrollWidth > x.clientWidth + 1).length"
    )
    assert clipped == 0
    rows = browser.run("return [...document.querySelectorAll('#kiosks tr')].map(x => x.className)")
    assert {"fault", "caution"} <= set(rows), "red for faults alone"
    assert browser.text("#kiosks .count") == "2000"
    if folder := os.environ.get("KEEP_PICTURES"):
        Path(folder, "court-it.png").write_bytes(base64.b64decode(browser.screenshot()))


def test_what_is_being_typed_outlives_the_reload(browser: Browser, page: str) -> None:
    browser.open(page)
    browser.run("document.mark = 1; document.querySelector('input[name=q]').value = 'kio'")
    browser.run("refresh()")
    assert browser.run("return document.mark") == 1
    browser.run("document.querySelector('input[name=q]').value = ''; refresh()")
    wait_for(lambda: browser.run("return document.mark ?? 0") == 0, "the reloaded page")


def test_a_finding_leads_to_its_decision_which_stays_open_and_asks_first(
    browser: Browser, page: str
) -> None:
    browser.open(page)
    assert browser.run("return document.querySelector('details').open") is False
    browser.click("#attention a[href^='#decide-']")
    browser.wait("return document.querySelector('details').open", "the decision")
    assert "7599-26-00-1/87" in browser.text("details summary")
    browser.run("document.mark = 1; refresh()")
    assert browser.run("return document.mark") == 1, "nobody's decision is closed by a reload"
    browser.run(
        "for (const name of ['reason', 'code'])"
        "document.querySelector(`.decision [name=${name}]`).value = 'x'"
    )
    browser.click(".decision button")
    assert browser.run("return document.querySelector('.decision :invalid').name") == "confirmed"
    browser.click(".decision [name=confirmed]")
    browser.click(".decision button")
    browser.wait("return location.pathname === '/decisions'", "the answer")
    assert "The code is wrong; nothing was changed." in browser.text(".notice")
    wide = browser.run("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]


def test_the_keyboard_alone_finds_a_kiosk_and_turns_the_page(browser: Browser, page: str) -> None:
    browser.open(page)
    for _ in range(8):
        browser.press(TAB)
        if browser.run(f"return {FIELD}"):
            break
    assert browser.run(f"return {FIELD}"), "the search is reached within eight steps"
    outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "one sees where one is"
    browser.press(*"kiosk-1234", ENTER)
    browser.wait("return document.querySelectorAll('#kiosks tbody tr').length === 1", "one kiosk")
    assert "kiosk-1234" in browser.text("#kiosks tbody")
    browser.open(page)
    browser.run("document.querySelector('.pages a').focus()")
    browser.press(ENTER)
    browser.wait("return location.search.includes('page=1')", "the next page")
    assert browser.run("return document.querySelectorAll('#kiosks tbody tr').length") == 100


@pytest.mark.parametrize(("language", "word"), [("kk", "Киосктер"), ("ru", "Киоски")])
def test_it_speaks_the_courts_languages(
    browser: Browser, page: str, language: str, word: str
) -> None:
    browser.open(page)
    browser.click(f"nav a[lang={language}]")
    browser.wait(f"return document.documentElement.lang === '{language}'", "the language")
    assert word in browser.text("#kiosks h2")
    wide = browser.run("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
