"""The line during a hearing: what counts as silent or poor, and when it is good again (R24)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.delivery_site import DeliverySite, running_site, simulated_hearing
from kiosk.api.recorder import RecorderState
from kiosk.api.states import Phase
from kiosk.api.sync import PublishedLine
from kiosk.clocks import boot_id
from kiosk.errors import CentralUnreachableError
from kiosk.services.sync_core import SyncCore
from kiosk.storage.atomic_io import read_json, read_json_or_none
from kiosk.sync.link_check.line_publisher import LinePublisher
from kiosk.sync.link_check.line_watch import SILENT_S, LineState, LineWatch
from kiosk.sync.transport.central_session import ForeignAnswerError, is_unanswered
from kiosk.sync.transport.tcp_health import TcpHealth
from tests.support.delivery_rig import Kiosk
from tests.support.network_link import NetworkLink, unavailable_reason
from tests.support.waiting import wait_for

HEARING = "11111111-2222-4333-8444-555555555555"
needs_links = pytest.mark.skipif(unavailable_reason() is not None, reason=str(unavailable_reason()))


class Line:
    """A watched connection over which a test lets things happen, a second at a time."""

    def __init__(self) -> None:
        self.now, self.watch = 100.0, LineWatch(100.0)
        self.health = TcpHealth(40_000, 0, 40.0, 0, 0, 0, 0)
        self.unanswered_since: float | None = None

    def send(self, segments: int = 2, again: int = 0, rtt_ms: float = 40.0) -> LineState:
        """Send ``segments`` that are acknowledged, after ``again`` of them were sent twice."""
        before = self.health
        self.health = before._replace(
            unacknowledged=0,
            rtt_ms=rtt_ms,
            retransmitted=before.retransmitted + again,
            data_segments=before.data_segments + segments + again,
            bytes_acknowledged=before.bytes_acknowledged + 1000 * segments,
        )
        return self.wait()

    def lose(self) -> LineState:
        """Send something again that is not acknowledged."""
        more = {"retransmitted": self.health.retransmitted + 1, "unacknowledged": 1}
        more["data_segments"] = self.health.data_segments + 1
        self.health = self.health._replace(**more)
        return self.wait()

    def wait(self) -> LineState:
        """Let a second pass; return how the line is."""
        self.now += 1.0
        return self.watch.poll([self.health], self.now, self.unanswered_since)


def test_a_line_on_which_nothing_flows_is_not_silent() -> None:
    line = Line()
    assert {line.wait().state for _ in range(120)} == {"good"}


def test_silence_begins_with_the_last_answer_and_ends_with_the_next() -> None:
    line = Line()
    line.send()
    begun = line.now
    states = [line.lose() for _ in range(7)]
    assert [state.state for state in states[:5]] == ["good"] * 5
    assert states[-1].state == "silent"
    assert states[-1].since == begun + 1, "since the first second without an answer"
    answered = line.send()
    assert (answered.state, answered.since) == ("good", line.now)
    assert {line.send().state for _ in range(70)} == {"good"}, "what silence cost is no loss"


def test_one_dead_connection_beside_one_that_carries_is_no_silence() -> None:
    line = Line()
    dead = TcpHealth(1, 3, 40.0, 0, 3, 500, 0)
    line.send()
    for second in range(30):
        line.now += 1
        alive = line.health._replace(bytes_received=second + 1)
        assert line.watch.poll([dead, alive], line.now).state == "good"


def test_silence_stays_while_there_is_no_connection_at_all() -> None:
    line = Line()
    line.send()
    for _ in range(8):
        line.lose()
    for _ in range(60):
        line.now += 1
        assert line.watch.poll([], line.now).state == "silent"
    fresh = TcpHealth(2, 0, 40.0, 0, 2, 900, 400)
    assert line.watch.poll([fresh], line.now + 1).state == "good"


def test_a_line_that_nothing_answers_from_the_start_is_silent() -> None:
    line = Line()
    watch = LineWatch(line.now)
    states = [watch.poll([], line.now + second, line.now).state for second in range(8)]
    assert states == [*["good"] * round(SILENT_S), *["silent"] * 3]


def test_loss_past_what_a_call_bears_is_poor_until_it_is_gone() -> None:
    line = Line()
    states = [line.send(2, again=second % 2).state for second in range(60)]
    assert states[0] == "good"
    assert states[-1] == "poor"
    after = [line.send().state for _ in range(70)]
    assert after[-1] == "good"
    assert after.index("good") < 62
    assert after == sorted(after, reverse=True), "it ends once"


def test_little_loss_and_few_packets_are_not_poor() -> None:
    line = Line()
    assert {line.send(4, again=second % 20 == 0).state for second in range(120)} == {"good"}
    few = Line()
    assert {few.send(1, again=1).state for _ in range(5)} == {"good"}, "three of six tell nothing"


@pytest.mark.parametrize(("rtt_ms", "state"), [(100, "good"), (500, "good"), (900, "poor")])
def test_delay_past_what_a_call_bears_is_poor(rtt_ms: float, state: str) -> None:
    line = Line()
    found = [line.send(rtt_ms=rtt_ms) for _ in range(20)]
    assert (found[-1].state, found[-1].rtt_ms) == (state, rtt_ms)
    for _ in range(20):
        found.append(line.send())
    assert found[-1].state == "good"


@pytest.mark.parametrize(
    ("cause", "is_silent"),
    [
        (TimeoutError(), True),
        (OSError(101, "Network is unreachable"), True),
        (ConnectionRefusedError(), False),
        (ConnectionResetError(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_refusal_is_an_answer(cause: OSError, is_silent: bool) -> None:
    error = CentralUnreachableError("GET")
    error.__cause__ = cause
    assert is_unanswered(error) is is_silent
    assert not is_unanswered(ForeignAnswerError("GET: 502", 502))
    assert not is_unanswered(CentralUnreachableError("GET: 500", code="central_fault"))


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return tmp_path / "published" / "line.json"


class Carrying:
    """A connection of which a test says how it fares."""

    def __init__(self) -> None:
        self.found = [TcpHealth(40_000, 0, 40.0, 0, 5, 900, 400)]

    def health(self) -> list[TcpHealth]:
        """Return it."""
        return self.found


def test_the_state_is_there_only_while_a_hearing_is_open(published: Path) -> None:
    publisher = LinePublisher([Carrying()], published)
    assert not publisher.poll(is_hearing_open=False, unanswered_since=None)
    assert not published.exists()
    assert not publisher.poll(is_hearing_open=True, unanswered_since=None)
    line = PublishedLine.model_validate(read_json(published))
    assert (line.state, line.since.boot) == ("good", boot_id())
    publisher.poll(is_hearing_open=False, unanswered_since=None)
    assert not published.exists()
    published.write_text("left by a killed process")
    at_rest = LinePublisher([], published)
    at_rest.poll(is_hearing_open=False, unanswered_since=None)
    assert not published.exists()
    assert at_rest.is_at_rest
    published.write_text("of nobody")
    at_rest.poll(is_hearing_open=False, unanswered_since=None)
    assert published.exists(), "at rest it looks no more"
    at_rest.poll(is_hearing_open=True, unanswered_since=None)
    assert not at_rest.is_at_rest


def test_sync_has_nothing_to_do_for_the_line_at_rest(kiosk: Kiosk) -> None:
    kiosk.paths.line.parent.mkdir(parents=True, exist_ok=True)
    kiosk.paths.line.write_text("left by a killed process")
    core = SyncCore(kiosk.settings, lambda: None)
    for phase, is_watched in ((Phase.IDLE, False), (Phase.RECORDING, True), (Phase.IDLE, False)):
        core.set_recorder_state(RecorderState(phase=phase))
        assert core.is_line_watched, "there may be a file"
        core.watch_line()
        assert core.is_line_watched is is_watched
        assert not kiosk.paths.line.exists()
    core.set_recorder_state(None)
    core.watch_line()
    assert not core.is_line_watched
    core.context.close()


def test_after_a_restart_a_silent_line_is_not_called_good_before_something_comes_back(
    published: Path,
) -> None:
    published.parent.mkdir()
    published.write_text('{"state": "silent"}')
    connection = Carrying()
    carried, connection.found = connection.found, []
    publisher = LinePublisher([connection], published)
    for _ in range(3):
        publisher.poll(is_hearing_open=True, unanswered_since=None)
    assert read_json(published) == {"state": "silent"}
    connection.found = carried
    publisher.poll(is_hearing_open=True, unanswered_since=None)
    assert read_json(published)["state"] == "good"


def test_a_disk_that_refuses_ends_nothing(published: Path) -> None:
    published.parent.write_text("no folder")
    publisher = LinePublisher([Carrying()], published)
    publisher.poll(is_hearing_open=True, unanswered_since=None)
    published.parent.unlink()
    publisher.poll(is_hearing_open=True, unanswered_since=None)
    assert published.exists()


def state_of(site: DeliverySite) -> str:
    """Return the published state of the line."""
    value = read_json_or_none(site.kiosk.paths.line)
    return "" if value is None else str(value["state"])


@pytest.mark.root
@pytest.mark.slow
@needs_links
def test_a_line_that_breaks_in_the_middle_is_seen_by_what_flows(template: Path) -> None:
    with (
        NetworkLink(20.0) as link,
        running_site(template, link) as site,
        simulated_hearing(site.kiosk, HEARING),
    ):
        wait_for(lambda: state_of(site) == "good", "a good line", 30)
        site.wait_upload_flow(3000)  # levels, twice
        link.cut()
        wait_for(lambda: state_of(site) == "silent", "silence", 60)
        link.cut(is_cut=False)
        wait_for(lambda: state_of(site) == "good", "an answer", 90)
    assert state_of(site) == "", "no hearing, no state"


@pytest.mark.root
@pytest.mark.slow
@needs_links
def test_a_line_with_a_delay_that_no_call_bears_is_poor(template: Path) -> None:
    with (
        NetworkLink(450.0) as link,
        running_site(template, link) as site,
        simulated_hearing(site.kiosk, HEARING),
    ):
        wait_for(lambda: state_of(site) == "poor", "a poor line", 90)
        published = PublishedLine.model_validate(read_json(site.kiosk.paths.line))
    assert published.rtt_ms is not None
    assert published.rtt_ms > 880
