"""What runs inside the booted tree for ``test_sandbox.py``: an intruder in each service's unit.

A unit of the intruder's is the installed one of the service, with another command; recorder and
sync run meanwhile, unchanged.
"""

from __future__ import annotations

import hashlib
import json
import pwd
import re
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

HOME = Path("/opt/courtroom-kiosk")
UNITS = Path("/etc/systemd/system")
DATA = Path("/var/lib/kiosk")
FACTS = Path("/etc/kiosk/intruder.json")
RECORDING = DATA / "hearings/5f0b6a39-9f57-4b5c-8a52-2b9e4a4a8d11/part-01/main.mp4"
SECRETS = {
    RECORDING: ("kiosk-recorder", "kiosk-record", 0o640),
    DATA / "identity/device.key": ("kiosk-sync", "kiosk-record", 0o640),
    DATA / "published/staff.json": ("kiosk-sync", "kiosk-record", 0o640),
    DATA / "published/schedule.json": ("kiosk-sync", "kiosk-record", 0o644),
    DATA / "receipts/1.json": ("kiosk-sync", "kiosk-record", 0o640),
    DATA / "exports/1.json": ("kiosk-recorder", "kiosk-record", 0o640),
    DATA / "reports/1/report.json": ("kiosk-recorder", "kiosk-record", 0o644),
    DATA / "room/commissioning.json": ("kiosk-recorder", "kiosk-record", 0o644),
    DATA / "filings/1/filing.json": ("kiosk-ui", "kiosk-filing", 0o640),
    DATA / "public/note.txt": ("kiosk-recorder", "kiosk-record", 0o644),
}
TOKEN_SECRET = Path("/run/kiosk/recorder/token.secret")
DATABASE = DATA / "sync/kiosk.db"
SETTINGS = """[kiosk]
id = "kiosk-0001"
room = "1"
[camera]
back_end = "none"
"""
DROPPED = (
    r"^(ExecStart|ExecStopPost|Type|Restart|RestartSec|WatchdogSec|NotifyAccess|Wants|Conflicts)"
    r"=.*\n"
)


