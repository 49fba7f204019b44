"""Starts the demo's environment: central system, virtual devices and the kiosk's services.

Everything runs as in production: the services are started by their commands, the kiosk is enrolled
with a one-time code, the devices are found by the libraries that find the real ones.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.clocks import wall_time
from kiosk.config import PathSettings
from kiosk.demo import sample_court
from kiosk.demo.processes import ProcessGroup, wait_until
from kiosk.demo.screen_driver import get_json
from kiosk.demo.x_server import Display, x_server
from kiosk.errors import KioskError
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader
from kiosk.hardware.virtual.claim_pages import make_claim
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.hardware.virtual.receipt_printer import VirtualPrinter
from kiosk.hardware.virtual.scanner import VirtualScanner
from kiosk.selftest.report import read_reports
from kiosk.storage.paths import Paths

WIDTH, HEIGHT = 1280, 800


@dataclass
class DemoEnvironment:
    """The courtroom of the demo: what a person can do in it, and the kiosk's folders."""

    out: Path
    paths: Paths
    display: Display
    processes: ProcessGroup
    central: Path
    settings: Path
    microphones: VirtualMicrophones
    scanner: VirtualScanner
    printer: VirtualPrinter
    badge: VirtualBadgeReader
    paper: list[Path]
    _speaking: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def load_scanner(self) -> None:
        """Load the three-page claim into the feeder, unless it is loaded."""
        if self.scanner.sheets_left == 0:
            self.scanner.load(self.paper)

    def show_badge(self, role: str) -> None:
        """Show the badge of ``role`` to the reader."""
        self.badge.scan(sample_court.BADGES[role])

    def press_button(self) -> None:
        """Press the panel's (mock) button, which is in the recorder's process."""
        self.processes.signal("recorder", signal.SIGUSR1)

    def play_voices(self) -> None:
        """Play all voices, each into its own microphone, unless they are playing."""
        self._speaking = [voice for voice in self._speaking if voice.poll() is None]
        if not self._speaking:
            self._speaking = [
                self.microphones.play(
                    voice.microphone, self.out / "voices" / f"{voice.microphone}.wav"
                )
                for voice in sample_court.SPEAKERS
            ]

    def stop_voices(self) -> None:
        """End all voices."""
        for voice in self._speaking:
            voice.kill()
            voice.wait()
        self._speaking = []

    def wait_printed_receipt(self) -> None:
        """Wait until the printer has cut a receipt."""
        wait_until(lambda: len(self.printer.receipts) > 0, "the printed receipt")

    def wait_delivered(self, kind: str, number: str, seconds: float = 60.0) -> None:
        """Wait until sync reports that the central system has everything."""

        def delivered() -> bool:
            self.processes.check()
            answer = get_json(self.paths.sync_socket, f"/v1/{kind}/{number}")
            return answer.get("state") == "delivered" or answer.get("delivered") is True

        wait_until(delivered, f"delivery of {kind}/{number}", seconds)

    def report_ids(self) -> set[str]:
        """Return the ids of the sealed self-test reports."""
        sealed = {path.parent.name for path in self.paths.reports.glob("*/SHA256SUMS.p7s")}
        return sealed & {str(report["id"]) for report in read_reports(self.paths)}


