"""Reads the noise floor of each microphone at commissioning from the signed self-test reports.

It imports nothing of the self-test, whose libraries the recorder does not need at its start.
"""

from __future__ import annotations

import logging

from kiosk.storage.atomic_io import read_json
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)


def load_noise_floors(paths: Paths) -> dict[str, float]:
    """Return the noise floor (dB of full scale) by microphone; empty before commissioning.

    The newest commissioning has the highest sequence number; damaged reports are skipped.
    """
    newest, floors = -1, dict[str, float]()
    for path in sorted(paths.reports.glob("*/report.json")):
        try:
            report = read_json(path)
            if not report.get("commissioning") or int(report["sequence"]) <= newest:
                continue
            (measured,) = (
                row["measured"]
                for row in report["results"]
                if row["check"] == "microphones" and row["state"] == "passed"
            )
            measured_floors = {name: float(values["noise_db"]) for name, values in measured.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            log.warning("%s: no baseline: %s", path.parent.name, error)
            continue
        newest, floors = int(report["sequence"]), measured_floors
    return floors
