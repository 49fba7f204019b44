"""The newest self-test and the newest commissioning, in the few numbers that court IT's list shows.

Reports never change once they are sealed: each is read once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk.storage.atomic_io import read_json
from kiosk.storage.hearing_folder import SIGNATURE

log = logging.getLogger(__name__)
_REPORT, _KIND = "report.json", "selftest"


class ReportSummaries:
    """Reads the sealed reports of a kiosk.

    Args:
        folder: with a folder for each report.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Mapping[str, Any] | None] = {}

    def read(self) -> dict[str, Any]:
        """Return ``selftest`` and ``commissioned`` of the heartbeat; without those never made."""
        reports = sorted(self._reports(), key=lambda report: int(report["sequence"]))
        summaries = {}
        for report in reports:
            summary = {key: report[key] for key in ("id", "at", "passed", "failed")}
            summaries["selftest"] = summary
            if report["commissioning"]:
                summaries["commissioned"] = summary | {"open": report["open"]}
        return summaries

    def _reports(self) -> list[Mapping[str, Any]]:
        try:
            names = [path.parent.name for path in self._folder.glob(f"*/{SIGNATURE}")]
        except OSError as error:
            log.error("the reports cannot be read: %s", error.strerror)
            return []
        for name in names:
            if name not in self._known:
                self._known[name] = _summarise(self._folder / name)
        return [report for name in names if (report := self._known[name]) is not None]


def _summarise(folder: Path) -> Mapping[str, Any] | None:
    """Return what is shown of one report; None: it is of another kind, or damaged."""
    try:
        report = read_json(folder / _REPORT)
        if report["kind"] != _KIND:
            return None
        steps = report.get("steps") or {}
        return {
            "sequence": int(report["sequence"]),
            "commissioning": bool(report["commissioning"]),
            "id": folder.name,
            "at": str(report["ended"])[:40],
            "passed": int(report["passed"]),
            "failed": int(report["failed"]),
            "open": [str(name)[:40] for name, row in steps.items() if _is_open(row)],
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        log.warning("%s: not a self-test report: %s", folder.name, error)
        return None


def _is_open(step: Mapping[str, Any]) -> bool:
    """Return whether a step of commissioning is still to be done."""
    is_settled = step["state"] == "skipped" and step.get("reason") == "not_needed"
    return not is_settled and step["state"] != "done"
