"""The noise floor of each microphone at commissioning, from the signed self-test reports.

Read without the self-test's own modules, whose libraries the recorder does not need at its start.
"""

from __future__ import annotations

import json
import logging

from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)


def load_noise_floors(paths: Paths) -> dict[str, float]:
    """Return the noise floor (dB of full scale) by microphone; empty before commissioning.

    The newest commissioning is the one with the highest number; damaged reports are skipped.
    """
    newest, floors = -1, dict[str, float]()
    for path in sorted(paths.reports.glob("*/report.json")):
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            if not report.get("commissioning") or int(report["sequence"]) <= newest:
                continue
            (measured,) = (
                row["measured"]
                for row in report["results"]
                if row["check"] == "microphones" and row["state"] == "passed"
            )
            measured_floors = {name: float(values["noise_db"]) for name, values in measured.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s: no baseline: %s", path.parent.name, error)
            continue
        newest, floors = int(report["sequence"]), measured_floors
    return floors
