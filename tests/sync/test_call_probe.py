"""The call's packets: what is told of each direction, of load and train, and what a line does."""

from __future__ import annotations

import itertools
import socket
import threading
from pathlib import Path

import pytest

from bench.delivery_site import running_site
from kiosk.sync.link_check.call_probe import (
    HEADER,
    TRAIN_PACKETS,
    CallProbe,
    Echo,
    Echoes,
    call_packets,
    interarrival_jitter_ms,
)
from kiosk.sync.link_check.load import held_mbit, read_windows, windows_mbit
from tests.support.network_link import NetworkLink, unavailable_reason
from tests.support.waiting import wait_for

MS = 1_000_000
OFFSET = 5_000 * MS  # the other machine's clock
needs_links = pytest.mark.skipif(unavailable_reason() is not None, reason=str(unavailable_reason()))


def echoes_of(came_up: list[int], came_back: list[int], packets: int = 100) -> Echoes:
    """Return echoes of a call, 10 ms apart, 20 ms each way; the lists name what came."""
    found = {}
    for count, number in enumerate(came_up, start=1):
        if number in came_back:
            sent = number * 10 * MS
            found[number] = Echo(sent, sent + 20 * MS + OFFSET, sent + 40 * MS, count)
    return Echoes(packets, packets, found)


def test_loss_is_told_for_each_direction() -> None:
    everything = list(range(100))
    up, down = echoes_of([*everything[::2], 99], everything).call_flows() or (None, None)
    assert up is not None
    assert down is not None
    assert (round(up.loss, 2), down.loss) == (0.49, 0.0)
    up, down = echoes_of(everything, [*everything[:75], 99]).call_flows() or (None, None)
    assert up is not None
    assert down is not None
    assert (up.loss, round(down.loss, 2)) == (0.0, 0.24)
    assert set(up.delays_ms) == {0.0}, "another clock's offset is no delay"


def test_without_any_echo_nothing_is_known() -> None:
    assert Echoes(10, 10).call_flows() is None
    assert Echoes(10, 10).loaded() == (None, None)


def test_a_call_has_its_rate_and_is_spread() -> None:
    packets = call_packets(1.0)
    assert sum(packet.size for packet in packets if packet.size == 160) * 8 == 64_000
    assert sum(packet.size for packet in packets if packet.size != 160) * 8 == 400_000
    times = [packet.at for packet in packets]
    assert times == sorted(times)
    assert min(b - a for a, b in itertools.pairwise(times)) >= 0.0049


@pytest.mark.parametrize("mbit", [0.9, 1.1, 4.0])
def test_a_train_tells_the_rate_at_which_it_came(mbit: float) -> None:
    spread = 1242 * 8 * 1e3 / mbit  # ns
    first = 100
    found = {
        first + n: Echo(0, int(n * spread) + OFFSET, int(n * 2 * spread), n)
        for n in range(TRAIN_PACKETS)
    }
    up, down = Echoes(first, first + TRAIN_PACKETS, found).train_mbit()
    assert up == pytest.approx(mbit * 1448 / 1514, rel=0.01)
    assert down == pytest.approx(up / 2, rel=0.01)
    few = dict(list(found.items())[:15])
    assert Echoes(first, first + TRAIN_PACKETS, few).train_mbit() == (0.0, 0.0)


@pytest.mark.parametrize(
    ("slower_mbit", "most"),
    [(20.0, None), (4.0, 500_000), (0.9, 125_000)],
)
def test_a_load_carries_no_more_than_the_slower_train_fills(
    slower_mbit: float, most: int | None
) -> None:
    spread = 1242 * 8 * 1e3 / slower_mbit * 1448 / 1514  # ns
    found = {n: Echo(0, n * 1000, int(n * spread), n) for n in range(TRAIN_PACKETS)}
    echoes = Echoes(0, TRAIN_PACKETS, found)
    assert echoes.load_bytes() == (most if most is None else pytest.approx(most, rel=0.01))
    few = Echoes(0, TRAIN_PACKETS, dict(list(found.items())[:9]))
    assert few.load_bytes() == 125_000, "a train of which little came tells of no fast line"


def test_the_rate_that_holds_leaves_the_rise_out() -> None:
    times = [0.05 * n for n in range(17)]
    counts = [0 if at < 0.3 else round((at - 0.3) * 125_000) for at in times]
    assert held_mbit(times, counts) == pytest.approx(1.0, rel=0.01)
    assert held_mbit([], []) == held_mbit([0.5], [100]) == 0.0
    assert windows_mbit([1, 2, 31_250, 31_250]) == pytest.approx(1.0)
    assert windows_mbit([1, 2]) is None


def test_jitter_is_that_of_rfc_3550() -> None:
    assert interarrival_jitter_ms((5.0,) * 50) == 0.0
    assert interarrival_jitter_ms((0.0, 16.0)) == 1.0


@pytest.mark.slow
def test_datagrams_that_nobody_answers_mean_that_udp_is_blocked() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        probe = CallProbe(silent.getsockname(), bytes(16), 0.4, lambda _: None)
        assert not probe.run_call(silence_s=0.2)
        probe.close()
    assert not CallProbe(("no.such.host.invalid", 9), bytes(16), 0.2, lambda _: None).run_call()


@pytest.mark.slow
def test_foreign_malformed_and_repeated_answers_do_not_count() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        probe = CallProbe(server.getsockname(), b"t" * 16, 0.3, lambda _: None)

        def serve() -> None:
            data, address = server.recvfrom(2048)
            while len(data) > 1:
                for reply in (b"", data[:10], bytes(60), data, data):
                    server.sendto(reply, address)
                data, _ = server.recvfrom(2048)

        thread = threading.Thread(target=serve)
        thread.start()
        assert probe.run_call(2.0)
        server.sendto(b"x", server.getsockname())
        thread.join(10)
        probe.close()
    assert 0 < len(probe.echoes.found) <= probe.echoes.sent


