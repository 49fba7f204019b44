"""Texts of an export: time account, page and verification guide, in Kazakh and Russian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from kiosk.alarms import alarm_of, is_known
from kiosk.clocks import parse_set_wall
from kiosk.export.protected_spans import ProtectedSpan
from kiosk.export.time_account import Interval, Loss, TimeAccount
from kiosk.locale import N_, Translator
from kiosk.rules.rules import Rules
from kiosk.storage.hearing_folder import part_folder_name

PAGE_LABELS = {
    "course": N_("Course of the hearing"),
    "statement": N_("What was recorded"),
    "check": N_("How to check this copy"),
    "part": N_("Part"),
    "speech": N_("Who spoke when"),
    "words_back": N_("Words before"),
    "words_on": N_("Next words"),
    "unclear": N_("hard to make out"),
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
    "kept_before_start": N_("the hearing was started here; the sound before it was kept"),
    "unknown": N_("reason not known"),
}
_GIVEN_REASONS: Mapping[str, str] = {
    "power": N_("power failure"),
    "device": N_("a device failed"),
    "software": N_("the kiosk failed"),
    "unknown": N_("not known"),
    "rest": N_("rest"),
    "documents": N_("documents"),
    "participant": N_("a participant was missing"),
    "technical": N_("technical reason"),
}
"""What a person said of a failure or a recess with one tap."""
_DIVISIONS = ("closed", "opened", "kept_before_start")
LOSSES: Mapping[str, str] = {
    "absent": N_("not connected"),
    "refused": N_("the device refused the settings"),
    "dead": N_("no signal"),
    "muted": N_("switched off or muted"),
    "stuck": N_("the device repeated itself"),
    "silent": N_("no sound (switched off or muted)"),  # in older journals
    **dict.fromkeys(("gap", "overlap"), N_("sound lost")),
    "frozen": N_("picture stood still"),
    "still": N_("picture stood still"),
    "dropped": N_("pictures lost"),
    "encoder": N_("encoding failed"),
    **dict.fromkeys(
        ("write_failed", "slow", "full", "read_only", "gone", "failed"), N_("could not be saved")
    ),
    "crash": _REASONS["crash"],
    "power": _REASONS["power"],
}
"""What was lost, by the kind of an interruption."""


def given_reason(translate: Translator, said: str) -> str:
    """Return in words why nothing was recorded, as a person said: by a tap, or typed."""
    return translate(_GIVEN_REASONS[said]) if said in _GIVEN_REASONS else said


@dataclass(frozen=True)
class ExportTexts:
    """Texts of one hearing in one language.

    Attributes:
        people: names by id.
        roles: role of each microphone by its name.
    """

    translate: Translator
    rules: Rules
    zone: ZoneInfo
    people: Mapping[str, str]
    roles: Mapping[str, str]

    # -- statement -------------------------------------------------------------------------------
    def time_account_text(self, title: str, time_account: TimeAccount) -> str:
        """Return the time account as plain text: a line for each interval, then the sum."""
        _ = self.translate
        rows = [self.interval_row(interval) for interval in time_account.intervals]
        sums = self.sum_lines(time_account)
        losses = [self.loss_line(loss) for loss in time_account.losses]
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

    def interval_row(self, interval: Interval) -> tuple[str, str, str, str]:
        """Return start, length, kind, and who stopped it and why."""
        _ = self.translate
        if interval.kind == "gap" and interval.reason in _DIVISIONS and interval.ms == 0:
            what = self.gap_reason(
                interval.reason
            )  # nothing is missing: one part ends, the next begins
        elif interval.kind == "gap":
            what = _("not recorded: {reason}", reason=self.gap_reason(interval.reason))
        elif interval.kind == "closed":
            what = _("part {part}: closed, no copy is made of it", part=interval.part)
        else:
            what = _("part {part}: recorded", part=interval.part)
        who = self.people.get(interval.person, interval.person) if interval.kind == "gap" else ""
        why = given_reason(_, interval.why)
        details = " · ".join(
            text for text in (self.wall_clock_text(interval.wall), who, why) if text
        )
        return format_length(interval.begin_ms), self.length_text(interval.ms), what, details

    def sum_lines(self, time_account: TimeAccount) -> list[str]:
        """Return the sum: start to end = recorded + closed + not recorded."""
        _ = self.translate
        recorded, gaps = time_account.total_of("recorded"), time_account.total_of("gap")
        closed = time_account.total_of("closed")
        lines = [_("From start to end: {time}", time=format_length(time_account.total_ms))]
        lines.append(_("= recorded: {time}", time=format_length(recorded)))
        if closed:
            lines.append(_("+ closed, not in this copy: {time}", time=format_length(closed)))
        lines.append(_("+ not recorded: {time}", time=format_length(gaps)))
        if time_account.unknown_gaps:
            lines.append(
                _(
                    "Besides, gaps of unknown length: {n} (the power failed and the clock was "
                    "lost). They are not in the sum.",
                    n=time_account.unknown_gaps,
                )
            )
        if any(interval.kind == "closed" for interval in time_account.intervals):
            lines.append(
                _(
                    "Parts of this hearing were closed. The law allows no copy of them; they can "
                    "be seen in the court only."
                )
            )
        return lines + [self._withheld_line(span) for span in time_account.withheld]

    def _withheld_line(self, span: ProtectedSpan) -> str:
        """Return what of a part is not in the copy, because a protected person is heard (S9)."""
        _ = self.translate
        return _(
            "Not in this copy: part {part}, {begin} – {end}. A person whom the court protects is "
            "heard there (УПК 213(4)).",
            part=span.part,
            begin=format_length(round(span.begin * 1000)),
            end=format_length(round(span.end * 1000)),
        )

    def loss_line(self, loss: Loss) -> str:
        """Return what was missing, when, and for how long."""
        _ = self.translate
        what = _(LOSSES.get(loss.kind, loss.kind))
        place = _("part {part}, {time}", part=loss.part, time=format_length(loss.at_ms))
        return f"{place} · {self.source_name(loss.source)}: {what}, {self.length_text(loss.ms)}"

    def gap_reason(self, reason: str) -> str:
        """Return why nothing was recorded; for a fault, the sentence of its alarm."""
        if reason not in _REASONS and is_known(reason):
            return alarm_of(reason).say(self.translate)
        return self.translate(_REASONS.get(reason, _REASONS["unknown"]))

    def source_name(self, source: str) -> str:
        """Return the name of a source as people know it: the role at its microphone."""
        if source == "camera":
            return self.translate("camera")
        role = self.rules.roles.get(self.roles.get(source, source))
        return self.translate.pick(role.label.as_map()) if role else source

    def length_text(self, ms: int | None) -> str:
        """Return a length in words, “unknown” included."""
        return self.translate("length unknown") if ms is None else format_length(ms)

    def wall_clock_text(self, wall: str) -> str:
        """Return the wall time ``wall`` in the court's zone; ``""``: of an unset clock, too."""
        moment = parse_set_wall(wall)
        return moment.astimezone(self.zone).strftime("%d.%m.%Y %H:%M:%S") if moment else ""

    # -- how to check ------------------------------------------------------------------------------
    def verification_guide(
        self,
        hearing: str,
        *,
        whole: bool,
        parts: list[int],
        stamped: bool,
        withheld: bool = False,
    ) -> str:
        """Return how to check the copy with standard tools; lines indented by four are commands.

        Args:
            hearing: id of the hearing, its folder under ``original/`` (``""``: no originals).
            whole: the copy has the seal of the whole hearing (no part was closed); otherwise it has
                the seals of ``parts``.
            stamped: the copy has a time stamp.
            withheld: the court protects somebody: the copy has no seals, for their journals name
                them and the seals cover what is left out (S9).
        """
        _ = self.translate
        seals = ["seal"] if whole else [f"seal/{part_folder_name(part)}" for part in parts]
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
            f"    {_SUMS_COMMAND}",
            _("2. Was the list signed by the court's kiosk? It must say: successful."),
            f"    {_cms_command('ca.pem')}",
        ]
        if withheld:
            return "\n".join([*lines, "", self._withheld_seal(), self._expired()]) + "\n"
        lines += [
            _(
                "3. The seal of the recording itself: is it the court's, and does the journal "
                "belong to it?"
            ),
        ]
        for seal in seals:
            up = "../" * (seal.count("/") + 1)
            lines.append(f"    (cd {seal} && {_SUMS_COMMAND} --ignore-missing)")
            lines.append(f"    (cd {seal} && {_cms_command(up + 'ca.pem')})")
        lines += ["", *self._coverage_lines(hearing, seals)]
        if stamped:
            lines += [
                _(
                    "A time stamp authority has confirmed when the seal existed. With the "
                    "authority's certificate as the file tsa.pem:"
                ),
                "    openssl ts -verify -data seal/SHA256SUMS.p7s -in seal/SHA256SUMS.p7s.tsr "
                "-CAfile tsa.pem",
            ]
        return "\n".join([*lines, self._expired()]) + "\n"

    def _expired(self) -> str:
        _ = self.translate
        return _(
            "If openssl says that a certificate has expired, add -attime with a moment at "
            "which it was valid, in seconds since 1970."
        )

    def _withheld_seal(self) -> str:
        _ = self.translate
        return _(
            "The seal of the recording itself and the original fragments are not on this medium: "
            "they would tell who the person is whom the court protects (УПК 213(4)). The court "
            "keeps them."
        )

    def _coverage_lines(self, hearing: str, seals: list[str]) -> list[str]:
        """Return the lines about what the seal covers."""
        _ = self.translate
        coverage = _(
            "The seal covers the recording as the kiosk wrote it: many short fragments. The files "
            "in the folder “video” hold the same pictures and sounds, put together for players, "
            "and are therefore other files: the signed list of this copy (1 and 2) covers them."
        )
        if not hearing:
            return [
                coverage,
                _("The original fragments are not on this medium; the court keeps them."),
            ]
        lines = [coverage, _("The original fragments are in the folder “original”:")]
        for seal in seals:
            folder = seal.replace("seal", f"original/{hearing}", 1)
            up = "../" * (folder.count("/") + 1)
            lines.append(f"    (cd {folder} && {_SUMS_COMMAND} --quiet)")
            lines.append(f"    (cd {folder} && {_cms_command(up + 'ca.pem')})")
        return lines


_SUMS_COMMAND = "sha256sum -c SHA256SUMS"


def _cms_command(ca: str) -> str:
    """Return the command that checks the signature in the current folder."""
    return (
        "openssl cms -verify -binary -inform DER -in SHA256SUMS.p7s -content SHA256SUMS "
        f"-CAfile {ca} -no-CApath -no-CAstore -purpose any -out /dev/null"
    )


def format_length(ms: int) -> str:
    """Return ``ms`` as h:mm:ss.mmm."""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
