"""The kiosk's services as systemd runs them: what has ended is started again.

A process is started again when somebody looks (:meth:`SupervisedServices.check`), which all who
wait for the screen do ten times a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kiosk.demo.processes import ProcessGroup


class SupervisedServices(ProcessGroup):
    """Services with ``Restart=always``.

    Args:
        logs: gets one file for each service.
        environment: of all of them; it gets the name of a socket on which nobody listens: a service
            ends at a technician's tap only where somebody starts it again.

    Attributes:
        ends: name and exit status of each process that has ended, in order.
    """

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        super().__init__(logs, {**environment, "NOTIFY_SOCKET": str(logs / "systemd")})
        self.ends: list[tuple[str, int]] = []

    def check(self) -> None:
        """Start again what has ended."""
        for name, process in list(self._running.items()):
            status = process.poll()
            if status is not None:
                self.ends.append((name, status))
                self.start_kiosk(name, name)
