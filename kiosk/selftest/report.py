"""The report of a self-test: every check, the baseline of commissioning, sealed for delivery.

Reports are numbered (``sequence``): the newest is the one with the highest number, never the one
with the latest clock. The baseline is the newest report that was taken as commissioning.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kiosk
from kiosk.clocks import boot_id, wall_text
from kiosk.selftest.model import CHECKS, Context, Result
from kiosk.selftest.signed_report import REPORT, save_sealed
from kiosk.storage.paths import Layout

log = logging.getLogger(__name__)

KIND = "selftest"
CONTRACT = 1


def read_reports(layout: Layout) -> list[dict[str, Any]]:
    """Return all readable self-test reports, newest first; a damaged one is left out and logged."""
    found = [report for path in _report_files(layout) if (report := _read(path)) is not None]
    return sorted(found, key=lambda report: int(report["sequence"]), reverse=True)


def _report_files(layout: Layout) -> Iterator[Path]:
    if layout.reports.is_dir():
        yield from layout.reports.glob(f"*/{REPORT}")


def _read(path: Path) -> dict[str, Any] | None:
    """Return one self-test report, or None: another kind, or damaged."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        if report["kind"] != KIND:
            return None
        for value in report["results"]:
            Result.of_json(value)
        int(report["sequence"])
        list(report["ran"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s: not a self-test report: %s", path.parent.name, error)
        return None
    return dict(report)


def baseline_of(reports: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the newest report of commissioning, or None."""
    return next((report for report in reports if report.get("commissioning")), None)


def latest_results(layout: Layout) -> dict[str, Result]:
    """Return the newest result of every check; ``never_tested`` where there is none."""
    return newest_of(read_reports(layout))


def newest_of(reports: list[dict[str, Any]]) -> dict[str, Result]:
    """Return the newest result of every check in ``reports`` (newest first)."""
    found = {check: Result(check, "never_tested", "never_tested", at="") for check in CHECKS}
    for report in reversed(reports):
        for value in report["results"]:
            if value["check"] in report["ran"] and value["check"] in found:
                found[value["check"]] = Result.of_json(value)
    return found


def numbers_in(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    """Yield ``(dotted path, number)`` of every number in measured values (no booleans)."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield path, float(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from numbers_in(inner, f"{path}.{key}" if path else str(key))


def deviations(
    measured: Mapping[str, Any], baseline: Mapping[str, Any] | None, check: str
) -> dict[str, float]:
    """Return value now minus value at commissioning, for each number measured both times."""
    results = [] if baseline is None else baseline["results"]
    then = next(
        (row for row in results if row["check"] == check and row["state"] == "passed"), None
    )
    if then is None:
        return {}
    before = dict(numbers_in(then["measured"]))
    return {
        path: round(number - before[path], 3)
        for path, number in numbers_in(measured)
        if path in before
    }


def build_report(
    context: Context,
    ran: Mapping[str, Result],
    started: str,
    devices: list[dict[str, Any]] | None,
    earlier: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the report's content.

    Args:
        context: what ran.
        ran: results of this run by check.
        started: wall time of the beginning.
        devices: what the recorder says is truly in use, or None when it did not answer.
        earlier: reports before this one, newest first.
    """
    baseline = baseline_of(earlier)
    results = newest_of(earlier) | dict(ran)
    states = [result.state for result in ran.values()]
    return {
        "contract": CONTRACT,
        "kind": KIND,
        "sequence": 1 + max((int(report["sequence"]) for report in earlier), default=0),
        "kiosk": context.settings.kiosk.id,
        "room": context.settings.kiosk.room,
        "software": kiosk.__version__,
        "boot_id": boot_id(),
        "person": context.person,
        "started": started,
        "ended": wall_text(),
        "commissioning": context.commissioning,
        "baseline": None if baseline is None else baseline.get("id"),
        "devices": devices,
        "ran": list(ran),
        "passed": states.count("passed"),
        "failed": states.count("failed"),
        "skipped": states.count("skipped"),
        "results": [result.as_json() for result in results.values()],
    }


def save_report(context: Context, report: Mapping[str, Any]) -> Path:
    """Save and seal ``report``; return its folder.

    Raises:
        StorageError, RecordingError: it cannot be saved or sealed.
    """
    return save_sealed(context.layout, context.settings.kiosk.id, report)
