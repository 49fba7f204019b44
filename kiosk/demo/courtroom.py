"""A courtroom with a running kiosk: what a person does in it, and where its results are."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.demo import sample_court
from kiosk.demo.devices import VirtualDevices
from kiosk.demo.processes import Services, wait_until
from kiosk.demo.screen_driver import get_json
from kiosk.demo.x_server import Display
from kiosk.selftest.report import read_reports
from kiosk.storage.paths import Paths


@dataclass
class Courtroom:
    """A kiosk with its devices and its central system.

    Attributes:
        out: folder for screenshots, receipts and what is read back.
        paths: of the kiosk.
        display: where the kiosk's screen is drawn.
        services: what runs the kiosk's services.
        central: data of the central system.
        devices: of the room.
    """

    out: Path
    paths: Paths
    display: Display
    services: Services
    central: Path
    devices: VirtualDevices

    def load_scanner(self) -> None:
        """Load the three-page claim into the feeder, unless it is loaded."""
        self.devices.load_scanner()

    def show_badge(self, role: str) -> None:
        """Show the badge of ``role`` to the reader."""
        self.devices.badge.scan(sample_court.BADGES[role])

    def press_button(self) -> None:
        """Press the panel's (mock) button, which is in the recorder's process."""
        self.services.signal("recorder", signal.SIGUSR1)

    def play_voices(self) -> None:
        """Play all voices, each into its own microphone, unless they are playing."""
        self.devices.play_voices()

    def recorder_state(self) -> dict[str, Any]:
        """Return the recorder's state; ``{}`` while it does not answer."""
        return get_json(self.paths.recorder_socket, "/v1/state")

    def hearing(self) -> dict[str, Any]:
        """Return the running hearing; ``{}``: there is none."""
        return dict(self.recorder_state().get("hearing") or {})

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until the camera works and sync has pulled today's list."""

        def pulled() -> bool:
            self.services.check()
            state = get_json(self.paths.sync_socket, "/v1/state")
            return bool((state.get("schedule") or {}).get("pulled_at"))

        def ready() -> bool:
            self.services.check()
            state = self.recorder_state()
            return (state.get("camera") or {}).get("state") == "ok"

        wait_until(ready, "the recorder's camera", seconds)
        wait_until(pulled, "today's list", seconds)

    def wait_delivered(self, kind: str, number: str, seconds: float = 60.0) -> None:
        """Wait until sync reports that the central system has everything."""

        def delivered() -> bool:
            self.services.check()
            answer = get_json(self.paths.sync_socket, f"/v1/{kind}/{number}")
            return answer.get("state") == "delivered" or answer.get("delivered") is True

        wait_until(delivered, f"delivery of {kind}/{number}", seconds)

    def report_ids(self) -> set[str]:
        """Return the ids of the sealed self-test reports."""
        sealed = {path.parent.name for path in self.paths.reports.glob("*/SHA256SUMS.p7s")}
        return sealed & {str(report["id"]) for report in read_reports(self.paths)}
