"""Canned states of a hearing beside its usual course: closed, listening, remedies, storages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiosk.ui.catalogue import canned
from kiosk.ui.catalogue.secretary_states import running_hearing
from kiosk.ui.catalogue.state import State, alarm
from kiosk.ui.desk import Desk
from kiosk.ui.secretary.panels import ListenPanel, Panel, RemedyPanel, SincePanel

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


def with_panel(panel: Panel, **changes: Any) -> Callable[[Desk], None]:
    """Return a running hearing with ``panel`` open."""

    def prepare(desk: Desk) -> None:
        running_hearing(**changes)(desk)
        desk.office.conduct.panel = panel

    return prepare


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
