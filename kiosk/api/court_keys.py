"""The court's two keys for closed parts, and the proof that their holders can decrypt."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kiosk.api.base import Model, Moment
from kiosk.api.operations import TECHNICIAN_ROLES, NoBody, Operation


class CourtKeyStatus(Model):
    """Whether the keys are on this kiosk, and when each was proven to decrypt."""

    is_pinned: bool
    court: Moment | None = None
    """When the court's key was proven; null: not yet."""
    escrow: Moment | None = None
    """When the key of its escrow was proven; null: not yet."""
    court_key: str = ""
    """The court's key itself (``age1…``); it is public, and has no end."""
    escrow_key: str = ""
    """Likewise the key of its escrow."""


class EncryptionTest(Model):
    """Something was encrypted to both keys as a closed part is, and read back."""

    bytes: int
    milliseconds: float


class Challenges(Model):
    """The texts that the key holders decrypt are on the stick."""

    files: tuple[str, ...]
    """Names of the files, the court's first."""


class ChallengeAnswer(Model):
    """What a key holder has read in the decrypted text."""

    answer: Annotated[str, Field(max_length=64, repr=False)]
    """16 characters; spaces, dashes and case do not matter."""


GET_COURT_KEYS = Operation(
    "getCourtKeys", "GET", "/v1/court-keys", "State of the court's keys", CourtKeyStatus
)
WRITE_CHALLENGES = Operation(
    "writeChallenges",
    "POST",
    "/v1/court-keys/challenges",
    "Write a text onto the stick for each key holder to decrypt; earlier ones count no more",
    Challenges,
    request=NoBody,
    roles=TECHNICIAN_ROLES,
    errors={409: ("court_key_missing", "drive_absent", "stick_failed", "storage_failed")},
)
ANSWER_CHALLENGE = Operation(
    "answerChallenge",
    "POST",
    "/v1/court-keys/answer",
    "Check what a key holder has read; the key is proven then",
    CourtKeyStatus,
    request=ChallengeAnswer,
    roles=TECHNICIAN_ROLES,
    errors={409: ("challenge_wrong", "court_key_missing", "storage_failed")},
)
TEST_ENCRYPTION = Operation(
    "testEncryption",
    "POST",
    "/v1/court-keys/test",
    "Encrypt to both keys now, as a closed part is, and read it back",
    EncryptionTest,
    request=NoBody,
    roles=TECHNICIAN_ROLES,
    errors={409: ("court_key_missing", "encryption_failed")},
)
COURT_KEY_OPERATIONS = (GET_COURT_KEYS, TEST_ENCRYPTION, WRITE_CHALLENGES, ANSWER_CHALLENGE)
