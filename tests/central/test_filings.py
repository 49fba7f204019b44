"""Filings: registered once, by hashes, before the bytes; states; numbers without gaps."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from kiosk.central.deliveries.filing_registry import FilingState, set_state
from kiosk.central.errors import RefusedError
from kiosk.central.server import open_database
from tests.support.central_rig import Central, Kiosk, filing_body, new_id

PDF = b"%PDF-1.7 three pages"
ANNEX = b"%PDF-1.7 annex"


def decide(central: Central, number: str, state: FilingState) -> str:
    """Decide on a filing; return the code of the refusal, or nothing."""
    database = open_database(central.data)
    try:
        with database.write() as connection:
            set_state(connection, number, state)
    except RefusedError as error:
        return error.code
    finally:
        database.close()
    return ""


def deliver(kiosk: Kiosk, filing: str, body: dict[str, Any], *documents: bytes) -> dict[str, Any]:
    contents = {f"document-{n}.pdf": content for n, content in enumerate(documents, 1)}
    kiosk.send(kiosk.put(f"/v1/filings/{filing}", body)["missing"], contents)
    answer: dict[str, Any] = kiosk.get(f"/v1/filings/{filing}")
    return answer


@pytest.mark.slow
def test_registered_before_the_bytes_then_delivered(central: Central, kiosk: Kiosk) -> None:
    filing = new_id()
    registered = kiosk.put(f"/v1/filings/{filing}", filing_body(PDF, ANNEX))
    assert registered["state"] == "registered"
    assert registered["number"].startswith("7599-20")
    assert (registered["delivered"], len(registered["missing"])) == (False, 2)
    done = deliver(kiosk, filing, filing_body(PDF, ANNEX), PDF, ANNEX)
    assert (done["delivered"], done["missing"]) == (True, [])
    assert done["number"] == registered["number"]
    assert [file["path"] for file in done["receipt"]["files"]] == [
        "document-1.pdf",
        "document-2.pdf",
    ]
    folder = central.data / "store" / "filings" / filing
    assert (folder / "document-1.pdf").read_bytes() == PDF


def test_registered_once_however_often_it_is_sent(kiosk: Kiosk) -> None:
    filing, body = new_id(), filing_body(PDF)
    first = kiosk.put(f"/v1/filings/{filing}", body)
    later = body | {"kiosk_time": "2027-01-01T00:00:00Z", "provisional": "kiosk-0001-261123-001"}
    again = kiosk.put(f"/v1/filings/{filing}", later)
    assert again["number"] == first["number"]
    assert again["provisional"] == "kiosk-0001-261123-001"
    assert again["missing"] == first["missing"]
    other = kiosk.call("PUT", f"/v1/filings/{filing}", json=filing_body(ANNEX))
    assert (other.status_code, other.json()["code"]) == (409, "content_differs")


def test_the_same_request_at_the_same_moment_is_one_registration(kiosk: Kiosk) -> None:
    filing, numbers = new_id(), []
    threads = [
        threading.Thread(
            target=lambda: numbers.append(
                kiosk.put(f"/v1/filings/{filing}", filing_body(PDF))["number"]
            )
        )
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 6
    assert len(set(numbers)) == 1


def test_numbers_follow_each_other_without_gaps(tmp_path: Path) -> None:
    with Central(tmp_path / "data") as central:
        kiosk, neighbour = central.enrol("kiosk-0001"), central.enrol("kiosk-0002")
        numbers = []
        for sender in (kiosk, neighbour, kiosk):
            body = filing_body(PDF)
            numbers.append(sender.put(f"/v1/filings/{new_id()}", body)["number"])
            refused = sender.call("PUT", f"/v1/filings/{new_id()}", json=body | {"documents": []})
            assert refused.status_code == 400
        assert [number.rsplit("-", 1)[1] for number in numbers] == ["000001", "000002", "000003"]


def test_nobody_elses_filing(kiosk: Kiosk, neighbour: Kiosk) -> None:
    filing = new_id()
    kiosk.put(f"/v1/filings/{filing}", filing_body(PDF))
    assert neighbour.call("GET", f"/v1/filings/{filing}").status_code == 404
    stolen = neighbour.call("PUT", f"/v1/filings/{filing}", json=filing_body(PDF))
    assert (stolen.status_code, stolen.json()["code"]) == (403, "foreign")


@pytest.mark.slow
def test_the_registry_decides_and_the_kiosk_hears_it(central: Central, kiosk: Kiosk) -> None:
    filing = new_id()
    number = kiosk.put(f"/v1/filings/{filing}", filing_body(PDF))["number"]
    assert decide(central, number, "passed_to_judge") == "step_refused"
    assert decide(central, number, "returned") == "malformed", "a reason is needed"
    assert decide(central, number, "accepted") == ""
    assert decide(central, number, "accepted") == "", "said twice is said once"
    assert kiosk.get(f"/v1/filings/{filing}")["state"] == "accepted"
    reason = "Мемлекеттік баж төленбеген"
    assert central.task("filing", number, "returned", "--reason", reason).returncode == 0
    found = kiosk.get(f"/v1/filings/{filing}")
    assert (found["state"], found["reason"]) == ("returned", reason)
    assert decide(central, number, "accepted") == "step_refused"
    assert decide(central, "7599-2026-999999", "accepted") == "not_found"


def test_a_hash_that_differs_gets_a_fresh_address(kiosk: Kiosk) -> None:
    filing, body = new_id(), filing_body(PDF)
    first = kiosk.put(f"/v1/filings/{filing}", body)["missing"][0]
    kiosk.patch(first["address"], 0, bytes(len(PDF)))
    kiosk.get(f"/v1/uploads/{first['upload']}?wait=20")
    found = kiosk.get(f"/v1/filings/{filing}")
    assert found["delivered"] is False
    assert found["missing"][0]["upload"] != first["upload"]
    assert deliver(kiosk, filing, body, PDF)["delivered"] is True


SLOTS = {
    "document_type": "claim",
    "entity": {"name": "ТОО «А»", "bin": "120340000001"},
    "fee": {"fee": "property", "amount": "1000000", "hint": "30000", "mrp": "4325"},
    "slots": [
        {"slot": "claim", "type": "claim", "state": "filled", "files": ["document-1.pdf"]},
        {"slot": "fee_receipt", "type": "fee_receipt", "state": "missing", "sheets_said": 1},
    ],
}


def test_what_revision_2_says_is_kept_shown_and_does_not_change_the_number(
    central: Central, kiosk: Kiosk
) -> None:
    filing, body = new_id(), filing_body(PDF, not_scanned=["диск"])
    number = kiosk.put(f"/v1/filings/{filing}", body | SLOTS)["number"]
    assert kiosk.put(f"/v1/filings/{filing}", body)["number"] == number, "as an older kiosk says it"
    page = requests.get((central.data / "admin-address").read_text().strip(), timeout=20).text
    row = page[page.index(number) :][:900]
    assert "claim (3)" in row
    assert "fee_receipt" in row
    assert "диск" in row
    spaced = {"slot": "a b", "type": "claim", "state": "filled"}
    refusals: list[dict[str, Any]] = [{"slots": [spaced]}, {"fee": {}}]
    for wrong in refusals:
        refused = kiosk.call("PUT", f"/v1/filings/{new_id()}", json=body | wrong)
        assert refused.status_code == 400


def test_a_case_is_known_by_number_and_nothing_is_said_about_anybody(
    kiosk: Kiosk, neighbour: Kiosk
) -> None:
    assert kiosk.get("/v1/contract")["revision"] >= 2
    found = kiosk.get("/v1/cases?number=7599–26–00–2%20/%201284")  # an earlier release's
    posted = kiosk.call("POST", "/v1/cases", json={"number": "7599–26–00–2 / 1284"}).json()
    assert posted | {"as_of": 0} == found | {"as_of": 0}
    assert kiosk.call("POST", "/v1/cases", json={"number": ""}).status_code == 400
    assert (found["exists"], found["number"], found["kind"]) == (True, "7599-26-00-2/1284", "civil")
    assert set(found) == {"number", "exists", "kind", "court", "as_of"}
    assert kiosk.get("/v1/cases?number=1-2/3")["exists"] is False
    codes = {neighbour.call("GET", "/v1/cases?number=1").status_code for _ in range(31)}
    assert codes == {200, 429}
    assert kiosk.call("GET", "/v1/cases").status_code == 400


def changes(kiosk: Kiosk, **query: Any) -> Any:
    answer = kiosk.call("GET", "/v1/filings", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_list_in_pages_neither_skips_nor_doubles_what_comes_between(tmp_path: Path) -> None:
    with Central(tmp_path / "data") as central:
        kiosk, neighbour = central.enrol("kiosk-0001"), central.enrol("kiosk-0002")

        def register(sender: Kiosk) -> str:
            filing = new_id()
            sender.put(f"/v1/filings/{filing}", filing_body(PDF))
            return filing

        assert changes(kiosk) | {"as_of": 0, "next": 0} == {
            "filings": [],
            "more": False,
            "next": 0,
            "as_of": 0,
        }
        filings = [register(kiosk) for _ in range(5)]
        register(neighbour)
        first = changes(kiosk, limit=2)
        assert ([row["filing"] for row in first["filings"]], first["more"]) == (filings[:2], True)
        number = first["filings"][0]["number"]
        assert decide(central, number, "accepted") == ""  # changed after it was read
        filings.append(register(kiosk))
        seen, page = [], first
        while page["more"]:
            page = changes(kiosk, limit=2, after=page["next"])
            assert len(page["filings"]) <= 2, "a page is bounded"
            seen += [(row["filing"], row["state"]) for row in page["filings"]]
        unchanged = [(filing, "registered") for filing in filings[2:5]]
        assert seen == [*unchanged, (filings[0], "accepted"), (filings[5], "registered")]
        rest = kiosk.call("GET", "/v1/filings", params={"after": page["next"]})
        assert rest.json()["filings"] == []
        tagged = {"If-None-Match": rest.headers["ETag"]}
        again = kiosk.call("GET", "/v1/filings", params={"after": page["next"]}, headers=tagged)
        assert again.status_code == 304
        register(neighbour)
        assert changes(kiosk, after=page["next"])["filings"] == [], "nobody else's"
        row = first["filings"][0]
        whole = kiosk.get(f"/v1/filings/{row['filing']}")
        assert whole | row | {"state": "accepted", "state_since": whole["state_since"]} == whole


@pytest.mark.parametrize(
    "cursor", ["", "x", "!", "0", "a" * 300, "OTk5OTk5OTk5Lzc1OTk", "MS84MDAx", "LTEvNzU5OQ", "ш"]
)
def test_a_cursor_of_another_list_is_refused_in_a_word(kiosk: Kiosk, cursor: str) -> None:
    """Nonsense, too long, of a database that is gone (999999999), of another court, negative."""
    answer = kiosk.call("GET", "/v1/filings", params={"after": cursor})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "cursor_unknown")
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert problem["detail"] == "after: not a cursor of this list: begin without one"
    for wrong in ("0", "201", "-1", "x"):
        assert kiosk.call("GET", "/v1/filings", params={"limit": wrong}).status_code == 400
