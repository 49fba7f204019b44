"""A kiosk with services on sockets and virtual printer, badge reader and scanner."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kiosk.config import Camera, Microphone, Panel, Paths, Settings
from kiosk.ipc import LocalClient
from kiosk.selftest import Context
from kiosk.selftest.model import Ask, Question
from kiosk.storage.paths import Layout
from tests.selftest.services import TOKEN, Recorder, Sync


@dataclass
class Kiosk:
    """Everything of one test kiosk."""

    context: Context
    recorder: Recorder
    sync: Sync
    layout: Layout

    def with_settings(self, **groups: object) -> Context:
        """Return the context with other groups of settings."""
        settings = self.context.settings.model_copy(update=groups)
        return replace(self.context, settings=settings)


@dataclass(frozen=True)
class Services:
    """Which services live."""

    recorder: bool = True
    sync: bool = True


Open = Callable[..., contextlib.AbstractAsyncContextManager[Kiosk]]


def answering(**answers: bool | None) -> Ask:
    """Return a person who gives these answers, and None to every other question."""

    async def ask(question: Question, seconds: float) -> bool | None:
        del seconds
        return answers.get(question)

    return ask


@pytest.fixture
def open_kiosk(tmp_path: Path) -> Open:
    """Return what opens a kiosk: nothing fitted but camera, one microphone, lamp and button."""

    @contextlib.asynccontextmanager
    async def opened(services: Services = Services(), **groups: object) -> AsyncIterator[Kiosk]:
        paths = Paths(data=tmp_path / "data", run=tmp_path / "run")
        fitted = {
            "camera": Camera(back_end="virtual"),
            "microphones": (Microphone(name="judge", role="presiding", device="x"),),
            "panel": Panel(enabled=True),
            **groups,
        }
        settings = Settings(paths=paths).model_copy(update=fitted)
        layout = Layout.of(paths)
        recorder, sync = Recorder(), Sync(layout)
        runners = []
        if services.recorder:
            runners.append(await recorder.start(layout.recorder_socket))
        if services.sync:
            runners.append(await sync.start(layout.sync_socket))
        clients = LocalClient(layout.recorder_socket, TOKEN), LocalClient(layout.sync_socket)
        context = Context(settings, layout, *clients, answer_seconds=0.5, check_seconds=5)
        try:
            yield Kiosk(context, recorder, sync, layout)
        finally:
            for client in clients:
                await client.close()
            for runner in runners:
                await runner.cleanup()

    return opened
