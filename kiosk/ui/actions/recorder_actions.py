"""Base of the actions that call the recorder for the staff."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiosk.errors import KioskError
from kiosk.ipc import LocalClient, ServiceRefusedError


class RecorderActions:
    """Actions that call the recorder and report its errors.

    Args:
        recorder: the service, with the token of whoever is signed in.
        on_change: called after every change.
        on_error: called with an error's code.
    """

    def __init__(
        self, recorder: LocalClient, on_change: Callable[[], None], on_error: Callable[[str], None]
    ) -> None:
        self._recorder = recorder
        self._notify_change, self._report_error = on_change, on_error

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, timeout: float = 10.0
    ) -> dict[str, Any] | None:
        """Call the recorder; return its answer, or None once the error is reported."""
        try:
            return await self._recorder.call(method, path, body, timeout)
        except ServiceRefusedError as error:
            self._report_error(error.code)
        except KioskError:
            self._report_error("recorder_down")
        finally:
            self._notify_change()
        return None

    async def _post(self, path: str, timeout: float = 10.0, /, **body: Any) -> bool:
        """Post ``body`` to the recorder; return whether it accepted."""
        return await self._call("POST", path, body, timeout) is not None
