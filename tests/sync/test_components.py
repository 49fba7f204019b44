"""Parts of sync by themselves: back-off, lanes, manifest, numbers, link type, verdicts, errors.

Requirements: R32.
"""

from __future__ import annotations

import io
import json
import os
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from kiosk.api.states import Phase
from kiosk.errors import CentralUnreachableError, StorageError
from kiosk.goodput import ThroughputWindows, median_mbit
from kiosk.storage.database import (
    Database,
    DatabaseDamagedError,
    DatabaseTooNewError,
    open_or_recreate,
)
from kiosk.sync.outbox.lanes import Lane, Lanes, PreemptedError
from kiosk.sync.outbox.manifest import (
    Manifest,
    ManifestError,
    ManifestFile,
    lane_for,
    read_sums,
)
from kiosk.sync.outbox.outbox import Outbox
from kiosk.sync.outbox.outbox_items import Upload
from kiosk.sync.outbox.registrations import RegistrationStore
from kiosk.sync.outbox.request_bodies import request_body
from kiosk.sync.transport.backoff import Backoff
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import (
    SO_MAX_PACING_RATE,
    TCP_NOTSENT_LOWAT,
    CentralSession,
    SocketTracker,
    to_central_error,
)
from kiosk.sync.transport.central_session import RefusedError as CentralRefusedError
from kiosk.sync.transport.link_type import default_interface, link_type_of
from kiosk.sync.transport.pacing import pacing_rate
from kiosk.sync.transport.send_blocks import MAX_BLOCK_BYTES, MIN_BLOCK_BYTES, SendBlocks
from kiosk.sync.transport.tus_client import FileSlice


# -- back-off --------------------------------------------------------------------------------
@given(st.integers(0, 200), st.floats(0, 0.999))
def test_backoff_is_full_jitter_under_a_cap(failures: int, chance: float) -> None:
    backoff = Backoff(base=1, cap=60, failures=failures, random_source=lambda: chance)
    assert 0 <= backoff.record_failure() <= min(60.0, 2.0 ** min(failures, 30))
    assert backoff.failures == failures + 1


# -- lanes -----------------------------------------------------------------------------------
def test_bulk_gives_way_and_goes_on() -> None:
    lanes = Lanes()
    lanes.raise_if_preempted()
    with lanes.urgent_work():
        with pytest.raises(PreemptedError):
            lanes.raise_if_preempted()
        assert not lanes.wait_until_free(0.01)
        lanes.raise_if_stopping()
    lanes.raise_if_preempted()
    assert lanes.wait_until_free(30)
    assert lanes.preemption_count == 1


def test_bulk_waits_for_the_documents_that_follow_a_registration() -> None:
    lanes = Lanes()
    with lanes.urgent_work():
        pass
    assert not lanes.wait_until_free(0)
    assert lanes.wait_until_free(30)


def test_stop_frees_whoever_waits() -> None:
    lanes = Lanes()
    with lanes.urgent_work():
        threading.Timer(0.05, lanes.stop).start()
        assert lanes.wait_until_free(10)
        with pytest.raises(PreemptedError):
            lanes.raise_if_stopping()


@pytest.mark.parametrize(
    ("kind", "path", "lane"),
    [
        ("filing", "document.pdf", Lane.URGENT),
        ("hearing", "part-01/main/run-01/000001.m4s", Lane.VIDEO),
        ("hearing", "part-02/main.tar", Lane.VIDEO),
        ("hearing", "part-01/channels/run-01/000001.m4s", Lane.RECORD),
        ("hearing", "part-01/journal.jsonl", Lane.RECORD),
        ("hearing", "hearing.json", Lane.RECORD),
        ("report", "report.json", Lane.RECORD),
    ],
)
def test_lane_of_a_file(kind: str, path: str, lane: Lane) -> None:
    assert lane_for(kind, path) is lane


