"""What "help by phone" sends: the technical state, without anything about a person or a case.

Everything is named here, key by key; nothing is copied whole, and each text must look technical.
Names of microphones are replaced by numbers, since a technician may call one after somebody.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import kiosk
from kiosk.alarms import is_known
from kiosk.api.base import Model
from kiosk.api.recorder import Alarm, Device, RecorderState
from kiosk.api.sync import SyncState
from kiosk.api.upkeep import LoggedAlarm, ServiceStatus
from kiosk.clocks import boot_id, parse_wall
from kiosk.config import Settings
from kiosk.hardware.machine_health import read_machine_health
from kiosk.selftest.measurements import MEASURED, OF_EVERY_CHECK, Each, Value
from kiosk.selftest.model import CheckState
from kiosk.selftest.report import read_reports
from kiosk.storage.paths import Paths

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "kiosk": ("id", "language", "timezone"),
    "camera": ("back_end", "width", "height", "fps", "bitrate", "keyframe_seconds", "picture"),
    "scanner": ("kind", "colour", "resolution"),
    "printer": ("port", "answers"),
    "badge": ("port", "baud"),
    "panel": ("enabled", "lamp_pin", "button_pin", "call_pin"),
    "recording": ("fragment_ms", "planned_minutes", "encrypt", "keep_delivered_days"),
    "morning_check": ("at",),
    "ui": ("fullscreen", "width_mm", "staff_idle_minutes"),
}
"""Keys of the settings that are sent; all others are not, as those with free text or addresses."""
MICROPHONE = ("role", "device", "channel", "rate", "noise_gate")
REPORTS, LOGGED = 5, 100
_TECHNICAL = re.compile(r"[A-Za-z0-9 _.,:;()/+=*%#<>\[\]-]{0,120}")
_PERSONAL = re.compile(
    r"(?:\d[ -]?){11}|\d{2,}-\d{2}-\d{2}-|\d-\d+/\d|[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-"
)
"""An IIN, BIN or telephone number, a case number, an id (of a hearing, a filing, a person)."""
LEFT_OUT = "(left out)"


def build_bundle(
    settings: Settings,
    paths: Paths,
    recorder: RecorderState,
    sync: SyncState | None,
    services: Mapping[str, ServiceStatus | None],
    devices: Iterable[Device],
    alarms: Iterable[LoggedAlarm],
) -> dict[str, Any]:
    """Return the bundle; every text of it has been looked at.

    Args:
        sync, services: None where a service does not answer.
        alarms: the last alarms, the newest first.
    """
    numbers = {row.name: f"microphone {n}" for n, row in enumerate(settings.microphones, 1)}
    bundle = {
        "versions": _versions(),
        "services": {name: _of(status) for name, status in services.items()},
        "settings": _settings(settings),
        "recorder": _recorder(recorder, numbers),
        "sync": _sync(sync, numbers),
        "devices": [_device(device, numbers) for device in devices],
        "machine": read_machine_health().as_json(),
        "alarms": [_alarm(row, numbers) for row in alarms][:LOGGED],
        "self_tests": [_report(report, numbers) for report in read_reports(paths)[:REPORTS]],
    }
    return {key: clean(value) for key, value in bundle.items()}


def clean(value: object) -> Any:  # noqa: ANN401 - any JSON
    """Return ``value`` with each text that does not look technical, or may be an id, left out."""
    if isinstance(value, Mapping):
        return {str(clean(str(key))): clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(inner) for inner in value]
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**16 else LEFT_OUT
    text = str(value)
    is_technical = _TECHNICAL.fullmatch(text) and not _PERSONAL.search(text)
    return text if is_technical else LEFT_OUT


def _versions() -> dict[str, Any]:
    return {
        "kiosk": kiosk.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "boot": boot_id().partition("-")[0],
    }


def _of(model: Model | None, *keys: str) -> dict[str, Any] | None:
    """Return ``keys`` of a model, all where none are named."""
    if model is None:
        return None
    fields = model.to_json()
    return {key: fields[key] for key in keys or fields}


def _settings(settings: Settings) -> dict[str, Any]:
    tables = settings.model_dump(mode="json")
    sent: dict[str, Any] = {
        name: {key: tables[name][key] for key in keys if key in tables[name]}
        for name, keys in SETTINGS.items()
    }
    if settings.printer.address:
        sent["printer"]["port"] = "network"  # a computer may be called after somebody
    sent["microphones"] = [{key: row[key] for key in MICROPHONE} for row in tables["microphones"]]
    sent["has_mirror"] = settings.paths.mirror is not None
    sent["has_headset"] = bool(settings.headset.device)
    return sent


def _recorder(state: RecorderState, numbers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "phase": state.phase,
        "parts": state.hearing.parts if state.hearing else 0,
        "camera": _of(state.camera),
        "microphones": [
            {
                "name": numbers.get(row.name, LEFT_OUT),
                "state": row.state,
                "refusal": row.refusal.reason if row.refusal else None,
                "offered": list(row.refusal.offered) if row.refusal else [],
            }
            for row in state.microphones
        ],
        "storage": _of(state.storage, "state", "free_bytes", "total_bytes", "volatile"),
        "mirror": _of(state.mirror),
        "clock": _of(state.clock),
        "court_keys": _of(state.court_keys),
        "proof": _of(state.proof, "state", "age_seconds"),
        "alarms": [_alarm(row, numbers) for row in state.alarms],
    }


def _sync(state: SyncState | None, numbers: Mapping[str, str]) -> dict[str, Any] | None:
    if state is None:
        return None
    return {
        "link": _of(state.link, "state", "problem"),
        "queue": _of(state.queue),
        "uploads": _of(state.uploads),
        "database": state.database,
        "lists": [_of(row, "list", "rows", "unreadable") for row in state.lists],
        "alarms": [_alarm(row, numbers) for row in state.alarms],
    }


def _device(device: Device, numbers: Mapping[str, str]) -> dict[str, Any]:
    opened = device.opened
    return {
        "name": numbers.get(device.name, device.name),
        "library": device.library,
        "version": device.version,
        "virtual": device.virtual,
        "real_time": device.real_time,
        "opened": _of(opened, "name", "card", "usb", "product", "rate", "channels")
        if opened
        else None,
    }


def _alarm(row: Alarm | LoggedAlarm, numbers: Mapping[str, str]) -> dict[str, Any]:
    """Return code and times; what an alarm is about only where it is a device's number."""
    said = {"code": _code(row.code), "source": numbers.get(row.source or "")}
    if isinstance(row, LoggedAlarm):
        said |= {"began": _moment(row.began), "ended": _moment(row.ended)}
    return said


