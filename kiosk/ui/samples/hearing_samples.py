"""Samples of unusual states of a hearing: closed parts, playback, remedies, storage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiosk.filing.drafts.parked_filings import UnfinishedFiling
from kiosk.ui.actions.chain_receipt_printer import ChainReceiptState
from kiosk.ui.actions.export_actions import Drive, ExportEvent, ExportState, SealedHearing
from kiosk.ui.actions.side_panel_actions import ClosedSincePanel, ListenPanel, Panel, RemedyPanel
from kiosk.ui.actions.unfinished_filing_actions import UnfinishedFilingsState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import ExportPlace, UnfinishedFilingsPlace
from kiosk.ui.samples import documents as sample_documents
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.samples.screen_sample import ScreenSample, alarm, prepare_staff
from kiosk.ui.samples.secretary_samples import running_hearing
from kiosk.ui.service_models import SyncState

RECORDING = "secretary.recording"
CLOSED = {
    "publicity": "closed",
    "closed": {"since": sample_data.at(9, 41, 30), "ground": None},
    "closed_parts": [2],
    "part": 2,
    "parts": 2,
}
ILL = sample_data.microphones(
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
LOST = {**REMOTE, "state": "muted", "since": sample_data.ago(20)}
WITHOUT = sample_data.microphones(
    defendant={"state": "absent", "without": True, "roles": ["x"], "remedies": ["back"]}
)
BUTTON = [
    {"id": 9, "type": "button", "at": sample_data.at(9, 50, 2), "seconds": 2400.0, "note": ""}
]


SEALED = tuple(
    SealedHearing(
        id=str(n),
        case_number=f"7514-26-00-2/{4490 + n}",
        started=sample_data.at(8 + n, 0),
        seconds=3600.0 * n,
        parts=n,
        closed=closed,
    )
    for n, closed in ((1, "none"), (2, "some"), (3, "all"), (4, "none"), (5, "none"))
)
STICK = Drive(path="/m/1", name="KINGSTON", free_bytes=14 * 10**9, total_bytes=16 * 10**9)
MEASURED = {
    "state": "passed",
    "verdict": "borderline",
    "at": sample_data.at(9, 40),
    "sentence": {
        "kk": "Байланыс шамамен 1 Мбит/с: бейне кейде тоқтап қалуы мүмкін.",
        "ru": "Связь около 1 Мбит/с: изображение иногда может замирать.",
        "en": "The line is just about 1 Mbit/s: the picture may freeze now and then.",
    },
}
BUSY = sample_data.sync(
    queue={"items": 3, "bytes": 4_100_000_000, "courier": 1},
    uploads={"state": "paced"},
    link_check={"running": False, "last": MEASURED, "next": None},
    forecast={
        "empty_at": sample_data.at(18, 30),
        "endless": False,
        "full_at": sample_data.at(23, 0),
    },
)


LEFT = (
    UnfinishedFiling("f1", sample_data.at(9, 21), 4, None, is_recoverable=True),
    UnfinishedFiling("f2", sample_data.at(9, 2), 1, None, is_recoverable=False),
)


def with_panel(panel: Panel, **changes: Any) -> Callable[[AppState], None]:
    """Return a running hearing with ``panel`` open."""

    def prepare(app: AppState) -> None:
        running_hearing(**changes)(app)
        app.secretary.side_panel.panel = panel

    return prepare


def copies(**changes: Any) -> Callable[[AppState], None]:
    """Return the screen for the parties' copies."""

    def prepare(app: AppState) -> None:
        prepare_staff(app, **sample_data.recorder())
        app.secretary.place = ExportPlace()
        app.secretary.export.state = ExportState(**{"hearings": SEALED, **changes})

    return prepare


def with_slip(slip: ChainReceiptState, **changes: Any) -> Callable[[AppState], None]:
    """Return a stopped hearing whose slip was asked for."""

    def prepare(app: AppState) -> None:
        running_hearing(**changes)(app)
        app.chain_receipt.state = slip

    return prepare


def unfinished_filings(state: UnfinishedFilingsState) -> Callable[[AppState], None]:
    """Return the screen of visitors' unfinished documents."""

    def prepare(app: AppState) -> None:
        prepare_staff(app, **sample_data.recorder())
        app.secretary.place = UnfinishedFilingsPlace()
        app.unfinished_filings.state = state

    return prepare


def no_paper(app: AppState) -> None:
    """The slip is on the screen, for want of paper."""
    slip = ChainReceiptState("failed", "printer_no_paper", sample_documents.chain_receipt())
    with_slip(slip, phase="recess")(app)


def lines(app: AppState) -> None:
    """Everything that readiness can say besides faults."""
    mirror = {"state": "behind", "behind_bytes": 210_000_000}
    keys = {"state": "unproven", "needed": True}
    prepare_staff(app, **sample_data.recorder(mirror=mirror, court_keys=keys))
    app.sync_state = SyncState.model_validate(BUSY)


