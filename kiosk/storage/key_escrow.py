"""Keys of unfinished filings, kept for a secretary after a crash or power cut.

The touch screen's process wraps each filing's key (age, X25519) for the keeper's public key; the
recorder alone opens it again, and only for a secretary who signed in. The keeper's own keys are
changed every hour and the old ones destroyed half an hour later, so that what a crash left
behind ends by itself even if nobody wipes it.

Without a TPM the keeper's private keys lie on the disk (mode 0600): whoever takes the whole
device can open what was unfinished at that moment. docs/operation.md says so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pyrage
from pyrage import x25519

from kiosk.errors import KioskError
from kiosk.storage.atomic_io import make_folder, sync_folder, write_text

log = logging.getLogger(__name__)

RENEW_S = 3600.0
KEEP_OLD_S = 1800.0
_SUFFIX = ".key"


class KeyGoneError(KioskError):
    """It is wrapped for a key that was destroyed, or is no wrapped key."""

    code = "filing_locked"
    status = 410


def wrap(keepers: Path, secret: bytes) -> bytes | None:
    """Return ``secret`` wrapped for the newest keeper; None while the recorder has made none."""
    try:
        names = sorted(path.name for path in keepers.glob("*.pub"))
        recipient = (keepers / names[-1]).read_text(encoding="ascii").strip()
        return bytes(pyrage.encrypt(secret, [x25519.Recipient.from_str(recipient)]))
    except (IndexError, OSError, ValueError, pyrage.RecipientError) as error:
        log.warning("no keeper for the key of a filing: %s", type(error).__name__)
        return None


class KeyKeeper:
    """The recorder's side.

    Args:
        folder: ``identity/keepers/``.
        clock: seconds that never jump.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = make_folder(folder, 0o700)
        self._clock = clock
        self._made: dict[str, float] = {}
        self._superseded: dict[str, float] = {}
        now = clock()
        known = sorted(path.stem for path in folder.glob(f"*{_SUFFIX}"))
        for name in known:
            self._superseded[name] = now
        if known:
            newest = known[-1]
            self._made[newest] = now
            del self._superseded[newest]
            self._publish(newest)
        else:
            self._renew()

    def turn(self) -> None:
        """Renew and destroy keys whose time has come; call it every minute or so."""
        now = self._clock()
        if all(now - made >= RENEW_S for made in self._made.values()):
            self._renew()
        for name, since in list(self._superseded.items()):
            if now - since >= KEEP_OLD_S:
                (self._folder / f"{name}{_SUFFIX}").unlink(missing_ok=True)
                sync_folder(self._folder)
                del self._superseded[name]

    def open(self, wrapped: bytes) -> bytes:
        """Return the secret.

        Raises:
            KeyGoneError: its time is over, or it is none.
        """
        identities = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            identities.append(x25519.Identity.from_str(path.read_text(encoding="ascii").strip()))
        try:
            return bytes(pyrage.decrypt(wrapped, identities))
        except (pyrage.DecryptError, ValueError) as error:
            raise KeyGoneError("no keeper opens it any more") from error

    def _renew(self) -> None:
        now = self._clock()
        numbers = [int(name) for name in (*self._made, *self._superseded) if name.isdigit()]
        name = f"{max(numbers, default=0) + 1:08d}"
        identity = x25519.Identity.generate()
        write_text(self._folder / f"{name}{_SUFFIX}", f"{identity}\n", 0o600)
        for old in self._made:
            self._superseded[old] = now
        self._made = {name: now}
        self._publish(name)

    def _publish(self, name: str) -> None:
        """Let ``name`` be the one for which keys are wrapped."""
        identity = x25519.Identity.from_str(
            (self._folder / f"{name}{_SUFFIX}").read_text(encoding="ascii").strip()
        )
        write_text(self._folder / f"{name}.pub", f"{identity.to_public()}\n")
        for path in self._folder.glob("*.pub"):
            if path.stem != name:
                path.unlink(missing_ok=True)
