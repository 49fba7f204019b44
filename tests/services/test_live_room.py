"""Levels and alarms of a room that records, from the microphone to court IT's page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from kiosk.hardware.virtual.microphones import VirtualMicrophones
from tests.services.recorder_process import RecorderProcess
from tests.support.delivery_rig import (
    Central,
    Kiosk,
    make_template,
    short_folder,
    temporary_central,
    temporary_kiosk,
)
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def delivery() -> Iterator[tuple[Central, Kiosk]]:
    """A running central system and a kiosk's sync, not started, that polls once an hour."""
    template = short_folder()
    make_template(template)
    with temporary_central(template) as central:
        central.start()
        with temporary_kiosk(template, central.url) as kiosk:
            kiosk.change_settings("central", poll_seconds=3600)
            yield central, kiosk
    shutil.rmtree(template, ignore_errors=True)


def live(central: Central) -> dict[str, Any]:
    """Return what the page for court IT gets."""
    with requests.Session() as http:
        http.trust_env = False
        address = (central.data / "admin-address").read_text(encoding="utf-8").strip()
        return dict(http.get(f"{address}/live?lang=en", timeout=10).json())


def test_court_it_sees_who_is_loud_that_it_is_proven_and_a_new_alarm(
    delivery: tuple[Central, Kiosk],
    recorder: RecorderProcess,
    microphones: VirtualMicrophones,
) -> None:
    """The alarm is there long before the next poll, which is in an hour."""
    central, kiosk = delivery
    kiosk.paths.recorder_run.parent.mkdir(parents=True, exist_ok=True)
    Path(kiosk.paths.recorder_run).symlink_to(recorder.paths.recorder_run)
    recorder.wait_until_ready()
    kiosk.start()
    assert live(central)["rooms"] == {}, "nothing is recorded"
    recorder.post("/v1/hearings", {"hearing": {"adhoc": True}})
    room = wait_for(
        lambda: next(iter(live(central)["rooms"].values()), None), "a room that records", 60
    )
    assert set(room["levels"]) == {"judge", "witness"}

    def is_proven() -> bool:
        rooms = live(central)["rooms"].values()
        return [row["proof_text"] for row in rooms] == ["read back"]

    wait_for(is_proven, "the proof", 60)
    before = live(central)["alarms"]
    microphones.unplug("witness")
    try:
        wait_for(lambda: live(central)["alarms"] > before, "the alarm", 60)
    finally:
        microphones.plug("witness")
    recorder.post("/v1/hearing/end")
    wait_for(lambda: live(central)["rooms"] == {}, "that nothing is recorded", 60)
