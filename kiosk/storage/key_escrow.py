"""Escrow of the keys of unfinished filings, for a secretary after a crash or power cut.

The touch screen's process wraps each filing's key (age, X25519) for the escrow's public key. Only
the recorder can unwrap it, and only for a secretary who signed in. The escrow's own keys rotate
every hour and the old ones are destroyed half an hour later, so that a wrapped key expires by
itself.

Without a TPM the escrow's private keys are on the disk (mode 0600). Someone who takes the whole
device can open the filings that were unfinished at that moment (docs/privacy.md).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pyrage
from pyrage import x25519

from kiosk.errors import KioskError, StorageError
from kiosk.storage.atomic_io import make_folder, sync_folder, write_text

ROTATION_S = 3600.0
OLD_KEY_LIFETIME_S = 1800.0
_PRIVATE_SUFFIX, _PUBLIC_SUFFIX = ".key", ".pub"


class KeyExpiredError(KioskError):
    """The secret is wrapped for a key that was destroyed, or it is no wrapped key."""

    code = "filing_locked"
    status = 410


class NoEscrowKeyError(StorageError):
    """There is no public escrow key, or none that can be read."""

    code = "filing_unprotected"


def newest_public_key(folder: Path) -> str:
    """Return the name of the newest public escrow key.

    Args:
        folder: ``public/``.

    Raises:
        NoEscrowKeyError: there is none, or the folder cannot be read.
    """
    try:  # not glob: it takes a folder that it may not read for an empty one
        names = [name for name in os.listdir(folder) if name.endswith(_PUBLIC_SUFFIX)]  # noqa: PTH208
    except OSError as error:
        raise NoEscrowKeyError(f"{folder}: {error.strerror}") from error
    if not names:
        raise NoEscrowKeyError(f"{folder}: no public escrow key")
    return max(names)


def wrap_key(folder: Path, secret: bytes) -> bytes:
    """Return ``secret`` wrapped for the newest escrow key.

    Args:
        folder: ``public/``.
        secret: the key to wrap.

    Raises:
        NoEscrowKeyError: there is no key, or none that can be read.
    """
    path = folder / newest_public_key(folder)
    try:
        recipient = path.read_text(encoding="ascii").strip()
        return bytes(pyrage.encrypt(secret, [x25519.Recipient.from_str(recipient)]))
    except (OSError, ValueError, pyrage.RecipientError) as error:
        raise NoEscrowKeyError(f"{path}: {type(error).__name__}") from error


class KeyEscrow:
    """Creates, rotates and uses the escrow keys (in the recorder).

    Args:
        folder: private keys, ``identity/keepers/``.
        public: public keys, ``public/``; the touch screen reads them as another user.
        clock: monotonic seconds.
    """

    def __init__(
        self, folder: Path, public: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = make_folder(folder, 0o700)
        self._public = make_folder(public, 0o755)
        for old in folder.glob(f"*{_PUBLIC_SUFFIX}"):  # where older versions had them
            old.unlink()
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
        """Create a new key and destroy old ones when due. Call it about every minute.

        A public key that was lost is published again.
        """
        now = self._clock()
        for newest in self._created_at:
            if not self.is_published():
                self._publish_key(newest)
        if all(now - created_at >= ROTATION_S for created_at in self._created_at.values()):
            self._create_key()
        for name, since in list(self._superseded_at.items()):
            if now - since >= OLD_KEY_LIFETIME_S:
                (self._folder / f"{name}{_PRIVATE_SUFFIX}").unlink(missing_ok=True)
                sync_folder(self._folder)
                del self._superseded_at[name]

    def is_published(self) -> bool:
        """Return whether every user who may see the data folder can read the newest public key."""
        try:
            name = newest_public_key(self._public)
            modes = self._public.stat().st_mode, (self._public / name).stat().st_mode
        except (OSError, NoEscrowKeyError):
            return False
        known = {f"{newest}{_PUBLIC_SUFFIX}" for newest in self._created_at}
        return name in known and modes[0] & 0o005 == 0o005 and modes[1] & 0o004 != 0

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
        public = self._public / f"{name}{_PUBLIC_SUFFIX}"
        make_folder(self._public, 0o755)
        mode = self._public.stat().st_mode
        if mode & 0o055 != 0o055:  # the unit's RestrictSUIDSGID refuses a mode with the setgid bit
            self._public.chmod(mode & 0o777 | 0o055)
        write_text(public, f"{identity.to_public()}\n", 0o644)
        public.chmod(0o644)  # whatever the UMask: others must read it, nobody but us write it
        for path in self._public.glob(f"*{_PUBLIC_SUFFIX}"):
            if path.stem != name:
                path.unlink(missing_ok=True)
