"""The technician's run against the real recorder, which dies before it can save the report."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.selftest.model import TouchPoint
from kiosk.selftest.report import read_reports
from kiosk.settings_files import load_settings
from kiosk.ui.actions.self_test_runner import SelfTestRunner
from kiosk.ui.registry import SelfTestPlace
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states
from kiosk.ui.technician.self_test import SelfTestView, self_test_view
from kiosk.ui.view_context import ViewContext
from tests.services.recorder_process import RecorderProcess

pytestmark = pytest.mark.slow

TRANSLATE = Translator("en")
CONTEXT = ViewContext(
    TRANSLATE, RuleLabels(TRANSLATE, load_rules()), ZoneInfo("Asia/Almaty"), service_states.NOW
)


@pytest.fixture
def recorder() -> Iterator[RecorderProcess]:
    """A recorder without devices."""
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        made = RecorderProcess(Path(folder), camera="none")
        made.start()
        yield made
        made.close()


async def nobody(seconds: float) -> str | None:
    """Show no badge."""
    del seconds
    return None


async def no_finger(seconds: float) -> dict[TouchPoint, float]:
    """Touch nothing."""
    del seconds
    return {}


def test_a_dead_recorder_costs_no_result_and_the_report_is_saved_later(
    recorder: RecorderProcess,
) -> None:
    async def story() -> None:
        token = await asyncio.to_thread(recorder.sign_in, "technician")
        client = LocalClient(recorder.paths.recorder_socket, token)
        sync = LocalClient(recorder.paths.sync_socket)
        settings = load_settings(recorder.folder / "kiosk.toml")

        def kill_before_the_end() -> None:
            if runner.state.running == "delivery" and recorder.process.poll() is None:
                recorder.kill()

        runner = SelfTestRunner(
            settings, recorder.paths, client, sync, nobody, no_finger, kill_before_the_end
        )

        def view() -> SelfTestView:
            return self_test_view(CONTEXT, runner.state, SelfTestPlace(), ())

        await runner.run()
        assert not runner.is_running
        assert runner.state.results["storage"].state == "passed"
        told = view()
        assert told.report.startswith("The report is not saved yet. Nothing can be recorded now")
        assert (told.report_tone, told.can_save_again) == ("fault", True)

        await runner.load()  # the technician comes back to the screen
        assert runner.state.results["storage"].state == "passed"
        await runner.save_again()
        assert view().can_save_again

        await asyncio.to_thread(recorder.start)
        client.token = await asyncio.to_thread(recorder.sign_in, "technician")
        await runner.save_again()
        assert (view().report_tone, view().can_save_again) == ("good", False)
        (report,) = await asyncio.to_thread(read_reports, recorder.paths)
        assert report["person"] == "p-technician"
        assert {row["check"]: row["state"] for row in report["results"]}["storage"] == "passed"
        await runner.save_again()
        assert len(read_reports(recorder.paths)) == 1
        await client.close()
        await sync.close()

    asyncio.run(story())
