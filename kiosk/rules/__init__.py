"""The court's rules as data: a change of law changes a file in ``data/``, not the code.

``load_rules()`` reads and checks every table once; :class:`Rules` is frozen and handed down. See
``docs/rules.md``.
"""

from __future__ import annotations

from kiosk.rules.errors import FeeUnknownError, RulesError, UnknownRuleError
from kiosk.rules.fees import FeeBasis, Payer, compute_fee, mrp_on
from kiosk.rules.load import load_rules
from kiosk.rules.model import (
    CaseKind,
    ClosureGround,
    DocumentType,
    EventType,
    Label,
    Permission,
    Role,
    SlotRule,
)
from kiosk.rules.rules import Rules
from kiosk.rules.text import case_number_key, fold_schwa, plain_number, search_key

__all__ = [
    "CaseKind",
    "ClosureGround",
    "DocumentType",
    "EventType",
    "FeeBasis",
    "FeeUnknownError",
    "Label",
    "Payer",
    "Permission",
    "Role",
    "Rules",
    "RulesError",
    "SlotRule",
    "UnknownRuleError",
    "case_number_key",
    "compute_fee",
    "fold_schwa",
    "load_rules",
    "mrp_on",
    "plain_number",
    "search_key",
]
