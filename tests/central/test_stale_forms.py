"""Two browsers before the page for court IT: a decision is for what its page has shown."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import requests

from kiosk.central.data import schema
from kiosk.central.data.object_store import FolderStore
from kiosk.central.deliveries.quarantine import Quarantine, QuarantinedHearing, list_quarantined
from kiosk.central.errors import RefusedError
from kiosk.central.server import open_database
from kiosk.clocks import format_wall
from tests.central.test_closures import CLEAR, PATH, PATH2, SECRET, closure, send_early
from tests.support.central_rig import Central, Kiosk, hearing_body, new_id

CHANGED, DECIDED = "Look again.", "Nothing is left to decide here"
Browser = Callable[..., requests.Response]


def browser(central: Central, action: str, hearing: str, **more: str) -> Browser:
    """Open the page; return what sends its form, as the page has shown it."""
    address = (central.data / "admin-address").read_text(encoding="utf-8").strip()
    code = (central.data / "admin-code").read_text(encoding="ascii").strip()
    form = {"action": action, "hearing": hearing, "code": code, "confirmed": "yes", "reason": "x"}
    with requests.Session() as http:
        http.trust_env = False
        text = http.get(address, timeout=20).text
    section = text[text.index(f'id="decide-{hearing}"') :]
    shown = re.search(r'name="seen" value="([^"]+)"', section)
    assert shown is not None

    def send(address: str = address, **changed: str) -> requests.Response:
        body = form | more | {"seen": shown[1]} | changed
        with requests.Session() as sending:
            sending.trust_env = False
            return sending.post(f"{address}/decisions?lang=en", data=body, timeout=20)

    return send


def told(answer: requests.Response, status: int, text: str) -> bool:
    """Return whether the answer is that refusal."""
    return answer.status_code == status and text in answer.text


def test_what_is_withheld_later_is_neither_erased_nor_released_by_an_older_page(
    central: Central, kiosk: Kiosk
) -> None:
    hearing = new_id()
    uploads = [send_early(kiosk, hearing), send_early(kiosk, hearing, SECRET, PATH2)]
    path = f"/v1/hearings/{hearing}/closures"
    assert kiosk.call("POST", path, json=closure()).ok
    older = browser(central, "release", hearing)
    seen = held_of(central, hearing).seen
    assert kiosk.call("POST", path, json=closure(SECRET, PATH2)).ok
    assert told(older(), 409, CHANGED)
    database = open_database(central.data)
    quarantine = Quarantine(database, FolderStore(central.data / "store"))
    with pytest.raises(RefusedError) as refusal:
        asyncio.run(quarantine.erase(hearing, "x", seen, without_proof=True))
    database.close()
    assert refusal.value.code == "problem_changed"
    withheld = central.data / "store" / "quarantine"
    assert all((withheld / upload).exists() for upload in uploads)
    first, second = (browser(central, "release", hearing) for _ in range(2))
    assert first().status_code == 200
    assert told(second(), 404, DECIDED)
    assert not any((withheld / upload).exists() for upload in uploads)
    assert {kiosk.get(f"/v1/uploads/{upload}")["state"] for upload in uploads} == {"complete"}


def held_of(central: Central, hearing: str) -> QuarantinedHearing:
    """Return what is withheld of a hearing."""
    database = open_database(central.data)
    with database.read() as connection:
        (found,) = (item for item in list_quarantined(connection) if item.hearing == hearing)
    database.close()
    return found


def test_an_acceptance_is_recorded_once_with_its_first_reason(
    central: Central, kiosk: Kiosk
) -> None:
    hearing = new_id()
    kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, {"a.json": b"a"}))
    database = open_database(central.data)
    with database.write() as connection:
        row = {"delivery": hearing, "code": "journal_rewritten", "detail": "part 1 count 4"}
        connection.execute(schema.problems.insert().values(**row, at=format_wall()))
    database.close()
    first, second = (browser(central, "accept", hearing) for _ in range(2))
    assert first(reason="the judge looked").status_code == 200
    assert told(second(reason="another"), 404, DECIDED)
    with closing(sqlite3.connect(central.data / "central.db")) as embedded:
        reasons = embedded.execute(
            "SELECT reason FROM problems WHERE delivery = ? UNION ALL "
            "SELECT detail FROM incidents WHERE subject = ? AND code = 'recording_accepted'",
            (hearing, hearing),
        ).fetchall()
    assert reasons == [("the judge looked",), ("the judge looked",)]


def test_a_hearing_that_somebody_else_has_given_away_is_not_taken_back_by_an_older_page(
    central: Central, kiosk: Kiosk, neighbour: Kiosk
) -> None:
    hearing, other = new_id(), "kiosk-0003"
    body = hearing_body(hearing, {"a.json": b"a"})
    kiosk.put(f"/v1/hearings/{hearing}", body)
    assert neighbour.call("PUT", f"/v1/hearings/{hearing}", json=body).status_code == 403
    central.enrol(other, "3")
    first = browser(central, "reassign", hearing, kiosk=neighbour.id)
    second = browser(central, "reassign", hearing, kiosk=other)
    assert first().status_code == 200
    assert told(second(), 409, CHANGED)
    assert neighbour.put(f"/v1/hearings/{hearing}", body)["state"] == "receiving"


def test_a_form_of_another_page_decides_nothing(tmp_path: Path) -> None:
    """A page of another site can make a browser send a form; it cannot know the code."""
    with Central(tmp_path / "data") as central:
        kiosk, hearing = central.enrol(), new_id()
        upload = send_early(kiosk, hearing)
        assert kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure(CLEAR, PATH)).ok
        send = browser(central, "release", hearing)
        for code in ("", "A" * 16, "É"):
            assert told(send(code=code), 403, "The code is wrong")
        central.stop()
        central.start()
        address = (central.data / "admin-address").read_text(encoding="utf-8").strip()
        assert told(send(address=address), 403, "changes when the server starts")
        assert (central.data / "store" / "quarantine" / upload).exists()
