"""What a poll asks for again, and what only once: a real central system, one kiosk's poller."""

from __future__ import annotations

import json
from typing import Any

import pytest
from requests import Response
from sqlalchemy import update

from kiosk.central.data import schema
from kiosk.central.server import open_database
from kiosk.errors import StorageError
from kiosk.sync.context import SyncContext
from kiosk.sync.polling.poller import Poller, PublishedList
from kiosk.sync.transport.central_session import CentralSession
from tests.support.delivery_rig import Central, Kiosk

pytestmark = pytest.mark.slow


def test_a_list_that_has_not_changed_is_not_sent_again(
    own_kiosk: Kiosk, own_central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old fault: the whole list of hearings every half minute."""
    own_central.start()
    context = SyncContext(own_kiosk.settings, lambda: None)
    poller = Poller(context)
    statuses: list[int] = []
    request = CentralSession.request

    def counted(session: CentralSession, method: str, url: str, **options: Any) -> Response:
        answer = request(session, method, url, **options)
        statuses.extend([answer.status_code] if "/v1/schedule" in url else [])
        return answer

    monkeypatch.setattr(CentralSession, "request", counted)

    def published() -> list[str]:
        poller.poll()
        value = json.loads(own_kiosk.paths.schedule.read_text(encoding="utf-8"))
        return [row["id"] for row in value["hearings"]]

    def move_first(room: str) -> None:
        database = open_database(own_central.data)
        with database.write() as connection:
            table = schema.schedule
            connection.execute(update(table).where(table.c.id == before[0]).values(room=room))
        database.close()

    def refuse(_list: object, _value: object) -> None:
        raise StorageError("full")

    before = published()
    pulled_at = poller.schedule.value["pulled_at"]
    assert published() == before != []
    assert poller.schedule.value["pulled_at"] > pulled_at, "the screen shows how old the list is"
    assert statuses == [200, 304]
    move_first("elsewhere")
    assert published() == before[1:]
    monkeypatch.setattr(PublishedList, "publish", refuse)
    move_first("1")
    poller.poll()
    monkeypatch.undo()
    assert published() == before, "a list that the disk refused is asked for again"
    context.close()
