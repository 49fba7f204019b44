"""The real recorder keeps its contract: State in every phase, and the OpenAPI document."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from kiosk.api.base import ContractError, read_strictly
from kiosk.api.openapi import DOCS, outdated
from kiosk.api.recorder import RecorderState
from kiosk.api.recorder_operations import DEVICE_TESTS, RECORDER_EVENTS, RECORDER_OPERATIONS
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.ipc import LocalClient, ServiceDownError, ServiceRefusedError
from kiosk.ui.recorder_reader import RecorderReader
from tests.services.recorder_process import RecorderProcess, hearing, seconds_at_least
from tests.support.court_keys import CourtSecrets
from tests.support.mounts import sticks
from tests.support.socket_bridge import bridge_to
from tests.support.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.slow

SCHEMA = schemathesis.openapi.from_path(DOCS / "recorder-api.yaml")
# Events never end; a test or rehearsal takes as long as it is asked to: they have their own tests.
LONG = ["getEvents", "rehearse", *(operation.name for operation in DEVICE_TESTS.values())]


@contextmanager
def recorded_events(recorder: RecorderProcess) -> Iterator[list[tuple[str, Any]]]:
    """Collect all events of the recorder until the end of the block, over its restarts, too."""
    found: list[tuple[str, Any]] = []
    over = threading.Event()

    async def listen() -> None:
        client = LocalClient(recorder.paths.recorder_socket)
        while not over.is_set():
            try:
                async for event in client.events():
                    found.append(event)
                    if over.is_set():
                        break
            except ServiceDownError:
                await asyncio.sleep(0.05)
        await client.close()

    thread = threading.Thread(target=lambda: asyncio.run(listen()))
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join(PATIENCE)


def check_states(events: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Check that every State has exactly the model's keys and that the screen can read it."""
    states = [value for name, value in events if name == "state"]
    reader = RecorderReader()
    for state in states:
        read_strictly(RecorderState, state)
        known = reader.read(state)
        assert known is not None
        assert "recorder_state_partial" not in {alarm.code for alarm in known.alarms}
    return states


def tell_of_people(recorder: RecorderProcess) -> None:
    """Add, name and remove a person; keep, correct and withdraw a note."""
    somebody = {"name": "Ә. Б.", "role": "witness", "seat": "witness", "own_device": None}
    person = recorder.post("/v1/hearing/persons", somebody)["person"]["id"]
    recorder.post("/v1/hearing/persons", {"id": person, "attendance": "online"})
    recorder.post("/v1/hearing/marks", {"type": "questioning", "of": person})
    with pytest.raises(ServiceRefusedError) as refused:
        recorder.post("/v1/hearing/marks", {"type": "questioning", "of": "p9"})
    assert (refused.value.status, refused.value.code) == (400, "unknown_person")
    note = recorder.post("/v1/hearing/notes", {"text": "ескерту", "mark": 2})["note"]["id"]
    recorder.post("/v1/hearing/notes", {"text": "A", "replaces": note, "ago_seconds": 0.5})
    with pytest.raises(ServiceRefusedError) as refused:
        recorder.call("DELETE", f"/v1/hearing/notes/{note}", None, recorder.sign_in())
    assert (refused.value.status, refused.value.code) == (400, "unknown_note")
    path, token = f"/v1/hearing/persons/{person}", recorder.sign_in()
    assert recorder.call("DELETE", path, None, token)["person"]["attendance"] == "online"
    with pytest.raises(ServiceRefusedError) as refused:
        recorder.call("DELETE", path, None, token)
    assert (refused.value.status, refused.value.code) == (400, "unknown_person")


