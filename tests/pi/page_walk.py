"""What runs inside the booted tree for ``test_installation_page.py``: walks through the page.

Runs the shell blocks in order, as a login user who may use sudo, and goes on after the restart that
one of them orders. It knows of the page only what a person does beside it: settings, the code from
the court, a disk. It runs on Debian's Python: the page makes the kiosk's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

OUT = Path("/out")
STATE = OUT / "state.json"
COURT = Path("/court")
DATA = Path("/run/court")
HOME = Path("/opt/courtroom-kiosk")
MIRROR = "/dev/loop6"
DROP_INS = {
    "kiosk-ui.service": "WLR_BACKENDS=headless WLR_RENDERER=pixman WLR_LIBINPUT_NO_DEVICES=1",
    "kiosk-recorder.service": "GPIOZERO_PIN_FACTORY=mock",
}


def say(*command: str, environment: dict[str, str] | None = None) -> str:
    """Run a command; return what it prints."""
    answer = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    if answer.returncode:
        raise RuntimeError(f"{command}: {answer.returncode}: {answer.stdout}{answer.stderr}")
    return answer.stdout.strip()


def central(*arguments: str) -> tuple[str, ...]:
    """Return a command of the court's central system."""
    return (str(COURT / ".venv/bin/python"), "-m", "kiosk.cli", "central", *arguments)


def start_court() -> dict[str, str]:
    """Start the court's central system; return what its IT tells."""
    here = {"PYTHONPATH": str(COURT)}
    seed = OUT / "seed.toml"
    seed.write_text('[court]\nid = "court"\nname = {kk = "Сот", ru = "Суд", en = "Court"}\n')
    say(*central("init", "--data", str(DATA), "--seed", str(seed)), environment=here)
    code = say(
        *central("enrol-code", "--data", str(DATA), "kiosk-0001", "--room", "1"), environment=here
    )
    serve = central("--data", str(DATA), "--port", "0", "--no-searchable")
    say("systemd-run", "--unit=court", f"--setenv=PYTHONPATH={COURT}", *serve)
    wait(lambda: (DATA / "address").exists(), "the central system's address")
    return {"CODE": code.split()[-1], "CENTRAL": (DATA / "address").read_text().strip()}


def wait(condition: Any, what: str, seconds: float = 60) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.1)


def prepare(block: str, variables: dict[str, str]) -> None:
    """Do what a person does before a block."""
    if "make install" in block and not (HOME / ".venv").exists() and HOME.exists():
        keep_environment()
    if "kiosk enroll" in block:
        variables |= start_court()
    if "reboot" in block:
        for unit, values in DROP_INS.items():
            folder = Path(f"/etc/systemd/system/{unit}.d")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "virtual.conf").write_text(f"[Service]\nEnvironment={values}\n")
    if "mkfs" in block:
        say("systemctl", "daemon-reexec")  # process 1 was here before udev
        (OUT / "mirror.img").write_bytes(bytes(64 << 20))
        say("losetup", MIRROR, str(OUT / "mirror.img"))
    if "mirror adopt" in block:
        Path("/sys/block/loop6/uevent").write_text("add")
        wait(lambda: os.path.ismount("/media/kiosk-mirror"), "the second storage is mounted")


def keep_environment() -> None:
    """Bring Python packages of an earlier run: as a cache of pip would, without the network."""
    for folder in ("upper", "work"):
        Path("/cache", folder).mkdir(exist_ok=True)
    (HOME / ".venv").mkdir()
    layers = f"lowerdir={COURT}/.venv,upperdir=/cache/upper,workdir=/cache/work"
    with Path("/etc/fstab").open("a") as file:
        file.write(f"overlay {HOME}/.venv overlay {layers} 0 0\n")
    say("mount", f"{HOME}/.venv")


def run_block(block: str, variables: dict[str, str]) -> None:
    """Run one block as the login user."""
    settings = [f"{name}={value}" for name, value in variables.items()]
    shell = [
        "runuser",
        "-u",
        "clerk",
        "--",
        "env",
        *settings,
        "bash",
        "-euo",
        "pipefail",
        "-c",
        block,
    ]
    answer = subprocess.run(
        shell, cwd="/home/clerk", capture_output=True, text=True, check=False, timeout=300
    )
    print(f"--- {block}\n{answer.stdout}{answer.stderr}", flush=True)
    if answer.returncode:
        raise RuntimeError(f"{block}\n{answer.stdout[-3000:]}{answer.stderr[-3000:]}")


def walk() -> dict[str, Any]:
    """Run the blocks from where the last boot stopped; return what is true at the end."""
    todo = json.loads((OUT / "blocks.json").read_text(encoding="utf-8"))
    state = (
        json.loads(STATE.read_text())
        if STATE.exists()
        else {"next": 0, "variables": todo["variables"]}
    )
    found: dict[str, Any] = {}
    while state["next"] < len(todo["blocks"]):
        block = todo["blocks"][state["next"]]
        if "make install" in block and state["next"] == 0:
            first, rest = block.split(
                "cd /opt", 1
            )  # cloned first: then its environment has a place
            run_block(first, state["variables"])
            block = "cd /opt" + rest
        prepare(block, state["variables"])
        state["next"] += 1
        STATE.write_text(json.dumps(state))
        if "make uninstall" in block:
            found = look()
        run_block(block, state["variables"])
        if "reboot" in block:
            time.sleep(60)  # this process ends with the machine
    return {**found, "left": left_over()}


def look() -> dict[str, Any]:
    """Return what is true of the installed, enrolled kiosk."""
    units = ("kiosk-recorder", "kiosk-sync", "kiosk-ui")
    data = Path("/var/lib/kiosk/identity")
    return {
        "boots": len(say("journalctl", "--list-boots", "--quiet").splitlines()),
        "units": {unit: say("systemctl", "show", "-P", "ActiveState", unit) for unit in units},
        "certificate": sorted(path.name for path in data.iterdir()),
        "mirror": (Path("/media/kiosk-mirror") / "kiosk-storage.json").exists(),
    }


def left_over() -> list[str]:
    """Return what the removal has left of the kiosk's files."""
    listed = (HOME / "packaging/installed-files.txt").read_text(encoding="utf-8").splitlines()
    places = [Path(line.split()[0]) for line in listed if line.startswith("/")]
    kept = [
        Path("/etc/kiosk/kiosk.toml"),
        Path("/var/lib/kiosk/hearings"),
        Path("/etc/systemd/timesyncd.conf.d"),
    ]
    return [str(path) for path in (*places, *kept) if path.exists() or path.is_symlink()]


def main() -> int:
    """Walk; the outcome or the error goes into the file."""
    try:
        outcome = walk()
    except Exception:
        journal = subprocess.run(
            ["journalctl", "-b", "--no-pager", "-n", "60"],
            capture_output=True,
            text=True,
            check=False,
        )
        outcome = {"error": traceback.format_exc(), "journal": journal.stdout}
    finally:
        subprocess.run(
            ["umount", "--lazy", "/media/kiosk-mirror"], check=False, capture_output=True
        )
        subprocess.run(["losetup", "--detach", MIRROR], check=False, capture_output=True)
    Path(sys.argv[1]).write_text(json.dumps(outcome), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
