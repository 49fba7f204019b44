"""The steps of the trial that the demo does not have: what only a booted machine can show."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.demo.courtroom import Courtroom
from kiosk.demo.devices import MICROPHONES
from kiosk.demo.hearing_scenario import (
    answer_question,
    copy_hearing,
    end_hearing,
    record_hearing,
    sign_out,
    start_hearing,
)
from kiosk.demo.processes import wait_until
from kiosk.demo.readback import pdf_pages, run_verify
from kiosk.demo.report import build_report
from kiosk.demo.scenario import (
    DemoResult,
    file_documents,
    run_self_test,
    scan_pages,
    submit_documents,
)
from kiosk.demo.screen_driver import ScreenDriver
from kiosk.errors import KioskError
from kiosk.storage.atomic_io import read_json, write_json
from tests.pi.units import SERVICES, Units, main_pid, processes, restarts, systemctl

STICK_AT_BOOT, STICK_LATER = Path("/media/kiosk/stick1"), Path("/media/kiosk/stick2")
STICK_OPTIONS = "nosuid,nodev,noexec,size=200m,uid=kiosk-recorder,gid=kiosk-record,mode=0770"
RUNNING = "running.json"
"""What was recorded before the power cut."""
RECORDED_SECONDS = 3.0
RESTART_SECONDS = 150.0


def plug_stick(place: Path) -> None:
    """Mount a file system in memory where the kiosk's host mounts a stick."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", STICK_OPTIONS, "stick", place], check=True)


