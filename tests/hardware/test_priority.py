"""A sandbox that refuses another priority stops no child; the refusal is logged."""

from __future__ import annotations

import errno
import os

import pytest

from kiosk.hardware.child_process.priority import lower_priority


def test_a_refused_priority_is_logged_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_increment: int) -> int:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "nice", refuse)
    lower_priority(5)
    assert "the priority cannot be lowered: Operation not permitted" in caplog.text
