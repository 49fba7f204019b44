"""The real sync service against ``docs/sync-api.yaml`` and the models of its contract."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from kiosk.api.base import read_strictly
from kiosk.api.openapi import DOCS, documents, outdated
from kiosk.api.operations import ErrorAnswer
from kiosk.api.sync import (
    CaseAnswer,
    Delivery,
    FilingState,
    LinkCheckResult,
    LinkCheckStep,
    PublishedLinkCheck,
    RegistrationAnswer,
    SyncState,
)
from kiosk.ipc import LocalClient
from kiosk.storage.atomic_io import read_json
from tests.support.delivery_rig import Central, Kiosk, temporary_kiosk
from tests.support.unix_http import BASE_URL, unix_session
from tests.support.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.slow

schema = schemathesis.openapi.from_path(DOCS / "sync-api.yaml")
BY_HAND = ["getEvents", "checkLink"]  # a stream; seconds of measuring
CASE = "7514-26-00-2/1"


def test_the_documents_are_up_to_date() -> None:
    assert outdated() == []


@pytest.fixture(scope="module")
def running(template: Path, shared_central: Central) -> Iterator[Kiosk]:
    """A kiosk whose sync runs and reaches the central system."""
    shared_central.set_faults()
    with temporary_kiosk(template, shared_central.url) as kiosk:
        kiosk.start_in_thread()
        wait_for(lambda: kiosk.state()["link"]["state"] == "up", "the link")
        yield kiosk


@pytest.fixture(scope="module")
def session(running: Kiosk) -> Iterator[requests.Session]:
    """A session to its sync."""
    with unix_session(running.paths.sync_socket) as session:
        yield session


@schema.exclude(operation_id=BY_HAND).parametrize()
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
def test_sync_keeps_its_document(case: schemathesis.Case[Any], session: requests.Session) -> None:
    case.call_and_validate(base_url=BASE_URL, session=session, timeout=30)


def test_answers_have_exactly_the_keys_of_their_models(running: Kiosk) -> None:
    filing, hearing = running.make_filing(), running.make_hearing(video=1000, files=1)
    registered = running.request("POST", f"/v1/filings/{filing}/register")[1]
    assert read_strictly(RegistrationAnswer, registered).state == "registered"
    running.wait_delivered("filing", filing)
    running.wait_delivered("hearing", hearing)
    assert read_strictly(FilingState, running.get(f"/v1/filings/{filing}")).delivered
    delivery = read_strictly(Delivery, running.get(f"/v1/hearings/{hearing}"))
    assert (delivery.state, delivery.central_sha256_match) == ("delivered", True)
    case = read_strictly(CaseAnswer, running.request("POST", "/v1/cases", {"number": CASE})[1])
    assert case.exists
    assert running.request("POST", "/v1/deliver") == (200, {})
    read_strictly(SyncState, running.state())


def test_a_link_check_and_its_steps(running: Kiosk) -> None:
    async def check() -> tuple[dict[str, Any], list[str]]:
        client = LocalClient(running.paths.sync_socket)
        seen: list[tuple[str, Any]] = []

        async def listen() -> None:
            async for event in client.events():
                seen.append(event)

        def phases() -> list[str]:
            """Return those of this check: who begins to listen is told the last one of another."""
            steps = [value for name, value in seen if name == "link-check"]
            all_phases = [read_strictly(LinkCheckStep, step).phase for step in steps]
            return list(itertools.dropwhile(lambda phase: phase != "call", all_phases))

        async def until(condition: Callable[[], object]) -> None:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    await asyncio.sleep(0.02)

        listener = asyncio.create_task(listen())
        await until(lambda: seen)
        result = await client.post("/v1/link-check", timeout=60)
        await until(lambda: "load" in phases())
        listener.cancel()
        await client.close()
        return result, phases()

    result, phases = asyncio.run(check())
    measured = read_strictly(LinkCheckResult, result)
    assert (measured.state, measured.problem) == ("passed", None)
    assert list(dict.fromkeys(phases)) == ["call", "load"]
    published = read_json(running.paths.link_checks / "last.json")
    assert read_strictly(PublishedLinkCheck, published).at == measured.at
    state = read_strictly(SyncState, running.state())
    assert state.link_check.last == measured


@pytest.mark.parametrize("body", [{}, {"number": " "}, {"number": 7}, {"number": "x" * 201}])
def test_a_wrong_body_names_the_field(running: Kiosk, body: dict[str, Any]) -> None:
    status, answer = running.request("POST", "/v1/cases", body)
    assert (status, answer["code"]) == (400, "bad_request")
    assert read_strictly(ErrorAnswer, answer).message.startswith("number: ")


def test_what_is_not_in_the_document_is_not_there(running: Kiosk) -> None:
    assert running.request("GET", "/v1/nothing")[0] == 404
    assert running.request("DELETE", "/v1/state")[0] == 405
    assert running.request("GET", f"/v1/filings/{uuid.uuid4()}")[1]["code"] == "not_found"
    assert {document.file for document in documents()} >= {"sync-api.yaml"}
