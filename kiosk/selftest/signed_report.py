"""Writes sealed folders under ``reports/``: sync delivers them once they have a signature."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk.evidence.seal import seal_folder
from kiosk.evidence.signer import load_device_signer
from kiosk.storage.atomic_io import make_folder, sync_folder, write_json
from kiosk.storage.paths import Paths

REPORT = "report.json"


def save_signed_report(paths: Paths, kiosk_id: str, content: Mapping[str, Any]) -> Path:
    """Save ``content`` as ``reports/<uuid>/report.json``, sealed; return the folder.

    ``id`` is added to the content.

    Raises:
        StorageError: the disk is full, read-only or gone.
        RecordingError: the device key cannot be used.
    """
    identifier = str(uuid.uuid4())
    signer, _enrolled = load_device_signer(paths, kiosk_id)
    folder = make_folder(paths.reports / identifier, 0o755)  # the touch screen shows it
    write_json(folder / REPORT, {"id": identifier, **content}, 0o644)
    seal_folder(folder, signer)
    sync_folder(paths.reports)
    return folder
