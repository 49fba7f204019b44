"""Lines of the minutes on what the court decided: format, closing, filming (R20-R23, R56-R65)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.hearing.session.hearing_state import HearingState
from kiosk.locale import N_, Translator
from kiosk.rules.model import LabelledRow
from kiosk.rules.rules import Rules

_OPINIONS = {
    "agreed": N_("all agree"),
    "objected": N_("there are objections"),
    "not_asked": N_("opinions were not asked"),
}
_GROUNDS = {
    "application": N_("on application"),
    "initiative": N_("on the court's initiative"),
    "sanitary": N_("sanitary situation"),
}


def decision_lines(state: HearingState, rules: Rules, translate: Translator) -> list[str]:
    """Return a line for each format, each closing and each permission, in this order.

    Permissions as they stand at the end; what nobody said is left out.
    """
    formats = [row for row in state.earlier if "format" in row]
    formats.append({**state.answers, "format": state.details.get("format")})
    closings = [row for row in state.earlier if "format" not in row] + [state.answers]
    lines = [_format_line(said, rules, translate) for said in formats]
    lines += [_closing_line(said, rules, translate) for said in closings]
    lines += [
        _permission_line(
            str(kind), bool(said.get("allowed")), said.get("opinions"), rules, translate
        )
        for kind, said in state.permissions.items()
    ]
    return [state.without_names(line) for line in lines if line]


def _format_line(answers: Mapping[str, Any], rules: Rules, translate: Translator) -> str:
    """Return the format with its grounds; empty in the room, which needs none."""
    row = rules.forms.get(str(answers.get("format")))
    if row is None or row.id == "offline":
        return ""
    basis = rules.legal_bases.get(str(answers.get("legal_basis")))
    return _joined(
        _label(row, translate),
        basis.norm if basis else "",
        _said(_GROUNDS, answers.get("format_ground"), translate),
        _number(answers.get("format_application")),
        _said(_OPINIONS, answers.get("format_opinions"), translate),
    )


def _closing_line(answers: Mapping[str, Any], rules: Rules, translate: Translator) -> str:
    """Return the ground of a closing with application and act; empty: nobody has said one."""
    row = rules.closure_grounds.get(str(answers.get("closure_ground")))
    if row is None:
        return ""
    label = translate.gettext("closed session: {ground}", ground=_label(row, translate))
    return _joined(
        label,
        ", ".join(row.norms),
        _said(_GROUNDS, answers.get("closure_basis"), translate),
        _number(answers.get("closure_application")),
        _number(answers.get("closure_act")),
        str(answers.get("closure_text") or ""),
    )


def _permission_line(
    kind: str, is_allowed: bool, opinions: object, rules: Rules, translate: Translator
) -> str:
    row = rules.permissions.get(kind)
    label = _label(row, translate) if row else kind
    decided = translate.gettext("allowed") if is_allowed else translate.gettext("refused")
    return _joined(f"{label}: {decided}", _said(_OPINIONS, opinions, translate))


def _label(row: LabelledRow, translate: Translator) -> str:
    return translate.pick(row.label.as_map())


def _said(texts: dict[str, str], value: object, translate: Translator) -> str:
    text = texts.get(str(value))
    return translate.gettext(text) if text else ""


def _number(value: object) -> str:
    return f"№ {str(value).removeprefix('№').strip()}" if value else ""


def _joined(*texts: str) -> str:
    return " · ".join(text for text in texts if text)
