"""The machine as a kiosk: values in force and USB sticks in the booted, installed tree.

systemd-nspawn boots it with a writable /sys, so that the tree's own udev runs.
"""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from tests.pi.boot import HOME, install_kiosk, run_booted

LOOPS = range(7)
# What Raspberry Pi OS brings and Debian does not.
VOLATILE = "usr/lib/systemd/journald.conf.d/40-rpi-volatile-storage.conf"
FILES = {
    VOLATILE: "[Journal]\nStorage=volatile\n",
    "etc/udev/rules.d/50-test.rules": 'KERNEL=="loop[0-9]*", ENV{ID_BUS}="usb"\n',
    "etc/systemd/system/kiosk-stick@.service.d/test.conf": "[Service]\nDeviceAllow=block-loop r\n",
    # It may not set the clock of the machine that tests.
    "etc/systemd/system/systemd-timesyncd.service.d/test.conf": (
        "[Unit]\nConditionVirtualization=\nConditionCapability=\n"
        "[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\n"
    ),
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the booted tree reports."""
    install_kiosk()
    out = tmp_path_factory.mktemp("host")
    bound = ["--bind=/dev/loop-control", *(f"--bind=/dev/loop{number}" for number in LOOPS)]
    for place, text in FILES.items():
        file = out / place.replace("/", "_")
        file.write_text(text, encoding="utf-8")
        bound.append(f"--bind-ro={file}:/{place}")
    return run_booted(
        "tests.pi.host_probe",
        out,
        limit_s=240,
        options=["--volatile=overlay", *bound],
        arguments=["systemd.mask=systemd-udev-trigger.service"],
        environment={"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "yes"},
    )


pytestmark = pytest.mark.timeout(300)


def test_the_journal_is_on_the_disk_and_has_a_limit(outcome: dict[str, Any]) -> None:
    places = dict(outcome["values"]["journal"])
    (on_disk,) = [limit for place, limit in places.items() if place.startswith("/var/log/journal/")]
    assert on_disk <= 500 * 1024 * 1024


def test_no_key_switches_the_kiosk_off_and_no_console_opens(outcome: dict[str, Any]) -> None:
    logind = outcome["values"]["logind"]
    assert logind.pop("NAutoVTs") == "u 0"
    assert set(logind.values()) == {'s "ignore"'}
    units = outcome["values"]["units"]
    assert units["ctrl-alt-del.target"].split()[0] == "masked"
    assert units["getty@tty1.service"].split() == ["masked", "inactive"]
    assert "CtrlAltDelBurstAction=none" in outcome["values"]["manager"]


def test_nothing_can_start_swap(outcome: dict[str, Any]) -> None:
    units = outcome["values"]["units"]
    assert units["swap.target"].split() == ["masked", "inactive"]
    assert "Mechanism=none" in outcome["values"]["rpi_swap"]


def test_no_memory_of_a_process_comes_onto_the_disk(outcome: dict[str, Any]) -> None:
    values = outcome["values"]
    assert "DefaultLimitCORE=0" in values["manager"]
    patterns = re.findall(r"^kernel\.core_pattern *= *(.*)$", values["sysctl"], re.MULTILINE)
    assert patterns[-1] == "|/bin/false"
    assert re.findall(r"^kernel\.sysrq *= *(.*)$", values["sysctl"], re.MULTILINE)[-1] == "0"
    assert "Storage=none" in values["coredump"]
    assert values["tmp"] == "tmpfs"


def test_the_watchdog_of_the_kiosk_overrides_that_of_the_system(outcome: dict[str, Any]) -> None:
    assert "RuntimeWatchdogUSec=14s" in outcome["values"]["manager"]


def test_edited_time_servers_are_asked_at_once(outcome: dict[str, Any]) -> None:
    assert outcome["time_servers"] == ["192.0.2.1 ntp.court.example", "192.0.2.8", ""]


def test_sticks_are_mounted_at_fixed_places_with_safe_options(outcome: dict[str, Any]) -> None:
    stick = outcome["stick"]
    assert stick["first"] == "/media/kiosk/stick1"
    assert stick["second"] == "/media/kiosk/stick2"
    assert stick["drives"] == ["/media/kiosk/stick1", "/media/kiosk/stick2"]
    options = set(stick["options"].split(","))
    assert {"rw", "nosuid", "nodev", "noexec", "nosymfollow"} <= options


def test_what_is_written_belongs_to_the_sticks_own_owner(outcome: dict[str, Any]) -> None:
    assert outcome["stick"]["owner_on_the_stick"] == ["1000", "1000"]


def test_a_pulled_stick_is_gone_everywhere_and_can_come_again(outcome: dict[str, Any]) -> None:
    stick = outcome["stick"]
    assert stick["in_the_sandbox_after_pulling"] == ""
    assert stick["empty_place_is_of"] == "root"
    assert stick["again"] == "/media/kiosk/stick1"


def test_a_read_only_stick_is_mounted_and_not_offered(outcome: dict[str, Any]) -> None:
    stick = outcome["stick"]
    assert stick["read_only"] == ["/media/kiosk/stick3", "ro"]
    assert stick["drives_with_a_read_only_one"] == ["/media/kiosk/stick1", "/media/kiosk/stick2"]


def test_the_second_storage_has_its_own_place(outcome: dict[str, Any]) -> None:
    assert outcome["stick"]["mirror"] == "/media/kiosk-mirror"
    assert "there is a second storage already" in outcome["stick"]["second_mirror"]


def test_what_is_no_file_system_of_a_stick_is_left_alone(outcome: dict[str, Any]) -> None:
    assert "no file system for a stick: squashfs" in outcome["stick"]["foreign"]
    assert "SYSTEMD_WANTS" not in outcome["stick"]["no_file_system"]


def test_the_rules_are_well_formed() -> None:
    rules = sorted((HOME / "packaging/host").glob("*.rules"))
    assert len(rules) == 2
    subprocess.run(["udevadm", "verify", *rules], check=True)


def test_a_kiosk_has_no_compiler() -> None:
    """The Debian packages of a kiosk and what they depend on, from dpkg's own records."""
    setup = [str(HOME / "packaging/setup.sh"), "--pi", "--run-only", "--print-packages"]
    wanted = subprocess.run(setup, check=True, capture_output=True, text=True).stdout.split()
    found = packages_needed(wanted)
    assert {"cage", "python3-numpy", "libsane1"} <= found
    compilers = re.compile(r"(gcc|g\+\+|cpp|clang|make|build-essential|binutils)(-.*)?|.*-dev")
    # Debian's numpy brings its own headers; gcc-14-base holds a licence and no program.
    harmless = {"python3-numpy-dev", "gcc-14-base"}
    assert sorted(name for name in found - harmless if compilers.fullmatch(name)) == []


def packages_needed(wanted: list[str]) -> set[str]:
    """Return ``wanted`` and all installed packages that they depend on, directly or not."""
    form = "${db:Status-Status}|${Package}|${Provides}|${Pre-Depends}, ${Depends}\n"
    listed = subprocess.run(
        ["dpkg-query", "-W", "-f", form], capture_output=True, text=True, check=True
    )
    depends: dict[str, str] = {}
    provided: dict[str, str] = {}
    for line in listed.stdout.splitlines():
        status, package, provides, needs = line.split("|", 3)
        if status == "installed":
            depends[package] = needs
            provided |= dict.fromkeys(
                re.findall(r"[a-z0-9][a-z0-9+.-]+(?=[,: ]|$)", provides), package
            )
    found: set[str] = set()
    queue = list(wanted)
    while queue:
        name = queue.pop()
        name = name if name in depends else provided.get(name, "")
        if name and name not in found:
            found.add(name)
            queue += re.findall(r"(?:^|[,|] *)([a-z0-9][a-z0-9+.-]+)", depends[name])
    return found
