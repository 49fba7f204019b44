"""Who takes over one service gets nothing of the others: tried in the booted, installed units."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.hardware.sources.audio_child import REAL_TIME_PRIORITY
from tests.pi.boot import install_kiosk, run_booted

SERVICES = ("ui", "sync", "recorder")
REFUSALS = ("refused", "hidden", "Read-only file system")
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What an intruder in each unit could do."""
    install_kiosk()
    out = tmp_path_factory.mktemp("sandbox")
    out.chmod(0o755)
    return run_booted("tests.pi.sandbox_probe", out, limit_s=240, options=["--volatile=overlay"])


@pytest.mark.parametrize("service", SERVICES)
def test_an_intruder_is_refused_everything_that_is_not_the_services_own(
    outcome: dict[str, Any], service: str
) -> None:
    """No signal, no key, no forged token, no other process's files, no change of a recording."""
    tried = outcome["told"][service]["tried"]
    assert len(tried) >= 20
    assert {name: how for name, how in tried.items() if how not in REFUSALS} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_the_same_process_may_do_the_services_own_work(
    outcome: dict[str, Any], service: str
) -> None:
    assert set(outcome["told"][service]["may"].values()) == {"done"}
    assert outcome["told"][service]["nice"] == "done"


def test_the_screen_writes_filings_and_its_own_folder_alone(outcome: dict[str, Any]) -> None:
    places = ("/var/lib/kiosk/filings", "/run/kiosk/ui")
    assert [p for p in outcome["told"]["ui"]["writable"] if not p.startswith(places)] == []


def test_only_the_recorder_gets_real_time_priority(outcome: dict[str, Any]) -> None:
    """A machine whose hard limit is 0, as a container has, refuses it to the recorder as well."""
    got = {name: told["real_time"] for name, told in outcome["told"].items()}
    recorder = outcome["told"]["recorder"]
    assert recorder["scheduler"] == "done"  # the filter lets the call pass
    allowed = "done" if recorder["real_time_limit"] >= REAL_TIME_PRIORITY else "refused"
    assert got == {"recorder": allowed, "sync": "refused", "ui": "refused"}


def test_the_recorder_and_the_recording_are_as_before(outcome: dict[str, Any]) -> None:
    before, after = outcome["pids"]
    assert before == after, outcome["journal"]
    assert outcome["unchanged"]


def test_the_exposure_is_low_as_the_kiosks_own_systemd_counts(outcome: dict[str, Any]) -> None:
    assert max(outcome["exposure"].values()) <= 2.0
