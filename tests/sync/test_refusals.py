"""A refusal of one item, by the central system or a box in between, holds up nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.evidence.journal_file import JournalFile
from kiosk.storage.atomic_io import read_json, write_json
from kiosk.sync.transport.patch_limit import MIN_BYTES
from tests.support.court_proxy import CourtProxy, court_proxy
from tests.support.delivery_rig import Central, Kiosk, temporary_kiosk, wait_problem
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

LINK_ALARMS = {"captive_portal", "central_unreachable"}


@pytest.fixture
def proxy(template: Path, central: Central) -> Iterator[CourtProxy]:
    """A proxy of the court before the shared central system."""
    with court_proxy(central, template / "identity") as proxy:
        yield proxy


@pytest.fixture
def behind(template: Path, proxy: CourtProxy) -> Iterator[Kiosk]:
    """A kiosk that reaches the central system through the proxy, not started."""
    with temporary_kiosk(template, proxy.url) as kiosk:
        kiosk.change_settings("central", patch_mib=16)
        yield kiosk


def sources(kiosk: Kiosk, code: str) -> set[str]:
    """Return the sources of an alarm."""
    return {alarm["source"] for alarm in kiosk.state()["alarms"] if alarm["code"] == code}


def test_patches_shrink_below_a_body_limit_that_is_remembered(
    proxy: CourtProxy, behind: Kiosk
) -> None:
    proxy.most = 1 << 20
    large = behind.make_filing(3_000_000)
    behind.start_in_thread()
    small = behind.make_filing(50_000)
    behind.wait_delivered("filing", small)
    behind.wait_delivered("filing", large)
    assert not behind.alarms() & LINK_ALARMS
    refused = proxy.count(413)
    assert 1 <= refused <= 3
    behind.stop()
    again = behind.make_filing(3_000_000)
    behind.start_in_thread()
    behind.wait_delivered("filing", again)
    assert proxy.count(413) == refused


@pytest.mark.parametrize("passes", [MIN_BYTES, 300_000])
def test_patches_shrink_when_a_box_cuts_large_ones(
    proxy: CourtProxy, behind: Kiosk, passes: int
) -> None:
    proxy.cut_after = passes
    large = behind.make_filing(2_000_000)
    behind.start_in_thread()
    behind.wait_delivered("filing", large)
    sizes = [size for method, _, size, status in proxy.requests if method == "PATCH" and status]
    assert max(sizes) <= proxy.cut_after
    behind.wait_delivered("filing", behind.make_filing(2_000_000))
    cuts = proxy.count(0)
    behind.wait_delivered("filing", behind.make_filing(2_000_000))
    assert proxy.count(0) == cuts, "the second file has shown that it is the line"


def test_a_cut_that_keeps_what_came_is_no_limit(central: Central, kiosk: Kiosk) -> None:
    central.set_faults({"fault": "cut", "match": "PATCH", "after": 300_000})
    kiosk.change_settings("central", patch_mib=16)
    filings = [kiosk.make_filing(2_000_000), kiosk.make_filing(2_000_000)]
    kiosk.start_in_thread()
    for filing in filings:
        kiosk.wait_delivered("filing", filing)
    assert not limit_file(kiosk).exists()


def test_one_file_that_never_passes_limits_no_other(central: Central, kiosk: Kiosk) -> None:
    central.set_faults({"fault": "cut", "match": "PATCH"})
    kiosk.change_settings("central", patch_mib=16)
    refused = kiosk.make_filing(2_000_000)
    kiosk.start_in_thread()
    query = f"SELECT id FROM uploads WHERE owner = '{refused}'"
    upload = wait_for(lambda: central.query(query), "the upload")[0][0]
    central.set_faults({"fault": "cut", "match": f"PATCH /v1/tus/{upload}"})
    wait_for(lambda: sources(kiosk, "delivery_failed") == {refused}, "its alarm")
    kiosk.wait_delivered("filing", kiosk.make_filing(2_000_000))
    assert not limit_file(kiosk).exists()


def limit_file(kiosk: Kiosk) -> Path:
    """Return where a kiosk keeps a limit of the line."""
    return kiosk.paths.database.parent / "patch-limit.json"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_item_that_a_box_refuses_is_set_aside_and_the_others_go(
    proxy: CourtProxy, behind: Kiosk, central: Central, method: str
) -> None:
    behind.start_in_thread()
    wait_problem(behind, None)
    refused = behind.make_filing(100_000)
    proxy.refuse = lambda asked, path: (
        403
        if asked == method and (refused in path or is_of(central, path.rsplit("/", 1)[-1], refused))
        else None
    )
    wait_for(lambda: sources(behind, "proxy_refused") == {refused}, "its alarm")
    others = [behind.make_filing(), behind.make_filing()]
    for other in others:
        behind.wait_delivered("filing", other)
    assert sources(behind, "proxy_refused") == {refused}
    assert not behind.alarms() & LINK_ALARMS
    proxy.refuse = lambda *_: None
    behind.request("POST", "/v1/deliver")
    behind.wait_delivered("filing", refused)
    wait_for(lambda: behind.alarms() == set(), "no alarm")


def is_of(central: Central, upload: str, owner: str) -> bool:
    """Return whether an upload belongs to an item."""
    if not re.fullmatch(r"[0-9a-f-]{36}", upload):
        return False
    return bool(central.query(f"SELECT 1 FROM uploads WHERE id='{upload}' AND owner='{owner}'"))


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 413, 415, 422, 423, 431, 500, 503])
def test_whatever_the_central_system_answers_to_one_item_the_others_go(
    central: Central, kiosk: Kiosk, status: int
) -> None:
    refused = kiosk.make_filing()
    matched = f"PUT /v1/filings/{refused}"
    central.set_faults({"fault": "status", "status": status, "match": matched})
    kiosk.start_in_thread()
    others = [kiosk.make_filing(), kiosk.make_filing()]
    alarm = "delivery_failed" if status == 423 or status >= 500 else "delivery_refused"
    wait_for(lambda: sources(kiosk, alarm) == {refused}, "its alarm")
    for other in others:
        kiosk.wait_delivered("filing", other)
    assert not kiosk.alarms() & LINK_ALARMS
    assert kiosk.state()["link"]["state"] == "up"
    central.set_faults()
    kiosk.request("POST", "/v1/deliver")
    kiosk.wait_delivered("filing", refused)
    wait_for(lambda: kiosk.alarms() == set(), "no alarm")


def test_a_locked_upload_goes_on_where_it_stood(
    proxy: CourtProxy, behind: Kiosk, central: Central
) -> None:
    locked: list[str] = []

    def refuse(method: str, path: str) -> int | None:
        if method == "PATCH" and len(locked) < 4 and (not locked or path == locked[0]):
            locked.append(path)
            return 423
        return None

    proxy.refuse, proxy.marked = refuse, True
    one = behind.make_filing(200_000)
    behind.start_in_thread()
    other = behind.make_filing()
    behind.wait_delivered("filing", one)
    behind.wait_delivered("filing", other)
    assert len(locked) == 4
    assert central.query(f"SELECT count(*) FROM uploads WHERE owner = '{one}'") == [(1,)]


def make_filing_with_slots(kiosk: Kiosk) -> str:
    """Make a filing of the present form; return its id."""
    filing = kiosk.make_filing(submitted=False)
    path = kiosk.paths.filings / filing / "filing.json"
    page = {"number": 1, "slot": "main"}
    slot = {"id": "main", "type": "claim", "required": True}
    fee = {"fee": "property", "amount": "1200"}
    more = {"pages": [page], "slots": [slot], "fee": fee, "case_known": "unknown"}
    write_json(path, read_json(path) | more)
    (path.parent / "submitted").touch()
    return filing


def test_a_refused_filing_is_never_sent_without_its_slots(central: Central, kiosk: Kiosk) -> None:
    filing = make_filing_with_slots(kiosk)
    central.set_faults({"fault": "status", "status": 400, "match": "PUT /v1/filings", "times": 1})
    kiosk.start_in_thread()
    kiosk.wait_delivered("filing", filing)
    found = central.query(f"SELECT manifest FROM deliveries WHERE id = '{filing}'")
    manifest = json.loads(found[0][0])
    assert [slot["slot"] for slot in manifest["slots"]] == ["main"]
    assert (manifest["fee"]["fee"], manifest["case_known"]) == ("property", "unknown")


def test_a_refused_closing_is_an_alarm_and_is_sent_until_it_is_taken(
    central: Central, kiosk: Kiosk
) -> None:
    hearing = kiosk.make_hearing(sealed=False, files=1, video=1000)
    by = {"by": "main.tar", "by_sha256": "1" * 64}
    replaced = [{"part": 1, "file": "main/run-01/000000.m4s", "sha256": "0" * 64, **by}]
    matched = f"POST /v1/hearings/{hearing}/closures"
    central.set_faults({"fault": "status", "status": 409, "match": matched})
    kiosk.start_in_thread()
    chain = JournalFile.create(kiosk.paths.hearings / hearing / "journal.jsonl")
    chain.append("closed_since", {"replaced": replaced})
    chain.close()
    wait_for(lambda: sources(kiosk, "closing_refused") == {hearing}, "the alarm")
    kiosk.wait_delivered("filing", kiosk.make_filing())
    kiosk.stop()
    kiosk.start_in_thread()
    wait_for(lambda: sources(kiosk, "closing_refused") == {hearing}, "the alarm after a restart")
    central.set_faults()
    kiosk.request("POST", "/v1/deliver")
    query = f"SELECT path FROM closures WHERE hearing = '{hearing}'"
    wait_for(lambda: central.query(query) == [("part-01/main/run-01/000000.m4s",)], "the closing")
    wait_for(lambda: "closing_refused" not in kiosk.alarms(), "no alarm")


def test_a_refused_part_of_a_poll_holds_up_no_other(central: Central, kiosk: Kiosk) -> None:
    central.set_faults({"fault": "status", "status": 403, "match": "GET /v1/schedule"})
    seen = central.query("SELECT state_at FROM kiosks WHERE id = 'kiosk-0001'")
    kiosk.start_in_thread()
    wait_for(
        lambda: central.query("SELECT state_at FROM kiosks WHERE id = 'kiosk-0001'") != seen,
        "the heartbeat",
    )
