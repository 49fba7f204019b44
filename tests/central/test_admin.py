"""The page for court IT as a browser receives it."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests

from kiosk.central.admin.decisions import IRREVERSIBLE
from kiosk.central.admin.open_decisions import (
    Kind,
    OpenDecision,
    describe_decisions,
    describe_notice,
)
from kiosk.central.admin.page import AdminView
from kiosk.central.admin.queries import read_hearings
from kiosk.central.admin.texts import AdminTexts
from kiosk.central.data import schema
from kiosk.central.identity.courts import put_court
from kiosk.central.identity.seed import SeedCourt
from kiosk.central.server import open_database
from kiosk.clocks import format_wall, wall_time
from kiosk.locale import LANGUAGES, Language, Translator
from tests.support.central_rig import (
    Central,
    Kiosk,
    admin_page,
    file_of,
    filing_body,
    hearing_body,
    new_id,
)
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


def page(central: Central, **options: object) -> requests.Response:
    with requests.Session() as http:
        http.trust_env = False
        url = (central.data / "admin-address").read_text(encoding="utf-8").strip()
        return http.get(url, timeout=10, **options)  # type: ignore[arg-type]


def test_it_leads_with_exceptions_and_shows_kiosks_and_filings(
    central: Central, kiosk: Kiosk
) -> None:
    number = kiosk.put(f"/v1/filings/{new_id()}", filing_body(b"pdf"))["number"]
    running = {"hearing": new_id(), "phase": "recording", "sources_missing": ["<witness>"]}
    state = {
        "kiosk_time": format_wall(),
        "version": "0.1.0",
        "recording": running,
        "queue": {"items": 3, "bytes": 1_500_000},
        "storage": {"free_bytes": 64_000_000_000, "total_bytes": 128_000_000_000},
        "selftest": {"id": new_id(), "at": format_wall(), "passed": 9, "failed": 1},
    }
    kiosk.put("/v1/state", state)
    text = page(central, params={"lang": "en"}).text
    assert text.index("A source is missing") < text.index('id="kiosks"') < text.index(number)
    assert "&lt;witness&gt;" in text
    assert "<witness>" not in text
    for expected in ("3 (1.5 MB)", "64 GB", "9/10", "kiosk-0002"):
        assert expected in text


def test_it_speaks_three_languages_and_loads_nothing(central: Central) -> None:
    answer = page(central, headers={"Accept-Language": "ru-RU,ru;q=0.9"})
    assert "Требует внимания" in answer.text
    assert "Назар аудару керек" in page(central, params={"lang": "kk"}).text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for outside in ("http://", "https://", "src="):
        assert outside not in answer.text
    assert "script-src 'sha256-" in answer.headers["Content-Security-Policy"], "its own alone"


def test_a_search_finds_by_kiosk_or_room(central: Central) -> None:
    found = page(central, params={"lang": "en", "q": "0002"}).text
    assert "kiosk-0002" in found
    assert "<tr><td>kiosk-0001</td>" not in found


def test_another_sites_name_for_this_machine_is_refused(central: Central) -> None:
    assert page(central, headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=x", b"x"),
        ("multipart/form-data", b""),
        ("application/x-www-form-urlencoded", b"code=\xff"),
        ("application/x-www-form-urlencoded; charset=none", b"code=a"),
    ],
)
def test_what_is_no_form_of_the_page_is_malformed(central: Central, kind: str, body: bytes) -> None:
    url = (central.data / "admin-address").read_text(encoding="utf-8").strip()
    answer = requests.post(
        f"{url}/decisions", data=body, headers={"Content-Type": kind}, timeout=10
    )
    assert answer.status_code == 400


def test_a_kiosk_cannot_see_it(kiosk: Kiosk) -> None:
    assert kiosk.call("GET", "/").status_code == 404


EDGES = ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00")
HUGE = 10**400


@pytest.mark.parametrize(
    "state",
    [
        *({"storage": {"free_bytes": 1, "total_bytes": 100, "full_at": edge}} for edge in EDGES),
        *({"selftest": {"id": new_id(), "at": edge}} for edge in EDGES),
        *({"alarms": [{"code": "staff_list_refused", "since": edge}]} for edge in EDGES),
        {"queue": {"items": 1, "bytes": HUGE}},
        {"storage": {"free_bytes": HUGE, "total_bytes": HUGE}},
        {"selftest": {"id": new_id(), "passed": HUGE, "failed": HUGE}},
    ],
)
def test_no_report_of_one_kiosk_blinds_court_it(central: Central, state: dict[str, object]) -> None:
    stolen = central.enrol("kiosk-0666", "666")
    report = {"kiosk_time": format_wall(), "version": "stolen"} | state
    assert stolen.call("PUT", "/v1/state", json=report).status_code in (200, 400)
    answer = page(central, params={"lang": "en"})
    stolen.put("/v1/state", {"kiosk_time": format_wall(), "version": "stolen"})
    assert (answer.status_code, "kiosk-0666" in answer.text) == (200, True)


def test_it_is_usable_with_two_thousand_kiosks(tmp_path: Path) -> None:
    database = open_database(tmp_path / "data")
    court = SeedCourt(id="7599", name={"en": "Court"})
    state = {"version": "0.1.0", "selftest": {"passed": 10, "failed": 0}, "alarms": [{}] * 20}
    now = format_wall()
    numbers = range(2000)
    with database.write() as connection:
        put_court(connection, court)
        connection.execute(
            schema.kiosks.insert(),
            [
                {
                    "id": f"kiosk-{number:04d}",
                    "court": "7599",
                    "room": str(number),
                    "last_seen": now,
                    "state": state,
                    "state_at": now,
                }
                for number in numbers
            ],
        )
        connection.execute(
            schema.schedule.insert(),
            [
                {
                    "id": f"{number:08d}-{hearing}",
                    "court": "7599",
                    "room": str(number),
                    "scheduled_at": format_wall(wall_time() - timedelta(hours=hearing)),
                    "hearing": {"case_number": f"{number}-{hearing}"},
                }
                for number in numbers
                for hearing in range(6)
            ],
        )
    admin = admin_page(database, tmp_path / "store")
    begun = time.process_time()
    with database.read() as connection:
        text = admin.render(connection, AdminView("", 0), Translator("en"))
    seconds = time.process_time() - begun
    database.close()
    assert "2000" in text
    assert text.count("<tr") < 200
    assert len(text) < 200_000
    assert seconds < 3.0, "of the processor, for one page"


def problem(central: Central, hearing: str, detail: str = "part 1 count 4") -> None:
    """Hold a hearing's recording back, as the check of its journal does."""
    database = open_database(central.data)
    with database.write() as connection:
        table = schema.problems
        connection.execute(table.delete().where(table.c.delivery == hearing))
        row = {"delivery": hearing, "code": "journal_rewritten", "detail": detail}
        connection.execute(table.insert().values(**row, at=format_wall()))
    database.close()


