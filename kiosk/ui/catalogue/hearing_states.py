"""Canned states of a hearing beside its usual course: closed, listening, remedies, storages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiosk.filing.drafts.parking import Unfinished
from kiosk.ui.catalogue import canned, papers
from kiosk.ui.catalogue.secretary_states import running_hearing
from kiosk.ui.catalogue.state import State, alarm, staff
from kiosk.ui.desk import Desk
from kiosk.ui.facts import Sync
from kiosk.ui.places import AtCopies, AtLeftovers
from kiosk.ui.secretary.copies import CopiesState, CopyEvent, Medium, SealedHearing
from kiosk.ui.secretary.leftovers import LeftoversState
from kiosk.ui.secretary.panels import ListenPanel, Panel, RemedyPanel, SincePanel
from kiosk.ui.secretary.slips import SlipState

RECORDING = "secretary.recording"
CLOSED = {
    "publicity": "closed",
    "closed": {"since": canned.at(9, 41, 30), "ground": None},
    "closed_parts": [2],
    "part": 2,
    "parts": 2,
}
ILL = canned.microphones(
    defendant={
        "state": "absent",
        "heard": None,
        "roles": ["defendant_civil"],
        "remedies": ["spare", "move", "without"],
        "remedy_targets": {"spare": ["extra"], "move": ["judge", "witness"]},
    },
    plaintiff={"state": "quiet", "roles": ["plaintiff"], "remedies": ["without"]},
)
SPARE = {"name": "extra", "role": "spare", "roles": [], "state": "ok", "kind": "room"}
REMOTE = {"name": "remote", "role": "remote", "roles": ["remote"], "kind": "remote"}
LOST = {**REMOTE, "state": "muted", "since": canned.ago(20)}
WITHOUT = canned.microphones(
    defendant={"state": "absent", "without": True, "roles": ["x"], "remedies": ["back"]}
)
BUTTON = [{"id": 9, "type": "button", "at": canned.at(9, 50, 2), "seconds": 2400.0, "note": ""}]


SEALED = tuple(
    SealedHearing(
        id=str(n),
        case_number=f"7514-26-00-2/{4490 + n}",
        started=canned.at(8 + n, 0),
        seconds=3600.0 * n,
        parts=n,
        closed=closed,
    )
    for n, closed in ((1, "none"), (2, "some"), (3, "all"), (4, "none"), (5, "none"))
)
STICK = Medium(path="/m/1", name="KINGSTON", free_bytes=14 * 10**9, total_bytes=16 * 10**9)
MEASURED = {
    "state": "passed",
    "verdict": "borderline",
    "at": canned.at(9, 40),
    "sentence": {
        "kk": "Байланыс шамамен 1 Мбит/с: бейне кейде тоқтап қалуы мүмкін.",
        "ru": "Связь около 1 Мбит/с: изображение иногда может замирать.",
        "en": "The line is just about 1 Mbit/s: the picture may freeze now and then.",
    },
}
BUSY = canned.sync(
    queue={"items": 3, "bytes": 4_100_000_000, "courier": 1},
    uploads={"state": "paced"},
    link_check={"running": False, "last": MEASURED, "next": None},
    forecast={"empty_at": canned.at(18, 30), "endless": False, "full_at": canned.at(23, 0)},
)


LEFT = (
    Unfinished("f1", canned.at(9, 21), 4, None, recoverable=True),
    Unfinished("f2", canned.at(9, 2), 1, None, recoverable=False),
)


def with_panel(panel: Panel, **changes: Any) -> Callable[[Desk], None]:
    """Return a running hearing with ``panel`` open."""

    def prepare(desk: Desk) -> None:
        running_hearing(**changes)(desk)
        desk.office.conduct.panel = panel

    return prepare


def copies(**changes: Any) -> Callable[[Desk], None]:
    """Return the screen for the parties' copies."""

    def prepare(desk: Desk) -> None:
        staff(desk, **canned.recorder())
        desk.office.place = AtCopies()
        desk.office.copies.state = CopiesState(**{"hearings": SEALED, **changes})

    return prepare


def with_slip(slip: SlipState, **changes: Any) -> Callable[[Desk], None]:
    """Return a stopped hearing whose slip was asked for."""

    def prepare(desk: Desk) -> None:
        running_hearing(**changes)(desk)
        desk.slips.state = slip

    return prepare


def leftovers(state: LeftoversState) -> Callable[[Desk], None]:
    """Return the screen of visitors' unfinished documents."""

    def prepare(desk: Desk) -> None:
        staff(desk, **canned.recorder())
        desk.office.place = AtLeftovers()
        desk.leftovers.state = state

    return prepare


def no_paper(desk: Desk) -> None:
    """The slip is on the screen, for want of paper."""
    slip = SlipState("failed", "printer_no_paper", papers.slip())
    with_slip(slip, phase="recess")(desk)


