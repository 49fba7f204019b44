"""The report of a self-test: every check, the baseline of commissioning.

The recorder saves and signs it; until then the one who ran the test has the same content to show.

Reports are numbered (``sequence``): the newest has the highest number, whatever the clock said. The
baseline is the newest report of a commissioning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kiosk
from kiosk.api.reports import SelfTestRun
from kiosk.clocks import boot_id
from kiosk.config import Settings
from kiosk.selftest.model import CHECKS, CheckResult
from kiosk.storage.atomic_io import read_json
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)

REPORT = "report.json"
KIND = "selftest"
CONTRACT = 1
HISTORY = 8
"""So many results of a check are shown."""


def read_reports(paths: Paths) -> list[dict[str, Any]]:
    """Return all readable self-test reports, newest first; damaged ones are logged and left out."""
    try:
        files = list(paths.reports.glob(f"*/{REPORT}"))
    except OSError as error:
        log.error("the earlier reports cannot be read: %s", error.strerror)
        return []
    reports = [report for path in files if (report := _read(path)) is not None]
    return sorted(reports, key=lambda report: int(report["sequence"]), reverse=True)


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
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
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


def read_history(
    reports: list[dict[str, Any]], count: int = HISTORY
) -> dict[str, tuple[CheckResult, ...]]:
    """Return the last ``count`` results of each check that ran, newest first."""
    found: dict[str, list[CheckResult]] = {}
    for report in reports:
        for value in report["results"]:
            rows = found.setdefault(value["check"], [])
            if value["check"] in report["ran"] and len(rows) < count:
                rows.append(CheckResult.from_json(value))
    return {check: tuple(rows) for check, rows in found.items()}


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
    settings: Settings, run: SelfTestRun, earlier: list[dict[str, Any]], person: str = ""
) -> dict[str, Any]:
    """Return the report of ``run``: what was tested now, and the newest result of all else.

    Args:
        earlier: reports before this one, newest first.
        person: id of the person who is signed in; empty: nobody.
    """
    baseline = find_baseline(earlier)
    ran = {row.check: CheckResult.from_json(row.to_json()) for row in run.results}
    results = newest_results(earlier) | ran
    states = [result.state for result in ran.values()]
    return {
        "contract": CONTRACT,
        "kind": KIND,
        "sequence": 1 + max((int(report["sequence"]) for report in earlier), default=0),
        "kiosk": settings.kiosk.id,
        "room": settings.kiosk.room,
        "software": kiosk.__version__,
        "boot_id": boot_id(),
        "person": person,
        "started": run.started,
        "ended": run.ended,
        "commissioning": run.commissioning,
        "steps": {name: step.to_json() for name, step in run.steps.items()},
        "baseline": None if baseline is None else baseline.get("id"),
        "devices": None if run.devices is None else list(run.devices),
        "ran": list(ran),
        "passed": states.count("passed"),
        "failed": states.count("failed"),
        "skipped": states.count("skipped"),
        "results": [result.as_json() for result in results.values()],
    }
