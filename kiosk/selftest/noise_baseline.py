"""The noise floor of each microphone at commissioning, from the signed self-test reports.

Read without the self-test's own room, whose libraries the recorder does not need at its start.
"""

from __future__ import annotations

import json
import logging

from kiosk.storage.paths import Layout

log = logging.getLogger(__name__)


def noise_floors(layout: Layout) -> dict[str, float]:
    """Return the noise floor (dB of full scale) by microphone; empty before commissioning.

    The newest commissioning is the one with the highest number; a damaged report is passed over.
    """
    newest, found = -1, dict[str, float]()
    for path in sorted(layout.reports.glob("*/report.json")):
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            if not report.get("commissioning") or int(report["sequence"]) <= newest:
                continue
            (measured,) = (
                row["measured"]
                for row in report["results"]
                if row["check"] == "microphones" and row["state"] == "passed"
            )
            floors = {name: float(one["noise_db"]) for name, one in measured.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s: no baseline: %s", path.parent.name, error)
            continue
        newest, found = int(report["sequence"]), floors
    return found
