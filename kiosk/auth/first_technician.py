"""The first technician: a code that ``kiosk provision`` prints once, before a staff list is there.

A new kiosk knows nobody; its technician must test and enrol it. The code opens the technician's
screens alone. It ends when a signed staff list with a technician is in force, or :data:`DAYS`
after the recorder first saw it, by no wall clock; only its argon2id hash is kept, in a file of the
recorder's.
"""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

from kiosk.auth.person import Person
from kiosk.clocks import format_wall
from kiosk.exchange.staff_list import hash_secret
from kiosk.storage.ages import Ages
from kiosk.storage.atomic_io import make_folder, read_json, write_json

log = logging.getLogger(__name__)
FIRST_TECHNICIAN = Person("first-technician", "", ("technician",))
DAYS = 14
DIGITS = 8
"""It is typed on the pad of digits. With the waits for wrong tries, one guess in 25,000 would be
right before the code ends."""


class FirstTechnician:
    """The code's file.

    Args:
        path: the file; it is the recorder's alone.
        ages: how long the code has been there.
    """

    def __init__(self, path: Path, ages: Ages) -> None:
        self._path = path
        self._ages = ages

    def make_code(self) -> str:
        """Make a code in place of the one before; return it, it is never shown again.

        Raises:
            StorageError: it cannot be kept.
        """
        code = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
        make_folder(self._path.parent, 0o700)
        write_json(self._path, {"made": format_wall(), "code": hash_secret(code)}, 0o600)
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
        code = value.get("code")
        if not isinstance(code, str):
            return None
        (age,) = self._ages.of("first_technician", [str(value.get("made"))]).values()
        return code if age < DAYS * 86_400 else None

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
