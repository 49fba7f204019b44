"""Escrow of the keys of unfinished filings, for a secretary after a crash or power cut.

The touch screen's process wraps each filing's key (age, X25519) for the escrow's public key. Only
the recorder can unwrap it, and only for a secretary who signed in. The escrow's own keys rotate
every hour and the old ones are destroyed half an hour later, so that a wrapped key expires by
itself.

Without a TPM the escrow's private keys are on the disk (mode 0600). Someone who takes the whole
device can open the filings that were unfinished at that moment (docs/privacy.md).
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

ROTATION_S = 3600.0
OLD_KEY_LIFETIME_S = 1800.0
_PRIVATE_SUFFIX = ".key"


class KeyExpiredError(KioskError):
    """The secret is wrapped for a key that was destroyed, or it is no wrapped key."""

    code = "filing_locked"
    status = 410


def wrap_key(folder: Path, secret: bytes) -> bytes | None:
    """Return ``secret`` wrapped for the newest escrow key, or None if there is no key.

    Args:
        folder: ``identity/keepers/``.
        secret: the key to wrap.
    """
    try:
        names = sorted(path.name for path in folder.glob("*.pub"))
        recipient = (folder / names[-1]).read_text(encoding="ascii").strip()
        return bytes(pyrage.encrypt(secret, [x25519.Recipient.from_str(recipient)]))
    except (IndexError, OSError, ValueError, pyrage.RecipientError) as error:
        log.warning("no escrow key for the key of a filing: %s", type(error).__name__)
        return None


class KeyEscrow:
    """Creates, rotates and uses the escrow keys (in the recorder).

    Args:
        folder: ``identity/keepers/``.
        clock: monotonic seconds.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = make_folder(folder, 0o700)
        self._clock = clock
        self._created_at: dict[str, float] = {}
        self._superseded_at: dict[str, float] = {}
        now = clock()
        known = sorted(path.stem for path in folder.glob(f"*{_PRIVATE_SUFFIX}"))
        for name in known:
            self._superseded_at[name] = now
        if known:
            newest = known[-1]
            self._created_at[newest] = now
            del self._superseded_at[newest]
            self._publish_key(newest)
        else:
            self._create_key()

    def rotate(self) -> None:
        """Create a new key and destroy old ones when due. Call it about every minute."""
        now = self._clock()
        if all(now - created_at >= ROTATION_S for created_at in self._created_at.values()):
            self._create_key()
        for name, since in list(self._superseded_at.items()):
            if now - since >= OLD_KEY_LIFETIME_S:
                (self._folder / f"{name}{_PRIVATE_SUFFIX}").unlink(missing_ok=True)
                sync_folder(self._folder)
                del self._superseded_at[name]

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the secret in ``wrapped``.

        Raises:
            KeyExpiredError: its key was destroyed, or it is no wrapped key.
        """
        identities = []
        for path in self._folder.glob(f"*{_PRIVATE_SUFFIX}"):
            identities.append(x25519.Identity.from_str(path.read_text(encoding="ascii").strip()))
        try:
            return bytes(pyrage.decrypt(wrapped, identities))
        except (pyrage.DecryptError, ValueError) as error:
            raise KeyExpiredError("no escrow key opens it any more") from error

    def _create_key(self) -> None:
        now = self._clock()
        numbers = [
            int(name) for name in (*self._created_at, *self._superseded_at) if name.isdigit()
        ]
        name = f"{max(numbers, default=0) + 1:08d}"
        identity = x25519.Identity.generate()
        write_text(self._folder / f"{name}{_PRIVATE_SUFFIX}", f"{identity}\n", 0o600)
        for old in self._created_at:
            self._superseded_at[old] = now
        self._created_at = {name: now}
        self._publish_key(name)

    def _publish_key(self, name: str) -> None:
        """Publish the public half of key ``name`` and withdraw the others."""
        identity = x25519.Identity.from_str(
            (self._folder / f"{name}{_PRIVATE_SUFFIX}").read_text(encoding="ascii").strip()
        )
        write_text(self._folder / f"{name}.pub", f"{identity.to_public()}\n")
        for path in self._folder.glob("*.pub"):
            if path.stem != name:
                path.unlink(missing_ok=True)
