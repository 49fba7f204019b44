"""The recorder's operations and events: the list from which routes and documents are made."""

from __future__ import annotations

from kiosk.api.camera_calls import CAMERA_OPERATIONS
from kiosk.api.court_keys import COURT_KEY_OPERATIONS
from kiosk.api.exports import EXPORT_OPERATIONS, ExportEvent
from kiosk.api.minutes import MINUTES_OPERATIONS
from kiosk.api.notes import NOTE_OPERATIONS
from kiosk.api.operations import (
    COURT_ROLES,
    EVENT_STREAM,
    TECHNICIAN_ROLES,
    Event,
    NoBody,
    Operation,
)
from kiosk.api.persons import PERSON_OPERATIONS
from kiosk.api.receipts import RECEIPT_OPERATIONS
from kiosk.api.recorder import Level, RecorderState
from kiosk.api.recorder_calls import (
    AddMark,
    ApplyRemedy,
    CallAnswer,
    CloseHearing,
    CloseSince,
    CloseSinceAnswer,
    Devices,
    DeviceTestAnswer,
    DueHearing,
    EndedHearing,
    EndOath,
    FilingKey,
    InterruptionPage,
    InterruptionQuery,
    ListedPeople,
    ListenBack,
    ListenBackAnswer,
    MarkAnswer,
    MicrophoneDuties,
    OpenHearing,
    OpenHearingAnswer,
    OpenQuestions,
    PublicityAnswer,
    ResumedHearing,
    SignIn,
    SignInRefusal,
    StaffSession,
    StartedHearing,
    StartHearing,
    Statement,
    StepAnswer,
    StepReason,
    TestDevice,
    UndoMark,
    WrappedKey,
)
from kiosk.api.rehearsal import REHEARSE, RehearsalProgress
from kiosk.api.reports import SAVE_REPORT
from kiosk.api.room import ROOM_OPERATIONS
from kiosk.api.upkeep import GET_SIGN_IN, RECORDER_UPKEEP, SIGN_OUT

