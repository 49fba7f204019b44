"""The main job of sync, all well: everything arrives, once, with a receipt (R4)."""

from __future__ import annotations

import hashlib
import json
import stat

import pytest

from kiosk.clocks import wall_time
from kiosk.exchange.staff_list import check_staff_list, is_secret_of
from tests.support.delivery_rig import KIOSK, Kiosk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


def test_schedule_and_staff_are_pulled_and_published(kiosk: Kiosk) -> None:
    kiosk.start_in_thread()
    wait_for(lambda: kiosk.state()["schedule"]["pulled_at"], "the schedule")
    schedule = kiosk.get("/v1/schedule")
    assert [hearing["case_number"][-1] for hearing in schedule["hearings"]] == ["1", "2"]
    day = kiosk.get(f"/v1/schedule?date={schedule['hearings'][0]['scheduled_at'][:10]}")
    assert [hearing["case_number"][-1] for hearing in day["hearings"]] == ["1"]
    published = json.loads(kiosk.paths.schedule.read_text(encoding="utf-8"))
    assert published["days"] == 7
    assert published["hearings"] == schedule["hearings"]
    staff = wait_for(
        lambda: kiosk.paths.staff.exists() and json.loads(kiosk.paths.staff.read_text()), "staff"
    )
    checked = check_staff_list(staff, KIOSK, kiosk.paths.court_ca, wall_time())
    assert is_secret_of("badge-1", checked.value["staff"][0]["badge"])
    assert stat.S_IMODE(kiosk.paths.staff.stat().st_mode) == 0o640
    assert kiosk.state()["link"]["state"] == "up"


def test_hearing_report_and_filing_are_delivered(kiosk: Kiosk) -> None:
    kiosk.start()
    hearing, report, filing = kiosk.make_hearing(), kiosk.make_report(), kiosk.make_filing()
    status, answer = kiosk.request("POST", f"/v1/filings/{filing}/register")
    assert status == 200
    assert answer["state"] == "registered"
    assert answer["number"]
    assert kiosk.request("POST", f"/v1/filings/{filing}/register")[1]["number"] == answer["number"]
    kiosk.wait_delivered("hearing", hearing)
    kiosk.wait_delivered("report", report)
    kiosk.wait_delivered("filing", filing)
    state = kiosk.get(f"/v1/hearings/{hearing}")
    assert state["central_sha256_match"] is True
    assert state["bytes_done"] == state["bytes_total"] > 1_200_000
    receipt = json.loads((kiosk.paths.receipts / f"{hearing}.json").read_text())
    for file in receipt["files"]:
        data = (kiosk.paths.hearings / hearing / file["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
    assert kiosk.state()["queue"] == {
        "items": 0,
        "bytes": 0,
        "filings": 0,
        "hearings": 0,
        "reports": 0,
        "courier": 0,
    }
    wait_for(lambda: kiosk.alarms() == set(), "no alarm")
    assert kiosk.stop() == 0