# -- manifest --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "line", ["", "abc  file", "0" * 64 + " file", "0" * 64 + "  /etc/passwd", "0" * 64 + "  a/../b"]
)
def test_sums_that_are_none_are_refused(tmp_path: Path, line: str) -> None:
    sums = tmp_path / "SHA256SUMS"
    sums.write_text(f"{'1' * 64}  good/file\n{line}\n")
    if line:
        with pytest.raises(ManifestError, match="line 2"):
            read_sums(sums)
    sums.write_text(f"{'1' * 64}  good/file\n{'2' * 64} *other\n")
    assert read_sums(sums) == [("good/file", "1" * 64), ("other", "2" * 64)]


def test_filing_is_described_by_types_pages_and_hashes(tmp_path: Path) -> None:
    document = {"path": "document.pdf", "type": "claim", "pages": 3}
    applicant = {"name": "A", "iin": "not a number", "phone": ""}
    filing = {
        "language": "kk",
        "document_type": "claim",
        "documents": [document],
        "applicant": applicant,
        "submitted_at": "2026-01-05T04:00:00.000Z",
        "pages": [{"number": 1}],
    }
    (tmp_path / "filing.json").write_text(json.dumps(filing))
    manifest = Manifest("x", "filing", (ManifestFile("document.pdf", 7, "0" * 64, Lane.URGENT),))
    assert request_body(manifest, tmp_path, "k-260105-001") == {
        "kiosk_time": "2026-01-05T04:00:00.000Z",
        "provisional": "k-260105-001",
        "language": "kk",
        "applicant": {"name": "A"},
        "documents": [{**document, "size": 7, "sha256": "0" * 64}],
    }
    filing["documents"] = [{"path": "document.pdf", "type": "Not a type", "pages": 3}]
    (tmp_path / "filing.json").write_text(json.dumps(filing))
    with pytest.raises(ManifestError):
        request_body(manifest, tmp_path)


# -- database --------------------------------------------------------------------------------
def test_damaged_database_is_set_aside_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "sync" / "kiosk.db"
    database, was_damaged = open_or_recreate(path)
    assert (database.is_new, was_damaged) == (True, False)
    database.close()
    path.write_bytes(b"this is no database at all, but long enough to be read as one" * 20)
    with pytest.raises(DatabaseDamagedError):
        Database(path)
    before = path.read_bytes()
    database, was_damaged = open_or_recreate(path)
    assert (database.is_new, was_damaged) == (True, True)
    database.close()
    (kept,) = path.parent.glob("kiosk.db.damaged-*")
    assert kept.read_bytes() == before