def _code(value: object) -> str | None:
    """Return the code of an alarm."""
    text = str(value or "")
    return (text if is_known(text) else LEFT_OUT) if text else None


def _moment(value: object) -> str | None:
    """Return a wall time."""
    text = str(value or "")
    return (text if parse_wall(text) else LEFT_OUT) if text else None


def _report(report: Mapping[str, Any], numbers: Mapping[str, str]) -> dict[str, Any]:
    """Return the results of a self-test: states and numbers, nobody and nothing said."""
    return {
        "commissioning": bool(report.get("commissioning")),
        "started": _moment(report.get("started")),
        "results": [
            {
                "check": row["check"],
                "state": row["state"] if row["state"] in get_args(CheckState) else LEFT_OUT,
                "code": _code(row["code"]),
                "measured": _numbers(
                    {**OF_EVERY_CHECK, **MEASURED[row["check"]]}, row["measured"], numbers
                ),
            }
            for row in report["results"]
            if str(row["check"]) in MEASURED
        ],
    }


def _numbers(
    values: Mapping[str, Value], measured: object, names: Mapping[str, str]
) -> dict[str, Any]:
    """Return the numbers among measured values that :data:`MEASURED` has.

    A part with a name of its own, as a microphone that the settings do not have any more, gets a
    number.
    """
    found: dict[str, Any] = {}
    rows = measured.items() if isinstance(measured, Mapping) else ()
    for number, (key, value) in enumerate(rows, 1):
        name, spec = key, values.get(key)
        if spec is None:
            name, spec = names.get(key, f"part {number}"), values.get("*")
        if isinstance(spec, Each):
            found[name] = _numbers(spec.values, value, names)
        elif name == key and spec is not None and isinstance(value, bool | int | float):
            found[name] = value
    return found
