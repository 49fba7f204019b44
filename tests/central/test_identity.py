"""Identity of kiosks: certificates, enrolment, renewal, revocation."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from sqlalchemy import Table, select, update

from kiosk.central.data import schema
from kiosk.central.identity.authority import CertificateAuthority
from kiosk.central.server import open_database
from kiosk.clocks import format_wall, wall_time
from tests.support.central_rig import (
    TIMEOUT,
    Central,
    Kiosk,
    csr,
    filing_body,
    hearing_body,
    new_id,
    new_key,
    session,
)
from tests.support.waiting import wait_for


def post(central: Central, code: str, request: str) -> requests.Response:
    body = {"code": code, "csr": request}
    return central.anonymous().post(f"{central.url}/v1/enrol", json=body, timeout=TIMEOUT)


@pytest.mark.slow
def test_the_certificate_says_who_calls(central: Central, kiosk: Kiosk, neighbour: Kiosk) -> None:
    assert kiosk.get("/v1/contract") | {"wall": 0} == central.anonymous().get(
        f"{central.url}/v1/contract", timeout=TIMEOUT
    ).json() | {"wall": 0, "kiosk": "kiosk-0001", "room": "1"}
    assert neighbour.get("/v1/contract")["room"] == "2"


def test_no_header_makes_a_kiosk(central: Central) -> None:
    response = central.anonymous().get(
        f"{central.url}/v1/schedule", headers={"X-Kiosk": "kiosk-0001"}, timeout=TIMEOUT
    )
    assert (response.status_code, response.json()["code"]) == (401, "certificate_required")
    assert response.headers["Court-Contract"] == "1"


def test_a_certificate_of_another_authority_is_refused(central: Central, tmp_path: Path) -> None:
    key = new_key()
    other = CertificateAuthority.open(tmp_path / "other", "Another CA")
    stranger = central.kiosk(
        "kiosk-0001", key, other.issue_device(csr(key, None), "kiosk-0001").pem
    )
    with pytest.raises(requests.exceptions.ConnectionError):
        stranger.get("/v1/schedule")


def test_a_certificate_that_was_never_written_down_is_refused(central: Central) -> None:
    key = new_key()
    authority = CertificateAuthority.open(central.data / "authority", "")
    forged = central.kiosk(
        "kiosk-0001", key, authority.issue_device(csr(key, None), "kiosk-0001").pem
    )
    response = forged.call("GET", "/v1/schedule")
    assert (response.status_code, response.json()["code"]) == (403, "kiosk_unknown")


def test_the_servers_own_certificate_is_no_kiosks(central: Central) -> None:
    folder = central.data / "authority"
    http = session(central.ca, (str(folder / "server.crt"), str(folder / "server.key")))
    with pytest.raises(requests.exceptions.ConnectionError):
        http.get(f"{central.url}/v1/schedule", timeout=TIMEOUT)


def test_the_code_carries_the_roots_fingerprint(central: Central) -> None:
    code = central.code("kiosk-0001").replace("-", "")
    root = x509.load_pem_x509_certificate(central.ca.read_bytes())
    digest = hashlib.sha256(root.public_bytes(serialization.Encoding.DER)).digest()
    assert code[12:] == base64.b32encode(digest[:10]).decode("ascii")
    served = central.anonymous().get(f"{central.url}/v1/ca.crt", timeout=TIMEOUT)
    assert served.text.encode() == central.ca.read_bytes()


def test_the_same_code_and_key_give_the_same_certificate_another_key_none(
    central: Central,
) -> None:
    code, key = central.code("kiosk-0001"), new_key()
    first = post(central, code, csr(key, "kiosk-0001"))
    again = post(central, code.lower().replace("-", " "), csr(key, None))
    assert first.json()["certificate"] == again.json()["certificate"]
    thief = post(central, code, csr(new_key(), None))
    assert (thief.status_code, thief.json()["code"]) == (403, "code_used")


def test_what_is_no_code_or_no_request_is_refused(central: Central) -> None:
    unknown = post(central, "AAAA-BBBB-CCCC-DDDD", csr(new_key(), None))
    assert (unknown.status_code, unknown.json()["code"]) == (403, "code_unknown")
    code = central.code("kiosk-0001")
    assert post(central, code, "-----BEGIN NONSENSE-----").status_code == 400
    assert post(central, code, csr(new_key(), "kiosk-0002")).status_code == 400
    assert post(central, code, csr(new_key(), "kiosk-0001")).status_code == 200


def test_renewal_keeps_the_present_certificate(central: Central) -> None:
    present, key = central.enrol("kiosk-0001"), new_key()
    answer = present.call("POST", "/v1/renew", json={"csr": csr(key, "kiosk-0001")})
    renewed = central.kiosk("kiosk-0001", key, answer.json()["certificate"])
    assert renewed.get("/v1/contract")["kiosk"] == "kiosk-0001"
    assert present.get("/v1/contract")["kiosk"] == "kiosk-0001"


@pytest.mark.slow
def test_revocation_takes_effect_at_once_even_on_an_open_connection(central: Central) -> None:
    stolen = central.enrol("kiosk-0009", "9")
    assert stolen.get("/v1/contract")["room"] == "9"
    assert "1 certificates revoked" in central.task("revoke", "kiosk-0009").stdout
    response = stolen.call("GET", "/v1/schedule")
    assert (response.status_code, response.json()["code"]) == (403, "certificate_revoked")
    listed = x509.load_pem_x509_crl(
        central.anonymous().get(f"{central.url}/v1/ca.crl", timeout=TIMEOUT).content
    )
    root = x509.load_pem_x509_certificate(central.ca.read_bytes())
    serial = x509.load_pem_x509_certificate(stolen.certificate.read_bytes()).serial_number
    assert listed.get_revoked_certificate_by_serial_number(serial) is not None
    assert listed.is_signature_valid(root.public_key())  # type: ignore[arg-type]


def test_a_replacement_takes_the_room_over_and_the_old_one_is_shut_out(central: Central) -> None:
    old = central.enrol("kiosk-0008", "8")
    new = central.enrol("kiosk-0008", replaces=True)
    assert new.get("/v1/contract")["room"] == "8"
    assert old.call("GET", "/v1/schedule").status_code == 403


def test_keys_are_readable_by_their_owner_only(central: Central) -> None:
    folder = central.data / "authority"
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("ca.key", "server.key"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_only_present_tls_is_spoken(kiosk: Kiosk) -> None:
    with kiosk.tls() as connection:
        assert connection.version() in ("TLSv1.2", "TLSv1.3")


ENDPOINTS = [
    ("GET", "/v1/hearings/{hearing}", None, 404),
    ("GET", "/v1/hearings/{hearing}/files/hearing.json", None, 404),
    ("PUT", "/v1/hearings/{hearing}", "manifest", 403),
    ("POST", "/v1/hearings/{hearing}/closures", "closures", 403),
    ("GET", "/v1/filings/{filing}", None, 404),
    ("PUT", "/v1/filings/{filing}", "filing", 403),
    ("GET", "/v1/reports/{hearing}", None, 404),
    ("GET", "/v1/uploads/{upload}", None, 404),
    ("PUT", "/v1/uploads/{upload}", "upload", 403),
    ("HEAD", "/v1/tus/{upload}", None, 404),
    ("PATCH", "/v1/tus/{upload}", None, 404),
]


def test_a_stolen_kiosks_certificate_opens_nothing_but_its_own_outbox(
    kiosk: Kiosk, neighbour: Kiosk
) -> None:
    hearing, filing, files = new_id(), new_id(), {"hearing.json": b"{}"}
    bodies = {"manifest": hearing_body(hearing, files), "filing": filing_body(b"%PDF")}
    missing = kiosk.put(f"/v1/hearings/{hearing}", bodies["manifest"])["missing"]
    kiosk.send(missing, files)
    kiosk.put(f"/v1/filings/{filing}", bodies["filing"])
    upload = missing[0]["upload"]
    digest = hashlib.sha256(b"{}").hexdigest()
    file = {"path": "hearing.json", "sha256": digest}
    bodies["closures"] = {"closures": [{**file, "path": "part-01/main/index.m3u8"}]}
    bodies["upload"] = {**file, "size": 2, "kind": "hearing", "owner": hearing}
    names = {"hearing": hearing, "filing": filing, "upload": upload}
    tus = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    for method, path, body, status in ENDPOINTS:
        headers = tus | {"Content-Type": "application/offset+octet-stream"}
        answer = neighbour.call(
            method,
            path.format(**names),
            **({"json": bodies[body]} if body else {"headers": headers}),
        )
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
    assert kiosk.get(f"/v1/hearings/{hearing}")["receipt"] is not None
    assert kiosk.call("GET", f"/v1/hearings/{hearing}/files/hearing.json").content == b"{}"


def test_what_a_kiosk_reads_back_is_limited_in_time_and_count_and_seen(tmp_path: Path) -> None:
    """Old fault: a stolen kiosk's certificate read everything that its room had ever delivered."""
    with Central(tmp_path / "data", ("--read-back-hearings", "2")) as central:
        read_back(central)


