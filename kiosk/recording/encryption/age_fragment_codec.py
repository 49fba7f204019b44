"""Encrypts fragments of closed parts with age, for the court and its escrow.

Nothing plain of a closed part reaches a disk. The kiosk cannot decrypt it either, except for the
few seconds in which the key of a fragment stays in locked memory for the read-back check.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

import pyrage

from kiosk.recording.encryption.locked_memory import EphemeralKeys, LockedMemoryError
from kiosk.recording.formats.age_tar import (
    END_OF_ARCHIVE,
    MemberMetadata,
    encode_member,
    extract_age,
)
from kiosk.recording.formats.records import FragmentRecord
from kiosk.storage.court_keys import CourtKeys
from kiosk.storage.hearing_folder import AGE_SUFFIX, CLOSED_INIT, CLOSED_SUFFIX, INIT

log = logging.getLogger(__name__)


class AgeFragmentCodec:
    """See :class:`kiosk.recording.formats.fragment_codec.FragmentCodec`.

    Args:
        keys: public keys of the court and its escrow.
        can_verify: also encrypt to a key in locked memory, for the read-back check.
    """

    is_encrypted = True
    media_suffix = CLOSED_SUFFIX
    init_name = CLOSED_INIT
    file_trailer = END_OF_ARCHIVE

    def __init__(self, keys: CourtKeys, *, can_verify: bool = True) -> None:
        self._recipients = keys.recipients()
        self._ephemeral_keys: EphemeralKeys | None = None
        if can_verify:
            try:
                self._ephemeral_keys = EphemeralKeys()
            except LockedMemoryError:  # recorded all the same; the read-back check will fail
                log.exception("no memory can be locked: closed parts cannot be proven")

    def encode(
        self, name: str, plain: bytes, start_ns: int, end_ns: int, sources: Sequence[str]
    ) -> bytes:
        """Return the tar member that holds ``plain`` as an age file."""
        digest = hashlib.sha256(plain).hexdigest()
        recipients = list(self._recipients)
        if self._ephemeral_keys is not None:
            recipients.append(
                self._ephemeral_keys.create_recipient(digest, is_lasting=name == INIT)
            )
        age_file = pyrage.encrypt(plain, recipients)
        about = MemberMetadata(
            start_ns,
            end_ns,
            tuple(sources),
            len(plain),
            digest,
            hashlib.sha256(age_file).hexdigest(),
        )
        return encode_member(name + AGE_SUFFIX, age_file, about)

    def decode(self, record: FragmentRecord, data: bytes) -> bytes:
        """Return the plain fragment in ``data``, a tar member read back.

        Raises:
            ValueError: its key was discarded, or it is not what was recorded.
        """
        return self._decrypt_verified(record.plain_sha256, data)

    def decode_init(self, file: str, data: bytes) -> bytes:
        """Return the plain initialisation segment in ``data``, a whole tar."""
        del file
        return self._decrypt_verified(MemberMetadata.from_member(data).plain_sha256, data)

    def _decrypt_verified(self, digest: str, data: bytes) -> bytes:
        if self._ephemeral_keys is None:
            raise ValueError("there is no key in locked memory")
        plain = self._ephemeral_keys.decrypt(digest, extract_age(data))
        if hashlib.sha256(plain).hexdigest() != digest:
            raise ValueError("other media than were encrypted")
        return plain

    def discard_keys(self, records: Sequence[FragmentRecord]) -> None:
        """Discard the keys of ``records``, which have been verified."""
        if self._ephemeral_keys is not None:
            for record in records:
                self._ephemeral_keys.discard(record.plain_sha256)

    def close(self) -> None:
        """Discard all keys; the part is over."""
        if self._ephemeral_keys is not None:
            self._ephemeral_keys.close()
