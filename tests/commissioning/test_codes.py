"""Codes typed on the screen: enrolment, and the answers by which the court's keys are proven."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from kiosk.recording.encryption.decrypt import decrypt_age_file, read_identities
from kiosk.storage.court_keys import proof_times
from kiosk.sync.transport.identity import load_identity
from kiosk.ui.app_state import AppState
from kiosk.ui.technician.commissioning.commissioning import view
from kiosk.ui.technician.commissioning.taps import tap
from tests.support.delivery_rig import KIOSK, Central
from tests.support.room_rig import RoomRig, checked_record, room_rig
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow
ANSWER = re.compile(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}")


def new_code(central: Central) -> str:
    """Return a code of court IT for this kiosk, as its letters and digits."""
    return central.run_task("enrol-code", KIOSK).split()[-1].replace("-", "")


async def type_code(app: AppState, code: str) -> bool:
    """Tap each key of ``code`` and hand it over; return whether it was taken."""
    for key in code:
        tap(app, f"key:{key}")
    assert view(app).primary_tap == "send"
    await app.commissioning.send_code()
    return not app.commissioning.codes.state.purpose


def said(app: AppState) -> str:
    """Return all that the screen says."""
    shown = view(app)
    return "\n".join((shown.text, *(line for line, _tone in shown.lines)))


async def at(app: AppState, step: str) -> None:
    """Show ``step`` of a room of which the rest is done."""
    state = await app.recorder_connection.client.get("/v1/state")
    app.handle_recorder_event("state", state)
    record = checked_record().to_json()
    await app.recorder_connection.client.call("PUT", "/v1/commissioning", {"record": record})
    await app.commissioning.load()
    app.commissioning.show(step)


def test_the_code_of_court_it_enrols_the_kiosk_and_is_written_down_nowhere(
    short: Path, central: Central
) -> None:
    code = new_code(central)

    async def story(rig: RoomRig) -> None:
        async with rig.screen() as app:
            await at(app, "network")
            assert "This kiosk is not registered with the court’s system yet." in said(app)
            tap(app, "type:enrol")
            assert view(app).primary_tap == ""
            assert not await type_code(app, code[:11] + "A" * 17)
            assert "Something went wrong." not in said(app)
            assert not (rig.paths.device_certificate).exists()
            tap(app, "type:enrol")
            for _ in range(3):
                tap(app, f"key:{code[0]}")
            for _ in range(3):
                tap(app, "key:")
            assert await type_code(app, code)
            assert f"Registered as {KIOSK}." in said(app)
            link = app.commissioning.state.record.checks["link"]
            assert (link["state"], link["seconds"] > 0) != ("skipped", False)
            assert app.commissioning.codes.state.typed == ""
            assert code not in repr(app.commissioning.codes.state)
            assert app.sync_connection.client.token is None

    with room_rig(short / "k", central.url) as rig:
        rig.kiosk.start()
        asyncio.run(story(rig))
        assert load_identity(rig.paths).kiosk_id == KIOSK
        wait_for(lambda: rig.kiosk.state()["link"]["state"] == "up", "the link")
        assert not any(
            code[:12] in path.read_bytes().decode("utf-8", "replace").replace("-", "")
            for path in rig.kiosk.folder.rglob("*")
            if path.is_file() and not path.is_socket()
        )


def test_a_kiosk_whose_certificate_is_refused_is_registered_only_by_a_new_code(
    short: Path, central: Central
) -> None:
    """Its certificate looks valid on the kiosk: nothing said there makes the court take it."""

    async def story(rig: RoomRig) -> None:
        async with rig.screen() as app:
            await at(app, "network")
            tap(app, "type:enrol")
            assert await type_code(app, new_code(central))
            await asyncio.to_thread(wait_link, rig, "up", None)
            central.run_task("revoke", KIOSK)
            rig.kiosk.request("POST", "/v1/deliver", {})
            await asyncio.to_thread(wait_link, rig, "down", "certificate_invalid")
            tap(app, "type:enrol")
            assert not await type_code(app, "A" * 12 + new_code(central)[12:])
            assert "does not know this code" in said(app)
            tap(app, "type:enrol")
            assert await type_code(app, new_code(central))
            await asyncio.to_thread(wait_link, rig, "up", None)

    def wait_link(rig: RoomRig, state: str, problem: str | None) -> None:
        def is_so() -> bool:
            link = rig.kiosk.state()["link"]
            return (link["state"], link["problem"]) == (state, problem)

        wait_for(is_so, f"the link {state}", 60.0)

    with room_rig(short / "k", central.url) as rig:
        rig.kiosk.start_in_thread()
        asyncio.run(story(rig))


@pytest.mark.parametrize(
    ("code", "words"),
    [("A" * 28, "is not the court's"), ("", "does not know this code")],
    ids=["another-authority", "unknown"],
)
def test_a_code_that_is_not_taken_says_why_and_all_else_goes_on(
    short: Path, central: Central, code: str, words: str
) -> None:
    async def story(rig: RoomRig) -> None:
        async with rig.screen() as app:
            await at(app, "network")
            tap(app, "type:enrol")
            typed = code or "A" * 12 + new_code(central)[12:]
            assert not await type_code(app, typed)
            assert words in said(app)
            tap(app, "back")
            assert view(app).can_skip
            await app.commissioning.make_report()
            assert app.commissioning.report.state.report is not None

    with room_rig(short / "k", central.url) as rig:
        rig.kiosk.start_in_thread()
        asyncio.run(story(rig))
        assert not rig.paths.device_certificate.exists()


def test_only_a_technician_may_enrol_and_no_code_is_in_the_refusal(
    short: Path, central: Central
) -> None:
    with room_rig(short / "k", central.url) as rig:
        rig.kiosk.start_in_thread()
        code = new_code(central)
        assert rig.kiosk.request("POST", "/v1/enrol", {"code": code})[0] in (401, 403)
        status, answer = rig.kiosk.request("POST", "/v1/enrol", {"code": code * 9})
        assert status >= 400
        assert code not in str(answer)
        assert not rig.paths.device_certificate.exists()


def test_the_courts_keys_are_proven_by_what_their_holders_have_decrypted(
    short: Path, central: Central
) -> None:
    def open_text(name: str) -> str:
        """Return the answer in the text for ``name``, as its holder reads it out."""
        text = (rig.plug_stick() / f"{KIOSK}-{name}-challenge.age").read_bytes()
        keys = read_identities(central.data / "authority" / f"{name}-age-key.txt")
        found = ANSWER.search(decrypt_age_file(text, keys).decode())
        assert found is not None
        return found[0].replace("-", "")

    async def story() -> None:
        async with rig.screen() as app:
            await at(app, "court_keys")
            await app.commissioning.codes.refresh_keys()
            assert not any(choice.tap == "challenge" for choice in view(app).choices)
            app.commissioning.show("network")
            tap(app, "type:enrol")
            assert await type_code(app, new_code(central))
            app.commissioning.show("court_keys")
            await app.commissioning.codes.refresh_keys()
            await app.commissioning.codes.write_challenges()
            assert "No drive is plugged in" in said(app)
            rig.plug_stick()
            await app.commissioning.codes.write_challenges()
            assert "kiosk-0001-court-challenge.age" in said(app)
            assert "The court: not shown yet" in said(app)
            tap(app, "type:court_key")
            assert not await type_code(app, "A" * 16)
            assert "Nothing is proven by it." in said(app)
            assert proof_times(rig.paths) == {}
            for name, left in (("court", "escrow"), ("escrow", "")):
                tap(app, "type:court_key")
                assert await type_code(app, open_text(name))
                assert name in proof_times(rig.paths)
                assert left not in proof_times(rig.paths)
            assert "not shown yet" not in said(app)
            assert app.commissioning.state.record.checks["court_keys"]["state"] == "passed"

    with room_rig(short / "k", central.url) as rig:
        rig.kiosk.start_in_thread()
        asyncio.run(story())


def test_an_answer_to_texts_that_were_replaced_proves_nothing(
    short: Path, central: Central
) -> None:
    async def story() -> None:
        async with rig.screen() as app:
            await at(app, "network")
            tap(app, "type:enrol")
            assert await type_code(app, new_code(central))
            stick = rig.plug_stick() / f"{KIOSK}-court-challenge.age"
            await app.commissioning.codes.write_challenges()
            old = stick.read_bytes()
            await app.commissioning.codes.write_challenges()
            assert stick.read_bytes() != old
            keys = read_identities(central.data / "authority" / "court-age-key.txt")
            found = ANSWER.search(decrypt_age_file(old, keys).decode())
            assert found is not None
            tap(app, "type:court_key")
            assert not await type_code(app, found[0].replace("-", ""))
            assert proof_times(rig.paths) == {}

    with room_rig(short / "k", central.url) as rig:
        rig.kiosk.start_in_thread()
        asyncio.run(story())
