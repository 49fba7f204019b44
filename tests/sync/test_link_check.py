"""The link check against a real central system on loopback (R30, R31, R71)."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from kiosk.api.sync import LinkCheckResult
from kiosk.errors import StorageError
from kiosk.sync.context import SyncContext
from kiosk.sync.link_check.call_probe import CallProbe
from kiosk.sync.link_check.line_verdict import Line
from kiosk.sync.link_check.load import Load
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError
from tests.support.delivery_rig import Central, Kiosk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


def test_link_check_measures_both_directions(kiosk: Kiosk) -> None:
    kiosk.start_in_thread()
    status, result = kiosk.request("POST", "/v1/link-check")
    assert status == 200
    assert (result["state"], result["verdict"]) == ("passed", "good")
    assert result["down_mbit"] > 5
    assert result["up_mbit"] > 5
    assert 0 < result["rtt_ms"] < 500
    assert result["loss"] < 0.5
    assert result["jitter_ms"] >= 0
    assert result["bearer"] in ("wired", "wifi", "cellular", "unknown")
    assert result["limit_mbit"] == 1.0
    assert (result["call"], result["via"]) == ("heard", "udp")
    assert result["loaded_rtt_ms"] > 0


def test_where_udp_is_blocked_requests_take_the_packets_place(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.sync.link_check.call_probe.VOICE_BYTES", 1300)
    monkeypatch.setattr("kiosk.sync.link_check.call_probe.PICTURE_BYTES", 1300)
    kiosk.start_in_thread()  # its datagrams are larger than any that is answered
    result = kiosk.request("POST", "/v1/link-check")[1]
    assert (result["via"], result["problem"]) == ("https", None)
    assert result["call"] in ("heard", "gaps", "unheard")
    assert result["loss"] is None, "what was lost on the way is not known"
    assert result["down_mbit"] > 1
    assert result["up_mbit"] > 1
    assert result["round_trips_per_minute"] > 0


def test_link_check_without_central_system_is_unreachable(
    own_central: Central, own_kiosk: Kiosk
) -> None:
    own_kiosk.start_in_thread()
    result = own_kiosk.request("POST", "/v1/link-check")[1]
    assert (result["state"], result["verdict"]) == ("failed", "unreachable")
    assert result["problem"] == "central_unreachable"
    assert result["loss"] is None
    assert not own_central.log.exists()


@pytest.mark.parametrize("port", [[], -1, 70_000], ids=str)
def test_a_port_that_is_none_means_https(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, port: object
) -> None:
    call = CentralClient.call

    def altered(client: CentralClient, method: str, path: str, *more: Any, **named: Any) -> Any:
        answer = call(client, method, path, *more, **named)
        return answer | {"udp_port": port} if "/v1/link/token" in path else answer

    monkeypatch.setattr(CentralClient, "call", altered)
    kiosk.start_in_thread()
    status, result = kiosk.request("POST", "/v1/link-check")
    assert (status, result["via"], result["problem"]) == (200, "https", None)


def test_a_database_that_refuses_takes_no_answer_away(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_context: SyncContext, _result: LinkCheckResult) -> None:
        raise StorageError("full")

    monkeypatch.setattr(SyncContext, "save_link_check", refuse)
    kiosk.start_in_thread()
    status, result = kiosk.request("POST", "/v1/link-check")
    assert (status, result["problem"], result["verdict"]) == (200, None, "good")


@pytest.mark.parametrize("is_back", [True, False], ids=["back at once", "not back"])
def test_a_central_system_that_restarts_in_the_middle_says_nothing_of_the_line(
    own_central: Central, own_kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, is_back: bool
) -> None:
    beside = CallProbe.beside

    def restarted(probe: CallProbe, load: Load) -> Line:
        own_central.kill()
        if is_back:
            own_central.start()
        return beside(probe, load)

    monkeypatch.setattr(CallProbe, "beside", restarted)
    own_central.start()
    own_kiosk.start_in_thread()
    result = own_kiosk.request("POST", "/v1/link-check")[1]
    assert (result["problem"], result["verdict"]) == ("central_unreachable", "unreachable")
    assert result["call"] is None
    monkeypatch.undo()
    if not is_back:
        own_central.start()
    again = own_kiosk.request("POST", "/v1/link-check")[1]
    assert (again["problem"], again["verdict"], again["via"]) == (None, "good", "udp")


def test_a_server_that_sends_less_than_was_asked_for_is_no_slow_line(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_url = CentralClient.full_url

    def less(client: CentralClient, path: str) -> str:
        return full_url(client, path + "&bytes=1000" * path.startswith("/v1/link/down"))

    monkeypatch.setattr(CentralClient, "full_url", less)
    monkeypatch.setattr("kiosk.sync.link_check.link_check._echo_port", lambda _token: None)
    kiosk.start_in_thread()
    result = kiosk.request("POST", "/v1/link-check")[1]
    assert (result["problem"], result["verdict"]) == ("central_unreachable", "unreachable")


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("is_refused", [False, True], ids=["carried", "refused"])
def test_a_direction_alone_adds_to_what_is_known_and_takes_nothing_away(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, direction: str, is_refused: bool
) -> None:
    module = "kiosk.sync.link_check.link_check"
    alone: list[tuple[float, float]] = []
    rates = Load.rates

    def noted(load: Load) -> tuple[float, float]:
        alone.append(rates(load))
        if is_refused and len(alone) == 2:
            raise RefusedError("no", code="token_unknown", status=403, body={})
        return alone[-1]

    monkeypatch.setattr(Load, "rates", noted)
    monkeypatch.setattr(f"{module}.doubtful_direction", lambda *_: (direction, 500_000))
    kiosk.start_in_thread()
    for _ in range(2):  # the second over a connection that the first one has ended
        alone.clear()
        result = kiosk.request("POST", "/v1/link-check")[1]
        assert (result["problem"], result["verdict"], result["via"]) == (None, "good", "udp")
        both, (down_mbit, up_mbit) = alone
        assert (down_mbit > 1, up_mbit > 1) == (direction == "down", direction == "up")
        if not is_refused:
            assert result[f"{direction}_mbit"] >= round(max(down_mbit, up_mbit), 3)
        assert min(both) > 1


def test_the_newest_check_counts_also_after_the_clock_was_set_back(kiosk: Kiosk) -> None:
    context = SyncContext(kiosk.settings, lambda: None)
    for at, up_mbit in (("2031-01-01T00:00:00.000Z", 99.0), ("2026-11-28T00:00:00.000Z", 2.0)):
        context.save_link_check(LinkCheckResult(at=at, up_mbit=up_mbit))
    last = context.last_link_check()
    context.close()
    assert last is not None
    assert last.up_mbit == 2.0


def test_link_check_can_be_cancelled_and_runs_once(kiosk: Kiosk) -> None:
    kiosk.start_in_thread()
    answers: list[int] = []
    first = threading.Thread(
        target=lambda: answers.append(kiosk.request("POST", "/v1/link-check")[0]), daemon=True
    )
    first.start()
    wait_for(lambda: kiosk.state()["link_check"]["running"], "the running check")
    assert kiosk.request("POST", "/v1/link-check")[1]["code"] == "link_check_running"

    def has_ended() -> bool:
        kiosk.request("DELETE", "/v1/link-check")
        first.join(0.2)
        return not first.is_alive()

    wait_for(has_ended, "the end of the check")
    assert answers == [409]
