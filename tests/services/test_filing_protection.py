"""The recorder's alarm while unfinished filings cannot be protected for the secretary."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.conftest import MakeRecorder

pytestmark = pytest.mark.slow


def codes(state: dict[str, Any]) -> set[str]:
    """Return the codes of the alarms that are on."""
    return {row["code"] for row in state["alarms"]}


def test_public_keys_that_cannot_be_read_or_written_raise_an_alarm(
    make_recorder: MakeRecorder,
) -> None:
    recorder = make_recorder(camera="none", microphones=None)
    public = recorder.paths.public_keys
    recorder.start()
    assert "filing_unprotected" not in codes(recorder.state())
    (key,) = public.iterdir()
    key.chmod(0o600)  # the touch screen is another user
    recorder.wait_for_state(lambda state: "filing_unprotected" in codes(state), "the alarm")
    key.chmod(0o644)
    recorder.wait_for_state(lambda state: "filing_unprotected" not in codes(state), "its end")
    recorder.stop()

    key.unlink()
    public.rmdir()
    public.write_text("a file where the folder should be")
    recorder.start()
    assert "filing_unprotected" in codes(recorder.state())
