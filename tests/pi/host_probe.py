"""What runs inside the booted tree for ``test_host.py``: reads values in force, plugs sticks in.

A stick is a loop device that udev takes for one on USB; it is pulled by the kernel's own "remove"
event. Udev runs in the tree, so rule, unit, script and process 1 are those that are installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.export.removable_drive import find_drives
from tests.support.waiting import wait_for

SETTINGS = Path("/etc/kiosk/kiosk.toml")
MEDIA = Path("/media/kiosk")
RECORDER = "kiosk-recorder"
POWER_KEYS = ("PowerKey", "PowerKeyLongPress", "RebootKey", "SuspendKey", "HibernateKey")
JOURNAL_SPACE = "ec387f577b844b8fa948f33cad9a75e6"  # systemd's SD_MESSAGE_JOURNAL_USAGE
LOGIND = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")


def say(*command: str, check: bool = True) -> str:
    """Run a command; return what it prints."""
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and answer.returncode:
        raise RuntimeError(f"{' '.join(command)}: {answer.stdout}{answer.stderr}")
    return answer.stdout.strip()


def values_in_force() -> dict[str, Any]:
    """Return what the running system says of itself."""
    journal = [
        json.loads(line)
        for line in say("journalctl", "-b", "-o", "json", f"MESSAGE_ID={JOURNAL_SPACE}").split("\n")
    ]
    keys = [f"Handle{key}" for key in POWER_KEYS]
    units = ("swap.target", "ctrl-alt-del.target", "getty@tty1.service")
    return {
        "journal": [(row["JOURNAL_PATH"], int(row["MAX_USE"])) for row in journal],
        "logind": {key: say("busctl", "get-property", *LOGIND, key) for key in (*keys, "NAutoVTs")},
        "manager": say(
            *("systemctl", "show", "--property=DefaultLimitCORE"),
            *("--property=CtrlAltDelBurstAction", "--property=RuntimeWatchdogUSec"),
        ).split("\n"),
        "units": {
            unit: say("systemctl", "show", "--property=LoadState,ActiveState", "--value", unit)
            for unit in units
        },
        "sysctl": say("/usr/lib/systemd/systemd-sysctl", "--cat-config"),
        "coredump": say("systemd-analyze", "cat-config", "systemd/coredump.conf"),
        "rpi_swap": say("systemd-analyze", "cat-config", "rpi/swap.conf"),
        "tmp": say("findmnt", "--noheadings", "--output", "FSTYPE", "/tmp"),
    }


def time_servers() -> list[str]:
    """Return the servers in force after each edit of the settings."""
    shown = ("timedatectl", "show-timesync", "--property=SystemNTPServers", "--value")
    running = ("systemctl", "is-active", "kiosk-host.service")
    text = SETTINGS.read_text(encoding="utf-8")
    found: list[str] = []

    def save(*servers: str) -> None:
        edited = text.replace("[kiosk]\n", f"[kiosk]\ntime_servers = {json.dumps(servers)}\n", 1)
        SETTINGS.write_text(edited, encoding="utf-8")

    def wait_shown(*servers: str) -> None:
        wait_for(lambda: say(*shown, check=False) == " ".join(servers), f"servers {servers}", 30)
        wait_for(lambda: say(*running, check=False) == "inactive", "the unit has ended", 30)
        found.append(say(*shown))

    say("systemctl", "start", "systemd-timesyncd.service")
    save("192.0.2.1", "ntp.court.example")
    wait_shown("192.0.2.1", "ntp.court.example")
    save("192.0.2.7")
    wait_for(lambda: say(*running, check=False) == "activating", "the unit runs", 30)
    save("192.0.2.8")  # saved again while the unit works
    wait_shown("192.0.2.8")
    save()
    wait_shown()
    SETTINGS.write_text(text, encoding="utf-8")
    return found


class Stick:
    """A stick: an image on a loop device.

    Args:
        number: of the loop device; make_file_system: command that writes the file system, with the
            image as last argument (None: there is none).
    """

    def __init__(self, number: int, make_file_system: tuple[str, ...] | None) -> None:
        self.image = Path(f"/run/stick{number}.img")
        self.device = f"/dev/loop{number}"
        self._uevent = Path(f"/sys/block/loop{number}/uevent")
        with self.image.open("wb") as file:
            file.truncate(24 << 20)
        if make_file_system is not None:
            say(*make_file_system, str(self.image))

    def plug(self, *options: str) -> None:
        """Plug it in for the first time."""
        say("losetup", *options, self.device, str(self.image))
        say("udevadm", "settle")

    def send(self, event: str) -> None:
        """Pull it (``remove``) or plug it in again (``add``)."""
        self._uevent.write_text(event)
        say("udevadm", "settle")

    @property
    def place(self) -> str:
        """Where it is mounted, empty if nowhere."""
        command = ("findmnt", "--noheadings", "--output", "TARGET", "--source", self.device)
        return say(*command, check=False)

    @property
    def options(self) -> str:
        """The options it is mounted with."""
        command = ("findmnt", "--noheadings", "--output", "OPTIONS", "--source", self.device)
        return say(*command, check=False)

    def wait_placed(self) -> str:
        """Wait until it is mounted; return where."""
        wait_for(lambda: self.place != "", f"{self.device} mounted", 30)
        return self.place

    def wait_handled(self) -> str:
        """Wait until its unit has run; return what that said."""
        unit = f"kiosk-stick@{self.device.removeprefix('/dev/')}.service"
        wait_for(lambda: "Finished" in say("journalctl", "-b", "-u", unit), f"{unit} ran", 30)
        return say("journalctl", "-b", "-o", "cat", "-u", unit)


def writer(name: str, place: str) -> None:
    """Start a unit that writes into ``place`` as soon as it can, sandboxed as the recorder is."""
    limits = ("-p", "ProtectSystem=strict", "-p", "ReadWritePaths=-/media/kiosk")
    command = f"until touch {place}/{name} 2>/dev/null; do sleep 0.1; done; sleep infinity"
    user = ("-p", f"User={RECORDER}", "-p", "Group=kiosk-record")
    say("systemd-run", f"--unit={name}", *user, *limits, "sh", "-c", command)


def sticks(steps: dict[str, Any]) -> None:
    """Plug sticks in and out; put what was seen into ``steps``."""
    ext4 = ("mkfs.ext4", "-q")
    writer("before", str(MEDIA / "stick1"))
    hostile = Stick(0, (*ext4, "-L", "../../etc"))
    hostile.plug()
    steps["first"] = hostile.wait_placed()
    steps["options"] = hostile.options
    seen = MEDIA / "stick1" / "before"
    wait_for(seen.exists, "a file from the sandbox that was there before the stick", 30)
    writer("after", str(MEDIA / "stick1"))
    wait_for((MEDIA / "stick1" / "after").exists, "a file from a sandbox that came later", 30)
    owned = Stick(1, (*ext4, "-E", "root_owner=1000:1000"))
    owned.plug()
    steps["second"] = owned.wait_placed()
    user = ("setpriv", f"--reuid={RECORDER}", "--regid=kiosk-record", "--clear-groups")
    say(*user, "touch", f"{owned.place}/copy")
    writable = Path(owned.place)
    steps["drives"] = [drive.path for drive in find_drives([MEDIA])]
    hostile.send("remove")
    wait_for(lambda: hostile.place == "", "the pulled stick's place is empty", 30)
    inside = (
        "nsenter",
        "--mount",
        "--target",
        main_pid("before"),
        "findmnt",
        "/media/kiosk/stick1",
    )
    steps["in_the_sandbox_after_pulling"] = say(*inside, check=False)
    steps["empty_place_is_of"] = Path(MEDIA / "stick1").owner()
    hostile.send("add")
    steps["again"] = hostile.wait_placed()
    read_only = Stick(2, ext4)
    read_only.plug("--read-only")
    steps["read_only"] = [read_only.wait_placed(), read_only.options.split(",")[0]]
    steps["drives_with_a_read_only_one"] = [drive.path for drive in find_drives([MEDIA])]
    mirror = Stick(3, (*ext4, "-L", "kiosk-mirror"))
    mirror.plug()
    steps["mirror"] = mirror.wait_placed()
    second_mirror = Stick(4, (*ext4, "-L", "kiosk-mirror"))
    second_mirror.plug()
    steps["second_mirror"] = second_mirror.wait_handled()
    foreign = Stick(5, None)
    squashfs_4_0 = b"hsqs" + bytes(24) + b"\4\0\0\0"
    foreign.image.write_bytes(squashfs_4_0 + foreign.image.read_bytes()[len(squashfs_4_0) :])
    foreign.plug()
    steps["foreign"] = foreign.wait_handled()
    empty = Stick(6, None)
    empty.plug()
    steps["no_file_system"] = say("udevadm", "info", "--query=property", f"--name={empty.device}")
    steps["owner_on_the_stick"] = said_owner(owned, "copy", writable)


def main_pid(unit: str) -> str:
    """Return the process id of a unit."""
    return say("systemctl", "show", "--property=MainPID", "--value", unit)


def said_owner(stick: Stick, name: str, place: Path) -> list[str]:
    """Return the numbers of a file's owner and group in the file system itself."""
    say("sync", "--file-system", str(place))
    words = say("debugfs", "-R", f"stat /{name}", stick.device).split()
    return [words[words.index("User:") + 1], words[words.index("Group:") + 1]]


def let_go() -> None:
    """Free the machine's loop devices."""
    for unit in ("before", "after"):
        say("systemctl", "stop", unit, check=False)
    for place in (*MEDIA.iterdir(), Path("/media/kiosk-mirror")):
        say("umount", "--lazy", str(place), check=False)
    for number in range(7):
        say("losetup", "--detach", f"/dev/loop{number}", check=False)


def main() -> int:
    """Take every step; the outcome or the error goes into the file."""
    outcome: dict[str, Any] = {}
    steps: dict[str, Callable[[], Any]] = {
        "values": values_in_force,
        "time_servers": time_servers,
        "sticks": lambda: sticks(outcome.setdefault("stick", {})),
    }
    # Process 1 was here before udev, and listens to it only from now on.
    say("systemctl", "daemon-reexec")
    say("systemctl", "start", "kiosk-host.path")
    try:
        for name, step in steps.items():
            outcome[name] = step()
    except Exception:
        journal = say("journalctl", "-b", "--no-pager", "-n", "80", check=False)
        outcome |= {"error": traceback.format_exc(), "journal": journal}
    finally:
        let_go()
    Path(sys.argv[1]).write_text(json.dumps(outcome), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
