"""The recorder's view for the hall's display, over its own socket, from the recorder as it runs."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kiosk.api.hall import HALL_OPERATIONS
from kiosk.ipc import LocalClient, ServiceDownError, ServiceRefusedError
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import RecorderProcess
from tests.support.contract import check_answer
from tests.support.court_keys import CourtSecrets
from tests.support.waiting import wait_for

CASE, TITLE = "7514-26-00-2/4511", "Ахметов А. – «Қала құрылыс» ЖШС"
OURS = "11111111-2222-4333-8444-555555555555"


class HallListener:
    """Keeps every event of the view, as a display in the hall gets them."""

    def __init__(self, recorder: RecorderProcess) -> None:
        self._recorder = recorder
        self.texts: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()))
        self._thread.start()

    async def _listen(self) -> None:
        client = LocalClient(self._recorder.paths.hall_socket)
        task = asyncio.create_task(self._read(client))
        while not self._stop.is_set():
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()

    async def _read(self, client: LocalClient) -> None:
        while True:
            try:
                async for name, value in client.events():
                    assert name == "hall"
                    self.texts.append(json.dumps(value, ensure_ascii=False))
            except ServiceDownError:
                await asyncio.sleep(0.05)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the newest event."""
        return list(json.loads(self.texts[-1])["rows"]) if self.texts else []

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)


@pytest.fixture
def court(make_recorder: MakeRecorder) -> RecorderProcess:
    """A recorder without devices and with the court's keys; its list names one hearing."""
    made = make_recorder(microphones=None, camera="none")
    CourtSecrets().pin(made.paths)
    made.paths.schedule.parent.mkdir(parents=True, exist_ok=True)
    row = {"id": OURS, "case_number": CASE, "title": TITLE, "publicity": "open", "kind": "civil"}
    made.paths.schedule.write_text(json.dumps({"hearings": [row]}))
    made.start()
    return made


@pytest.fixture
def hall(court: RecorderProcess) -> Iterator[HallListener]:
    listener = HallListener(court)
    yield listener
    listener.close()


def call(recorder: RecorderProcess, method: str, path: str) -> dict[str, Any]:
    async def once() -> dict[str, Any]:
        client = LocalClient(recorder.paths.hall_socket)
        try:
            return await client.call(method, path)
        finally:
            await client.close()

    return asyncio.run(once())


def has_status(listener: HallListener, status: str, publicity: str) -> None:
    def is_shown() -> bool:
        return [(r["status"], r["publicity"]) for r in listener.rows()] == [(status, publicity)]

    wait_for(is_shown, f"{status}, {publicity}; last: {listener.texts[-1:]}")


@pytest.mark.slow
def test_each_step_is_told_and_a_closed_hearing_is_named_nowhere(
    court: RecorderProcess, hall: HallListener
) -> None:
    """R54: also not in the recorder's log, nor after the hearing, nor after a restart."""
    has_status(hall, "next", "open")
    check_answer(HALL_OPERATIONS, "GET", "/v1/hall", call(court, "GET", "/v1/hall"))
    court.post("/v1/hearings", {"hearing": {"id": OURS}})
    has_status(hall, "in_session", "open")
    assert TITLE in hall.texts[-1]
    court.post("/v1/hearing/close", {"ground": "crim_minors"})
    has_status(hall, "in_session", "closed")
    told = len(hall.texts) - 1  # from here on nobody may learn more
    court.post("/v1/hearing/recess")
    has_status(hall, "recess", "closed")
    statement = {"subject": "recess_until", "value": "2026-11-23T11:30:00Z"}
    court.post("/v1/hearing/statements", statement)
    wait_for(lambda: hall.rows()[0]["until"] == "2026-11-23T11:30:00.000Z", "the end of the recess")
    court.kill()
    court.start()
    has_status(hall, "recess", "closed")
    court.post("/v1/hearing/end")
    has_status(hall, "ended", "closed")
    after = "".join(hall.texts[told:]) + json.dumps(call(court, "GET", "/v1/hall"))
    log = court.log.read_text()
    assert [word for word in (CASE, "4511", "Ахметов", "құрылыс") if word in after + log] == []


@pytest.mark.slow
def test_the_hall_can_only_read(court: RecorderProcess) -> None:
    """Its socket has two calls; no step, no State, no list of staff can be reached by it."""
    for method, path in (
        ("POST", "/v1/hall"),
        ("POST", "/v1/hearings"),
        ("GET", "/v1/state"),
        ("GET", "/v1/staff"),
        ("POST", "/v1/sign-in"),
    ):
        with pytest.raises(ServiceRefusedError) as refused:
            call(court, method, path)
        assert refused.value.status in (404, 405)
    assert court.stop() == 0
    assert not court.paths.hall_socket.exists()
