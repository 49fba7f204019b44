"""The first technician: a code that ``kiosk provision`` prints once, before a staff list is there.

A new kiosk knows nobody; its technician must test and enrol it. The code opens the technician's
screens alone. It ends when a signed staff list with a technician is in force, or after
:data:`DAYS`; only its argon2id hash is kept, in a file of the recorder's.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from kiosk.auth.person import Person
from kiosk.clocks import format_wall, parse_wall, wall_time
from kiosk.exchange.staff_list import hash_secret
from kiosk.storage.atomic_io import make_folder, read_json, write_json

log = logging.getLogger(__name__)
FIRST_TECHNICIAN = Person("first-technician", "", ("technician",))
DAYS = 14
DIGITS = 8
"""It is typed on the pad of digits. With the waits for wrong tries, one guess in 25,000 would be
right before the code ends."""
_CLOCK_TOLERANCE = timedelta(days=1)  # a clock without battery goes on from before the power cut


class FirstTechnician:
    """The code's file.

    Args:
        path: the file; it is the recorder's alone.
        wall: the wall clock.
    """

    def __init__(self, path: Path, wall: Callable[[], datetime] = wall_time) -> None:
        self._path = path
        self._wall = wall

    def make_code(self) -> str:
        """Make a code in place of the one before; return it, it is never shown again.

        Raises:
            StorageError: it cannot be kept.
        """
        code = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
        make_folder(self._path.parent, 0o700)
        write_json(
            self._path, {"made": format_wall(self._wall()), "code": hash_secret(code)}, 0o600
        )
        return code

    def hash(self) -> str | None:
        """Return the hash of the code; None: there is none, or it has ended."""
        try:
            value = read_json(self._path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.error("the first technician's code cannot be read: %s", type(error).__name__)
            return None
        made, code = parse_wall(str(value.get("made"))), value.get("code")
        if made is None or not isinstance(code, str):
            return None
        now = self._wall()
        is_valid = made - _CLOCK_TOLERANCE <= now < made + timedelta(days=DAYS)
        return code if is_valid else None

    def end(self) -> bool:
        """Delete the code; return whether there was one."""
        try:
            if not self._path.exists():  # a read-only disk refuses to delete even what is not there
                return False
            self._path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            log.error("the first technician's code cannot be deleted: %s", error.strerror)
            return False
        return True
