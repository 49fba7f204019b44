"""What a poll asks for again, and what only once: a real central system, one kiosk's poller."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from requests import Response
from sqlalchemy import update

from kiosk.central.data import schema
from kiosk.central.deliveries.filing_registry import FilingState, set_state
from kiosk.central.server import open_database
from kiosk.errors import CentralUnreachableError, StorageError
from kiosk.sync.context import SyncContext
from kiosk.sync.delivery.registrar import filing_registration_body, register_filing
from kiosk.sync.polling import filing_states
from kiosk.sync.polling.poller import Poller, PublishedList
from kiosk.sync.transport.central_client import CentralClient
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


@pytest.fixture
def poller(own_kiosk: Kiosk, own_central: Central) -> Iterator[Poller]:
    """The poller of a kiosk that has a running sync service and five registered filings."""
    own_central.start()
    own_kiosk.change_settings("central", poll_seconds=3600)  # only the poller here polls
    context = SyncContext(own_kiosk.settings, lambda: None)
    yield Poller(context)
    context.close()


def register(poller: Poller, own_kiosk: Kiosk) -> str:
    """Register a filing; return its id."""
    filing = own_kiosk.make_filing()
    body = filing_registration_body(poller.context, filing)
    registered = register_filing(poller.context, poller.connection.client(), filing, body)
    assert registered is not None
    return filing


def decide(central: Central, poller: Poller, filing: str, state: FilingState) -> None:
    """Decide on a filing, as the court's registry does."""
    known = poller.context.registrations.get(filing)
    assert known is not None
    database = open_database(central.data)
    with database.write() as connection:
        set_state(connection, str(known.number), state)
    database.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that are asked for filings, from now on."""
    asked: list[str] = []
    request = CentralSession.request

    def noted(session: CentralSession, method: str, url: str, **options: Any) -> Response:
        asked.extend([url] if method == "GET" and "/v1/filings" in url else [])
        return request(session, method, url, **options)

    monkeypatch.setattr(CentralSession, "request", noted)
    return asked


def states(poller: Poller, filings: list[str]) -> list[str]:
    """Return the states that the kiosk knows."""
    known = [poller.context.registrations.get(filing) for filing in filings]
    return [one.state for one in known if one is not None]


def test_a_poll_asks_for_what_has_changed_not_for_each_filing(
    poller: Poller,
    own_kiosk: Kiosk,
    own_central: Central,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Old fault: up to 20 GETs at each poll, and the 21st filing waited for the next one."""
    filings = [register(poller, own_kiosk) for _ in range(25)]
    poller.poll()
    asked.clear()
    for filing in filings:
        decide(own_central, poller, filing, "accepted")
    poller.poll()
    assert states(poller, filings) == ["accepted"] * 25
    assert len(asked) == 2, "the list, and one filing for safety"
    known = poller.context.registrations.get(filings[0])
    assert known is not None
    before = poller.context.registrations.last_word(known)
    poller.poll()
    assert str(poller.context.registrations.last_word(known)) > str(before), "known as of now"
    monkeypatch.setattr(CentralClient, "revision", 4)
    asked.clear()
    poller.poll()
    assert len(asked) == 20, "a central system of an earlier release has no list"


def test_a_list_of_many_pages_goes_on_at_the_next_poll(
    poller: Poller, own_kiosk: Kiosk, own_central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    filings = [register(poller, own_kiosk) for _ in range(5)]
    for filing in filings:
        decide(own_central, poller, filing, "accepted")
    call = CentralClient.call

    def small(client: CentralClient, method: str, path: str, *rest: Any, **more: Any) -> Any:
        if path.startswith("/v1/filings/"):
            raise CentralUnreachableError("500", code="central_fault")
        is_list = path.startswith("/v1/filings")
        path += ("&" if "?" in path else "?") + "limit=1" if is_list else ""
        return call(client, method, path, *rest, **more)

    monkeypatch.setattr(CentralClient, "call", small)
    monkeypatch.setattr(filing_states, "PAGES_PER_POLL", 2)
    for count in (2, 4, 5):
        poller.poll()
        assert states(poller, filings).count("accepted") == count


def test_a_cursor_that_the_central_system_does_not_know_begins_anew(
    poller: Poller, own_kiosk: Kiosk, own_central: Central
) -> None:
    """A central database restored from a backup counts from an earlier number."""
    filings = [register(poller, own_kiosk) for _ in range(3)]
    decide(own_central, poller, filings[0], "accepted")
    poller.poll()
    for filing in filings[1:]:
        decide(own_central, poller, filing, "accepted")
    database = open_database(own_central.data)
    with database.write() as connection:
        table, counters = schema.filings, schema.counters
        connection.execute(update(table).values(change=table.c.change - 3))
        connection.execute(update(counters).where(counters.c.year == 0).values(last=3))
    database.close()
    poller.poll()
    assert states(poller, filings) == ["accepted"] * 3
    assert poller.context.link.is_up
