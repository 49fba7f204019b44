"""Encrypts each unfinished filing under its own key; destroying the key erases the filing.

An encrypted file is authenticated as a whole (no chunk can be cut, moved or left out) by the STREAM
construction over ChaCha20-Poly1305 (RFC 8439), which is fast without AES instructions (a Pi 4 has
none). Each file has its own key, derived by HKDF (RFC 5869) from the filing's key and a random
salt, so that counted nonces never repeat.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kiosk.filing.errors import FilingDamagedError, FilingLockedError
from kiosk.storage.atomic_io import write_chunks

KEY_BYTES = 32
_MAGIC = b"KFS1"
_SALT_BYTES = 16
#: The cipher holds the interpreter lock for one chunk at a time: the screen stays responsive.
_CHUNK_BYTES = 1 << 18
_TAG_BYTES = 16
_LAST_CHUNK, _MORE_CHUNKS = b"\x01", b"\x00"


class DraftKey:
    """Key of one filing, in memory only.

    Args:
        secret: 32 bytes; None for a new random key.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret: bytes | None = os.urandom(KEY_BYTES) if secret is None else secret
        if len(self._secret or b"") != KEY_BYTES:
            raise ValueError("a filing's key has 32 bytes")

    def __repr__(self) -> str:
        return "DraftKey(…)"  # never in a log

    @property
    def secret(self) -> bytes:
        """The key's bytes, to be wrapped under another key.

        Raises:
            FilingLockedError: the key was destroyed.
        """
        if self._secret is None:
            raise FilingLockedError("the key was destroyed")
        return self._secret

    def destroy(self) -> None:
        """Destroy the key; Python may keep a copy in freed memory until that is used again."""
        self._secret = None

    def encrypt(self, data: bytes | memoryview) -> bytes:
        """Return ``data``, encrypted."""
        return b"".join(self._encrypt_chunks(memoryview(data)))

    def decrypt(self, encrypted: bytes, name: str = "encrypted data") -> bytes:
        """Return the data that :meth:`encrypt` encrypted.

        Raises:
            FilingDamagedError: another key, or the data are cut off or altered.
            FilingLockedError: the key was destroyed.
        """
        return b"".join(self._decrypt_chunks(memoryview(encrypted), name))

    def encrypt_file(self, source: Path, target: Path) -> None:
        """Write ``source`` encrypted to ``target``, durably. It blocks: use a thread.

        Raises:
            StorageError: it cannot be written.
        """
        write_chunks(target, self._encrypt_chunks(memoryview(source.read_bytes())))

    def decrypt_file(self, source: Path) -> bytes:
        """Return the content of an encrypted file. It blocks: use a thread.

        Raises:
            FilingDamagedError: the file is absent, cut off or altered, or has another key.
        """
        try:
            encrypted = source.read_bytes()
        except OSError as error:
            raise FilingDamagedError(f"{source.name}: {error.strerror}") from error
        return self.decrypt(encrypted, source.name)

    def _encrypt_chunks(self, data: memoryview) -> Iterator[bytes]:
        salt = os.urandom(_SALT_BYTES)
        yield _MAGIC + salt
        cipher = self._cipher(salt)
        count = max(1, -(-len(data) // _CHUNK_BYTES))
        for index in range(count):
            chunk = data[index * _CHUNK_BYTES : (index + 1) * _CHUNK_BYTES]
            yield cipher.encrypt(_nonce(index, index == count - 1), bytes(chunk), None)

    def _decrypt_chunks(self, encrypted: memoryview, name: str) -> Iterator[bytes]:
        head = len(_MAGIC) + _SALT_BYTES
        body = encrypted[head:]
        if encrypted[: len(_MAGIC)] != _MAGIC or len(body) < _TAG_BYTES:
            raise FilingDamagedError(f"{name}: not an encrypted file")
        cipher = self._cipher(bytes(encrypted[len(_MAGIC) : head]))
        step = _CHUNK_BYTES + _TAG_BYTES
        count = -(-len(body) // step)
        try:
            for index in range(count):
                chunk = body[index * step : (index + 1) * step]
                yield cipher.decrypt(_nonce(index, index == count - 1), bytes(chunk), None)
        except InvalidTag as error:
            raise FilingDamagedError(f"{name}: another key, or altered") from error

    def _cipher(self, salt: bytes) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(_derive_key(self.secret, salt, b"kiosk filing file"))


def _derive_key(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt, info).derive(secret)


def _nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(11, "big") + (_LAST_CHUNK if last else _MORE_CHUNKS)


def key_from_code(code: str, filing_id: str) -> DraftKey:
    """Return the key that unwraps the filing's key, derived from a ticket's code in 50 ms.

    Args:
        code: letters and digits as :func:`normalise_code` returns them (80 random bits).
        filing_id: salt.
    """
    return DraftKey(
        hashlib.scrypt(
            code.encode("ascii"), salt=filing_id.encode("ascii"), n=16384, r=8, p=1, dklen=KEY_BYTES
        )
    )
