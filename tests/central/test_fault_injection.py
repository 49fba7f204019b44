"""Crashes of the server at each step of an exchange, and the injected faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from kiosk.central import crash_points
from tests.support.central_rig import Central, Kiosk, filing_body, new_id, write_faults

pytestmark = pytest.mark.slow

PDF = b"%PDF-1.7 ..."


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Central, Path]]:
    """A central system with faults on demand, and the file that switches them."""
    folder = tmp_path_factory.mktemp("faulty")
    file = folder / "faults.json"
    with Central(folder / "data", ("--faults", str(file))) as server:
        yield server, file


@pytest.fixture(scope="module")
def kiosk(faulty: tuple[Central, Path]) -> Kiosk:
    """Its kiosk."""
    return faulty[0].enrol()


def register_and_deliver(kiosk: Kiosk, filing: str) -> str:
    """Do what a kiosk does from the beginning; return the number."""
    registered = kiosk.put(f"/v1/filings/{filing}", filing_body(PDF))
    kiosk.send(registered["missing"], {"document-1.pdf": PDF})
    found = kiosk.get(f"/v1/filings/{filing}")
    assert found["delivered"], found
    return str(found["number"])


@pytest.mark.parametrize("step", crash_points.ALL)
def test_dying_at_any_step_doubles_and_loses_nothing(
    faulty: tuple[Central, Path], kiosk: Kiosk, step: str
) -> None:
    server, file = faulty
    filing = new_id()
    before = kiosk.put(f"/v1/filings/{new_id()}", filing_body(PDF))["number"]
    write_faults(file, {"fault": "die", "step": step})
    with pytest.raises((requests.exceptions.ConnectionError, AssertionError)):
        register_and_deliver(kiosk, filing)
    assert server.process is not None
    server.process.wait(60)
    write_faults(file)
    server.start()
    number = register_and_deliver(kiosk, filing)
    assert int(number[-6:]) == int(before[-6:]) + 1, "one number for it, and none was lost"
    folder = server.data / "store" / "filings" / filing
    assert [path.read_bytes() for path in folder.iterdir()] == [PDF]


def test_a_lost_answer_is_given_again(faulty: tuple[Central, Path], kiosk: Kiosk) -> None:
    filing = new_id()
    write_faults(faulty[1], {"fault": "forget", "match": "PUT /v1/filings/", "times": 1})
    with pytest.raises(requests.exceptions.ConnectionError):
        kiosk.put(f"/v1/filings/{filing}", filing_body(PDF))
    assert kiosk.get(f"/v1/filings/{filing}")["state"] == "registered"


@pytest.mark.parametrize(
    ("fault", "status"),
    [({"fault": "status", "status": 500}, 500), ({"fault": "full"}, 507)],
)
def test_refusals_on_demand(
    faulty: tuple[Central, Path], kiosk: Kiosk, fault: dict[str, object], status: int
) -> None:
    write_faults(faulty[1], fault | {"match": "GET /v1/staff", "times": 1})
    assert kiosk.call("GET", "/v1/contract").status_code == 200
    assert kiosk.call("GET", "/v1/staff").status_code == status
    assert kiosk.call("GET", "/v1/staff").status_code == 200


def test_a_captive_portal_answers_200_with_html(faulty: tuple[Central, Path], kiosk: Kiosk) -> None:
    write_faults(faulty[1], {"fault": "captive"})
    answer = kiosk.call("GET", "/v1/staff")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "text/html")
    assert "Court-Contract" not in answer.headers
    write_faults(faulty[1])


def test_another_contract(faulty: tuple[Central, Path], kiosk: Kiosk) -> None:
    fault = {"fault": "answer", "value": {"contract": 2}, "match": "GET /v1/contract"}
    write_faults(faulty[1], fault)
    assert kiosk.get("/v1/contract")["contract"] == 2
    write_faults(faulty[1])


def test_a_cut_body_keeps_what_came(faulty: tuple[Central, Path], kiosk: Kiosk) -> None:
    content = bytes(range(256)) * 400
    filing = new_id()
    file = kiosk.put(f"/v1/filings/{filing}", filing_body(content))["missing"][0]
    write_faults(faulty[1], {"fault": "cut", "after": 50_000, "match": "PATCH", "times": 1})
    with pytest.raises(requests.exceptions.ConnectionError):
        kiosk.patch(file["address"], 0, content)
    assert kiosk.offset(file["address"]) == 50_000
    write_faults(faulty[1], {"fault": "corrupt", "match": "PATCH", "times": 1})
    assert kiosk.patch(file["address"], 50_000, content[50_000:]).status_code == 204
    assert kiosk.get(f"/v1/uploads/{file['upload']}?wait=20")["state"] == "mismatch"


def test_a_dripping_line_still_ends(faulty: tuple[Central, Path], kiosk: Kiosk) -> None:
    filing = new_id()
    file = kiosk.put(f"/v1/filings/{filing}", filing_body(PDF))["missing"][0]
    write_faults(faulty[1], {"fault": "drip", "rate": 40, "match": "PATCH", "times": 1})
    answer = kiosk.patch(file["address"], 0, PDF)
    assert answer.status_code == 204
    assert answer.elapsed.total_seconds() > 0.25
    write_faults(faulty[1])
