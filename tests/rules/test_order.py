"""What is due next, what was left out, what is offered: by code, format, age and person.

Requirements: R46-R53, R57, S10-S14, S25; the articles stand at each test.
"""

from __future__ import annotations

from cProfile import Profile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.rules import load_rules
from kiosk.rules.order import (
    Attendant,
    Course,
    Step,
    announced_part,
    due_steps,
    keeps_minutes,
    left_out_steps,
    offered_events,
)

RULES = load_rules()
WITNESS, MINOR = Attendant("w", "witness"), Attendant("m", "witness", minor=True)
ACCUSED, VICTIM = Attendant("a", "accused_in_court"), Attendant("v", "victim")
EXPERT, INTERPRETER = Attendant("e", "expert"), Attendant("i", "interpreter")
PLAINTIFF, DEFENDANT = Attendant("p", "plaintiff"), Attendant("d", "defendant_civil")


def steps(*marks: str) -> tuple[Step, ...]:
    """Return ``event`` or ``event:person`` as steps."""
    return tuple(Step(*mark.split(":")) for mark in marks)


def course(kind: str, *attendants: Attendant, format_: str = "offline", done: str = "") -> Course:
    return Course(kind, format_, attendants=attendants, done=steps(*done.split()))


def due(hearing: Course, count: int = 4) -> list[str]:
    found = due_steps(RULES, hearing, count)
    return [f"{step.event}:{step.person}" if step.person else step.event for step in found]


def missing(hearing: Course, mark: str) -> list[str]:
    found = left_out_steps(RULES, hearing, steps(mark)[0])
    return [f"{step.event}:{step.person}" if step.person else step.event for step in found]


def walk(hearing: Course) -> list[str]:
    """Mark what is due next until nothing is; return it."""
    marked: list[str] = []
    while len(marked) < 200 and (found := due_steps(RULES, hearing)):
        assert not left_out_steps(RULES, hearing, found[0]), "who follows the order leaves none out"
        marked += due(hearing, 1)
        closed = hearing.closed and found[0].event != "opened_again"
        hearing = replace(hearing, done=(*hearing.done, found[0]), closed=closed)
    return marked


def turn(marked: list[str], person: str) -> list[str]:
    return [mark.partition(":")[0] for mark in marked if mark.endswith(f":{person}")]


# -- the turn of a witness, by code --------------------------------------------------------------
def test_a_criminal_witness_in_the_room_swears_and_signs() -> None:
    """R46, R47, S11, УПК 370(2)."""
    marked = walk(course("criminal", ACCUSED, WITNESS))
    assert turn(marked, "w") == [
        "identity_checked",
        "rights_explained",
        "oath",
        "receipt_taken",
        "questioning",
    ]
    assert turn(marked, "a") == [
        "identity_checked",
        "rights_explained",
        "questioning",
        "last_word",
    ]


def test_a_criminal_witness_online_reads_aloud_is_warned_and_signs_nothing() -> None:
    """R49, R50, R51."""
    marked = walk(course("criminal", ACCUSED, WITNESS, format_="online"))
    assert turn(marked, "w")[2:] == ["oath", "warning_false_testimony", "questioning"]
    assert "receipt_taken" not in " ".join(marked)


def test_in_a_mixed_hearing_it_is_by_person() -> None:
    here, there = replace(WITNESS, place="hall"), Attendant("x", "witness", place="online")
    unsaid = Attendant("u", "witness")
    marked = walk(course("criminal", here, there, unsaid, format_="mixed"))
    assert turn(marked, "w")[2:] == ["oath", "receipt_taken", "questioning"]
    assert turn(marked, "x")[2:] == ["oath", "warning_false_testimony", "questioning"]
    done = "identity_checked:u rights_explained:u oath:u"
    hearing = course("criminal", unsaid, format_="mixed", done="witnesses_leave " + done)
    assert due(hearing, 2) == ["warning_false_testimony:u", "receipt_taken:u"]
    assert missing(hearing, "questioning:u") == [], "where he is, nobody said: nothing is claimed"


