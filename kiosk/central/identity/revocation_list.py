"""The revocation list: signed once, and again when it changes or half of its time is over."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk.central.data.database import Database
from kiosk.central.identity import enrolment
from kiosk.central.identity.authority import REVOCATION_DAYS, CertificateAuthority
from kiosk.clocks import wall_time


@dataclass(frozen=True)
class SignedRevocationList:
    """A list (PEM), what it holds, and from when until when the same one is given."""

    pem: str
    revoked: Sequence[tuple[str, datetime]]
    signed_at: datetime
    fresh_until: datetime

    @property
    def tag(self) -> str:
        """Return its entity tag, without the quotes."""
        return hashlib.sha256(self.pem.encode("ascii")).hexdigest()


class RevocationListIssuer:
    """Signs the list and keeps it: whoever asks costs one query, not a signature.

    Args:
        database: revoked certificates.
        authority: signs.
    """

    def __init__(self, database: Database, authority: CertificateAuthority) -> None:
        self._database = database
        self._authority = authority
        self._lock = asyncio.Lock()
        self._current: SignedRevocationList | None = None

    async def issue(self) -> SignedRevocationList:
        """Return the list of now."""
        revoked = await self._database.run_read(enrolment.list_revoked)
        async with self._lock:
            known, now = self._current, wall_time()
            is_fresh = known is not None and known.signed_at <= now < known.fresh_until
            if known is None or known.revoked != revoked or not is_fresh:
                pem = await asyncio.to_thread(self._authority.revocation_list, revoked)
                fresh_until = now + timedelta(days=REVOCATION_DAYS) / 2
                known = self._current = SignedRevocationList(pem, revoked, now, fresh_until)
            return known
