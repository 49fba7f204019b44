"""Queries the feeder's state directly from an eSCL (Mopria, AirScan) scanner.

SANE gives no status without starting a page, and sane-airscan knows neither a double feed nor an
open hatch: both arrive as some other error. So the kiosk asks the scanner itself, at its address in
``airscan.conf``. Values of AdfState: Mopria eSCL Technical Specification.
"""

from __future__ import annotations

import configparser
import contextlib
import re
from pathlib import Path
from typing import Literal

import requests

FeederState = Literal["loaded", "empty", "jam", "cover", "double_feed", "gone"]

_SECONDS = 2.0
_SYSTEM_CONFIG = Path("/etc/sane.d")
_STATES: dict[str, FeederState] = {
    "ScannerAdfLoaded": "loaded",
    "ScannerAdfProcessing": "loaded",
    "ScannerAdfEmpty": "empty",
    "ScannerAdfJam": "jam",
    "ScannerAdfMispick": "jam",
    "ScannerAdfInputTrayFailed": "jam",
    "ScannerAdfDoorOpen": "cover",
    "ScannerAdfHatchOpen": "cover",
    "ScannerAdfMultipickDetected": "double_feed",
}


def query_feeder(device: str, config_dir: Path | None) -> FeederState | None:
    """Return the state of the device's feeder; None: not an eSCL scanner, or no known state."""
    url = status_url(device, config_dir)
    return None if url is None else feeder_state(url)


def status_url(device: str, config_dir: Path | None) -> str | None:
    """Return the URL of the scanner's status, or None if it is not reached by eSCL.

    Args:
        device: SANE device name, such as ``airscan:e0:Desk``.
        config_dir: ``SANE_CONFIG_DIR``; None for the system's.
    """
    back_end, _, name = device.partition(":")
    if back_end != "airscan":
        return None
    name = name.partition(":")[2]
    parser = configparser.ConfigParser(
        delimiters=("=",), strict=False, interpolation=None, allow_no_value=True
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names have capitals
    with contextlib.suppress(OSError, UnicodeDecodeError, configparser.Error):
        text = ((config_dir or _SYSTEM_CONFIG) / "airscan.conf").read_text(encoding="utf-8")
        parser.read_string(text)
        for key, value in parser["devices"].items() if "devices" in parser else ():
            url, _, protocol = (value or "").partition(",")
            if key.strip().strip('"') == name and protocol.strip().lower() in ("", "escl"):
                return f"{url.strip().rstrip('/')}/ScannerStatus"
    return None


def feeder_state(url: str) -> FeederState | None:
    """Return the feeder's state, or None if the answer holds no known one."""
    try:
        # The scanner is beside the kiosk: no proxy; its certificate is self-signed.
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url, timeout=_SECONDS, verify=False)
    except requests.RequestException:
        return "gone"
    found = re.search(r"<(?:\w+:)?AdfState>\s*(\w+)\s*<", answer.text)
    return _STATES.get(found.group(1)) if found and answer.ok else None