def read_back(central: Central) -> None:
    kiosk = central.enrol()
    hearings = [new_id() for _ in range(4)]
    for hearing in hearings:
        files = {"a.json": b"{}", "b.json": b"[]"}
        body = hearing_body(hearing, files)
        kiosk.send(kiosk.put(f"/v1/hearings/{hearing}", body)["missing"], files)

    def are_delivered() -> bool:
        return all(kiosk.get(f"/v1/hearings/{hearing}")["receipt"] for hearing in hearings)

    wait_for(are_delivered, "the receipts")
    database = open_database(central.data)
    old, *others = hearings

    def read(hearing: str, path: str = "a.json") -> tuple[int, str]:
        answer = kiosk.call("GET", f"/v1/hearings/{hearing}/files/{path}")
        return answer.status_code, answer.headers.get("Court-Error", "")

    def seen() -> list[tuple[str, str]]:
        table = schema.incidents
        query = select(table.c.code, table.c.subject).where(table.c.kiosk == kiosk.id)
        with database.read() as connection:
            return [tuple(row) for row in connection.execute(query.order_by(table.c.id))]

    def put_back(table: Table, column: str, days: int) -> None:
        with database.write() as connection:
            moment = format_wall(wall_time() - timedelta(days=days))
            key = table.c.hearing if "hearing" in table.c else table.c.id
            connection.execute(update(table).where(key.in_(hearings)).values({column: moment}))

    put_back(schema.deliveries, "completed_at", 89)
    with database.write() as connection:
        moment = format_wall(wall_time() - timedelta(days=91))
        table = schema.deliveries
        connection.execute(update(table).where(table.c.id == old).values(completed_at=moment))
    assert read(old) == (403, "read_back_ended")
    allowed, beyond = others[:2], others[2]
    for hearing in allowed:
        assert [read(hearing), read(hearing, "b.json"), read(hearing)] == [(200, "")] * 3
    assert read(beyond) == (429, "too_many")
    assert read(allowed[0]) == (200, ""), "what was begun may be finished"
    refused = [("read_back_refused", old)], [("read_back_refused", beyond)]
    assert seen() == [*refused[0], *(("read_back", hearing) for hearing in allowed), *refused[1]]
    put_back(schema.read_backs, "at", 2)
    assert read(beyond) == (200, ""), "the next day"
    database.close()


def test_a_replacement_loses_nothing_that_the_old_one_had_delivered(central: Central) -> None:
    old = central.enrol("kiosk-0007", "7")
    done, half, files = new_id(), new_id(), {"hearing.json": b"{}", "b": b"bb"}
    old.send(old.put(f"/v1/hearings/{done}", hearing_body(done, files))["missing"], files)
    old.put(f"/v1/hearings/{half}", hearing_body(half, files))
    receipt = old.get(f"/v1/hearings/{done}")["receipt"]
    new = central.enrol("kiosk-0007", replaces=True)
    assert new.get(f"/v1/hearings/{done}")["receipt"] == receipt
    assert new.call("GET", f"/v1/hearings/{done}/files/b").content == b"bb"
    assert new.put(f"/v1/hearings/{done}", hearing_body(done, files))["receipt"] == receipt
    new.send(new.get(f"/v1/hearings/{half}")["missing"], files)  # the disk was moved over
    assert new.get(f"/v1/hearings/{half}")["receipt"] is not None
    assert old.call("GET", f"/v1/hearings/{done}").status_code == 403
