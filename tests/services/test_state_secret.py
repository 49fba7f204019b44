"""One tap on a state secret of the list: screen, recorder and sync as they are, to the court."""

from __future__ import annotations

import asyncio
import json
import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import format_wall
from kiosk.settings_files import load_settings
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import HearingsPlace
from kiosk.ui.screen_loader import current_screen, view_of
from tests.services.recorder_process import PEOPLE, RecorderProcess
from tests.support.court_keys import CourtSecrets
from tests.support.delivery_rig import (
    make_template,
    short_folder,
    temporary_central,
    temporary_kiosk,
)
from tests.ui.app_without_services import RULES

pytestmark = pytest.mark.slow
TITLE = "Сатыбалдиев"
PLAIN = (b"moof", b"moov", b"fLaC")


def publish(recorder: RecorderProcess, **fields: Any) -> str:
    """Publish a list of one hearing, as sync does; return the hearing's id."""
    row = {"id": str(uuid.uuid4()), "case_number": "7514-26-00-1/7", "title": TITLE}
    row |= {"kind": "criminal", "scheduled_at": format_wall(), "publicity": "open"} | fields
    recorder.paths.schedule.write_text(json.dumps({"hearings": [row]}))
    return str(row["id"])


@asynccontextmanager
async def screen(recorder: RecorderProcess) -> AsyncIterator[AppState]:
    """Run the state of the screen beside the recorder, the secretary signed in."""
    app = AppState(load_settings(recorder.folder / "kiosk.toml"), rules=RULES)
    listening = asyncio.create_task(app.recorder_connection.run())
    await until(lambda: app.recorder_state)
    await app.sign_in.with_badge(PEOPLE["secretary"])
    await app.secretary.load_schedule(app.today())
    yield app
    listening.cancel()
    await app.close()


async def until(condition: Any) -> None:
    """Wait for the condition."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)


def visitors_see(app: AppState) -> str:
    """Return what the list of hearings shows to a visitor."""
    staff, app.staff, app.visit.place = app.staff, None, HearingsPlace()
    page = str(view_of("visitor.hearings", app))
    app.staff = staff
    return page


def check_encrypted(folder: Path) -> None:
    """Check that the hearing has media, and nothing plain in any file that a part has."""
    files = [path for path in folder.rglob("run-*/*") if path.is_file()]
    assert len(files) > 1
    assert not any(mark in path.read_bytes() for path in files for mark in PLAIN)


def test_one_tap_on_a_state_secret(recorder: RecorderProcess) -> None:
    CourtSecrets().pin(recorder.paths)
    listed = publish(recorder, publicity="closed", state_secret=True)
    recorder.wait_until_ready()
    folder = recorder.paths.hearings / listed

    async def hold() -> None:
        async with screen(recorder) as app:
            assert TITLE not in visitors_see(app)
            hearing = app.secretary.find_hearing(listed)
            assert hearing is not None
            careless = hearing.model_copy(update={"publicity": "open", "state_secret": False})
            await app.secretary.start_hearing(careless)  # a screen that forgot half of the row
            await until(lambda: app.recorder_state and app.recorder_state.hearing)
            assert (folder / "courier-only").exists()
            await until(lambda: len(list(folder.glob("part-01/*/run-*/*.tar"))) > 1)
            check_encrypted(folder)
            assert TITLE not in visitors_see(app) + str(view_of(current_screen(app), app))
            await app.secretary.end_hearing(listed, "")
            await until((folder / "SHA256SUMS.p7s").exists)
            check_encrypted(folder)

    asyncio.run(hold())
    check_nothing_is_sent(folder)


def check_nothing_is_sent(folder: Path) -> None:
    """Check that the court gets nothing of the hearing while it gets all of another one."""
    court = short_folder()
    make_template(court)
    with temporary_central(court) as central, temporary_kiosk(court, central.url) as kiosk:
        central.start()
        kiosk.change_settings("sync", minutes_early=True)
        shutil.copytree(folder, kiosk.paths.hearings / folder.name)
        public = kiosk.make_hearing(files=1, video=1000)
        kiosk.start_in_thread()
        kiosk.wait_delivered("hearing", public)
        answer = kiosk.get(f"/v1/hearings/{folder.name}")
        assert (answer["state"], answer["route"]) == ("queued", "courier")
        kiosk.stop()
        for table in ("uploads WHERE owner", "heads WHERE hearing", "deliveries WHERE id"):
            assert central.query(f"SELECT count(*) FROM {table} = '{folder.name}'") == [(0,)]
        assert folder.name not in central.log.read_text(errors="replace")
    shutil.rmtree(court)


def test_closed_by_a_tap_the_title_is_gone_at_once_and_after_a_restart(
    recorder: RecorderProcess,
) -> None:
    CourtSecrets().pin(recorder.paths)
    listed = publish(recorder)
    recorder.wait_until_ready()
    marker = recorder.paths.hearings / listed / "courier-only"

    async def close() -> None:
        async with screen(recorder) as app:
            assert TITLE in visitors_see(app)
            hearing = app.secretary.find_hearing(listed)
            assert hearing is not None
            await app.secretary.start_hearing(hearing)
            await app.secretary.side_panel.close_hearing()
            await until(lambda: TITLE not in visitors_see(app))
            assert not marker.exists()
            await app.secretary.answer_question("closure_ground", "crim_secret")
            assert marker.exists()
            await app.secretary.end_hearing(listed, "")
            await until(lambda: app.recorder_state and app.recorder_state.hearing is None)
            assert TITLE not in visitors_see(app)

    async def look() -> None:
        async with screen(recorder) as app:
            seen = visitors_see(app)
            assert TITLE not in seen
            assert "7514-26-00-1/7" not in seen
            assert "closed=True" in seen, "that a hearing is held is no secret"

    asyncio.run(close())
    recorder.kill()
    recorder.start()
    asyncio.run(look())
