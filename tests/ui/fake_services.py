"""Stand-ins for recorder and sync: the local API of ``docs/interfaces.md`` and nothing behind it.

They run in a thread of their own, so that tests may block.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from aiohttp import web
from pydantic import ValidationError

from kiosk.api.operations import Operation
from kiosk.api.recorder import RecorderState
from kiosk.api.recorder_operations import RECORDER_OPERATIONS
from kiosk.api.sync import SYNC_OPERATIONS
from kiosk.clocks import format_wall, wall_time
from kiosk.ipc import EventStream, errors_as_json, parse_request, read_json, serve_unix
from kiosk.ui.samples import service_states as sample_data
from tests.support.contract import find_operation

T = TypeVar("T")
BADGES = {"badge-secretary": sample_data.SECRETARY, "badge-technician": sample_data.TECHNICIAN}
PINS = {"1234": sample_data.SECRETARY}
WRONG_TRIES, WAIT_SECONDS = 3, 40


class FakeService:
    """A service on a Unix socket; ``calls`` are the requests it got, as (path, body).

    A call of a path in ``held`` waits until the path is taken out of it; where the caller goes away
    before, the path is in ``abandoned``.
    Calls that are not in the contract, or whose body does not fit it, are refused.
    """

    OPERATIONS: ClassVar[Sequence[Operation]] = ()

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.held: set[str] = set()
        self.abandoned: list[str] = []
        self.state: dict[str, Any] = {}
        self._events = EventStream()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _run(self, step: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(step, self._loop).result(10)

    def start(self) -> None:
        """Start answering (again)."""
        self._events = EventStream()
        self._runner = self._run(serve_unix(self.app(), self.socket))
        self.publish()

    def stop(self) -> None:
        """Stop answering."""
        if self._runner is not None:
            self._loop.call_soon_threadsafe(self._events.close)
            self._run(self._runner.cleanup())
            self._runner = None

    def publish(self, **changes: Any) -> None:
        """Change the state and publish it."""
        self.state = self.complete({**self.state, **changes})
        self._loop.call_soon_threadsafe(self._events.send, "state", self.state)

    def complete(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the state with every key, as a service sends it."""
        return state

    def send(self, name: str, value: Any) -> None:
        """Send another event."""
        self._loop.call_soon_threadsafe(self._events.send, name, value)

    def paths(self) -> list[str]:
        """Return the paths that were called."""
        return [path for path, _body in self.calls]

    def app(self) -> web.Application:
        """Return the routes."""
        app = web.Application(middlewares=[errors_as_json])
        app.router.add_get("/v1/events", self._events.handle)
        app.router.add_route("*", "/{tail:.*}", self._any)
        return app

    async def _any(self, request: web.Request) -> web.Response:
        operation = find_operation(self.OPERATIONS, request.method, request.path)
        if operation is None:
            raise web.HTTPNotFound
        if operation.request is not None:
            parse_request(operation.request, await request.read())
        body = await read_json(request) if request.method == "POST" else {}
        self.calls.append((request.path, body))
        while request.path in self.held:
            if request.transport is None or request.transport.is_closing():
                self.abandoned.append(request.path)
                break
            await asyncio.sleep(0.01)
        status, answer = self.answer(request.path, body)
        return web.json_response(answer, status=status)

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return status and answer."""
        raise NotImplementedError


class FakeRecorder(FakeService):
    """A recorder that changes phases on request and records nothing."""

    OPERATIONS = RECORDER_OPERATIONS

    def __init__(self, socket: Path) -> None:
        super().__init__(socket)
        self.state = sample_data.recorder()
        self.refusals: dict[str, str] = {}
        self.wrong_pins = 0
        self.answers: dict[str, dict[str, Any]] = {}

    def complete(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the state with every key; one that cannot be read stays as it is."""
        try:
            return RecorderState.model_validate(state).to_json()
        except ValidationError:
            return state

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Do one step."""
        if path == "/v1/state":
            return 200, self.state
        if path in self.refusals:
            return 409, {"code": self.refusals[path], "message": ""}
        if path in self.answers and not (path == "/v1/hearings" and body):
            return 200, self.answers[path]
        if path.startswith("/v1/exports/"):
            return 200, {}
        if path == "/v1/sign-in":
            return self._sign_in(body)
        if path == "/v1/staff":
            return 200, {"people": [{"person": "p-17", "name": "A.", "roles": ["secretary"]}]}
        steps: dict[str, Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]] = {
            "/v1/hearings": self._start,
            "/v1/hearing/marks": self._mark,
            "/v1/hearing/marks/undo": self._undo,
            "/v1/hearing/oath/end": lambda _body: self._change(),
            "/v1/hearing/recess": lambda _body: self._phase("recess"),
            "/v1/hearing/retire": lambda _body: self._phase("retired"),
            "/v1/hearing/resume": lambda _body: self._phase("recording"),
            "/v1/hearing/end": self._end,
            "/v1/hearing/statements": self._statement,
            "/v1/hearing/close": lambda _body: self._publicity(closed=True),
            "/v1/hearing/close-since": lambda _body: self._publicity(closed=True),
            "/v1/hearing/open": lambda _body: self._publicity(closed=False),
            "/v1/hearing/listen": self._listen,
            "/v1/hearing/remedies": lambda _body: (200, {"roles": {}, "without": []}),
        }
        step = steps.get(path)
        return step(body) if step else (404, {"code": "http", "message": "no such call"})

    def _sign_in(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Know badges and PINs; the third wrong PIN must wait. Without a body it is the end."""
        if not body:
            self.publish(listening=None)
            return 200, {"person": "p-17", "roles": ["secretary"]}
        if found := BADGES.get(body.get("badge", "")) or PINS.get(body.get("pin", "")):
            return 200, found
        if "badge" in body:
            return 401, {"code": "unknown_badge", "message": ""}
        self.wrong_pins += 1
        if self.wrong_pins < WRONG_TRIES:
            return 401, {"code": "unknown_pin", "message": ""}
        return 429, {"code": "sign_in_wait", "message": "", "wait_seconds": WAIT_SECONDS}

    def _start(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.state["hearing"]:
            known = self.state["hearing"]["id"]
            return 409, {"code": "already_recording", "message": "", "hearing_id": known}
        about = {
            "part": 1,
            "parts": 1,
            "seconds": 0.5,
            "marks": [],
            "due": [{"event": "opening", "of": ""}, {"event": "attendance", "of": ""}],
            "open_questions": ["format"],
            "started": self.state["wall"],
        }
        self.publish(phase="recording", hearing={**body["hearing"], **about})
        return 201, {"hearing_id": body["hearing"]["id"], "part": 1}

    def _change(self, **changes: Any) -> tuple[int, dict[str, Any]]:
        self.publish(hearing={**self.state["hearing"], **changes})
        return 200, {}

    def _mark(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        marks = self.state["hearing"]["marks"]
        mark = {"id": len(marks) + 1, "type": body["type"], "at": self.state["wall"], "seconds": 1}
        return self._change(marks=[*marks, mark])

    def _undo(self, _body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        *rest, last = self.state["hearing"]["marks"]
        return self._change(marks=[*rest, {**last, "withdrawn": True}])

    def _statement(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        asked = [s for s in self.state["hearing"]["open_questions"] if s != body["subject"]]
        return self._change(open_questions=asked)

    def _publicity(self, *, closed: bool) -> tuple[int, dict[str, Any]]:
        since = {"since": self.state["wall"], "ground": None} if closed else None
        asked = ["closure_ground"] if closed else []
        return self._change(closed=since, open_questions=asked)

    def _listen(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        of = body.get("seconds", 0)
        playing = {"source": body.get("source"), "seconds": 0.0, "of_seconds": of} if of else None
        self.publish(listening=playing)
        return 200, {"listening": playing}

    def _phase(self, phase: str) -> tuple[int, dict[str, Any]]:
        self.publish(phase=phase)
        return 200, {}

    def _end(self, _body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.publish(phase="idle", hearing=None)
        return 200, {}


class FakeSync(FakeService):
    """A sync service with a list of today's hearings; it delivers at once."""

    OPERATIONS = SYNC_OPERATIONS

    def __init__(self, socket: Path) -> None:
        super().__init__(socket)
        self.state = sample_data.sync()
        begins = (
            wall_time() + timedelta(minutes=10 + 90 * n) for n in range(len(sample_data.LIST))
        )
        self.hearings = [
            {**hearing, "scheduled_at": format_wall(when)}
            for hearing, when in zip(sample_data.LIST, begins, strict=True)
        ]

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer one call."""
        del body
        if path == "/v1/schedule":
            return 200, {"pulled_at": sample_data.ago(20), "hearings": self.hearings}
        if path.endswith("/register"):
            number = {
                "state": "registered",
                "number": "7514-26-00-4/1187",
                "at": sample_data.ago(0),
            }
            return 200, number
        if path.startswith("/v1/filings/"):
            known = {
                "state": "accepted",
                "number": "7514-26-00-4/1187",
                "as_of": sample_data.ago(60),
            }
            return 200, known
        if path.startswith("/v1/hearings/"):
            return 200, {"state": "delivered", "central_sha256_match": True}
        return 404, {"code": "http", "message": "no such call"}
