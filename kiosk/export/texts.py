"""The words of a copy for the parties: statement, page and how to check it; Kazakh and Russian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from kiosk.alarms import alarm_of, is_known
from kiosk.export.time_account import Loss, Statement, Stretch
from kiosk.locale import N_, Translator
from kiosk.rules.rules import Rules
from kiosk.storage.hearing_folder import part_name

PAGE_WORDS = {
    "course": N_("Course of the hearing"),
    "statement": N_("What was recorded"),
    "check": N_("How to check this copy"),
    "part": N_("Part"),
    "no_marks": N_("No moments were marked in this part."),
    "cannot_play": N_(
        "This file cannot be played here. Open it in the folder “video” with another player."
    ),
    "closed_part": N_("This part was closed. The law allows no copy of it."),
}
_REASONS: Mapping[str, str] = {
    "recess": N_("recess"),
    "retire": N_("the court retired"),
    "crash": N_("the recording process failed"),
    "power": N_("the power failed"),
    "shutdown": N_("the kiosk was switched off"),
    "closed": N_("the hearing was closed from here"),
    "opened": N_("the hearing was opened from here"),
    "unknown": N_("reason not known"),
}
_DIVISIONS = ("closed", "opened")
_LOSSES: Mapping[str, str] = {
    "absent": N_("not connected"),
    "dead": N_("no signal"),
    "frozen": N_("picture stood still"),
    "silent": N_("no sound (switched off or muted)"),
    "muted": N_("switched off or muted"),
    "gap": N_("sound lost"),
    "dropped": N_("pictures lost"),
    "encoder": N_("encoding failed"),
    "write_failed": N_("could not be saved"),
}


@dataclass(frozen=True)
class Words:
    """Says things of one hearing in one language.

    Attributes:
        names: people by id, roles: role of each microphone by its name.
    """

    translate: Translator
    rules: Rules
    zone: ZoneInfo
    names: Mapping[str, str]
    roles: Mapping[str, str]

    # -- statement -------------------------------------------------------------------------------
    def statement(self, title: str, statement: Statement) -> str:
        """Return the statement as plain text: a line for each stretch, then the sum."""
        _ = self.translate
        rows = [self.stretch(one) for one in statement.stretches]
        sums = self.sums(statement)
        losses = [self.loss(one) for one in statement.losses]
        missing = losses or [_("Nothing was missing.")]
        parts = [
            _("What was recorded"),
            title,
            "",
            *(f"{n}. {' · '.join(text for text in row if text)}" for n, row in enumerate(rows, 1)),
            "",
            *sums,
            "",
            _("Missing or mute within the recorded parts:"),
            *(f"   {line}" for line in missing),
        ]
        return "\n".join(parts) + "\n"

    def stretch(self, one: Stretch) -> tuple[str, str, str, str]:
        """Return place, length, what it is, and who and why."""
        _ = self.translate
        if one.kind == "gap" and one.reason in _DIVISIONS and one.ms == 0:
            what = self.reason(one.reason)  # nothing is missing: one part ends, the next begins
        elif one.kind == "gap":
            what = _("not recorded: {reason}", reason=self.reason(one.reason))
        elif one.kind == "closed":
            what = _("part {part}: closed, no copy is made of it", part=one.part)
        else:
            what = _("part {part}: recorded", part=one.part)
        who = self.names.get(one.person, one.person) if one.kind == "gap" else ""
        told = " · ".join(text for text in (self.clock(one.wall), who, one.why) if text)
        return length(one.begin_ms), self.length(one.ms), what, told

    def sums(self, statement: Statement) -> list[str]:
        """Return the sum: start to end = recorded + closed + not recorded."""
        _ = self.translate
        recorded, gaps = statement.total_of("recorded"), statement.total_of("gap")
        closed = statement.total_of("closed")
        lines = [_("From start to end: {time}", time=length(statement.total_ms))]
        lines.append(_("= recorded: {time}", time=length(recorded)))
        if closed:
            lines.append(_("+ closed, not in this copy: {time}", time=length(closed)))
        lines.append(_("+ not recorded: {time}", time=length(gaps)))
        if statement.unknown_gaps:
            lines.append(
                _(
                    "Besides, gaps of unknown length: {n} (the power failed and the clock was "
                    "lost). They are not in the sum.",
                    n=statement.unknown_gaps,
                )
            )
        if any(one.kind == "closed" for one in statement.stretches):
            lines.append(
                _(
                    "Parts of this hearing were closed. The law allows no copy of them; they can "
                    "be seen in the court only."
                )
            )
        return lines

    def loss(self, loss: Loss) -> str:
        """Return what was missing, where, and for how long."""
        _ = self.translate
        what = _(_LOSSES.get(loss.kind, loss.kind))
        place = _("part {part}, {time}", part=loss.part, time=length(loss.at_ms))
        return f"{place} · {self.source(loss.source)}: {what}, {self.length(loss.ms)}"

    def reason(self, reason: str) -> str:
        """Return why nothing was recorded; a fault that stopped it speaks by its alarm."""
        if reason not in _REASONS and is_known(reason):
            return alarm_of(reason).say(self.translate)
        return self.translate(_REASONS.get(reason, _REASONS["unknown"]))

    def source(self, source: str) -> str:
        """Return the name of a source as people know it: the role at its microphone."""
        if source == "camera":
            return self.translate("camera")
        row = self.rules.roles.get(self.roles.get(source, source))
        return self.translate.pick(row.label.as_map()) if row else source

    def length(self, ms: int | None) -> str:
        """Return a length; unknown in words."""
        return self.translate("length unknown") if ms is None else length(ms)

    def clock(self, wall: str) -> str:
        """Return the wall time ``wall`` in the court's zone; ``""`` where there is none."""
        try:
            moment = datetime.fromisoformat(wall).astimezone(self.zone)
        except ValueError:
            return ""
        return moment.strftime("%d.%m.%Y %H:%M:%S")

    # -- how to check ------------------------------------------------------------------------------
    def check_text(self, hearing: str, *, whole: bool, parts: list[int], stamped: bool) -> str:
        """Return how to check the copy with stock tools; lines of four spaces are commands.

        Args:
            hearing: its id, the folder's name under ``original/`` (``""``: no originals here).
            whole: the hearing's own seal is here (no part was closed); else those of ``parts``.
            stamped: a time stamp is here.
        """
        _ = self.translate
        seals = ["seal"] if whole else [f"seal/{part_name(part)}" for part in parts]
        lines = [
            _("How to check this copy"),
            "",
            _(
                "You need the programs sha256sum and openssl, and the court's certificate "
                "authority as the file ca.pem. Get ca.pem from the court itself, never from this "
                "folder or from whoever gave it to you, and put it into this folder. Then type "
                "the commands in this folder."
            ),
            "",
            _("1. Is every file of the copy as the kiosk wrote it? Each line must end in OK."),
            f"    {_SUMS}",
            _("2. Was the list signed by the court's kiosk? It must say: successful."),
            f"    {_cms('ca.pem')}",
            _(
                "3. The seal of the recording itself: is it the court's, and does the journal "
                "belong to it?"
            ),
        ]
        for seal in seals:
            up = "../" * (seal.count("/") + 1)
            lines.append(f"    (cd {seal} && {_SUMS} --ignore-missing)")
            lines.append(f"    (cd {seal} && {_cms(up + 'ca.pem')})")
        lines += ["", *self._covered(hearing, seals)]
        if stamped:
            lines += [
                _(
                    "A time stamp authority has confirmed when the seal existed. With the "
                    "authority's certificate as the file tsa.pem:"
                ),
                "    openssl ts -verify -data seal/SHA256SUMS.p7s -in seal/SHA256SUMS.p7s.tsr "
                "-CAfile tsa.pem",
            ]
        lines.append(
            _(
                "If openssl says that a certificate has expired, add -attime with a moment at "
                "which it was valid, in seconds since 1970."
            )
        )
        return "\n".join(lines) + "\n"

    def _covered(self, hearing: str, seals: list[str]) -> list[str]:
        """Say honestly what the seal covers."""
        _ = self.translate
        told = _(
            "The seal covers the recording as the kiosk wrote it: many short fragments. The files "
            "in the folder “video” hold the same pictures and sounds, put together for players, "
            "and are therefore other files: the signed list of this copy (1 and 2) covers them."
        )
        if not hearing:
            return [
                told,
                _("The original fragments are not on this medium; the court keeps them."),
            ]
        lines = [told, _("The original fragments are in the folder “original”:")]
        for seal in seals:
            folder = seal.replace("seal", f"original/{hearing}", 1)
            up = "../" * (folder.count("/") + 1)
            lines.append(f"    (cd {folder} && {_SUMS} --quiet)")
            lines.append(f"    (cd {folder} && {_cms(up + 'ca.pem')})")
        return lines


_SUMS = "sha256sum -c SHA256SUMS"


def _cms(ca: str) -> str:
    """Return the command that checks the signature in the folder one is in."""
    return (
        "openssl cms -verify -binary -inform DER -in SHA256SUMS.p7s -content SHA256SUMS "
        f"-CAfile {ca} -no-CApath -no-CAstore -purpose any -out /dev/null"
    )


def length(ms: int) -> str:
    """Return ``ms`` as h:mm:ss.mmm."""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
