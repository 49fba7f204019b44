"""A kiosk is replaced: seats and undelivered recordings go on with the data folder."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from kiosk.evidence.certificates import common_name
from kiosk.evidence.cms import check_signature
from kiosk.storage.hearing_folder import SIGNATURE, SUMS
from kiosk.sync.enrolment import enrol
from kiosk.sync.transport.identity import load_identity
from kiosk.ui.technician.commissioning.taps import tap
from tests.support.delivery_rig import KIOSK, Central
from tests.support.room_rig import RoomRig, checked_record, room_rig

pytestmark = pytest.mark.slow
SEATS = [{"name": "bench", "role": "presiding", "device": "usb:1f00200000.usb/1.1"}]


def old_kiosk(folder: Path, central: Central) -> tuple[Path, str]:
    """Leave a kiosk that was set up and enrolled; return its data and its undelivered hearing."""

    async def set_up(rig: RoomRig) -> None:
        async with rig.screen() as app:
            client = app.recorder_connection.client
            await client.call("PUT", "/v1/room", {"profile": {"microphones": SEATS}})
            record = {"record": checked_record().to_json()}
            await client.call("PUT", "/v1/commissioning", record)

    with room_rig(folder, central.url) as rig:
        asyncio.run(set_up(rig))
        code = central.run_task("enrol-code", KIOSK)
        enrol(rig.paths, KIOSK, code, central.url, None)
        return rig.paths.data, rig.kiosk.make_hearing()


def test_a_new_machine_with_the_old_data_keeps_the_seats_and_delivers_what_was_left(
    short: Path, central: Central
) -> None:
    """New hardware has a key of its own: the old one is never copied. What is sealed stays so."""
    data, hearing = old_kiosk(short / "old", central)
    old = load_identity(RoomRig(short / "old", central.url).paths)
    shutil.copytree(data, short / "new" / "data", ignore=shutil.ignore_patterns("identity"))
    shutil.rmtree(short / "old")

    async def take_over(rig: RoomRig) -> None:
        async with rig.screen() as app:
            assert [row["name"] for row in app.commissioning.rows()] == ["bench"]
            assert app.commissioning.state.record.unfinished == ("report",)
            code = central.run_task("enrol-code", "--replace", KIOSK).split()[-1].replace("-", "")
            app.commissioning.show("network")
            tap(app, "type:enrol")
            for key in code:
                tap(app, f"key:{key}")
            await app.commissioning.send_code()
            assert app.commissioning.codes.state.enrolled is not None

    with room_rig(short / "new", central.url) as rig:
        rig.kiosk.start_in_thread()
        asyncio.run(take_over(rig))
        new = load_identity(rig.paths)
        assert new.kiosk_id == old.kiosk_id == KIOSK
        assert (rig.paths.device_key).is_file()
        rig.kiosk.wait_delivered("hearing", hearing)
        folder = rig.paths.hearings / hearing
        seal = folder / SUMS, folder / SIGNATURE
        assert common_name(check_signature(*seal, rig.paths.court_ca)) == KIOSK


def test_a_machine_with_another_name_in_the_same_room_delivers_what_was_left(
    short: Path, central: Central
) -> None:
    data, hearing = old_kiosk(short / "old", central)
    shutil.copytree(data, short / "new" / "data", ignore=shutil.ignore_patterns("identity"))
    with room_rig(short / "new", central.url, kiosk={"id": "kiosk-0077"}) as rig:
        rig.kiosk.start_in_thread()
        code = central.run_task("enrol-code", "--room", "1", "kiosk-0077")
        enrol(rig.paths, "kiosk-0077", code, central.url, None)
        rig.kiosk.wait_delivered("hearing", hearing)
        seal = rig.paths.hearings / hearing / SUMS, rig.paths.hearings / hearing / SIGNATURE
        assert common_name(check_signature(*seal, rig.paths.court_ca)) == KIOSK