def test_newer_database_is_refused_and_kept(tmp_path: Path) -> None:
    database = Database(tmp_path / "kiosk.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(DatabaseTooNewError):
        open_or_recreate(tmp_path / "kiosk.db")


def test_an_error_takes_the_whole_commit_back(tmp_path: Path) -> None:
    database = Database(tmp_path / "kiosk.db")

    def write_and_fail() -> None:
        with database.transaction():
            database.execute("INSERT INTO facts VALUES ('a', '1')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert database.rows("SELECT * FROM facts") == []
    with pytest.raises(StorageError):
        database.execute("INSERT INTO nowhere VALUES (1)")


# -- numbers ---------------------------------------------------------------------------------
def registrations_in(folder: Path) -> RegistrationStore:
    """Open the registrations in a folder."""
    return RegistrationStore(
        Database(folder / "kiosk.db"), folder / "kept", "kiosk-1", "Asia/Almaty"
    )


def test_two_threads_never_get_the_same_number(tmp_path: Path) -> None:
    registrations = registrations_in(tmp_path)
    numbers: list[str | None] = []

    def take(start: int) -> None:
        for index in range(10):
            numbers.append(registrations.ensure_provisional(f"f-{start}-{index}").provisional)

    threads = [threading.Thread(target=take, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(number)[-3:] for number in numbers) == [f"{n:03d}" for n in range(1, 41)]


def test_a_real_number_is_never_replaced(tmp_path: Path) -> None:
    registrations = registrations_in(tmp_path)
    registrations.ensure_provisional("f")
    registrations.save_number("f", "7514-1", "registered", "2026-01-05T00:00:00.000Z")
    kept = registrations.save_number("f", "7514-2", "registered", "2026-01-05T00:00:00.000Z")
    assert kept.number == "7514-1"
    assert registrations.ensure_provisional("f").number == "7514-1"
    answer = kept.answer().to_json()
    assert (answer["state"], answer["number"]) == ("registered", "7514-1")
    assert str(answer["provisional"]).startswith("kiosk-1-")


def test_the_filing_services_own_number_is_adopted(tmp_path: Path) -> None:
    registrations = registrations_in(tmp_path)
    made_here = str(registrations.ensure_provisional("f").provisional)
    own = made_here[:-3] + "501"
    assert registrations.adopt_provisional("f", own).number is None
    assert registrations_in(tmp_path).adopt_provisional("g", made_here[:-3] + "502").provisional
    kept = registrations.save_number("f", "7514-1", "registered", "2026-01-05T00:00:00.000Z")
    assert kept.provisional == own
    assert str(registrations.ensure_provisional("h").provisional).endswith("-001")
    assert str(registrations.ensure_provisional("i").provisional).endswith("-002")


def test_index_and_saved_registrations_repair_each_other(tmp_path: Path) -> None:
    registrations = registrations_in(tmp_path)
    for name in ("a", "b"):
        registrations.ensure_provisional(name)
    (tmp_path / "kept" / "a.json").unlink()  # a crash between commit and file
    (tmp_path / "kept" / "c.json").write_text("{torn")
    assert registrations_in(tmp_path).reconcile() == 2
    for file in tmp_path.glob("kiosk.db*"):
        file.unlink()
    again = registrations_in(tmp_path)
    again.reconcile()
    assert again.get("b") is not None
    assert str(again.ensure_provisional("d").provisional).endswith("-003")


# -- outbox ----------------------------------------------------------------------------------
def test_outbox_goes_lane_by_lane(tmp_path: Path) -> None:
    outbox = Outbox(Database(tmp_path / "kiosk.db"))
    for name in ("h1", "h2"):
        files = (
            ManifestFile("a-main", 10, "0" * 64, Lane.VIDEO),
            ManifestFile("journal", 1, "0" * 64, Lane.RECORD),
        )
        assert outbox.add(Manifest(name, "hearing", files))
        outbox.mark_registered(name, {"a-main": "/v", "journal": "/j"}, [])
    assert not outbox.add(Manifest("h1", "hearing", ()))

    def next_upload(ranks: dict[str, int | None]) -> Upload | None:
        lanes = (Lane.RECORD, Lane.VIDEO)
        return outbox.next_upload(lanes, ("hearing",), lambda item_id: ranks.get(item_id, 0))

    failed = next_upload({"h1": 1})
    assert (failed and failed.item_id, next_upload({"h1": None, "h2": None})) == ("h2", None)
    order = []
    while (upload := next_upload({})) is not None:
        order.append((upload.item_id, upload.path))
        outbox.mark_confirmed(upload)
    assert order == [("h1", "journal"), ("h2", "journal"), ("h1", "a-main"), ("h2", "a-main")]
    outbox.mark_registered("h1", {"a-main": "/v2"}, ["journal"])
    item = outbox.item("h1")
    assert item is not None
    assert (item.bytes_done, item.bytes_total, item.file_count) == (1, 11, 2)
    assert [item.id for item in outbox.complete_items()] == ["h2"]


# -- tus body --------------------------------------------------------------------------------
def test_file_slice_reads_its_bytes_and_notices_a_shorter_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    data = os.urandom(1000)
    path.write_bytes(data)
    done: list[int] = []
    blocks = SendBlocks(lambda _size: None)
    with path.open("rb") as file:
        file_slice = FileSlice(file, 100, 500, blocks, lambda: None, done.append)
        assert len(file_slice) == 500
        parts = []
        while block := file_slice.read(128):
            parts.append(block)
        assert b"".join(parts) == data[100:600]
        assert done[-1] == 500
        short = FileSlice(file, 900, 500, blocks, lambda: None, done.append)
        short.read(200)
        with pytest.raises(StorageError):
            short.read(200)


def test_blocks_follow_the_line() -> None:
    """A slow line gets small ones, so that a transfer yields soon; a fast one large ones."""
    now, limits = [0.0], list[int]()
    blocks = SendBlocks(limits.append, lambda: now[0])

    def send(total: int, bytes_per_second: float) -> int:
        blocks.begin()
        size = 0
        while total > 0:
            size = blocks.next_size()
            total -= size
            now[0] += size / bytes_per_second
        return size

    assert send(1 << 20, 250_000) == MIN_BLOCK_BYTES
    assert limits == []
    assert send(16 << 20, 50e6) == MAX_BLOCK_BYTES
    assert limits[-1] == 2 * MAX_BLOCK_BYTES
    assert send(16 << 20, 250_000) == MIN_BLOCK_BYTES
    assert limits[-1] == 2 * MIN_BLOCK_BYTES


def test_kernel_holds_two_blocks_unsent() -> None:
    tracker = SocketTracker()
    with socket.socket() as before, socket.socket() as later:
        tracker.add(before)
        assert before.getsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT) == 2 * MIN_BLOCK_BYTES
        tracker.set_unsent_limit(4 * MIN_BLOCK_BYTES)
        tracker.add(later)
        for sock in (before, later):
            assert sock.getsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT) == 4 * MIN_BLOCK_BYTES


# -- errors of the link ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("verify_code", "code"),
    [(9, "certificate_invalid"), (10, "certificate_invalid"), (19, "central_untrusted")],
    ids=["clock behind by years", "clock ahead by years", "another CA"],
)
def test_certificate_errors_are_told_apart(verify_code: int, code: str) -> None:
    cause = ssl.SSLCertVerificationError("certificate verify failed")
    cause.verify_code = verify_code
    assert to_central_error(requests.exceptions.SSLError(cause)).code == code