def test_what_is_said_of_a_person_goes_before_the_format() -> None:
    there = replace(WITNESS, place="online")
    hearing = course("criminal", there, done="oath:w")
    assert due(hearing, 1) == ["warning_false_testimony:w"]


def test_a_victim_swears_as_a_witness_does() -> None:
    """УПК 369(1)."""
    marked = walk(course("criminal", ACCUSED, VICTIM))
    assert turn(marked, "v")[-3:] == ["oath", "receipt_taken", "questioning"]


@pytest.mark.parametrize("kind", ["criminal", "civil", "admin_justice"])
@pytest.mark.parametrize("format_", ["offline", "online", "mixed"])
def test_under_sixteen_nobody_is_warned_swears_or_signs(kind: str, format_: str) -> None:
    """S12, УПК 371, АПК 203(2), 206, ӘРПК 147(1)."""
    marked = turn(walk(course(kind, MINOR, format_=format_)), "m")
    assert marked == [
        "identity_checked",
        "rights_explained",
        "minor_accompanied",
        "truth_explained",
        "questioning",
        "minor_leaves",
    ]
    hearing = course(kind, MINOR, done="witnesses_leave identity_checked:m rights_explained:m")
    asked = missing(hearing, "questioning:m")
    accompanied = ["minor_accompanied:m"] if kind == "criminal" else []
    assert asked == [*accompanied, "truth_explained:m"], "a duty at every age in УПК 371(1) only"


def test_a_minors_companions_who_are_there_need_no_mark() -> None:
    """УПК 371(1)."""
    there = (Attendant("t", "teacher_psychologist"), Attendant("l", "legal_representative"))
    done = "witnesses_leave identity_checked:m rights_explained:m truth_explained:m"
    assert missing(course("criminal", MINOR, *there, done=done), "questioning:m") == []
    only_one = course("criminal", MINOR, there[0], done=done)
    assert missing(only_one, "questioning:m") == ["minor_accompanied:m"]
    gone = replace(there[1], place="absent")
    assert missing(course("criminal", MINOR, there[0], gone, done=done), "questioning:m") == [
        "minor_accompanied:m"
    ]


@pytest.mark.parametrize("kind", ["civil", "admin_justice"])
@pytest.mark.parametrize("format_", ["offline", "online"])
def test_a_civil_witness_is_warned_and_swears_and_signs_nothing(kind: str, format_: str) -> None:
    """АПК 203(1), ӘРПК 147(1)."""
    marked = walk(course(kind, PLAINTIFF, DEFENDANT, WITNESS, format_=format_))
    assert turn(marked, "w") == [
        "identity_checked",
        "rights_explained",
        "warning_false_testimony",
        "questioning",
    ]
    offered = offered_events(RULES, course(kind))
    assert not {"oath", "last_word", "charge_presented"} & set(offered)


def test_who_takes_part_from_an_institution_signs_there() -> None:
    """АПК 133-3(3): R49 is not so general."""
    patient = Attendant("p", "plaintiff", place="online", institution=True)
    witness = Attendant("w", "witness", place="online", institution=True)
    marked = walk(course("civil", patient, witness, format_="mixed"))
    assert "receipt_taken" in turn(marked, "p")
    assert turn(marked, "w")[-3:] == ["warning_false_testimony", "receipt_taken", "questioning"]
    own = course("civil", replace(witness, institution=False), format_="mixed")
    assert "receipt_taken" not in turn(walk(own), "w")


def test_an_administrative_offence_knows_only_what_was_read() -> None:
    """S25, КоАП 767(3)-(4); neither oath, warning nor receipt was read there."""
    charged = Attendant("c", "person_charged")
    hearing = course("admin_offence", charged, WITNESS)
    assert turn(walk(hearing), "w") == ["identity_checked", "rights_explained", "questioning"]
    assert missing(hearing, "questioning:c") == ["rights_explained:c"]
    assert missing(course("admin_offence", charged, done="opening"), "attendance") == []