class BootedKiosk:
    """The steps, with what they hand on to each other.

    Args:
        room: the courtroom.
        units: the kiosk's services in it.
        driver: of its screen.
    """

    def __init__(self, room: Courtroom, units: Units, driver: ScreenDriver) -> None:
        self.room, self.units, self.driver = room, units, driver
        self.result = DemoResult()

    def steps(self) -> dict[str, Callable[[], None]]:
        """Return the steps by name, in the order of the whole trial."""
        return {
            "users": self.services_have_their_users,
            "microphones": self.microphones_have_priority,
            "filing": lambda: file_documents(self.room, self.driver, self.result),
            "hearing": lambda: record_hearing(self.room, self.driver, self.result),
            "copy_to_stick_at_boot": lambda: self.copy(STICK_AT_BOOT),
            "copy_to_stick_later": self.copy_to_stick_later,
            "self_test": lambda: run_self_test(self.room, self.driver, self.result),
            "read_back": self.read_back,
            "draft": self.draft_survives,
            "hung_screen": self.hung_screen_is_restarted,
            "killed_recorder": self.killed_recorder_records_on,
            "resume": self.resume_after_power_cut,
        }

    def wait_restarted(self, *services: str) -> None:
        """Wait until systemd has restarted ``services`` as often as expected."""
        wanted = self.units.expected_restarts

        def restarted() -> bool:
            return all(restarts(service) == wanted[service] for service in services)

        wait_until(restarted, f"{services} started again", RESTART_SECONDS)

    def services_have_their_users(self) -> None:
        """Check that each service runs as the user of its own.

        Raises:
            KioskError: one does not.
        """
        for service in SERVICES:
            owner = Path(f"/proc/{main_pid(service)}").owner()
            if owner != f"kiosk-{service}":
                raise KioskError(f"kiosk-{service} runs as {owner}")

    def microphones_have_priority(self) -> None:
        """Check that every process that reads a microphone has real-time priority.

        Raises:
            KioskError: one has not.
        """
        wanted = len(MICROPHONES)

        def found() -> bool:
            pids = processes("recorder")
            return sum(os.sched_getscheduler(pid) == os.SCHED_RR for pid in pids) == wanted

        wait_until(found, f"{wanted} processes with SCHED_RR")

    def copy(self, stick: Path) -> None:
        """Copy the newest hearing onto a stick."""
        copy_hearing(self.room, self.driver, self.result, stick)

    def copy_to_stick_later(self) -> None:
        """Plug a stick in while the kiosk runs, and copy onto it."""
        plug_stick(STICK_LATER)
        self.copy(STICK_LATER)

    def read_back(self) -> None:
        """Read everything back with standard tools.

        Raises:
            KioskError: something is not as it must be.
        """
        report = build_report(self.room, self.driver, self.result, self.room.out)
        write_json(self.room.out / "report.json", report)
        if not report["ok"]:
            raise KioskError("; ".join(report["failed"]))

    def draft_survives(self) -> None:
        """Kill all services in a filing; the secretary opens it, the visitor ends it.

        Raises:
            KioskError: the central system does not have all its pages.
        """
        driver = self.driver
        known = set(self.room.central.rglob("filings/*/*.pdf"))
        scan_pages(self.room, driver)
        for service in SERVICES:
            self.units.expected_restarts[service] += 1
        systemctl("kill", "--signal=KILL", *(f"kiosk-{name}.service" for name in SERVICES))
        self.wait_restarted(*SERVICES)
        driver.wait_screen("visitor.home", seconds=RESTART_SECONDS)
        self.room.wait_ready()
        self.room.show_badge("secretary")
        driver.wait_screen("secretary.today")
        driver.tap("today.leftovers")
        driver.wait_screen("secretary.unfinished_filings")
        driver.take_screenshot("secretary-draft")
        driver.tap("leftovers.open.1")
        submit_documents(self.room, driver, self.result)

        def registered() -> set[Path]:
            return set(self.room.central.rglob("filings/*/*.pdf")) - known

        (made,) = wait_until(registered, "the draft at the central system", RESTART_SECONDS)
        if pdf_pages(made) != 3:
            raise KioskError(f"{pdf_pages(made)} pages of the draft were registered")

    def hung_screen_is_restarted(self) -> None:
        """Stop the screen in a hearing: it is restarted onto it, and nothing is lost.

        The hearing is left running.
        """
        room, driver = self.room, self.driver
        hearing = start_hearing(room, driver)
        wait_until(lambda: room.hearing()["seconds"] >= RECORDED_SECONDS, "a recording")
        recorded = float(room.hearing()["seconds"])
        self.units.expected_restarts["ui"] += 1
        (screen,) = processes("ui", "python", "kiosk", "ui")
        os.kill(screen, signal.SIGSTOP)
        self.wait_restarted("ui")
        driver.wait_screen("secretary.lock", "secretary.recording", seconds=RESTART_SECONDS)
        running = room.hearing()
        if running["id"] != hearing or running["part"] != 1 or running["seconds"] <= recorded:
            raise KioskError(f"the hearing did not go on: {running}")

    def killed_recorder_records_on(self) -> None:
        """Kill the recorder in the running hearing: it records on, and is left doing so."""
        before = self.room.hearing()
        self.units.expected_restarts["recorder"] += 1
        self.units.signal("recorder", signal.SIGKILL)
        self.wait_restarted("recorder")
        self.wait_recording_on(before)
        write_json(self.room.out / RUNNING, self.room.hearing())

    def wait_recording_on(self, before: dict[str, Any]) -> None:
        """Wait until the hearing ``before`` is recorded on, in a new part."""

        def goes_on() -> bool:
            hearing = self.room.hearing()
            if hearing.get("id") != before["id"] or hearing["part"] <= before["part"]:
                return False
            return bool(hearing["seconds"] > before["seconds"] + RECORDED_SECONDS)

        wait_until(goes_on, "the hearing recorded on", RESTART_SECONDS)

    def resume_after_power_cut(self) -> None:
        """Find the same hearing being recorded after the power cut; end and deliver it.

        Raises:
            KioskError: less is recorded than before the cut, or it is not sealed correctly.
        """
        room, driver = self.room, self.driver
        before = read_json(room.out / RUNNING)
        driver.wait_screen("secretary.lock", seconds=RESTART_SECONDS)
        self.wait_recording_on(before)
        driver.tap("staff.enter")
        room.show_badge("secretary")
        driver.wait_screen("secretary.recording")
        answer_question(driver)
        end_hearing(room, driver, before["id"])
        verified, words = run_verify(room.paths.hearings / before["id"], room.paths.court_ca)
        if not verified:
            raise KioskError(f"kiosk verify: {words}")
        sign_out(driver)