def lines(desk: Desk) -> None:
    """Everything that readiness can say besides faults."""
    mirror = {"state": "behind", "behind_bytes": 210_000_000}
    keys = {"state": "unproven", "needed": True}
    staff(desk, **canned.recorder(mirror=mirror, court_keys=keys))
    desk.sync = Sync.model_validate(BUSY)


HEARING_STATES = [
    State("closed-part", RECORDING, running_hearing(hearing=CLOSED)),
    State(
        "closed-ground",
        RECORDING,
        running_hearing(hearing={**CLOSED, "open_questions": ["closure_ground"]}),
    ),
    State("closed-replacing", RECORDING, running_hearing(hearing={**CLOSED, "replacing": True})),
    State("closed-since", RECORDING, with_panel(SincePanel(), hearing=CLOSED)),
    State("closed-since-confirm", RECORDING, with_panel(SincePanel("mark:3"), hearing=CLOSED)),
    State("closed-listen", RECORDING, with_panel(ListenPanel(), hearing=CLOSED)),
    State(
        "closed-no-keys",
        "secretary.stopped",
        running_hearing(
            phase="recess",
            alarms=[alarm("court_key_missing")],
            court_keys={"state": "missing", "needed": True},
            hearing={**CLOSED, "open_questions": ["failure_reason"]},
        ),
    ),
    State("listen", RECORDING, with_panel(ListenPanel())),
    State("listen-one", RECORDING, with_panel(ListenPanel(choosing=True))),
    State("listen-source", RECORDING, with_panel(ListenPanel("witness"))),
    State(
        "listening",
        RECORDING,
        running_hearing(listening={"source": None, "seconds": 12.4, "of_seconds": 60.0}),
    ),
    State("listen-no-headset", RECORDING, running_hearing(notice="headset_absent")),
    State(
        "microphone-ill",
        RECORDING,
        running_hearing(
            microphones=[*ILL, SPARE], alarms=[alarm("microphone_absent", "defendant")]
        ),
    ),
    State(
        "microphone-remedies",
        RECORDING,
        with_panel(
            RemedyPanel("defendant"),
            microphones=[*ILL, SPARE],
            alarms=[alarm("microphone_absent", "defendant")],
        ),
    ),
    State("microphone-which", RECORDING, with_panel(RemedyPanel(), microphones=[*ILL, SPARE])),
    State("microphone-without", RECORDING, running_hearing(microphones=WITHOUT)),
    State(
        "remote-lost",
        RECORDING,
        running_hearing(
            microphones=[*canned.microphones(), LOST], alarms=[alarm("remote_link_lost", "remote")]
        ),
    ),
    State("button-pressed", RECORDING, running_hearing(hearing={"marks": BUTTON})),
    State(
        "proof-camera-bad",
        RECORDING,
        running_hearing(
            proof={"state": "bad", "age_seconds": 9.0, "detail": "", "source": "camera"},
            alarms=[alarm("proof_failed", "camera")],
        ),
    ),
    State("copies", "secretary.copies", copies()),
    State("copies-none", "secretary.copies", copies(hearings=())),
    State("copies-no-stick", "secretary.copies", copies(chosen="2")),
    State("copies-stick", "secretary.copies", copies(chosen="2", media=(STICK,), medium="/m/1")),
    State(
        "copies-running",
        "secretary.copies",
        copies(event=CopyEvent(hearing_id="1", stage="reading_back", done=7, total=10)),
    ),
    State(
        "copies-done",
        "secretary.copies",
        copies(event=CopyEvent(hearing_id="2", state="done", files=9, left_out=(2,))),
    ),
    *(
        State(
            f"copies-{code}",
            "secretary.copies",
            copies(event=CopyEvent(hearing_id="1", state="failed", code=code)),
        )
        for code in ("export_no_space", "export_medium_failed", "export_differs")
    ),
    State("slip-printed", "secretary.stopped", with_slip(SlipState("printed"), phase="recess")),
    State("slip-no-paper", "secretary.stopped", no_paper),
    State("leftovers", "secretary.leftovers", leftovers(LeftoversState(LEFT))),
    State("leftovers-ask", "secretary.leftovers", leftovers(LeftoversState(LEFT, asks="f1"))),
    State("leftovers-none", "secretary.leftovers", leftovers(LeftoversState(printed="printed"))),
    State("today-lines", "secretary.today", lines),
    *(
        State(f"recording-{code}", RECORDING, running_hearing(alarms=[alarm(code)]))
        for code in (
            "recording_on_mirror",
            "mirror_absent",
            "mirror_behind",
            "disk_slow",
            "space_short",
            "clock_stepped",
        )
    ),
]
