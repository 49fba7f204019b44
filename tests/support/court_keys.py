"""Age keys of a court, as its authority would make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyrage

from kiosk.storage.court_keys import CourtKeys, pin_court_keys
from kiosk.storage.paths import Paths


@dataclass
class CourtSecrets:
    """The private keys, and where a test can have them as files."""

    court: pyrage.x25519.Identity = field(default_factory=pyrage.x25519.Identity.generate)
    escrow: pyrage.x25519.Identity = field(default_factory=pyrage.x25519.Identity.generate)

    @property
    def keys(self) -> CourtKeys:
        """The public ones."""
        return CourtKeys(str(self.court.to_public()), str(self.escrow.to_public()))

    def pin(self, paths: Paths) -> None:
        """Pin the public ones on a kiosk."""
        pin_court_keys(paths, self.keys)

    def write(self, folder: Path) -> Path:
        """Write the court's private key as ``age-keygen`` does; return the file."""
        path = folder / "court-key.txt"
        path.write_text(f"# public key: {self.keys.court}\n{self.court}\n", encoding="ascii")
        return path
