"""Detects the type of the link (R32): wired, Wi-Fi or mobile network; from ``/sys``, ``/proc``."""

from __future__ import annotations

from pathlib import Path

WIRED, WIFI, CELLULAR, UNKNOWN = "wired", "wifi", "cellular", "unknown"
ARPHRD_PPP = "512"
ARPHRD_RAWIP = "519"
MOBILE_DRIVERS = frozenset({"cdc_mbim", "qmi_wwan", "cdc_ncm", "huawei_cdc_ncm", "sierra_net"})
RTF_GATEWAY = 0x2


def default_interface(proc: Path = Path("/proc/net")) -> str | None:
    """Return the interface of the default route (IPv4, else IPv6), or None without one."""
    return _default_v4(proc / "route") or _default_v6(proc / "ipv6_route")


def _default_v4(path: Path) -> str | None:
    best: tuple[int, str] | None = None
    for fields in _lines(path):
        if len(fields) >= 8 and fields[1] == "00000000" and fields[7] == "00000000":
            candidate = (int(fields[6]), fields[0])
            best = candidate if best is None else min(best, candidate)
    return None if best is None else best[1]


def _default_v6(table: Path) -> str | None:
    for fields in _lines(table):
        if len(fields) >= 10 and fields[0] == "0" * 32 and fields[1] == "00" and fields[9] != "lo":
            return fields[9]
    return None


def _lines(table: Path) -> list[list[str]]:
    try:
        return [line.split() for line in table.read_text(encoding="ascii").splitlines()]
    except OSError:
        return []


def link_type_of(interface: str | None, sys: Path = Path("/sys/class/net")) -> str:
    """Return ``wired``, ``wifi``, ``cellular`` or ``unknown`` for an interface."""
    if interface is None:
        return UNKNOWN
    device = sys / interface
    if (device / "wireless").is_dir() or (device / "phy80211").exists():
        return WIFI
    driver = device / "device" / "driver"
    name = driver.resolve().name if driver.exists() else ""
    kind = _read(device / "type")
    if (
        kind in (ARPHRD_PPP, ARPHRD_RAWIP)
        or name in MOBILE_DRIVERS
        or "wwan" in _read(device / "uevent")
    ):
        return CELLULAR
    return WIRED if kind == "1" else UNKNOWN


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def detect_link_type() -> str:
    """Return the link type of the default route."""
    return link_type_of(default_interface())