@pytest.mark.slow
def test_state_in_every_phase_is_read_by_the_screen(
    recorder: RecorderProcess, microphones: VirtualMicrophones
) -> None:
    CourtSecrets().pin(recorder.paths)
    with recorded_events(recorder) as events:
        recorder.wait_until_ready()
        recorder.post("/v1/hearings")  # without a list entry: no number, title or kind is known
        state = recorder.wait_for_state(seconds_at_least(1), "a second")
        assert state["hearing"]["case_number"] is None
        recorder.post("/v1/hearing/marks", {"type": "opening"})
        tell_of_people(recorder)
        microphones.unplug("witness")
        try:
            recorder.wait_for_state(lambda s: s["microphones"][1]["state"] == "absent", "absent")
        finally:
            microphones.plug("witness")
        recorder.post("/v1/hearing/close", {"note": "family"})
        recorder.wait_for_state(lambda s: s["hearing"]["closed_parts"] == [2], "closed")
        recorder.post("/v1/hearing/recess")
        recorder.post("/v1/hearing/resume")
        recorder.post("/v1/hearing/statements", {"subject": "title", "value": 5})
        recorder.wait_for_state(seconds_at_least(1), "a second")
        recorder.kill()
        recorder.start()
        recorder.wait_for_state(lambda s: s["recovered"] is not None, "its recovery")
        recorder.post("/v1/hearing/retire")
        recorder.post("/v1/hearing/end")
        recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")
    states = check_states(events)
    phases = {state["phase"] for state in states}
    assert phases == {"idle", "recording", "recess", "retired", "sealing"}
    assert any(state["hearing"] and state["hearing"]["closed"] for state in states)
    assert any(state["recovered"] for state in states)
    assert any(len(state["hearing"]["notes"]) == 2 for state in states if state["hearing"])
    assert any(state["hearing"]["persons"] for state in states if state["hearing"])
    named = [mark for state in states for mark in (state["hearing"] or {}).get("marks", ())]
    assert "Ә. Б." in {mark["of"]["name"] for mark in named if mark["of"]}
    assert any(row["state"] == "absent" for state in states for row in state["microphones"])


@pytest.mark.slow
@pytest.mark.root
def test_state_with_a_full_disk_is_read_by_the_screen() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="room-") as folder,
        sticks(Path(folder), "data", megabytes=50) as (_own,),
    ):
        recorder = RecorderProcess(Path(folder), None, camera="none")
        recorder.start()
        try:
            with recorded_events(recorder) as events:
                recorder.wait_for_state(lambda s: s["storage"]["state"] == "full", "full")
                recorder.post("/v1/hearings", hearing())
                recorder.wait_for_state(lambda s: s["phase"] == "recording", "it records")
            assert check_states(events)
        finally:
            recorder.close()


def test_a_misspelt_or_new_key_fails_here_and_is_ignored_by_the_screen(
    shared_recorder: RecorderProcess,
) -> None:
    state = shared_recorder.state()
    state["storage"]["free"] = 1
    state["lampp"] = state.pop("lamp")
    with pytest.raises(ContractError, match=r"storage\.free.*lampp.*lamp"):
        read_strictly(RecorderState, state)
    known = RecorderReader().read(state)
    assert known is not None
    assert known.phase == "idle"


def test_events_are_those_of_the_contract(shared_recorder: RecorderProcess) -> None:
    with recorded_events(shared_recorder) as events:
        shared_recorder.wait_until_ready()
        wait_for(lambda: {"state", "levels"} <= {name for name, _ in events}, "both events")
    names = {name for name, _ in events}
    assert names == {"state", "levels"}
    assert names <= {event.name for event in RECORDER_EVENTS}
    levels = next(value for name, value in events if name == "levels")
    assert set(levels) == {"judge", "witness"}
    assert set(levels["judge"]) == {"rms_db", "peak_db"}


# -- the OpenAPI document ----------------------------------------------------------------------
def test_the_documents_are_up_to_date() -> None:
    assert outdated() == [], "run python -m kiosk.api.openapi"


@pytest.fixture(scope="module")
def address(bare_recorder: RecorderProcess) -> Iterator[str]:
    """The address of the recorder's socket for clients that speak TCP only."""
    with bridge_to(bare_recorder.paths.recorder_socket) as url:
        yield url


@pytest.fixture(scope="module")
def token(bare_recorder: RecorderProcess) -> str:
    return bare_recorder.sign_in()


@pytest.mark.slow
@SCHEMA.exclude(operation_id=LONG).parametrize()
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
def test_the_recorder_keeps_its_document(
    case: schemathesis.Case[Any], address: str, token: str
) -> None:
    # A text that fits its schema may still be no event, no ground, no microphone.
    excluded: list[Any] = [positive_data_acceptance, unsupported_method]
    if case.method != "POST":  # unknown keys of a query are ignored
        excluded.append(negative_data_rejection)
    case.call_and_validate(
        base_url=address,
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
        excluded_checks=excluded,
    )