def test_name_that_does_not_resolve_and_closed_port() -> None:
    session = CentralSession(None)
    with pytest.raises(CentralUnreachableError) as dns:
        session.request("GET", "https://no-such-host.invalid/")
    assert dns.value.code == "dns_failed"
    with pytest.raises(CentralUnreachableError) as refused:
        session.request("GET", "http://127.0.0.1:1/")
    assert refused.value.code == "central_unreachable"
    session.close()


def test_pacing_of_a_socket_that_is_gone_does_nothing() -> None:
    tracker = SocketTracker()
    tracker.set_rate(100_000)
    tracker.abort()


@pytest.mark.parametrize(
    ("phase", "up", "rate"),
    [
        ("recording", 4.0, 333_333),
        ("recess", 1, 53_750),
        ("retired", 0.5, 6250),
        ("idle", 4.0, 0),
        ("recording", None, 0),
    ],
)
def test_uploads_are_paced_while_a_hearing_is_on(phase: str, up: float | None, rate: int) -> None:
    assert pacing_rate(up, is_hearing_open=Phase(phase).is_open) == rate
    assert pacing_rate(up, is_hearing_open=False) == 0
    assert pacing_rate(None, is_hearing_open=Phase(phase).is_open) == 0


def test_pacing_reaches_open_and_new_sockets() -> None:
    def rate_of(sock: socket.socket) -> int:
        packed = sock.getsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, 8)
        return int.from_bytes(packed[:4], "little")

    tracker = SocketTracker()
    with socket.socket() as early, socket.socket() as late:
        tracker.add(early)
        tracker.set_rate(75_000)
        tracker.add(late)
        assert (rate_of(early), rate_of(late)) == (75_000, 75_000)
        tracker.set_rate(0)
        assert rate_of(early) == 0xFFFFFFFF