GET_STATE = Operation("getState", "GET", "/v1/state", "State of the recorder", answer=RecorderState)
GET_EVENTS = Operation(
    "getEvents",
    "GET",
    "/v1/events",
    "Events as they come; a new listener first gets the newest of each name",
    answer=None,
    content=EVENT_STREAM,
)
GET_DEVICES = Operation("getDevices", "GET", "/v1/devices", "Devices in use", answer=Devices)
SIGN_IN = Operation(
    "signIn",
    "POST",
    "/v1/sign-in",
    "Sign in by badge, or by person and PIN, against the signed staff list",
    answer=StaffSession,
    request=SignIn,
    errors={401: ("unknown_badge", "unknown_pin"), 429: ("sign_in_wait",)},
    error_answers={401: SignInRefusal, 429: SignInRefusal},
)
GET_STAFF = Operation(
    "getStaff",
    "GET",
    "/v1/staff",
    "Names and roles of those who may sign in with a PIN; for the screen",
    answer=ListedPeople,
)
OPEN_FILING_KEY = Operation(
    "openFilingKey",
    "POST",
    "/v1/filing-keys/open",
    "Open the key of an unfinished filing for a secretary",
    answer=FilingKey,
    request=WrappedKey,
    roles=COURT_ROLES,
    errors={410: ("filing_locked",)},
)
START_HEARING = Operation(
    "startHearing",
    "POST",
    "/v1/hearings",
    "Start a hearing; recorded from the tap on, nothing delays it",
    answer=StartedHearing,
    request=StartHearing,
    status=201,
    roles=COURT_ROLES,
    errors={409: ("already_recording", "court_key_missing", "storage_failed")},
    error_answers={409: OpenHearingAnswer},
)
DECLINE_MINUTE = Operation(
    "declineMinute",
    "POST",
    "/v1/kept-minute/decline",
    "Overwrite what is kept before a hearing that is due, and keep nothing more of it",
    answer=DueHearing,
    request=DueHearing,
    roles=COURT_ROLES,
)
ADD_MARK = Operation(
    "addMark",
    "POST",
    "/v1/hearing/marks",
    "Mark an event now",
    answer=MarkAnswer,
    request=AddMark,
    roles=COURT_ROLES,
    errors={
        400: ("unknown_event", "unknown_person"),
        409: ("hearing_step_refused", "storage_failed"),
    },
)
UNDO_MARK = Operation(
    "undoMark",
    "POST",
    "/v1/hearing/marks/undo",
    "Withdraw the newest mark made by a person; nothing is erased",
    answer=MarkAnswer,
    request=UndoMark,
    roles=COURT_ROLES,
    errors={409: ("hearing_step_refused", "storage_failed")},
)
END_OATH = Operation(
    "endOath",
    "POST",
    "/v1/hearing/oath/end",
    "End an oath or an explanation, and say whether it was heard",
    answer=MarkAnswer,
    request=EndOath,
    roles=COURT_ROLES,
    errors={400: ("unknown_mark",), 409: ("hearing_step_refused", "storage_failed")},
)
GET_INTERRUPTIONS = Operation(
    "getInterruptions",
    "GET",
    "/v1/hearing/interruptions",
    "The open hearing's whole ledger of interruptions, page by page",
    answer=InterruptionPage,
    query=InterruptionQuery,
    errors={400: ("bad_request",), 409: ("hearing_step_refused", "storage_failed")},
)
RECESS = Operation(
    "recess",
    "POST",
    "/v1/hearing/recess",
    "Stop the capture at once for a recess",
    answer=StepAnswer,
    request=StepReason,
    roles=COURT_ROLES,
    errors={409: ("hearing_step_refused",)},
)
RETIRE = Operation(
    "retire",
    "POST",
    "/v1/hearing/retire",
    "Stop the capture at once: the court retires to deliberate",
    answer=StepAnswer,
    request=StepReason,
    roles=COURT_ROLES,
    errors={409: ("hearing_step_refused",)},
)
RESUME = Operation(
    "resume",
    "POST",
    "/v1/hearing/resume",
    "Record the next part",
    answer=ResumedHearing,
    request=NoBody,
    roles=COURT_ROLES,
    errors={409: ("hearing_step_refused", "court_key_missing", "storage_failed")},
)
CLOSE_HEARING = Operation(
    "closeHearing",
    "POST",
    "/v1/hearing/close",
    "Close the hearing from the tap on; closing it again only names the ground",
    answer=PublicityAnswer,
    request=CloseHearing,
    roles=COURT_ROLES,
    errors={400: ("unknown_ground",), 409: ("hearing_step_refused", "storage_failed")},
)
OPEN_HEARING = Operation(
    "openHearing",
    "POST",
    "/v1/hearing/open",
    "Open a closed hearing from the tap on",
    answer=PublicityAnswer,
    request=OpenHearing,
    roles=COURT_ROLES,
    errors={409: ("hearing_step_refused", "storage_failed")},
)
CLOSE_SINCE = Operation(
    "closeSince",
    "POST",
    "/v1/hearing/close-since",
    "Close the hearing from an earlier moment; its plain media are replaced",
    answer=CloseSinceAnswer,
    request=CloseSince,
    roles=COURT_ROLES,
    errors={
        400: ("unknown_ground",),
        409: ("hearing_step_refused", "court_key_missing", "storage_failed"),
    },
)
END_HEARING = Operation(
    "endHearing",
    "POST",
    "/v1/hearing/end",
    "End the hearing; it is sealed in the background",
    answer=EndedHearing,
    request=NoBody,
    roles=COURT_ROLES,
    errors={409: ("hearing_step_refused",)},
)
RECORD_STATEMENT = Operation(
    "recordStatement",
    "POST",
    "/v1/hearing/statements",
    "Answer an open question, or say anything else for the minutes",
    answer=OpenQuestions,
    request=Statement,
    roles=COURT_ROLES,
    errors={
        400: ("unknown_ground", "unknown_event", "unknown_person"),
        409: ("hearing_step_refused",),
    },
)
APPLY_REMEDY = Operation(
    "applyRemedy",
    "POST",
    "/v1/hearing/remedies",
    "Do something about a microphone that fails",
    answer=MicrophoneDuties,
    request=ApplyRemedy,
    roles=COURT_ROLES,
    errors={409: ("no_spare", "remedy_impossible", "hearing_step_refused")},
)
ANSWER_CALL = Operation(
    "answerCall",
    "POST",
    "/v1/call/answer",
    "Say that the secretary is coming: the call of the panel's button ends",
    answer=CallAnswer,
    request=NoBody,
    roles=COURT_ROLES,
)
START_LISTENING = Operation(
    "startListening",
    "POST",
    "/v1/hearing/listen",
    "Play the last seconds of the running part, or a place of an ended hearing, in the headset",
    answer=ListenBackAnswer,
    request=ListenBack,
    roles=COURT_ROLES,
    errors={409: ("headset_absent", "nothing_to_listen", "listening_refused", "already_recording")},
)
STOP_LISTENING = Operation(
    "stopListening",
    "DELETE",
    "/v1/hearing/listen",
    "Stop the headset",
    answer=ListenBackAnswer,
    roles=COURT_ROLES,
)
DEVICE_TESTS = {
    name: Operation(
        operation,
        "POST",
        f"/v1/tests/{name}",
        summary,
        answer=DeviceTestAnswer,
        request=TestDevice,
        roles=TECHNICIAN_ROLES,
        errors={409: ("already_recording",)},
        error_answers={409: OpenHearingAnswer},
    )
    for name, operation, summary in (
        ("camera", "testCamera", "Do pictures arrive and change?"),
        ("microphones", "testMicrophones", "Does each microphone deliver, and was it heard?"),
        ("panel", "testPanel", "Light the lamp and wait for the button"),
        ("storage", "testStorage", "Write, read back, measure speed and space"),
        ("clock", "testClock", "Is the clock set, synchronised, backed by a battery?"),
        ("machine", "testMachine", "Heat, power, file systems and wear of the machine itself"),
        ("certificate", "testCertificate", "Is the kiosk's certificate valid, and for how long?"),
        ("mirror", "testMirror", "Is the second storage there, adopted and writable?"),
        (
            "speech_transmission",
            "testSpeechTransmission",
            "How clearly is a sweep heard?",
        ),
        ("headset", "testHeadset", "Play a tone in the secretary's headset"),
        ("court_keys", "testCourtKeys", "Are the court's keys pinned and proven?"),
    )
}
RECORDER_OPERATIONS = (
    GET_STATE,
    GET_EVENTS,
    GET_DEVICES,
    SIGN_IN,
    GET_SIGN_IN,
    SIGN_OUT,
    GET_STAFF,
    OPEN_FILING_KEY,
    START_HEARING,
    DECLINE_MINUTE,
    ADD_MARK,
    UNDO_MARK,
    END_OATH,
    GET_INTERRUPTIONS,
    RECESS,
    RETIRE,
    RESUME,
    CLOSE_HEARING,
    OPEN_HEARING,
    CLOSE_SINCE,
    END_HEARING,
    RECORD_STATEMENT,
    APPLY_REMEDY,
    ANSWER_CALL,
    START_LISTENING,
    STOP_LISTENING,
    *PERSON_OPERATIONS,
    *NOTE_OPERATIONS,
    *RECEIPT_OPERATIONS,
    *DEVICE_TESTS.values(),
    REHEARSE,
    SAVE_REPORT,
    *ROOM_OPERATIONS,
    *EXPORT_OPERATIONS,
    *MINUTES_OPERATIONS,
    *CAMERA_OPERATIONS,
    *RECORDER_UPKEEP,
    *COURT_KEY_OPERATIONS,
)
RECORDER_EVENTS = (
    Event("state", "State: on each change, at least once a second", RecorderState),
    Event(
        "levels",
        "Levels by microphone, ten times a second while a hearing is open or devices are tested",
        schema={"type": "object", "additionalProperties": Level.model_json_schema()},
    ),
    Event("export", "Progress of a copy", ExportEvent),
    Event("rehearsal", "What a rehearsal does now; it is over, or none was", RehearsalProgress),
)
