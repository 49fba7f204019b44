"""Watches which device each source has: another one than before is journalled and an alarm.

Two microphones of one model cannot be told apart by ear at once: after sticks were exchanged, the
witness would be recorded as the judge, and everything else would be well. Without the courtroom's
camera, the one above the desk is the first that libcamera finds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from kiosk.api.recorder import AlarmKey, Device, OpenedDevice
from kiosk.api.states import Phase
from kiosk.errors import StorageError
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.storage.atomic_io import read_json, write_json

log = logging.getLogger(__name__)
CAMERA = "camera"
THREAD = "known-inputs"


class KnownInputs:
    """Knows the device of each source: that of the commissioning, or the first one there.

    A changed setting makes a new device the known one: somebody wanted it.

    Args:
        path: file that keeps the known ones (JSON).
        devices: returns the devices in use now.
    """

    def __init__(self, path: Path, devices: Callable[[], list[Device]]) -> None:
        self._path = path
        self._devices = devices
        self._lock = threading.Lock()
        self._file_lock = threading.Lock()
        self._known = self._load()
        self._replaced: dict[str, dict[str, Any]] = {}
        self._told: set[tuple[str, int, str]] = set()

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            known = read_json(self._path)
            return {
                name: {
                    "setting": str(row["setting"]),
                    "opened": OpenedDevice.model_validate(row["opened"]).to_json(),
                }
                for name, row in known.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.error("%s: the known microphones cannot be read: %s", self._path.name, error)
            return {}

    def accept(self, checks: Collection[str]) -> None:
        """Make the devices that are in use now the known ones, as at commissioning.

        Args:
            checks: those that passed: ``camera``, ``microphones``.
        """
        with self._lock:
            for device in self._opened():
                if (CAMERA if device.name == CAMERA else "microphones") in checks:
                    self._known[device.name] = _as_known(device)
                    self._replaced.pop(device.name, None)
            self._save()

    def _opened(self) -> list[Device]:
        return [device for device in self._devices() if device.opened is not None]

    def _save(self) -> None:
        """Write the file in a thread of its own: the steps of a hearing wait for no disk here."""
        threading.Thread(target=self._write, name=THREAD, daemon=True).start()

    def _write(self) -> None:
        with self._file_lock:
            with self._lock:
                known = dict(self._known)
            try:
                write_json(self._path, known)
            except (OSError, StorageError) as error:
                log.error("%s: the known microphones cannot be written: %s", self._path, error)

    def poll(self, hearing: OpenHearing | None) -> bool:
        """Compare once; journal what is new in ``hearing``; return whether anything changed."""
        changed = False
        is_recording = hearing is not None and hearing.state.phase == Phase.RECORDING
        for device in self._opened():
            changed |= self._compare(device)
            if hearing is not None and is_recording:
                changed |= self._journal(hearing, device)
        return changed

    def _compare(self, device: Device) -> bool:
        """Compare a device with the known one; return whether the result is new."""
        now = _as_known(device)
        with self._lock:
            known = self._known.get(device.name)
            if known is None or known["setting"] != now["setting"]:
                self._known[device.name] = known = now
                self._save()
            is_other = _identity(known) != _identity(now)
            was_other = device.name in self._replaced
            if is_other:
                self._replaced[device.name] = known["opened"]
            elif was_other:
                del self._replaced[device.name]
        if is_other and not was_other:
            log.error("%s is another device than before: %s", device.name, device.opened)
        return is_other != was_other

    def _journal(self, hearing: OpenHearing, device: Device) -> bool:
        """Journal a device that the part's first line does not have, and one that is another."""
        assert device.opened is not None
        name, part, opened = device.name, hearing.state.part, device.opened.to_json()
        fields = {"part": part, "source": name, "opened": opened}
        is_new = hearing.state.inputs.get(name) != opened
        if is_new:
            hearing.append("input_opened", fields)
        key = (hearing.state.id, part, name)
        known = self._replaced.get(name)
        if known is None or (key in self._told and not is_new):
            return is_new
        self._told = {other for other in self._told if other[:2] == key[:2]} | {key}
        hearing.append("input_replaced", {**fields, "known": known})
        return True

    def is_replaced(self, name: str) -> bool:
        """Return whether a source is another device than the known one."""
        return name in self._replaced

    def alarms(self) -> Iterator[AlarmKey]:
        """Yield an alarm for each source that is another device than the known one."""
        for name in sorted(self._replaced):
            yield ("camera_replaced" if name == CAMERA else "microphone_replaced"), name


def _as_known(device: Device) -> dict[str, Any]:
    assert device.opened is not None
    return {"setting": device.setting, "opened": device.opened.to_json()}


def _identity(known: dict[str, Any]) -> tuple[object, ...]:
    """Return what makes a device this one; a serial number in the settings makes the port free."""
    opened = known["opened"]
    if str(known["setting"]).startswith("serial:"):
        return (opened["serial"], opened["product"])
    if opened["usb"]:
        return (opened["usb"], opened["product"], opened["serial"])
    return (opened["card"], opened["name"].partition(" (hw:")[0])
