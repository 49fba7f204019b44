"""What court IT has to decide: withheld files, held-back recordings, hearings that two want."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, select

from kiosk.central.admin.findings import FleetSnapshot
from kiosk.central.admin.texts import AdminTexts
from kiosk.central.data import schema
from kiosk.central.deliveries.hearing_owners import read_owners
from kiosk.central.deliveries.quarantine import list_quarantined
from kiosk.locale import N_, Translator

MAX_HELD_BACK = 100
Kind = Literal["withheld", "held_back", "disputed"]


@dataclass(frozen=True)
class OpenDecision:
    """Something that stays as it is until court IT decides.

    Attributes:
        kind: which decisions there are.
        hearing: id of the hearing.
        kiosk: whose delivery it is; of a disputed hearing, who may be given it.
        code: of the sentence that says what has happened.
        values: of that sentence.
        since: when it happened.
        seen: what the decision is for: what was found, what is withheld, whose the hearing is. If
            that has changed, it needs another one.
    """

    kind: Kind
    hearing: str
    kiosk: str
    code: str
    values: Mapping[str, str]
    since: datetime
    seen: str = ""


@dataclass(frozen=True)
class Choice:
    """A decision as it stands on a button, and what comes of it.

    Attributes:
        confirmation: what has to be ticked; none for what can be undone.
    """

    action: str
    button: str
    consequence: str
    confirmation: str | None = None


CHOICES: dict[Kind, tuple[Choice, ...]] = {
    "withheld": (
        Choice(
            "release",
            N_("Release"),
            N_(
                "The hearing was closed by mistake: the plain files become readable again, as "
                "before."
            ),
        ),
        Choice(
            "erase",
            N_("Erase for ever"),
            N_("A judge has ordered it: the plain files are erased, the encrypted ones stay."),
            N_("I know that what is erased cannot be brought back."),
        ),
    ),
    "held_back": (
        Choice(
            "accept",
            N_("Accept as it is"),
            N_(
                "Somebody has looked into it: the kiosk gets its receipt, and may delete its own "
                "copy."
            ),
            N_("I know that an acceptance cannot be taken back."),
        ),
    ),
    "disputed": (
        Choice(
            "reassign",
            N_("Give it the hearing"),
            N_(
                "What any other kiosk has delivered of the hearing is set aside; it comes back if "
                "you give the hearing back."
            ),
        ),
    ),
}
WHILE_UNDECIDED: dict[Kind, str] = {
    "withheld": N_("Until you decide, nobody can read these files, and nothing is erased."),
    "held_back": N_(
        "Until you decide, the kiosk gets no receipt and keeps its own copy. Compare, and ask "
        "who was in the courtroom."
    ),
    "disputed": N_(
        "Nothing is lost. If it is right as it is, do nothing: this disappears after a week."
    ),
}
NOTICES = {
    "done": N_("It is done, and recorded with its reason."),
    "code_wrong": N_(
        "The code is wrong; nothing was changed. It stands in the file admin-code in the server's "
        "data folder, and changes when the server starts."
    ),
    "reason_missing": N_("Say who decided, and why; nothing was changed."),
    "not_confirmed": N_("Tick that it cannot be undone; nothing was changed."),
    "closure_unproven": N_(
        "The delivered journal does not prove that all of these files were replaced; nothing was "
        "erased. Release them, or let the administrator erase them by command (docs/central.md)."
    ),
    "problem_changed": N_("Something else was found meanwhile; nothing was changed. Look again."),
    "not_found": N_("Nothing is left to decide here: somebody has decided."),
    "kiosk_unknown": N_("There is no such kiosk; nothing was changed."),
}
"""What became of a decision, by the code of its refusal."""
FAILED = N_("It could not be done ({code}); nothing is lost.")


def read_decisions(connection: Connection, snapshot: FleetSnapshot) -> list[OpenDecision]:
    """Return what is to be decided, the longest waiting of each kind first."""
    problems, deliveries = schema.problems, schema.deliveries
    withheld = [
        OpenDecision(
            "withheld",
            row.hearing,
            row.kiosk,
            "in_quarantine",
            {"count": str(row.files), "hearing": row.hearing},
            datetime.fromisoformat(row.since),
            row.seen,
        )
        for row in list_quarantined(connection)
    ]
    held_back = [
        OpenDecision(
            "held_back",
            row.delivery,
            row.kiosk,
            row.code,
            {"detail": row.detail, "subject": row.delivery},
            datetime.fromisoformat(row.at),
            f"{row.code}: {row.detail}",
        )
        for row in connection.execute(
            select(problems, deliveries.c.kiosk)
            .join(deliveries, deliveries.c.id == problems.c.delivery)
            .where(problems.c.accepted_at.is_(None))
            .order_by(problems.c.at)
            .limit(MAX_HELD_BACK)
        )
    ]
    disputes = snapshot.disputed()
    owners = read_owners(connection, {item.subject for item in disputes})
    disputed = [
        OpenDecision(
            "disputed",
            item.subject,
            item.kiosk,
            item.code,
            {"detail": item.detail, "subject": item.subject},
            item.at,
            owners.get(item.subject, ""),
        )
        for item in disputes
    ]
    return [*withheld, *held_back, *disputed]


def read_cases(connection: Connection, hearings: Collection[str]) -> dict[str, str]:
    """Return the case numbers of hearings, as far as one is known."""
    schedule, deliveries = schema.schedule, schema.deliveries
    scheduled = connection.execute(
        select(schedule.c.id, schedule.c.hearing).where(schedule.c.id.in_(hearings))
    )
    delivered = connection.execute(
        select(deliveries.c.id, deliveries.c.manifest["hearing"]["case_number"].as_string()).where(
            deliveries.c.id.in_(hearings), deliveries.c.kind == "hearing"
        )
    )
    found = {row.id: str(row.hearing.get("case_number") or "") for row in scheduled}
    found |= {row[0]: row[1] for row in delivered if row[1]}
    return {hearing: number for hearing, number in found.items() if number}


def describe_decisions(
    decisions: Iterable[OpenDecision],
    texts: AdminTexts,
    translate: Translator,
    cases: Mapping[str, str],
    rooms: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Return the decisions for the template."""
    return [
        {
            "hearing": item.hearing,
            "case": cases.get(item.hearing, item.hearing),
            "kiosk": item.kiosk,
            "room": rooms.get(item.kiosk, ""),
            "since": texts.clock(item.since),
            "sentence": texts.sentence(item.code, item.values, cases),
            "undecided": translate(WHILE_UNDECIDED[item.kind]),
            "seen": item.seen,
            "asks_kiosk": item.kind == "disputed",
            "choices": [
                {
                    "action": choice.action,
                    "button": translate(choice.button),
                    "consequence": translate(choice.consequence),
                    "confirmation": choice.confirmation and translate(choice.confirmation),
                }
                for choice in CHOICES[item.kind]
            ],
        }
        for item in decisions
    ]


def describe_notice(code: str, translate: Translator) -> str:
    """Return what became of a decision; ``done``, or the code of its refusal."""
    return translate(NOTICES[code]) if code in NOTICES else translate(FAILED, code=code)