HEARING_SAMPLES = [
    ScreenSample("closed-part", RECORDING, running_hearing(hearing=CLOSED)),
    ScreenSample(
        "closed-ground",
        RECORDING,
        running_hearing(hearing={**CLOSED, "open_questions": ["closure_ground"]}),
    ),
    ScreenSample(
        "closed-replacing", RECORDING, running_hearing(hearing={**CLOSED, "replacing": True})
    ),
    ScreenSample("closed-since", RECORDING, with_panel(ClosedSincePanel(), hearing=CLOSED)),
    ScreenSample(
        "closed-since-confirm", RECORDING, with_panel(ClosedSincePanel("mark:3"), hearing=CLOSED)
    ),
    ScreenSample("closed-listen", RECORDING, with_panel(ListenPanel(), hearing=CLOSED)),
    ScreenSample(
        "closed-no-keys",
        "secretary.recess",
        running_hearing(
            phase="recess",
            alarms=[alarm("court_key_missing")],
            court_keys={"state": "missing", "needed": True},
            hearing={**CLOSED, "open_questions": ["failure_reason"]},
        ),
    ),
    ScreenSample("listen", RECORDING, with_panel(ListenPanel())),
    ScreenSample("listen-one", RECORDING, with_panel(ListenPanel(choosing=True))),
    ScreenSample("listen-source", RECORDING, with_panel(ListenPanel("witness"))),
    ScreenSample(
        "listening",
        RECORDING,
        running_hearing(listening={"source": None, "seconds": 12.4, "of_seconds": 60.0}),
    ),
    ScreenSample("listen-no-headset", RECORDING, running_hearing(notice="headset_absent")),
    ScreenSample(
        "microphone-ill",
        RECORDING,
        running_hearing(
            microphones=[*ILL, SPARE], alarms=[alarm("microphone_absent", "defendant")]
        ),
    ),
    ScreenSample(
        "microphone-remedies",
        RECORDING,
        with_panel(
            RemedyPanel("defendant"),
            microphones=[*ILL, SPARE],
            alarms=[alarm("microphone_absent", "defendant")],
        ),
    ),
    ScreenSample(
        "microphone-which", RECORDING, with_panel(RemedyPanel(), microphones=[*ILL, SPARE])
    ),
    ScreenSample("microphone-without", RECORDING, running_hearing(microphones=WITHOUT)),
    ScreenSample(
        "remote-lost",
        RECORDING,
        running_hearing(
            microphones=[*sample_data.microphones(), LOST],
            alarms=[alarm("remote_link_lost", "remote")],
        ),
    ),
    ScreenSample("button-pressed", RECORDING, running_hearing(hearing={"marks": BUTTON})),
    ScreenSample(
        "proof-camera-bad",
        RECORDING,
        running_hearing(
            proof={"state": "bad", "age_seconds": 9.0, "detail": "", "source": "camera"},
            alarms=[alarm("proof_failed", "camera")],
        ),
    ),
    ScreenSample("export", "secretary.export", copies()),
    ScreenSample("export-none", "secretary.export", copies(hearings=())),
    ScreenSample("export-no-stick", "secretary.export", copies(chosen="2")),
    ScreenSample(
        "export-stick", "secretary.export", copies(chosen="2", drives=(STICK,), drive="/m/1")
    ),
    ScreenSample(
        "export-running",
        "secretary.export",
        copies(event=ExportEvent(hearing_id="1", stage="reading_back", done=7, total=10)),
    ),
    ScreenSample(
        "export-done",
        "secretary.export",
        copies(event=ExportEvent(hearing_id="2", state="done", files=9, left_out=(2,))),
    ),
    *(
        ScreenSample(
            f"export-{code}",
            "secretary.export",
            copies(event=ExportEvent(hearing_id="1", state="failed", code=code)),
        )
        for code in ("export_no_space", "export_medium_failed", "export_differs")
    ),
    ScreenSample(
        "slip-printed", "secretary.recess", with_slip(ChainReceiptState("printed"), phase="recess")
    ),
    ScreenSample("slip-no-paper", "secretary.recess", no_paper),
    ScreenSample(
        "unfinished_filings",
        "secretary.unfinished_filings",
        unfinished_filings(UnfinishedFilingsState(LEFT)),
    ),
    ScreenSample(
        "unfinished_filings-ask",
        "secretary.unfinished_filings",
        unfinished_filings(UnfinishedFilingsState(LEFT, to_delete="f1")),
    ),
    ScreenSample(
        "unfinished_filings-none",
        "secretary.unfinished_filings",
        unfinished_filings(UnfinishedFilingsState(print_state="printed")),
    ),
    ScreenSample("today-lines", "secretary.today", lines),
    *(
        ScreenSample(f"recording-{code}", RECORDING, running_hearing(alarms=[alarm(code)]))
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
