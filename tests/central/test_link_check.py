"""The link check: what the server counts, streams and echoes."""

from __future__ import annotations

import itertools
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import create_engine

from kiosk.central.data import schema
from kiosk.central.http.link_records import (
    AT_ONCE,
    MAX_TOKENS_PER_KIOSK,
    SLOT_S,
    TOKEN_LIFETIME_S,
    begin_check,
)
from kiosk.clocks import wall_time
from kiosk.sync.link_check.link_check import CALL_S
from tests.support.central_rig import Kiosk

HEADER = struct.Struct(">16sIQQI")
PACE_BYTES = 250_000  # a second: 2 Mbit/s


def token(kiosk: Kiosk) -> dict[str, Any]:
    answer = kiosk.call("POST", "/v1/link/token")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def paced(seconds: float) -> Iterator[bytes]:
    """Yield bytes at :data:`PACE_BYTES` a second."""
    begun, sent = time.monotonic(), 0
    while sent < int(seconds * PACE_BYTES):  # all of it, also when the last wake-up is late
        due = int(min(time.monotonic() - begun, seconds) * PACE_BYTES) - sent
        if due > 0:
            sent += due
            yield bytes(due)
        time.sleep(0.01)


@pytest.mark.slow
def test_the_server_counts_windows_and_streams_them(kiosk: Kiosk) -> None:
    key = token(kiosk)["token"]
    lines: list[dict[str, Any]] = []

    def follow() -> None:
        with kiosk.http.get(
            f"{kiosk.url}/v1/link/up?token={key}", stream=True, timeout=20
        ) as answer:
            lines.extend(json.loads(line) for line in answer.iter_lines())

    follower = threading.Thread(target=follow)
    follower.start()
    answer = kiosk.call(
        "POST",
        f"/v1/link/up?token={key}",
        data=paced(3.1),
        headers={"Content-Type": "application/octet-stream"},
    ).json()
    follower.join()
    assert len(answer["windows"]) >= 11
    assert answer["bytes"] == int(3.1 * PACE_BYTES)
    assert answer["median_mbit"] == pytest.approx(2.0, rel=0.15)
    assert lines[-1] == answer
    assert [line["bytes"] for line in lines[:-1]] == answer["windows"]


def test_a_token_counts_once_and_only_for_its_kiosk(kiosk: Kiosk, neighbour: Kiosk) -> None:
    key = token(kiosk)["token"]
    path = f"/v1/link/up?token={key}"
    assert neighbour.call("POST", path, data=b"x").status_code == 403
    first = kiosk.call("POST", path, data=b"x" * 10)
    assert (first.json()["bytes"], first.json()["median_mbit"]) == (10, None)
    assert kiosk.call("POST", path, data=b"x").status_code == 403
    assert kiosk.call("GET", "/v1/link/down?token=zz").status_code == 400


def test_bytes_come_for_as_long_as_asked_and_the_client_may_hang_up(kiosk: Kiosk) -> None:
    key = token(kiosk)["token"]
    begun, size = time.monotonic(), 0
    with kiosk.http.get(
        f"{kiosk.url}/v1/link/down?token={key}&seconds=0.5", stream=True, timeout=10
    ) as answer:
        assert answer.status_code == 200
        size = sum(map(len, answer.iter_content(65536)))
    assert size > 100_000
    assert 0.4 < time.monotonic() - begun < 5
    with kiosk.http.get(
        f"{kiosk.url}/v1/link/down?token={key}&seconds=10", stream=True, timeout=10
    ) as answer:
        next(answer.iter_content(1024))
    assert kiosk.get("/v1/contract")["contract"] == 1
    assert kiosk.call("GET", f"/v1/link/down?token={key}&seconds=99").status_code == 400


def test_no_more_bytes_come_than_asked(kiosk: Kiosk) -> None:
    path = f"/v1/link/down?token={token(kiosk)['token']}&seconds=10"
    for size in (1, 32 * 1024, 125_000):
        assert len(kiosk.call("GET", f"{path}&bytes={size}").content) == size
    for odd in ("0", "-1", "1.5", "", "many", "9999999999", "99999999999999"):
        assert kiosk.call("GET", f"{path}&bytes={odd}").status_code == 400


def test_datagrams_with_a_token_come_back_and_no_others(kiosk: Kiosk) -> None:
    given = token(kiosk)
    secret = bytes.fromhex(given["token"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(5)
        line.connect(("127.0.0.1", given["udp_port"]))
        line.send(HEADER.pack(bytes(16), 1, 2, 0, 0))  # no such token
        line.send(HEADER.pack(secret, 1, 2, 0, 0)[:-1])  # too short
        line.send(HEADER.pack(secret, 7, 123, 0, 0) + b"filling")
        echo = line.recv(2000)
    assert len(echo) == HEADER.size + len(b"filling")
    key, sequence, sent, server, count = HEADER.unpack_from(echo)
    assert (key, sequence, sent, count) == (secret, 7, 123, 1)
    assert server > 0
    assert echo.endswith(b"filling")


def test_the_echo_listens_on_the_number_of_the_tcp_port(kiosk: Kiosk) -> None:
    """A firewall needs one number; the unit starts the server on all addresses."""
    contract = kiosk.call("GET", "/v1/contract").json()
    assert contract["udp_port"] == token(kiosk)["udp_port"]
    assert contract["udp_port"] == urlsplit(kiosk.url).port


def test_planned_checks_of_200_rooms_do_not_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    now = wall_time().replace(microsecond=123_456)
    monkeypatch.setattr("kiosk.central.http.link_records.wall_time", lambda: now)
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    with engine.begin() as connection:
        waits = [
            begin_check(connection, f"K-{room}", f"{room:032x}", is_planned=True)[1]
            for room in range(200)
        ]
        assert begin_check(connection, "K-1", "f" * 32)[1] == 0, "a person waits for it"
    assert max(Counter(waits).values()) == AT_ONCE
    moments = sorted(set(waits))
    assert all(after - before >= SLOT_S for before, after in itertools.pairwise(moments))
    assert max(waits) <= 200 / AT_ONCE * SLOT_S


def test_the_token_says_when_to_begin(kiosk: Kiosk) -> None:
    for query in ("", "?planned=true", "?planned=false"):
        answer = kiosk.call("POST", f"/v1/link/token{query}").json()
        assert 0 <= answer["start_in_s"] <= SLOT_S
    for query in ("?planned=nonsense", "?planned=", "?planned=true&planned=true"):
        assert kiosk.call("POST", f"/v1/link/token{query}").status_code == 400


def test_tokens_are_not_endless(neighbour: Kiosk) -> None:
    asked = range(MAX_TOKENS_PER_KIOSK + 1)
    codes = [neighbour.call("POST", "/v1/link/token").status_code for _ in asked]
    assert codes[-1] == 429
    assert set(codes[:-1]) == {200}
    assert MAX_TOKENS_PER_KIOSK >= TOKEN_LIFETIME_S / CALL_S, "one check after the other"
