"""The report of a verification and the sentences of ``kiosk verify``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from kiosk.locale import N_, Translator

SENTENCES = {
    "folder_missing": N_("There is no such folder, or it is no hearing and no part."),
    "not_sealed": N_("It bears no seal: {detail} is missing."),
    "sums_malformed": N_("The list of check sums is malformed: {detail}."),
    "seal_wrong": N_(
        "The seal does not hold: it was not made by a device of this certificate authority over "
        "this content ({detail})."
    ),
    "seal_other_device": N_(
        "The seal was made by the device “{detail}”, not by the kiosk named in the record."
    ),
    "seal_outside_validity": N_(
        "The seal was made when the device's certificate was not valid ({detail})."
    ),
    "file_missing": N_("The file is missing."),
    "file_added": N_("The file does not belong here: it is not under the seal."),
    "file_changed": N_("The file is not the one that was sealed: its content was changed."),
    "file_swapped": N_("The file holds the content of {detail}: files were swapped."),
    "part_missing": N_("A whole part is missing."),
    "part_unknown": N_("The hearing's journal does not know this part."),
    "part_other": N_("The part belongs elsewhere: {detail}."),
    "journal_missing": N_("The journal is missing."),
    "journal_broken": N_("The chain of the journal is broken: {detail}."),
    "journal_torn": N_("The journal ends in an unfinished line."),
    "journal_first": N_("The journal does not begin as a journal must: {detail}."),
    "journal_open": N_("The journal does not end with its closing line."),
    "head_wrong": N_("A signed head does not fit the journal: {detail}."),
    "head_missing": N_("Lines before an interruption bear no signature: {detail}."),
    "head_unsigned": N_("The signature of a head is not of this device: {detail}."),
    "part_head_other": N_("The part is not the one that the hearing's journal closed: {detail}."),
    "media_changed": N_("Media differ from the journal: {detail}."),
    "media_gap": N_("Media are missing between those in the journal: {detail}."),
    "media_unlisted": N_("Media are not in the journal: {detail}."),
    "media_cut": N_("The end of the media is cut off: {detail}."),
    "media_not_opened": N_("Closed media cannot be opened with this key: {detail}."),
    "not_decodable": N_("Picture or sound cannot be decoded: {detail}."),
    "count_differs": N_("The count differs from what was recorded: {detail}."),
    "unreadable": N_("It cannot be read: {detail}."),
    "stamp_missing": N_("The time stamp is missing."),
    "stamp_wrong": N_("The time stamp is not of this authority over this seal: {detail}."),
    "minutes_missing": N_("There are no minutes at this place."),
    "minutes_other": N_("The minutes belong to another recording, or to none."),
    "minutes_unconfirmed": N_("Secretary and presiding judge have not both confirmed the minutes."),
    "slip_other": N_("The recording is not the one on the slip: {detail}."),
}
"""English message ids by code; ``{detail}`` is technical and not translated."""


@dataclass(frozen=True)
class Problem:
    """A difference between what is on the disk and what was sealed or journalled.

    Attributes:
        code: key of :data:`SENTENCES`.
        where: path relative to the verified folder, with a line or byte range if known.
        detail: technical detail, may be empty.
    """

    code: str
    where: str
    detail: str = ""

    def sentence(self, translate: Translator) -> str:
        """Return the problem as a sentence in the translator's language."""
        return translate(SENTENCES[self.code]).replace("{detail}", self.detail)


@dataclass
class PartFacts:
    """Counts of a part, read from the disk.

    Attributes:
        part: its number.
        seconds: length of the media; ``found_seconds`` of them were found on the disk when the
            journal did not know them (after a crash, or a disk that stalled).
        video_frames, samples: decoded pictures, and samples by microphone; zero and empty if
            nothing was decoded.
        closed: whether only the court can open some of it.
    """

    part: int
    seconds: float = 0.0
    found_seconds: float = 0.0
    fragments: int = 0
    heads: int = 0
    video_frames: int = 0
    samples: dict[str, int] = field(default_factory=dict)
    interruptions: int = 0
    decoded: bool = False
    closed: bool = False


@dataclass
class VerifyReport:
    """The outcome of a verification.

    Attributes:
        kind: ``hearing``, ``part`` or ``""`` (neither).
        device: common name of the certificate that sealed it.
    """

    folder: str
    kind: str = ""
    hearing_id: str = ""
    device: str = ""
    sealed_at: str = ""
    parts: list[PartFacts] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    def add(self, code: str, where: str, detail: str = "") -> None:
        """Add a problem, once: two seals may cover a file, and the inner one names it first."""
        if all((code, where) != (p.code, p.where) or self._may_repeat(code) for p in self.problems):
            self.problems.append(Problem(code, where, detail))

    def _may_repeat(self, code: str) -> bool:
        """Return whether ``code`` may occur twice for one place, with other details."""
        return code.startswith("media_")

    def as_json(self, translate: Translator) -> dict[str, Any]:
        """Return everything as JSON values, each problem with its sentence."""
        value = asdict(self) | {"ok": self.ok}
        value["problems"] = [
            asdict(problem) | {"sentence": problem.sentence(translate)} for problem in self.problems
        ]
        return value