def test_a_decision_says_what_it_does_and_asks_before_what_cannot_be_undone(
    central: Central, kiosk: Kiosk
) -> None:
    hearing = new_id()
    kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, {"a.json": b"a"}))
    problem(central, hearing)
    text = page(central, params={"lang": "en"}).text
    section = text[text.index(f'id="decide-{hearing}"') :][:3000]
    for expected in (
        "its journal was rewritten: part 1 count 4",
        "7599-26-00-2/1284",
        "Until you decide, the kiosk gets no receipt",
        "may delete its own copy",
        "I know that an acceptance cannot be taken back.",
    ):
        assert expected in section
    seen = "journal_rewritten: part 1 count 4"
    code = (central.data / "admin-code").read_text(encoding="ascii").strip()
    good = {"action": "accept", "hearing": hearing, "reason": "Ахметов", "code": code, "seen": seen}
    steps: list[tuple[dict[str, str], int, str]] = [
        ({"code": "guessed"}, 403, "The code is wrong; nothing was changed."),
        ({"reason": " "}, 400, "Say who decided, and why; nothing was changed."),
        ({}, 400, "Tick that it cannot be undone; nothing was changed."),
        ({"confirmed": "yes", "seen": "journal_rewritten: part 1"}, 409, "Look again."),
        ({"confirmed": "yes", "hearing": new_id()}, 404, "Nothing is left to decide here"),
        ({"confirmed": "yes", "action": "burn"}, 400, "It could not be done (malformed)"),
        ({"confirmed": "yes"}, 200, "It is done, and recorded with its reason."),
    ]
    url = (central.data / "admin-address").read_text(encoding="utf-8").strip()
    for more, status, told in steps:
        assert f'id="decide-{hearing}"' in page(central).text, "still to be decided"
        answer = requests.post(f"{url}/decisions?lang=en", data=good | more, timeout=20)
        assert (answer.status_code, answer.headers["Content-Type"][:9]) == (status, "text/html")
        assert told in answer.text
        assert 'lang="en"' in answer.text, "the language stays"
    after = page(central, params={"lang": "en"}).text
    assert f'id="decide-{hearing}"' not in after
    assert "A recording that was held back was accepted: Ахметов." in after
    assert kiosk.get(f"/v1/hearings/{hearing}")["problem"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_be_decided_and_refused_has_its_words(language: Language) -> None:
    """Also what another release of the database says: no code leaves the page without words."""
    translate, now = Translator(language), wall_time()
    texts = AdminTexts(translate, ZoneInfo("Asia/Almaty"), now)
    values = {"count": "2", "hearing": "h", "subject": "h", "detail": "d"}
    codes: dict[Kind, str] = {
        "withheld": "in_quarantine",
        "held_back": "files_left_out",
        "disputed": "hearing_foreign",
    }
    decisions = [OpenDecision(kind, "h", "k", code, values, now) for kind, code in codes.items()]
    shown = describe_decisions(decisions, texts, translate, {"h": "7599-1"}, {"k": "1"})
    assert [row["case"] for row in shown] == ["7599-1"] * 3
    confirmed = {
        choice["action"]: bool(choice["confirmation"]) for row in shown for choice in row["choices"]
    }
    assert confirmed == {"release": False, "erase": True, "accept": True, "reassign": False}
    assert {action for action, is_asked in confirmed.items() if is_asked} == IRREVERSIBLE
    assert "later_code" in describe_notice("later_code", translate)


def test_the_page_loads_no_list_of_files(tmp_path: Path) -> None:
    """That of a day's hearing has thousands; the page shows case number and length."""
    database = open_database(tmp_path)
    listed = hearing_body("h", {f"part-01/main/{n:06d}.m4s": b"" for n in range(2000)})
    others = [{"hearing": {"case_number": None}}, {"hearing": {}, "duration_seconds": 3661.5}]
    bodies = [listed | {"duration_seconds": None}, *others]
    with database.write() as connection:
        put_court(connection, SeedCourt(id="7599", name={"en": "Court"}, timezone="UTC"))
        connection.execute(
            schema.kiosks.insert().values(id="kiosk-0001", court="7599", room="1", last_seen=None)
        )
        connection.execute(
            schema.deliveries.insert(),
            [
                {
                    "id": f"hearing-{number}",
                    "kind": "hearing",
                    "kiosk": "kiosk-0001",
                    "manifest": body,
                    "digest": "",
                    "final": True,
                    "created_at": format_wall(),
                }
                for number, body in enumerate(bodies)
            ],
        )
    with database.read() as connection:
        rows = read_hearings(connection)
        assert sum(len(str(row)) for row in rows) < 1000
        texts = AdminTexts(Translator("en"), ZoneInfo("UTC"), wall_time())
        shown = {row.id: texts.hearing(row) for row in rows}
    database.close()
    assert [
        (shown[f"hearing-{number}"]["case"], shown[f"hearing-{number}"]["length"])
        for number in range(3)
    ] == [(listed["hearing"]["case_number"], "–"), ("hearing-1", "–"), ("hearing-2", "1:01:01")]


def deliver_report(kiosk: Kiosk, content: dict[str, object]) -> str:
    """Deliver a report with this content; return its id."""
    report, files = new_id(), {"report.json": json.dumps(content).encode(), "SHA256SUMS": b"x"}
    rows = [file_of(path, data) for path, data in files.items()]
    body = {"kiosk_time": format_wall(), "passed": 0, "failed": 0, "files": rows}
    kiosk.send(kiosk.put(f"/v1/reports/{report}", body)["missing"], files)
    wait_for(
        lambda: kiosk.get(f"/v1/reports/{report}")["state"] == "complete", "the report's receipt"
    )
    return report


def test_a_support_bundle_is_found_by_its_code(central: Central, kiosk: Kiosk) -> None:
    """Also typed in small letters; a self-test is none, and no code matches more than itself."""
    url = (central.data / "admin-address").read_text(encoding="utf-8").strip()
    support = deliver_report(kiosk, {"kind": "support", "bundle": {"versions": {"kiosk": "1"}}})
    other = deliver_report(kiosk, {"kind": "selftest"})
    code = support[:6].upper()
    found = page(central, params={"lang": "en", "q": code}).text
    assert f'href="support/{code}"' in found
    assert "Help by phone" in found
    for typed in (code, code.lower()):
        answer = requests.get(f"{url}/support/{typed}", timeout=10)
        assert answer.json() == {
            "kiosk": "kiosk-0001",
            "kind": "support",
            "bundle": {"versions": {"kiosk": "1"}},
        }
    for wrong in (other[:6], code[:5], "______", "%25%25%25%25%25%25", "ffffff"):
        assert requests.get(f"{url}/support/{wrong}", timeout=10).status_code == 404
    assert "Help by phone" not in page(central, params={"lang": "en", "q": "______"}).text