# -- expert, interpreter, closed parts ----------------------------------------------------------
@pytest.mark.parametrize("kind", ["criminal", "civil", "admin_justice"])
@pytest.mark.parametrize("format_", ["offline", "online"])
def test_expert_and_interpreter_are_warned_and_sign(kind: str, format_: str) -> None:
    """S13, УПК 352(2), 360, 373(2), АПК 191(2), 200, ӘРПК 147(1)."""
    marked = walk(course(kind, EXPERT, INTERPRETER, format_=format_))
    assert turn(marked, "e") == ["expert_warned", "receipt_taken", "questioning"]
    assert turn(marked, "i") == ["interpreter_rights", "receipt_taken"]
    signed = "interpreter_rights:i receipt_taken:i"
    hearing = course(kind, EXPERT, INTERPRETER, done=signed)
    assert missing(hearing, "questioning:e") == ["expert_warned:e", "receipt_taken:e"]
    assert missing(hearing, "expert_questions") == ["expert_warned:e", "receipt_taken:e"]


def test_a_closed_criminal_part_takes_a_receipt_of_everybody_who_stays() -> None:
    """УПК 350(2); АПК 19(4): a warning only."""
    persons = (ACCUSED, replace(WITNESS, place="absent"), EXPERT)
    hearing = course("criminal", *persons, done="opening attendance questioning:a closed_declared")
    closed = replace(hearing, closed=True)
    assert due(closed)[:3] == [
        "non_disclosure_warned",
        "non_disclosure_receipt:a",
        "non_disclosure_receipt:e",
    ]
    assert "non_disclosure_receipt:a" in missing(closed, "questioning:a")
    assert not [name for name in due(hearing, 50) if name.startswith("non_disclosure")]
    civil = course("civil", PLAINTIFF, done="opening attendance closed_declared")
    assert due(replace(civil, closed=True), 1) == ["non_disclosure_warned"]
    assert "non_disclosure_receipt" not in " ".join(due(replace(civil, closed=True), 50))


def test_a_hearing_closed_from_its_start_is_opened_first() -> None:
    hearing = replace(course("criminal", ACCUSED), closed=True)
    assert due(hearing)[:2] == ["court_enters", "opening"]
    marked = walk(hearing)
    assert marked.index("attendance") < marked.index("non_disclosure_warned")


def test_an_announcement_is_open_only_as_far_as_allowed() -> None:
    """R57, S14, УПК 29(3), R86, ӘРПК 147(2)."""
    hearing = course("criminal", ACCUSED, done="attendance debates last_word:a retirement")
    assert due(hearing, 2) == ["announcement", "appeal_explained"]
    assert announced_part(RULES, hearing) is None
    closed = replace(hearing, closed=True, ground="crim_intimate")
    warned = steps("non_disclosure_warned", "non_disclosure_receipt:a")
    closed = replace(closed, done=(*closed.done, *warned, Step("retirement")))
    assert due(closed, 2) == ["opened_again", "announcement"]
    assert missing(closed, "announcement") == ["opened_again"]
    assert announced_part(RULES, closed) == "introductory_and_operative"
    secret = replace(closed, ground="state_secret")
    assert due(secret, 1) == ["announcement"]
    assert missing(secret, "announcement") == []
    assert announced_part(RULES, secret) == "none"
    assert announced_part(RULES, course("admin_justice")) == "operative"


# -- the hearing as a whole ---------------------------------------------------------------------
def test_witnesses_leave_before_anybody_is_heard() -> None:
    """S10, УПК 354, 370(1), АПК 192(1)."""
    done = "identity_checked:a rights_explained:a"
    assert missing(course("criminal", ACCUSED, WITNESS, done=done), "questioning:a") == [
        "witnesses_leave"
    ]
    assert missing(course("criminal", ACCUSED, done=done), "questioning:a") == []
    away = replace(WITNESS, place="absent")
    assert missing(course("criminal", ACCUSED, away, done=done), "questioning:a") == []


def test_recording_is_announced_before_attendance() -> None:
    """УПК 350(3), АПК 189(1), ӘРПК 147(1)."""
    assert missing(course("civil", done="opening"), "attendance") == ["recording_announced"]
    assert missing(course("criminal", done="recording_announced"), "attendance") == []