@pytest.mark.parametrize("name", DEVICE_TESTS)
def test_device_tests_answer_as_documented(bare_recorder: RecorderProcess, name: str) -> None:
    if bare_recorder.state()["hearing"] is not None:  # the requests above may have begun one
        bare_recorder.post("/v1/hearing/end")
        bare_recorder.wait_for_state(lambda state: state["phase"] == "idle", "an idle room")
    answer = bare_recorder.post(f"/v1/tests/{name}", {"seconds": 0.2}, "technician")
    assert answer["state"] in ("passed", "failed", "skipped")
    with pytest.raises(ServiceRefusedError, match="seconds") as refused:
        bare_recorder.post(f"/v1/tests/{name}", {"seconds": 301}, "technician")
    assert (refused.value.status, refused.value.code) == (400, "bad_request")
    with pytest.raises(ServiceRefusedError) as refused:
        bare_recorder.post(f"/v1/tests/{name}", {})
    assert (refused.value.status, refused.value.code) == (403, "sign_in_refused")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/sign-in", {"badge": 5}, "badge"),
        ("/v1/sign-in", {}, "person"),
        ("/v1/hearings", {"hearing": "x"}, "hearing"),
        ("/v1/hearing/marks", {}, "type"),
        ("/v1/hearing/marks", {"type": "oath", "note": []}, "note"),
        ("/v1/hearing/marks", {"type": "oath", "of": 1}, "of"),
        ("/v1/hearing/notes", {"text": ""}, "text"),
        ("/v1/hearing/notes", {"text": "x", "ago_seconds": -1}, "ago_seconds"),
        ("/v1/hearing/persons", {"name": "x" * 301}, "name"),
        ("/v1/hearing/persons", {"name": "x", "attendance": "late"}, "attendance"),
        ("/v1/hearing/persons", {"name": "x", "minor": None}, "minor"),
        ("/v1/hearing/recess", {"reason": 1}, "reason"),
        ("/v1/hearing/close", {"ground": 1}, "ground"),
        ("/v1/hearing/close-since", {"mark": "first"}, "mark"),
        ("/v1/hearing/statements", {"subject": ""}, "subject"),
        ("/v1/hearing/remedies", {"source": "judge", "remedy": "hope"}, "remedy"),
        ("/v1/hearing/listen", {"seconds": True}, "seconds"),
        ("/v1/exports", {"hearing_id": "x"}, "medium"),
        ("/v1/filing-keys/open", {"wrapped": None}, "wrapped"),
        ("/v1/hearing/end", [], "body"),
    ],
)
def test_a_wrong_body_is_400_and_names_the_field(
    bare_recorder: RecorderProcess, path: str, body: Any, field: str
) -> None:
    with pytest.raises(ServiceRefusedError) as refused:
        bare_recorder.call("POST", path, body, bare_recorder.sign_in())
    assert (refused.value.status, refused.value.code) == (400, "bad_request")
    assert str(refused.value).startswith(f"{field}:"), refused.value


def test_what_is_not_documented_is_404_or_405(bare_recorder: RecorderProcess) -> None:
    client = bare_recorder.call
    for method, path, status in [
        ("GET", "/v1/nowhere", 404),
        ("GET", "/v1/hearing/marks", 405),
        ("DELETE", "/v1/state", 405),
    ]:
        with pytest.raises(ServiceRefusedError) as refused:
            client(method, path)
        assert (refused.value.status, refused.value.code) == (status, "http")
    assert len({(o.method, o.path) for o in RECORDER_OPERATIONS}) == len(RECORDER_OPERATIONS)


@pytest.mark.parametrize(
    "path", ["/v1/hearing/statements", "/v1/hearing/notes", "/v1/hearing/marks"]
)
def test_a_body_that_no_screen_could_show_is_refused(
    bare_recorder: RecorderProcess, path: str
) -> None:
    """What is said of a hearing comes in every State; only a scan may be large."""
    huge = {"subject": "title", "value": "x" * 2**21, "type": "opening", "text": "x"}
    with pytest.raises(ServiceRefusedError) as refused:
        bare_recorder.post(path, huge | {"note": "x" * 2**21})
    assert (refused.value.status, refused.value.code) == (400, "bad_request")
    assert "more than" in str(refused.value)
