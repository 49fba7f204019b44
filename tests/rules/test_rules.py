"""Queries of the rules: choices, open questions.

Requirements: R43-R45, R49.
"""

from __future__ import annotations

import pytest

from kiosk.rules import Rules, UnknownRuleError, load_rules
from kiosk.rules.text import fold_schwa, has_latin_schwa, search_key


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


def test_document_types_by_case_kind_with_slots(rules: Rules) -> None:
    civil = {row.id for row in rules.document_types_for("civil")}
    criminal = {row.id for row in rules.document_types_for("criminal")}
    assert {"claim", "counterclaim", "motion"} <= civil
    assert "private_prosecution" not in civil
    assert "claim" not in criminal
    slots = rules.document_type("claim").slots
    assert [slot.type for slot in slots][:3] == ["claim", "power_of_attorney", "fee_receipt"]
    assert [slot.required for slot in slots] == [True, False, False, False, False]


def test_every_type_begins_with_itself_and_requires_nothing_else(rules: Rules) -> None:
    for row in rules.document_types.values():
        assert row.slots[0].type == row.id
        assert [slot.type for slot in row.slots if slot.required] == [row.id]


def test_no_copies_from_a_closed_case_and_no_receipt_online(rules: Rules) -> None:
    closed = {row.id for row in rules.document_types_for("criminal", closed=True)}
    online = {row.id for row in rules.document_types_for("criminal", format_="online")}
    assert "record_copy_request" not in closed
    assert "witness_receipt" in closed
    assert "witness_receipt" not in online


def test_unknown_ids_are_refused(rules: Rules) -> None:
    with pytest.raises(UnknownRuleError, match="no case kind “maritime”"):
        rules.document_types_for("maritime")
    with pytest.raises(UnknownRuleError, match="no limit “speed”"):
        rules.limit("speed")


def test_nobody_only_observes_a_closed_hearing(rules: Rules) -> None:
    closed = {row.id for row in rules.roles_for("criminal", closed=True)}
    assert "observer" not in closed
    assert "media" not in closed
    assert "accused_in_court" in closed


def test_what_the_kiosk_sets_itself_is_never_a_button(rules: Rules) -> None:
    by_hand = {row.id for row in rules.events_for("criminal")}
    assert by_hand.isdisjoint({"recess", "resumed", "retirement", "link_lost", "closing"})
    assert rules.events_for(None, only_manual=False)[-1].id == "closing"


def test_nothing_is_recorded_between_retirement_and_announcement(rules: Rules) -> None:
    assert rules.can_record(["opening"])
    assert not rules.can_record(["debates", "retirement"])
    assert rules.can_record(["retirement", "announcement"])
    assert not rules.can_record(["retirement", "announcement", "retirement"])


def test_open_questions_after_the_start(rules: Rules) -> None:
    """R20-R23: who decided on the format, on which ground and application, and what was said."""
    assert rules.open_questions({"adhoc": True}, {}) == ("format", "case_number", "kind")
    scheduled = {"kind": "civil", "format": "offline", "publicity": "open"}
    assert rules.open_questions(scheduled, {}) == ()
    online = {**scheduled, "format": "online"}
    assert rules.open_questions(online, {}) == (
        "format_decided_by",
        "legal_basis",
        "format_ground",
        "format_opinions",
    )
    said = dict.fromkeys(("format_decided_by", "legal_basis", "format_opinions"), "x")
    assert rules.open_questions(online, {**said, "format_ground": "sanitary"}) == ()
    on_application = {**said, "format_ground": "application"}
    assert rules.open_questions(online, on_application) == ("format_application",)
    assert rules.open_questions({**scheduled, "publicity": "closed"}, {}) == (
        "closure_ground",
        "closure_admitted",
    )


@pytest.mark.parametrize(
    ("ground", "asked"),
    [
        ("civ_adoption", set()),
        ("civ_private_life", {"closure_basis", "closure_application", "closure_act"}),
        ("civ_other", {"closure_basis", "closure_application", "closure_act", "closure_text"}),
        ("civ_disorder", {"closure_act"}),
        ("crim_minors", {"closure_act"}),
        ("crim_inv_judge", set()),
        ("koap_family", {"closure_application", "closure_act"}),
    ],
)
def test_what_closing_rests_on_is_asked_by_its_ground(
    rules: Rules, ground: str, asked: set[str]
) -> None:
    """R74-R85: nothing for what the law closes, a ruling for what the court does, else both."""
    hearing = {"kind": "civil", "format": "offline", "publicity": "closed"}
    answers = {"closure_ground": ground, "closure_admitted": "participants"}
    assert set(rules.open_questions(hearing, answers)) == asked
    by_itself = {**answers, "closure_basis": "initiative"}
    left = rules.open_questions(hearing, by_itself)
    assert "closure_application" not in left, "on the court's own initiative there is none"
    assert rules.open_questions({**hearing, "publicity": "open"}, answers) == ()


def test_labels_by_language(rules: Rules) -> None:
    label = rules.role("witness").label
    assert (label.text("kk"), label.text("ru"), label.text("en")) == ("куә", "свидетель", "witness")
    assert (
        rules.state_fee.exemption[3].norm.text("kk")
    ) == "истцы – по искам о взыскании алиментов"


def test_latin_schwa_is_folded_for_search() -> None:
    pasted = "куә".replace("ә", "\u0259")
    assert has_latin_schwa(pasted)
    assert fold_schwa(pasted) == "куә"
    assert search_key("  К\u0423\u018f ") == search_key("куә")


def test_the_instance_stands_in_the_case_number(rules: Rules) -> None:
    assert rules.instance_of("6003-25-00-4к/1454(2)") == "cassation"
    assert rules.instance_of("3599-24-00-2a / 2151") == "appeal", "with a Latin letter"
    assert rules.instance_of("6294-26-00-2/215") == "first"
    assert rules.instance_of("no number") == ""
