"""Compares secrets with hashes of every form that the database may hold."""

from __future__ import annotations

import hashlib
import hmac

from kiosk.exchange.staff_list import is_hash, is_secret_of

SCRYPT = {"n": 16384, "r": 8, "p": 1, "dklen": 32}


def is_valid_form(stored: str | None) -> bool:
    """Return whether ``stored`` is of today's form (argon2id); a list holds no other."""
    return stored is not None and is_hash(stored)


def is_same_secret(secret: str, stored: str) -> bool:
    """Return whether ``stored`` is a hash of ``secret``, in today's or in a former form.

    Former forms: ``scrypt$SALT$HASH`` of a PIN and ``sha256$SALT$HASH`` of a badge, both in hex,
    with one salt for a court.
    """
    form, _, rest = stored.partition("$")
    if form not in ("scrypt", "sha256"):
        return is_secret_of(secret, stored)
    salt, _, digest = rest.partition("$")
    data, salted = secret.strip().encode("utf-8"), bytes.fromhex(salt)
    found = (
        hashlib.scrypt(data, salt=salted, **SCRYPT)
        if form == "scrypt"
        else hashlib.sha256(salted + data).digest()
    )
    return hmac.compare_digest(found.hex(), digest)
