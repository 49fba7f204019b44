"""The kiosk sends small files together where that works, and one by one where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from kiosk.central import REVISION
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import CentralSession
from tests.support.court_proxy import CourtProxy, court_proxy
from tests.support.delivery_rig import Central, Kiosk, temporary_kiosk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow
TOGETHER = ("POST", "/v1/uploads")


@pytest.fixture
def proxy(template: Path, central: Central) -> Iterator[CourtProxy]:
    """A proxy of the court before the shared central system."""
    with court_proxy(central, template / "identity") as proxy:
        yield proxy


@pytest.fixture
def behind(template: Path, proxy: CourtProxy) -> Iterator[Kiosk]:
    """A kiosk that reaches the central system through the proxy, not started."""
    with temporary_kiosk(template, proxy.url) as kiosk:
        yield kiosk


def asked(proxy: CourtProxy, method: str, path: str = "/v1/") -> list[tuple[str, str, int, int]]:
    """Return the requests that the proxy has seen."""
    return [row for row in proxy.requests if row[0] == method and row[1].startswith(path)]


def upload_states(central: Central, owner: str) -> list[Any]:
    """Return the states of an item's uploads."""
    return central.query(f"SELECT state FROM uploads WHERE owner = '{owner}'")


def deliver(kiosk: Kiosk, video: int = 2000, files: int = 20) -> str:
    """Deliver a hearing; return its id."""
    hearing = kiosk.make_hearing(video=video, files=files)
    kiosk.start_in_thread()
    kiosk.wait_delivered("hearing", hearing)
    assert not kiosk.alarms()
    return hearing


def test_small_files_go_together_and_need_no_other_request(
    proxy: CourtProxy, behind: Kiosk, central: Central
) -> None:
    hearing = deliver(behind)
    states = upload_states(central, hearing)
    assert len(states) > 80
    assert set(states) == {("complete",)}
    together = asked(proxy, *TOGETHER)
    assert 4 <= len(together) <= 12
    assert max(size for *_, size, _ in together) <= 300_000
    assert asked(proxy, "GET", "/v1/uploads/") == asked(proxy, "HEAD") == []
    assert len(asked(proxy, "PATCH")) <= 2  # a last one of its lane


def test_large_files_among_them_go_alone(proxy: CourtProxy, behind: Kiosk) -> None:
    deliver(behind, video=200_000, files=3)
    assert len(asked(proxy, "PATCH")) >= 6
    assert len(asked(proxy, *TOGETHER)) >= 1


def test_a_central_system_of_an_earlier_revision_gets_none(
    proxy: CourtProxy, behind: Kiosk, central: Central
) -> None:
    central.set_faults({"fault": "answer", "value": {"revision": 5}, "match": "GET /v1/contract"})
    deliver(behind, files=3)
    assert asked(proxy, *TOGETHER) == []


def test_a_central_system_put_back_to_an_earlier_revision_is_noticed(
    proxy: CourtProxy, behind: Kiosk, central: Central
) -> None:
    deliver(behind, files=3)
    before = len(asked(proxy, *TOGETHER))
    assert before >= 1
    central.set_faults(
        {"fault": "answer", "value": {"revision": 5}, "match": "GET /v1/contract"},
        {"fault": "status", "status": 404, "code": "not_found", "match": "POST /v1/uploads"},
    )
    behind.wait_delivered("hearing", behind.make_hearing(video=2000, files=3))
    assert not behind.alarms()
    assert len(asked(proxy, *TOGETHER)) == before + 1


@pytest.mark.parametrize("status", [403, 405, 413, 502])
@pytest.mark.parametrize("is_marked", [False, True])
def test_where_a_box_refuses_them_they_go_one_by_one(
    proxy: CourtProxy, behind: Kiosk, status: int, *, is_marked: bool
) -> None:
    proxy.marked = is_marked
    proxy.refuse = lambda method, path: status if (method, path) == TOGETHER else None
    deliver(behind, files=5)
    assert 1 <= len(asked(proxy, *TOGETHER)) <= 2


def test_where_a_box_cuts_them_they_go_one_by_one_and_nothing_twice(
    proxy: CourtProxy, behind: Kiosk, central: Central
) -> None:
    proxy.cut_after = 30_000  # of a body; single ones pass
    hearing = deliver(behind, files=5)
    assert 1 <= len(asked(proxy, *TOGETHER)) <= 4
    count = len(upload_states(central, hearing))
    assert len(asked(proxy, "PATCH")) <= count


def test_an_answer_that_is_lost_sends_nothing_again(
    central: Central, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []
    request = CentralSession.request

    def note(session: CentralSession, method: str, url: str, **options: Any) -> requests.Response:
        seen.append((method, url.removeprefix(central.url)))
        return request(session, method, url, **options)

    monkeypatch.setattr(CentralSession, "request", note)
    central.set_faults({"fault": "forget", "match": "POST /v1/uploads", "times": 1})
    deliver(kiosk, files=5)
    heads = [path for method, path in seen if method == "HEAD"]
    assert len(heads) >= 2
    assert ("PATCH", heads[0]) not in seen
    assert seen.count(TOGETHER) >= 2, "one that fails is no reason against the others"


def test_a_file_that_is_not_what_it_was_stops_no_other(central: Central, kiosk: Kiosk) -> None:
    hearing = kiosk.make_hearing(video=2000, files=5)
    path = kiosk.paths.hearings / hearing / "part-01" / "main" / "run-01" / "000002.m4s"
    right = path.read_bytes()
    path.write_bytes(right[::-1])
    kiosk.start_in_thread()
    wait_for(lambda: kiosk.alarms() == {"hash_mismatch"}, "the alarm")
    wait_for(
        lambda: kiosk.get(f"/v1/hearings/{hearing}")["problem"] == "file_changed", "the others"
    )
    path.write_bytes(right)
    kiosk.request("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", hearing)
    incidents = central.query(f"SELECT code FROM incidents WHERE subject = '{hearing}'")
    assert ("hash_mismatch",) in incidents


def test_an_updated_central_system_is_noticed(
    central: Central, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    revisions: list[int] = []
    send = CentralClient.send_small_files

    def note(client: CentralClient, body: Any) -> dict[str, Any]:
        revisions.append(client.revision)
        return send(client, body)

    monkeypatch.setattr(CentralClient, "send_small_files", note)
    monkeypatch.setattr("kiosk.sync.delivery.small_files.ASK_AGAIN_SECONDS", 0.0)
    central.set_faults({"fault": "answer", "value": {"revision": 5}, "match": "GET /v1/contract"})
    deliver(kiosk, files=2)
    assert revisions == []
    central.set_faults()
    kiosk.wait_delivered("hearing", kiosk.make_hearing(video=2000, files=2))
    assert set(revisions) == {REVISION}