def run(*command: str) -> str:
    """Run a command; return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    return done.stdout.strip()


def lay_out() -> None:
    """Put something into each folder, as its service would."""
    for path, (user, group, mode) in SECRETS.items():
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir()
                shutil.chown(folder, user, group)
                folder.chmod(0o2770 if folder.is_relative_to(DATA / "hearings") else 0o2755)
        path.write_text('{"hearings": []}')
        shutil.chown(path, user, group)
        path.chmod(mode)


def facts() -> dict[str, Any]:
    """Return what the intruder would know: the source is public."""
    identity, hearings = DATA / "identity", DATA / "hearings"
    filings, sync = DATA / "filings", DATA / "sync"
    key = identity / "device.key"
    hidden = [identity, hearings, sync, DATA / "exports", DATA / "receipts", DATA / "set-aside"]
    own = [RECORDING, key, TOKEN_SECRET, DATABASE, DATA / "published/staff.json"]
    everywhere = [DATA, Path("/etc/kiosk"), HOME]
    published = [DATA / "published", DATA / "published/schedule.json", DATA / "receipts"]
    unwritable = {
        "ui": [
            *(hidden + own + published + everywhere),
            *(DATA / "reports", DATA / "reports/1/report.json", DATA / "public"),
            *(DATA / "room", DATA / "room/commissioning.json"),
            *(TOKEN_SECRET.parent, Path("/run/kiosk"), Path("/run/kiosk/sync")),
        ],
        "sync": [
            *(filings, filings / "1/filing.json", DATA / "exports", DATA / "reports"),
            *(
                RECORDING,
                TOKEN_SECRET,
                *everywhere,
                DATA / "room",
                DATA / "room/commissioning.json",
            ),
        ],
        "recorder": [filings, sync, *published, Path("/etc/kiosk"), HOME, Path("/run/kiosk/sync")],
    }
    unreadable = {
        "ui": [*hidden, *own],
        "sync": [TOKEN_SECRET, DATA / "exports", Path("/run/kiosk/ui")],
        "recorder": [filings, sync, DATABASE, Path("/run/kiosk/ui")],
    }
    units = {name: f"kiosk-{name}.service" for name in ("recorder", "sync")}
    shown = {
        name: run("systemctl", "show", "--property=MainPID", "--value", unit)
        for name, unit in units.items()
    }
    return {
        "pids": {name: int(pid) for name, pid in shown.items()},
        "users": {
            name: pwd.getpwnam(f"kiosk-{name}").pw_uid for name in ("recorder", "sync", "ui")
        },
        "unreadable": {name: [str(path) for path in paths] for name, paths in unreadable.items()},
        "unwritable": {name: [str(path) for path in paths] for name, paths in unwritable.items()},
    }


def intrude(service: str) -> dict[str, Any]:
    """Run the intruder in the unit of ``service``; return what it says."""
    text = (UNITS / f"kiosk-{service}.service").read_text()
    text = re.sub(DROPPED, "", text, flags=re.MULTILINE)
    command = f"/usr/bin/python3 {HOME}/tests/pi/intruder.py {service} {FACTS}"
    out = Path(f"/out/{service}.json")
    added = f"[Service]\nType=oneshot\nExecStart={command}\nStandardOutput=file:{out}\n"
    # Its own folder must not go when it ends.
    added += "RuntimeDirectoryPreserve=yes\n"
    name = f"intruder-{service}.service"
    (Path("/run/systemd/system") / name).write_text(
        text.replace("[Service]\n", added, 1).replace("RuntimeDirectoryPreserve=restart\n", "")
    )
    run("systemctl", "daemon-reload")
    run("systemctl", "start", name)
    told: dict[str, Any] = json.loads(out.read_text())
    return told


def exposure(service: str) -> float:
    """Return the exposure of a unit, as the tree's own systemd computes it."""
    unit = UNITS / f"kiosk-{service}.service"
    text = run("systemd-analyze", "security", "--no-pager", "--offline=true", str(unit))
    return float(text.rsplit("\n", 1)[-1].split(": ")[1].split()[0])


def trial() -> dict[str, Any]:
    """Start the services, let the intruder in, look what is left."""
    Path("/etc/kiosk/kiosk.toml").write_text(SETTINGS)
    lay_out()
    drop_in = Path("/run/systemd/system/kiosk-recorder.service.d/virtual.conf")
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text('[Service]\nEnvironment="GPIOZERO_PIN_FACTORY=mock"\n')
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "kiosk-recorder.service", "kiosk-sync.service")
    known = facts()
    for path in (*SECRETS, TOKEN_SECRET, DATABASE):
        if not path.exists():
            raise RuntimeError(f"{path}: not there, so hiding it proves nothing")
    FACTS.write_text(json.dumps(known))
    FACTS.chmod(0o644)
    before = hashlib.sha256(RECORDING.read_bytes()).hexdigest()
    told = {service: intrude(service) for service in ("ui", "sync", "recorder")}
    log = run("journalctl", "--no-pager", "--lines=40", "-u", "kiosk-*")
    return {
        "told": told,
        "journal": log,
        "unchanged": hashlib.sha256(RECORDING.read_bytes()).hexdigest() == before,
        "pids": [known["pids"], facts()["pids"]],
        "exposure": {name: exposure(name) for name in ("recorder", "sync", "ui")},
    }


def main() -> int:
    """Run the trial; the outcome or the error goes into the file."""
    try:
        outcome = trial()
    except Exception:
        log = run("journalctl", "--no-pager", "-n", "80")
        outcome = {"error": traceback.format_exc(), "journal": log[-6000:]}
    Path(sys.argv[1]).write_text(json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
