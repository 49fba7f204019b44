"""Starts the demo's environment: central system, virtual devices and the kiosk's services.

Everything runs as in production: the services are started by their commands, the kiosk is enrolled
with a one-time code, the devices are found by the libraries that find the real ones.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.clocks import wall_time
from kiosk.config import PathSettings
from kiosk.demo import sample_court
from kiosk.demo.courtroom import Courtroom
from kiosk.demo.devices import MICROPHONES, virtual_devices
from kiosk.demo.processes import ProcessGroup, wait_until
from kiosk.demo.x_server import x_server
from kiosk.errors import KioskError
from kiosk.export.removable_drive import VIRTUAL_MARKER
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.storage.paths import Paths

WIDTH, HEIGHT = 1280, 800
MEDIA, STICK = "media", "stick"
"""Folder whose folders are the demo's removable drives, and the one in it."""


@dataclass
class DemoEnvironment(Courtroom):
    """The courtroom of the demo: its kiosk's services are processes of their own."""

    processes: ProcessGroup
    settings: Path


def _to_toml(value: object) -> str:
    """Return ``value`` as TOML (JSON's strings, numbers and lists are TOML's)."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_to_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Path):
        value = str(value)
    return json.dumps(value, ensure_ascii=False)


def write_settings(path: Path, groups: Mapping[str, Any]) -> None:
    """Write ``kiosk.toml`` from its groups."""
    lines = []
    for name, content in groups.items():
        tables = content if isinstance(content, list) else [content]
        head = f"[[{name}]]" if isinstance(content, list) else f"[{name}]"
        for table in tables:
            lines += [head, *(f"{key} = {_to_toml(value)}" for key, value in table.items()), ""]
    path.write_text("\n".join(lines), encoding="utf-8")


@contextmanager
def demo_environment(out: Path, poll_seconds: float = 2) -> Iterator[DemoEnvironment]:
    """Set up the environment under ``out``; tear it down at the end of the block.

    Args:
        poll_seconds: between two questions of sync to the central system.
    """
    for name in (
        "kiosk",
        "central",
        "screens",
        "logs",
        "printed",
        "voices",
        "paper",
        "exchange",
        MEDIA,
    ):
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True)
    (out / MEDIA / STICK).mkdir()
    (out / MEDIA / VIRTUAL_MARKER).touch()
    with ExitStack() as stack:
        run = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kiosk-demo-")))
        display = stack.enter_context(x_server(WIDTH, HEIGHT, out / "logs" / "x-server.log"))
        microphones = stack.enter_context(
            VirtualMicrophones(run / "mics", MICROPHONES, headset=True)
        )
        devices = stack.enter_context(virtual_devices(out, microphones))
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
                **court_settings(url, poll_seconds),
                "paths": {
                    "data": path_settings.data,
                    "run": path_settings.run,
                    "volatile_data_ok": True,  # a demo may run in memory
                },
                "camera": {"back_end": "virtual"},
                "export": {"media": [str(out / MEDIA)]},
                "ui": {"width": WIDTH, "height": HEIGHT, "fullscreen": False, "automation": True},
                **devices.settings(),
            },
        )
        enroll_kiosk(processes.environment, out / "central", url, out / "exchange")
        paths = Paths.from_settings(path_settings)
        demo = DemoEnvironment(
            out, paths, display, processes, out / "central", devices, processes, settings
        )
        for service in ("recorder", "sync", "ui"):
            processes.start_kiosk(service, service)
        demo.wait_ready()
        yield demo


def court_settings(url: str, poll_seconds: float = 2) -> dict[str, dict[str, object]]:
    """Return the groups of ``kiosk.toml`` that name the court and its central system."""
    return {
        "kiosk": {
            "id": sample_court.KIOSK_ID,
            "room": sample_court.ROOM,
            "court": sample_court.COURT_NAME,
        },
        "central": {"url": url, "poll_seconds": poll_seconds},
    }


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


def run_kiosk(environment: Mapping[str, str], *arguments: str) -> str:
    """Run ``kiosk ARGUMENTS`` to its end; return its output.

    Raises:
        KioskError: it failed; the message is its output.
    """
    result = subprocess.run(
        [sys.executable, "-m", "kiosk.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise KioskError(f"kiosk {arguments[0]}: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout.strip()


def enroll_kiosk(environment: Mapping[str, str], central: Path, url: str, exchange: Path) -> None:
    """Enrol the kiosk as a technician does, with a one-time code from the court's IT.

    Args:
        central: data of the central system, which the kiosk's users cannot read.
        exchange: folder for what the court hands to the kiosk and back; they write there.
    """
    code = run_kiosk(
        environment, "central", "enrol-code", "--data", str(central), sample_court.KIOSK_ID
    )
    ca = Path(shutil.copyfile(central / "authority" / "ca.crt", exchange / "ca.crt"))
    run_kiosk(environment, "enroll", "--code", code.split()[-1], "--url", url, "--ca", str(ca))
    prove_court_keys(environment, central, exchange)


def prove_court_keys(environment: Mapping[str, str], central: Path, exchange: Path) -> None:
    """Prove that the court and its escrow can open closed parts at their workstations."""
    output = run_kiosk(environment, "court-keys", "challenge", "--out", str(exchange))
    for challenge in output.splitlines():
        owner = "escrow" if "escrow" in Path(challenge).name else "court"
        key = central / "authority" / f"{owner}-age-key.txt"
        answer = run_kiosk(environment, "decrypt", "--key", str(key), "--challenge", challenge)
        run_kiosk(environment, "court-keys", "answer", answer.split()[-1])
