"""Proves at commissioning that court and escrow can decrypt what this kiosk encrypts.

A random answer is encrypted to each of the two keys, one text each. Whoever holds the private key
decrypts it and reads the answer out; the kiosk keeps its hash only.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pyrage

from kiosk.errors import RecordingError
from kiosk.storage.atomic_io import read_json, write_json, write_text
from kiosk.storage.court_keys import COURT, ESCROW, load_court_keys, record_proof
from kiosk.storage.paths import Paths

ANSWER_BYTES = 10  # 80 bits, 16 characters


class ChallengeError(RecordingError):
    """The answer belongs to no open challenge."""

    code = "challenge_wrong"
    status = 409


def create_challenges(paths: Paths, kiosk: str, out: Path) -> list[Path]:
    """Write one encrypted text for the court and one for its escrow into ``out``; return them.

    Earlier challenges become invalid.

    Raises:
        CourtKeyError: the keys are not pinned.
        StorageError: a file cannot be written.
    """
    keys = load_court_keys(paths)
    challenge_files, challenges = [], {}
    for name, recipient in ((COURT, keys.court), (ESCROW, keys.escrow)):
        answer = base64.b32encode(os.urandom(ANSWER_BYTES)).decode("ascii")
        grouped = "-".join(answer[start : start + 4] for start in range(0, len(answer), 4))
        text = f"Kiosk {kiosk}: the answer is {grouped}\n".encode()
        recipient_key = pyrage.x25519.Recipient.from_str(recipient)
        path = out / f"{kiosk}-{name}-challenge.age"
        write_text(path, bytes(pyrage.encrypt(text, [recipient_key], armored=True)).decode("ascii"))
        challenges[name] = {"recipient": recipient, "sha256": _digest(answer)}
        challenge_files.append(path)
    write_json(paths.court_key_challenges, challenges, mode=0o600)
    return challenge_files


def verify_answer(paths: Paths, answer: str) -> str:
    """Verify an answer; return whose key it proves (``court`` or ``escrow``).

    An answer that is given again is right, but proves nothing anew: it may only have been noted.

    Raises:
        ChallengeError: it answers no challenge of this kiosk, or the key was changed since.
    """
    keys = load_court_keys(paths)
    try:
        challenges = read_json(paths.court_key_challenges)
    except (OSError, ValueError) as error:
        raise ChallengeError("no challenge is open") from error
    for name, challenge in challenges.items():
        if challenge["sha256"] == _digest(answer) and challenge["recipient"] == getattr(keys, name):
            if not challenge.get("is_answered"):
                record_proof(paths, name, challenge["recipient"])
                challenge["is_answered"] = True
                write_json(paths.court_key_challenges, challenges, mode=0o600)
            return str(name)
    raise ChallengeError("this is not the answer to a challenge of this kiosk")


def _digest(answer: str) -> str:
    """Return the hash of an answer, ignoring spaces, dashes and case."""
    plain = "".join(answer.split()).replace("-", "").upper()
    return hashlib.sha256(plain.encode("utf-8")).hexdigest()
