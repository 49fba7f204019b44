"""What runs inside the booted tree (see ``test_boot.py``): the installed units, put to work.

Starts the recorder's unit as user ``kiosk-recorder`` in its sandbox, records, kills it, lets
systemd start it again, ends the hearing and verifies it. Writes what happened to the file named on
the command line.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kiosk.config import load_settings
from kiosk.hardware.virtual.microphones import VirtualMicrophoneClient
from kiosk.storage.paths import Paths
from tests.support.virtual_courtroom import MICROPHONES, RecorderClient, settings_text
from tests.support.waiting import wait_for

SETTINGS = Path("/etc/kiosk/kiosk.toml")
PATHS = {"data": "/var/lib/kiosk", "run": "/run/kiosk"}
UNIT = "kiosk-recorder.service"
DELIVERY = "kiosk-sync.service"
HANDED_ON = ("LD_PRELOAD", "PYTHONPATH", "KIOSK_CAMERA_ALLOCATOR", "PYTHONDONTWRITEBYTECODE")
CAMSHIM = "CAMSHIM_"


def systemctl(*arguments: str) -> str:
    """Run systemctl; return what it prints."""
    answer = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"systemctl {' '.join(arguments)}: {answer.stderr} {answer.stdout}")
    return answer.stdout.strip()


@contextlib.contextmanager
def voices(folder: Path) -> Iterator[VirtualMicrophoneClient]:
    """Keep virtual microphones up as the recorder's user."""
    folder.mkdir()
    os.chown(folder, *owner())
    # The shim is for the camera alone: a sound server has no business with it.
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    module = [sys.executable, "-m", "kiosk.hardware.virtual.microphones"]
    with subprocess.Popen(
        [*module, "--dir", str(folder), "--names", ",".join(MICROPHONES)],
        user="kiosk-recorder",
        group="kiosk",
        extra_groups=[],
        env={**environment, "HOME": str(folder)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError("the virtual microphones do not start")
        try:
            yield VirtualMicrophoneClient(folder)
        finally:
            process.terminate()


def owner() -> tuple[int, int]:
    """Return user and group id of the recorder."""
    found = Path("/var/lib/kiosk").stat()
    return found.st_uid, found.st_gid


def give_environment(room: VirtualMicrophoneClient) -> None:
    """Tell the unit where the virtual devices are, as a drop-in for this boot."""
    given = {key: os.environ[key] for key in HANDED_ON}
    given |= {key: value for key, value in os.environ.items() if key.startswith(CAMSHIM)}
    given |= {**room.environment, "GPIOZERO_PIN_FACTORY": "mock"}
    folder = Path(f"/run/systemd/system/{UNIT}.d")
    folder.mkdir(parents=True)
    lines = ["[Service]", *(f'Environment="{key}={value}"' for key, value in given.items())]
    (folder / "virtual.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    systemctl("daemon-reload")


def main_pid() -> int:
    """Return the process id of the recorder's unit."""
    return int(systemctl("show", "--property=MainPID", "--value", UNIT))


def trial(room: VirtualMicrophoneClient) -> dict[str, Any]:
    """Record, kill, resume, seal, verify; return what was found."""
    SETTINGS.write_text(settings_text(PATHS, {"back_end": "picamera2"}, room), encoding="utf-8")
    recorder = RecorderClient(Paths.from_settings(load_settings(SETTINGS).paths))
    recorder.publish_staff()
    for path in recorder.paths.staff.parent.rglob("*"):
        os.chown(path, *owner())
    give_environment(room)
    systemctl("start", UNIT)
    systemctl("start", DELIVERY)  # ready although it was never enrolled and has no network
    user = Path(f"/proc/{main_pid()}").owner()
    recorder.wait_ready(60)
    recorder.sign_in()
    hearing = recorder.start_hearing()
    recorder.wait_recorded(3.0)
    os.kill(main_pid(), signal.SIGKILL)
    wait_for(lambda: (recorder.state().get("hearing") or {}).get("id") == hearing, "recovery", 60)
    recorder.sign_in()
    recorder.wait_ready(60)
    report = recorder.verify(recorder.end_hearing())
    restarts = int(systemctl("show", "--property=NRestarts", "--value", UNIT))
    delivery = systemctl("show", "--property=ActiveState", "--value", DELIVERY)
    return {"user": user, "restarts": restarts, "delivery": delivery, "report": report}


def main() -> int:
    """Run the trial; the outcome or the error goes into the file."""
    out = Path(sys.argv[1])
    try:
        with voices(Path("/run/mics")) as room:
            outcome = trial(room)
    except Exception:
        log = subprocess.run(
            ["journalctl", "--no-pager", "-u", "kiosk-*"],
            capture_output=True,
            text=True,
            check=False,
        )
        outcome = {"error": traceback.format_exc(), "journal": log.stdout[-4000:]}
    out.write_text(json.dumps(outcome), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