def test_identity_goes_before_rights_and_rights_before_questioning() -> None:
    """S25, S2, УПК 355, 358."""
    hearing = course("civil", PLAINTIFF, DEFENDANT, done="identity_checked:p")
    assert missing(hearing, "rights_explained:d") == ["identity_checked:d"]
    assert missing(hearing, "rights_explained:p") == []
    assert missing(hearing, "questioning:p") == ["rights_explained:p"]
    to_all = course("civil", PLAINTIFF, DEFENDANT, done="identity_checked rights_explained")
    assert missing(to_all, "questioning:d") == [], "rights explained to all at once"


def test_the_last_word_of_each_accused_comes_before_the_judgment_not_before_a_ruling() -> None:
    second = Attendant("b", "accused_in_court")
    before = course("criminal", ACCUSED, second, done="opening")
    assert missing(before, "retirement") == []
    done = "opening debates last_word:a"
    assert missing(course("criminal", ACCUSED, second, done=done), "retirement") == ["last_word:b"]
    assert missing(course("civil", PLAINTIFF, done="opening debates"), "retirement") == []


def test_whom_the_court_hears_first_is_the_courts_choice() -> None:
    hearing = course("criminal", ACCUSED, VICTIM, WITNESS, done="position identity_checked:w")
    assert due(hearing, 1) == ["rights_explained:w"], "the turn that has begun goes on"
    done = "position identity_checked:w rights_explained:w oath:w receipt_taken:w questioning:w"
    heard = course("criminal", ACCUSED, VICTIM, WITNESS, done=done)
    assert due(heard)[:2] == ["questioning:a", "oath:v"], "the others stay due"


def test_a_witness_identified_early_skips_nothing() -> None:
    hearing = course("criminal", ACCUSED, WITNESS, done="attendance identity_checked:w")
    assert "composition" in due(hearing, 12)
    assert "charge_presented" in due(hearing, 20)


def test_without_a_list_the_turn_of_an_unnamed_witness_is_followed() -> None:
    done = "rights_explained identity_checked"
    hearing = course("criminal", done=done)
    assert due(hearing, 2) == ["oath", "questioning"]
    assert missing(hearing, "questioning") == [], "nobody said that it is a witness"
    sworn = course("criminal", done=f"{done} oath")
    assert due(sworn, 1) == ["receipt_taken"]
    assert missing(sworn, "questioning") == ["receipt_taken"], "R47"
    online = replace(sworn, format_="online")
    assert due(online, 1) == ["warning_false_testimony"]
    assert missing(online, "questioning") == ["warning_false_testimony"], "R51"
    signed = course("criminal", done=f"{done} oath receipt_taken")
    assert due(signed, 1) == ["questioning"]
    assert missing(signed, "questioning") == []
    heard = course("criminal", done=f"{done} oath receipt_taken questioning")
    assert due(heard, 1) == ["identity_checked"], "the next witness"
    assert missing(course("civil"), "questioning") == ["rights_explained"]


def test_a_motion_is_decided_before_the_course_goes_on_and_a_recess_is_no_step() -> None:
    done = "rights_explained motion_made recess resumed"
    assert due(course("criminal", done=done), 1) == ["motion_decided"]
    assert due(course("civil", done="questioning retirement resumed"), 1) == ["announcement"]
    assert due(course("civil", done="rights_explained"), 1) == ["claim_presented"]


def test_of_mediation_and_in_cassation_no_minutes_are_kept() -> None:
    """АПК 179(7), 281(4), ӘРПК 147(1)."""
    talk = replace(course("civil"), session="conciliation")
    assert not keeps_minutes(RULES, talk)
    assert (offered_events(RULES, talk), due(talk)) == ((), [])
    assert missing(talk, "questioning") == []
    assert [row.recorded for row in RULES.order.without_minutes] == [False, True]
    assert not keeps_minutes(RULES, replace(course("admin_justice"), instance="cassation"))
    assert keeps_minutes(RULES, replace(course("civil"), instance="appeal"))
    assert keeps_minutes(RULES, replace(course("criminal"), session="conciliation"))