# -- link type ----------------------------------------------------------------------------------
def test_link_type(tmp_path: Path) -> None:
    (tmp_path / "wlan0" / "wireless").mkdir(parents=True)
    for name, kind in (("eth0", "1"), ("ppp0", "512"), ("wwan0", "1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "type").write_text(f"{kind}\n")
    (tmp_path / "wwan0" / "uevent").write_text("DEVTYPE=wwan\n")
    names = ("wlan0", "eth0", "ppp0", "wwan0", "nothing", None)
    assert [link_type_of(name, tmp_path) for name in names] == [
        "wifi",
        "wired",
        "cellular",
        "cellular",
        "unknown",
        "unknown",
    ]


def test_default_route_with_the_lowest_metric(tmp_path: Path) -> None:
    (tmp_path / "route").write_text(
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
        "wwan0\t00000000\t0100000A\t0003\t0\t0\t700\t00000000\n"
        "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\n"
        "eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\n"
    )
    assert default_interface(tmp_path) == "eth0"
    assert default_interface(tmp_path / "absent") is None


# -- link check ------------------------------------------------------------------------------
def test_median_leaves_slow_start_and_a_hole_out() -> None:
    windows = ThroughputWindows()
    for index in range(200):  # 4 s, 20 ms apart
        slow = index < 50  # the first second
        hole = 100 <= index < 110
        windows.add(100 if slow else 0 if hole else 2500, index * 0.02)
    windows.add(0, 4.0)
    assert len(windows.complete) == 16
    value = median_mbit(windows.complete)
    assert value is not None
    assert abs(value - 1.0) < 0.06
    assert median_mbit([1] * 7) is None


@pytest.mark.parametrize("mbit", [0.5, 0.9, 1.1, 1.9])
def test_whole_tls_records_make_no_steps(mbit: float) -> None:
    windows, record = ThroughputWindows(), 16_384
    for number in range(int(mbit * 1e6 / 8 / record * 6)):
        windows.add(record, number * record * 8e-6 / mbit)
    assert median_mbit(windows.complete) == pytest.approx(mbit, rel=0.01)


# -- contract ----------------------------------------------------------------------------------
class RevisionSession(CentralSession):
    """A server of a revision."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.sent: list[tuple[str, Any]] = []

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Answer, or refuse what revision 2 has added."""
        self.sent.append((method, options["json"]))
        if self.revision < 2 and "slots" in (options["json"] or {}):
            raise CentralRefusedError("slots", code="malformed", status=400, body={})
        answer = requests.Response()
        answer.status_code = 200
        answer.request = requests.Request(method, url).prepare()
        contract = {"contract": 1, "revision": self.revision}
        answer.raw = io.BytesIO(json.dumps(contract | {"number": "1"}).encode())
        return answer


def test_what_a_server_does_not_know_is_left_out_only_when_it_says_so() -> None:
    session = RevisionSession(1)
    client = CentralClient(session, "https://localhost")
    body = {"documents": [], "slots": [], "fee": {}, "document_type": "claim"}
    client.register_item("filing", "x", body)
    assert session.sent == [("GET", None), ("PUT", {"documents": []})]
    session.revision = 2  # updated: asked again before anything is left out
    client.register_item("filing", "y", body)
    client.register_item("filing", "z", body)
    assert session.sent[2:] == [("GET", None), ("PUT", body), ("PUT", body)]
    session.revision = 1  # and back
    with pytest.raises(CentralRefusedError):
        client.register_item("filing", "w", body)
    client.register_item("filing", "w", body)
    assert session.sent[5:] == [("PUT", body), ("GET", None), ("PUT", {"documents": []})]