def render_voices(folder: Path, seconds: int) -> None:
    """Render each voice with espeak-ng, repeated to at least ``seconds`` (WAV, 48 kHz mono)."""
    folder.mkdir(parents=True, exist_ok=True)
    for voice in sample_court.SPEAKERS:
        raw, target = folder / f"{voice.microphone}-once.wav", folder / f"{voice.microphone}.wav"
        text = " ".join([voice.speech] * max(1, seconds // 4))
        subprocess.run(["espeak-ng", "-v", voice.voice, "-w", str(raw), text], check=True)
        subprocess.run(
            ["sox", str(raw), "-r", "48000", "-c", "1", str(target), "gain", "-6"], check=True
        )
        raw.unlink()


def _to_toml(value: object) -> str:
    """Return ``value`` as TOML (JSON's strings, numbers and lists are TOML's)."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_to_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Path):
        value = str(value)
    return json.dumps(value, ensure_ascii=False)


def write_settings(
    path: Path, groups: dict[str, dict[str, object] | list[dict[str, object]]]
) -> None:
    """Write ``kiosk.toml`` from its groups."""
    lines = []
    for name, content in groups.items():
        tables = content if isinstance(content, list) else [content]
        head = f"[[{name}]]" if isinstance(content, list) else f"[{name}]"
        for table in tables:
            lines += [head, *(f"{key} = {_to_toml(value)}" for key, value in table.items()), ""]
    path.write_text("\n".join(lines), encoding="utf-8")


@contextmanager
def demo_environment(out: Path) -> Iterator[DemoEnvironment]:
    """Set up the environment under ``out``; tear it down at the end of the block."""
    for name in ("kiosk", "central", "screens", "logs", "printed", "voices", "paper"):
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True)
    with ExitStack() as stack:
        run = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kiosk-demo-")))
        display = stack.enter_context(x_server(WIDTH, HEIGHT, out / "logs" / "x-server.log"))
        render_voices(out / "voices", seconds=60)
        paper = make_claim(out / "paper")
        names = [voice.microphone for voice in sample_court.SPEAKERS]
        microphones = stack.enter_context(VirtualMicrophones(run / "mics", names))
        scanner = stack.enter_context(VirtualScanner(seconds_per_page=0.7))
        printer = stack.enter_context(VirtualPrinter(out / "printed"))
        badge = stack.enter_context(VirtualBadgeReader())
        settings = out / "kiosk.toml"
        processes = ProcessGroup(
            out / "logs",
            {
                **os.environ,
                **microphones.environment,
                "DISPLAY": display.name,
                "GPIOZERO_PIN_FACTORY": "mock",
                "KIOSK_CONFIG": str(settings),
                "LIBGL_ALWAYS_SOFTWARE": "1",
            },
        )
        stack.callback(processes.end_all)
        url = start_central(processes, out / "central")
        path_settings = PathSettings(data=out / "kiosk", run=run)
        write_settings(
            settings,
            {
                "kiosk": {
                    "id": sample_court.KIOSK_ID,
                    "room": sample_court.ROOM,
                    "court": sample_court.COURT_NAME,
                },
                "paths": {"data": path_settings.data, "run": path_settings.run},
                "camera": {"back_end": "virtual"},
                "microphones": [
                    {
                        "name": v.microphone,
                        "role": v.role,
                        "device": microphones.device(v.microphone),
                    }
                    for v in sample_court.SPEAKERS
                ],
                "scanner": {"device": scanner.device, "sane_config_dir": scanner.config_dir},
                "badge": {"port": badge.port},
                "printer": {"port": printer.port, "width_dots": 576},
                "central": {"url": url, "poll_seconds": 2},
                "ui": {"width": WIDTH, "height": HEIGHT, "fullscreen": False, "automation": True},
            },
        )
        enroll_kiosk(processes, out / "central", url)
        paths = Paths.from_settings(path_settings)
        demo = DemoEnvironment(
            out,
            paths,
            display,
            processes,
            out / "central",
            settings,
            microphones,
            scanner,
            printer,
            badge,
            paper,
        )
        stack.callback(demo.stop_voices)
        start_kiosk(processes, paths)
        yield demo


def start_central(processes: ProcessGroup, data: Path) -> str:
    """Start the reference central system on a free port; return its URL."""
    sample_court.write_seed(data / "seed.json", wall_time())
    processes.start_kiosk(
        "central", "central", "--data", str(data), "--seed", str(data / "seed.json"), "--port", "0"
    )
    address = data / "address"

    def up() -> str:
        processes.check()
        return address.read_text().strip() if address.exists() else ""

    return wait_until(up, "the central system")


def run_kiosk(processes: ProcessGroup, *arguments: str) -> str:
    """Run ``kiosk ARGUMENTS`` to its end; return its output.

    Raises:
        KioskError: it failed; the message is its output.
    """
    result = subprocess.run(
        [sys.executable, "-m", "kiosk.cli", *arguments],
        env=processes.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise KioskError(f"kiosk {arguments[0]}: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout.strip()


def enroll_kiosk(processes: ProcessGroup, central: Path, url: str) -> None:
    """Enrol the kiosk as a technician does, with a one-time code from the court's IT."""
    code = run_kiosk(
        processes, "central", "enrol-code", "--data", str(central), sample_court.KIOSK_ID
    )
    ca = central / "authority" / "ca.crt"
    run_kiosk(processes, "enroll", "--code", code.split()[-1], "--url", url, "--ca", str(ca))
    prove_court_keys(processes, central)


def prove_court_keys(processes: ProcessGroup, central: Path) -> None:
    """Prove that the court and its escrow can open closed parts at their workstations."""
    output = run_kiosk(processes, "court-keys", "challenge", "--out", str(central / "challenges"))
    for challenge in output.splitlines():
        owner = "escrow" if "escrow" in Path(challenge).name else "court"
        key = central / "authority" / f"{owner}-age-key.txt"
        answer = run_kiosk(processes, "decrypt", "--key", str(key), "--challenge", challenge)
        run_kiosk(processes, "court-keys", "answer", answer.split()[-1])


def start_kiosk(processes: ProcessGroup, paths: Paths) -> None:
    """Start recorder, sync and UI, and wait until each answers."""
    processes.start_kiosk("recorder", "recorder")
    processes.start_kiosk("sync", "sync")
    processes.start_kiosk("ui", "ui")

    def pulled() -> bool:
        processes.check()
        state = get_json(paths.sync_socket, "/v1/state")
        return bool((state.get("schedule") or {}).get("pulled_at"))

    def ready() -> bool:
        processes.check()
        state = get_json(paths.recorder_socket, "/v1/state")
        return (state.get("camera") or {}).get("state") == "ok"

    wait_until(ready, "the recorder's camera", 60)
    wait_until(pulled, "today's list", 60)
