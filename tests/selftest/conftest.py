"""A kiosk with services on sockets and virtual printer, badge reader and scanner."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kiosk.config import CameraSettings, MicrophoneSettings, PanelSettings, PathSettings, Settings
from kiosk.ipc import LocalClient
from kiosk.selftest import SelfTestContext
from kiosk.selftest.model import AskPerson, Question
from kiosk.storage.paths import Paths
from tests.selftest.services import TOKEN, Recorder, Sync


@dataclass
class Kiosk:
    """Everything of one test kiosk."""

    context: SelfTestContext
    recorder: Recorder
    sync: Sync
    paths: Paths

    def with_settings(self, **groups: object) -> SelfTestContext:
        """Return the context with other groups of settings."""
        settings = self.context.settings.model_copy(update=groups)
        return replace(self.context, settings=settings)


@dataclass(frozen=True)
class Services:
    """Which services live."""

    recorder: bool = True
    sync: bool = True


Open = Callable[..., contextlib.AbstractAsyncContextManager[Kiosk]]


def answering(**answers: bool | None) -> AskPerson:
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
        path_settings = PathSettings(data=tmp_path / "data", run=tmp_path / "run")
        fitted = {
            "camera": CameraSettings(back_end="virtual"),
            "microphones": (MicrophoneSettings(name="judge", role="presiding", device="x"),),
            "panel": PanelSettings(enabled=True),
            **groups,
        }
        settings = Settings(paths=path_settings).model_copy(update=fitted)
        paths = Paths.from_settings(path_settings)
        recorder, sync = Recorder(settings), Sync(paths)
        runners = []
        if services.recorder:
            runners.append(await recorder.start(paths.recorder_socket))
        if services.sync:
            runners.append(await sync.start(paths.sync_socket))
        clients = LocalClient(paths.recorder_socket, TOKEN), LocalClient(paths.sync_socket)
        context = SelfTestContext(settings, paths, *clients, answer_seconds=0.5, check_seconds=5)
        try:
            yield Kiosk(context, recorder, sync, paths)
        finally:
            for client in clients:
                await client.close()
            for runner in runners:
                await runner.cleanup()

    return opened