def test_an_unknown_kind_and_unknown_marks_are_survived() -> None:
    unknown = Course(None, done=steps("no_such_mark", "oath:nobody"))
    assert due_steps(RULES, unknown)
    assert left_out_steps(RULES, unknown, Step("questioning")) == ()
    assert due(Course("maritime"), 1) == ["court_enters"]


def test_every_step_has_its_source_and_belongs_to_the_kinds_of_its_event() -> None:
    for row in RULES.order.step:
        assert set(row.kinds) <= set(RULES.event(row.event).kinds), row.event
    course_events = {row.id for row in RULES.events.values() if row.course}
    by_kiosk = {row.id for row in RULES.events.values() if row.made_by == "kiosk"}
    assert course_events - by_kiosk <= {row.event for row in RULES.order.step}


PERSONS = st.lists(
    st.builds(
        Attendant,
        id=st.sampled_from("abcdef"),
        role=st.sampled_from([*RULES.roles, "no_such_role"]),
        place=st.sampled_from(["hall", "online", "absent", ""]),
        minor=st.booleans(),
        institution=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda person: person.id,
)
MARKS = st.lists(
    st.builds(
        Step,
        event=st.sampled_from([*RULES.events, "button", "no_such_event"]),
        person=st.sampled_from(["", *"abcdef"]),
    ),
    max_size=12,
)


@given(
    kind=st.sampled_from([*RULES.case_kinds, None]),
    format_=st.sampled_from(["offline", "online", "mixed", ""]),
    closed=st.booleans(),
    attendants=PERSONS,
    marks=MARKS,
)
def test_no_sequence_of_marks_ends_without_a_way_on(
    kind: str | None,
    format_: str,
    closed: bool,
    attendants: list[Attendant],
    marks: list[Step],
) -> None:
    """Every event stays offered; what is due is offered, is open, and leads to an end."""
    hearing = Course(kind, format_, closed=closed, attendants=tuple(attendants), done=tuple(marks))
    offered = offered_events(RULES, hearing)
    assert offered == tuple(row.id for row in RULES.events_for(kind))
    for step in marks:
        assert step not in left_out_steps(RULES, hearing, step), "nothing waits for itself"
    persons = {person.id for person in attendants}
    for _ in range(120):
        found = due_steps(RULES, hearing)
        assert len(set(found)) == len(found)
        assert {step.event for step in found} <= set(offered)
        assert {step.person for step in found} <= persons | {""}
        # Of witnesses whom nobody named there may be one more, as often as one was heard.
        ahead = [step for step in found if step not in hearing.done]
        if not ahead:
            return
        hearing = replace(hearing, done=(*hearing.done, ahead[0]))
    pytest.fail("following what is due comes to no end")


def test_after_an_oath_of_nobody_in_particular_both_ways_are_offered() -> None:
    """R49, R51: while nobody has said in which format the hearing is held."""
    hearing = course("criminal", format_="", done="rights_explained identity_checked oath")
    assert due(hearing, 2) == ["warning_false_testimony", "receipt_taken"]


def test_a_thousand_victims_cost_no_more_than_ten_times_a_hundred() -> None:
    """Counted in calls: State waits for the answer, and such trials are held."""

    def calls(victims: int) -> int:
        persons = [Attendant(f"v{n}", "victim") for n in range(victims)]
        done = "court_enters opening " + " ".join(f"identity_checked:v{n}" for n in range(50))
        hearing = course("criminal", *persons, done=done)
        profile = Profile()
        assert profile.runcall(due_steps, RULES, hearing)
        return sum(row.callcount for row in profile.getstats())

    assert calls(1000) < 15 * calls(100)


def test_what_closing_asks_for_goes_before_what_was_left_out_of_somebody_heard() -> None:
    """УПК 350(2)."""
    done = "position identity_checked:w rights_explained:w questioning:w"
    hearing = course("criminal", ACCUSED, WITNESS, done=done)
    hearing = replace(hearing, missing=steps("oath:w"))
    assert due(hearing, 2) == ["questioning:a", "oath:w"]
    closed = replace(hearing, closed=True, done=(*hearing.done, Step("closed_declared")))
    assert due(closed, 2) == ["non_disclosure_warned", "non_disclosure_receipt:a"]