def test_an_echo_from_another_address_does_not_count() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as server,
        socket.socket(type=socket.SOCK_DGRAM) as stranger,
    ):
        server.bind(("127.0.0.1", 0))
        probe = CallProbe(server.getsockname(), b"t" * 16, 0.1, lambda _: None)

        def serve() -> None:
            data, address = server.recvfrom(2048)
            while len(data) > 1:
                token, sequence, sent_ns, _, _ = HEADER.unpack_from(data)
                stranger.sendto(HEADER.pack(token, sequence, sent_ns, 0, 1), address)
                data, _ = server.recvfrom(2048)

        thread = threading.Thread(target=serve)
        thread.start()
        assert not probe.run_call(0.3)
        server.sendto(b"x", server.getsockname())
        thread.join(10)
        probe.close()


def test_an_echo_that_names_another_moment_of_sending_does_not_count() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        probe = CallProbe(server.getsockname(), b"t" * 16, 0.1, lambda _: None)

        def serve() -> None:
            data, address = server.recvfrom(2048)
            while len(data) > 1:
                token, sequence, sent_ns, _, _ = HEADER.unpack_from(data)
                for moment in (0, 2**64 - 1, sent_ns + 10**9):
                    server.sendto(HEADER.pack(token, sequence, moment, 0, 1), address)
                server.sendto(HEADER.pack(token, 2**32 - 1, sent_ns, 0, 1), address)
                data, _ = server.recvfrom(2048)

        thread = threading.Thread(target=serve)
        thread.start()
        assert not probe.run_call(0.3), "as if nobody answered"
        server.sendto(b"x", server.getsockname())
        thread.join(10)
        probe.close()
    assert probe.echoes.found == {}


def test_nobody_makes_a_line_faster_than_what_was_sent() -> None:
    first = TRAIN_PACKETS + 15
    found = {first + n: Echo(0, n, n, 10**9 * n) for n in range(3)}
    up, down = Echoes(0, first + 3, found).voice_mbit()
    assert 0.07 < up == down < 0.08
    backwards = {first + n: Echo(0, n, n, 10**9 - n) for n in range(3)}
    assert Echoes(0, first + 3, backwards).voice_mbit()[0] == 0.0
    assert read_windows({"windows": [1, 2]}, 3) == [1, 2]
    infinite, nothing = float("inf"), float("nan")
    for odd in (None, "12", {"1": 2}, [1, 3], [-1], [0.5], [infinite], [nothing], [True], [[1]]):
        with pytest.raises(ValueError, match="no list"):
            read_windows({"windows": odd}, 3)


@pytest.mark.root
@pytest.mark.slow
@needs_links
def test_a_fast_line_that_loses_every_fifth_packet_is_not_called_good(template: Path) -> None:
    with NetworkLink(20.0, 0.2) as link, running_site(template, link) as site:
        link.shape(5)
        result = site.kiosk.request("POST", "/v1/link-check", {})[1]
    assert result["call"] in ("gaps", "unheard")
    assert (result["remedy"], result["via"]) == ("loss", "udp")


@pytest.mark.root
@pytest.mark.slow
@needs_links
@pytest.mark.parametrize(
    ("up_mbit", "down_mbit", "direction", "said"),
    [
        (0.4, 10, "up", ("the others will not hear you", "your own picture", "From here")),
        (10, 0.4, "down", ("you will not hear the others", "Ask the others", "To here")),
    ],
)
def test_a_line_that_is_slow_in_one_direction_says_which(
    template: Path, up_mbit: float, down_mbit: float, direction: str, said: tuple[str, ...]
) -> None:
    with NetworkLink(20.0, has_router=True) as link, running_site(template, link) as site:
        link.shape(up_mbit, down_mbit)
        wait_for(lambda: site.kiosk.state()["link"]["state"] == "up", "the link")
        before = link.sent() + link.received()
        result = site.kiosk.request("POST", "/v1/link-check", {})[1]
        carried = link.sent() + link.received() - before
    assert 200_000 < carried < 600_000, "both directions, with everything else that flows"
    assert (result["call"], result["remedy"], result["via"]) == ("unheard", "rate", "udp")
    assert result["up_mbit" if direction == "down" else "down_mbit"] > 1
    assert (result["direction"], result["rate_direction"]) == (direction, direction)
    sentences = (result["sentence"], result["remedy_sentence"], result["rate_sentence"])
    for words, sentence in zip(said, sentences, strict=True):
        assert words in sentence["en"]


@pytest.mark.root
@pytest.mark.slow
@needs_links
@pytest.mark.parametrize(("up_mbit", "down_mbit"), [(1, 1), (1, 20), (20, 1)])
def test_a_check_at_one_mbit_carries_little(
    template: Path, up_mbit: float, down_mbit: float
) -> None:
    with NetworkLink(20.0, has_router=True) as link, running_site(template, link) as site:
        link.shape(up_mbit, down_mbit)
        wait_for(lambda: site.kiosk.state()["link"]["state"] == "up", "the link")
        before = link.sent() + link.received()
        result = site.kiosk.request("POST", "/v1/link-check", {})[1]
        carried = link.sent() + link.received() - before
    assert result["problem"] is None
    assert 200_000 < carried < 600_000, "both directions, with everything else that flows"
