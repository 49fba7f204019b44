"""The report of a self-test: every check, the baseline of commissioning, sealed for delivery.

Reports are numbered (``sequence``): the newest has the highest number, whatever the clock said. The
baseline is the newest report of a commissioning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kiosk
from kiosk.clocks import boot_id, format_wall
from kiosk.selftest.model import CHECKS, CheckResult, SelfTestContext
from kiosk.selftest.signed_report import REPORT, save_signed_report
from kiosk.storage.atomic_io import read_json
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)

KIND = "selftest"
CONTRACT = 1


def read_reports(paths: Paths) -> list[dict[str, Any]]:
    """Return all readable self-test reports, newest first; damaged ones are logged and left out."""
    reports = [report for path in _report_files(paths) if (report := _read(path)) is not None]
    return sorted(reports, key=lambda report: int(report["sequence"]), reverse=True)


def _report_files(paths: Paths) -> Iterator[Path]:
    if paths.reports.is_dir():
        yield from paths.reports.glob(f"*/{REPORT}")


def _read(path: Path) -> dict[str, Any] | None:
    """Return one self-test report; None if it is of another kind or damaged."""
    try:
        report = read_json(path)
        if report["kind"] != KIND:
            return None
        for value in report["results"]:
            CheckResult.from_json(value)
        int(report["sequence"])
        list(report["ran"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s: not a self-test report: %s", path.parent.name, error)
        return None
    return report


def find_baseline(reports: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the newest report of commissioning, or None."""
    return next((report for report in reports if report.get("commissioning")), None)


def latest_results(paths: Paths) -> dict[str, CheckResult]:
    """Return the newest result of every check; ``never_tested`` if there is none."""
    return newest_results(read_reports(paths))


def newest_results(reports: list[dict[str, Any]]) -> dict[str, CheckResult]:
    """Return the newest result of every check in ``reports`` (newest first)."""
    results = {check: CheckResult(check, "never_tested", "never_tested", at="") for check in CHECKS}
    for report in reversed(reports):
        for value in report["results"]:
            if value["check"] in report["ran"] and value["check"] in results:
                results[value["check"]] = CheckResult.from_json(value)
    return results


def iter_numbers(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    """Yield ``(dotted path, number)`` of every number in measured values (no booleans)."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield path, float(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from iter_numbers(inner, f"{path}.{key}" if path else str(key))


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
    before = dict(iter_numbers(then["measured"]))
    return {
        path: round(number - before[path], 3)
        for path, number in iter_numbers(measured)
        if path in before
    }


def build_report(
    context: SelfTestContext,
    ran: Mapping[str, CheckResult],
    started: str,
    list_devices: list[dict[str, Any]] | None,
    earlier: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the report's content.

    Args:
        ran: results of this run by check.
        started: wall time of its start.
        list_devices: devices that the recorder reports in use, or None if it did not answer.
        earlier: reports before this one, newest first.
    """
    baseline = find_baseline(earlier)
    results = newest_results(earlier) | dict(ran)
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
        "ended": format_wall(),
        "commissioning": context.commissioning,
        "baseline": None if baseline is None else baseline.get("id"),
        "devices": list_devices,
        "ran": list(ran),
        "passed": states.count("passed"),
        "failed": states.count("failed"),
        "skipped": states.count("skipped"),
        "results": [result.as_json() for result in results.values()],
    }


def save_report(context: SelfTestContext, report: Mapping[str, Any]) -> Path:
    """Save and seal ``report``; return its folder.

    Raises:
        StorageError, RecordingError: it cannot be saved or sealed.
    """
    return save_signed_report(context.paths, context.settings.kiosk.id, report)
