"""Session to the central system: pinned, mutually authenticated ``requests``.

Recordings leave by network through it alone, and for the one address of the settings (S20).

Measured traps that this file avoids: ``trust_env`` lets ``REQUESTS_CA_BUNDLE`` replace the pinned
certificate; a ``bytes`` body is cut off after the *connect* time-out; a closed socket still sends
megabytes from the kernel's buffer, so that aborting frees nothing.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import requests
from cryptography import x509
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError

from kiosk.clocks import is_synchronised, wall_time
from kiosk.errors import CentralError, CentralUnreachableError, KioskError
from kiosk.sync.transport.send_blocks import MAX_BLOCK_BYTES, MIN_BLOCK_BYTES, SendBlocks
from kiosk.sync.transport.tcp_health import TcpHealth, read_tcp_health

CONNECT_SECONDS = 10.0  # also the limit for each TLS record sent: see requests' use of it
ANSWER_SECONDS = 60.0  # a server that syncs and hashes a large file takes its time
BLOCK_BYTES = 64 * 1024  # of an answer
MAX_ANSWER_BYTES = 64 << 20
"""The largest answer, on a hearing of 100 000 files, has some 40 MB."""
USER_TIMEOUT_MS = 30_000

# Numbers of Linux's <linux/tcp.h> and <asm-generic/socket.h> that Python does not all name.
TCP_USER_TIMEOUT = 18
TCP_NOTSENT_LOWAT = 25
TCP_INFO_COUNTERS = 120
"""Offset of ``bytes_acked`` in ``struct tcp_info``; then ``bytes_received``, segments out, in."""
SO_MAX_PACING_RATE = 47

_COUNTERS = struct.Struct("=QQII")

CONTRACT_HEADER = "Court-Contract"
IDENTITY_CODES = frozenset({"certificate_required", "certificate_revoked", "kiosk_unknown"})
RETRY_STATUSES = frozenset({408, 423, 429})
GATEWAY_STATUSES = frozenset({502, 503, 504})  # a proxy that does not reach the central system

UNANSWERED = frozenset({"central_timeout", "central_unreachable", "dns_failed"})
"""Nothing came back, unless a cause says otherwise."""

CERTIFICATE_NOT_YET_VALID = 9  # X509_V_ERR_CERT_NOT_YET_VALID
CERTIFICATE_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED


class IdentityRefusedError(CentralError):
    """The central system does not accept this kiosk's certificate (unknown, revoked, expired)."""

    code = "certificate_invalid"


class AnswerTooLargeError(CentralError):
    """An answer is larger than any of the contract; nothing of it is used."""

    code = "central_fault"


class ForeignAnswerError(CentralUnreachableError):
    """Something in between answered, everything or one request; ``http_status`` is its status."""

    def __init__(self, message: str, status: int) -> None:
        is_gateway = status in GATEWAY_STATUSES
        super().__init__(message, code="central_unreachable" if is_gateway else "captive_portal")
        self.http_status = status


class RefusedError(CentralError):
    """The central system understood and refused; ``http_status`` and ``code`` say why."""

    code = "central_refused"

    def __init__(self, message: str, *, code: str, status: int, body: dict[str, Any]) -> None:
        super().__init__(message, code=code)
        self.http_status = status
        self.body = body


@dataclass(frozen=True)
class Credentials:
    """PEM files of the kiosk's identity and of the pinned court CA."""

    certificate: Path | None
    key: Path | None
    ca: Path


class _TrackedConnection(HTTPConnection):
    """Plain connection (a tus server in a test); registers its socket."""

    def connect(self) -> None:
        super().connect()
        _track(self)


class _TrackedTlsConnection(HTTPSConnection):
    """TLS connection that registers its socket."""

    def connect(self) -> None:
        super().connect()
        _track(self)


def _track(connection: HTTPConnection) -> None:
    tracker = getattr(connection, "tracker", None)
    if tracker is not None and connection.sock is not None:
        tracker.add(connection.sock)


class Traffic(NamedTuple):
    """What connections have carried: bytes that came to the other end and here, TCP segments."""

    bytes_acknowledged: int = 0
    bytes_received: int = 0
    segments_sent: int = 0
    segments_received: int = 0


class SocketTracker:
    """The open sockets of one session: to pace them and to abort them from outside."""

    def __init__(self) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._rate = 0
        self._unsent_limit = 2 * MIN_BLOCK_BYTES
        self._lock = threading.Lock()

    def add(self, sock: socket.socket) -> None:
        """Add a new socket; it gets the current pacing rate."""
        with self._lock:
            self._sockets.add(sock)
            _set_unsent_limit(sock, self._unsent_limit)
            if self._rate:
                _set_rate(sock, self._rate)

    def set_rate(self, bytes_per_second: int) -> None:
        """Limit what each connection sends; 0 lifts the limit."""
        with self._lock:
            if bytes_per_second == self._rate:
                return
            self._rate = bytes_per_second
            for sock in list(self._sockets):
                _set_rate(sock, bytes_per_second)

    def set_unsent_limit(self, size: int) -> None:
        """Limit the bytes that the kernel holds unsent for each connection."""
        with self._lock:
            self._unsent_limit = size
            for sock in list(self._sockets):
                _set_unsent_limit(sock, size)

    def peer_address(self) -> str | None:
        """Return the address of the other end of an open connection, or None."""
        with self._lock:
            for sock in list(self._sockets):
                try:
                    return str(sock.getpeername()[0])
                except OSError:
                    continue
        return None

    def traffic(self) -> Traffic:
        """Return what the open connections have carried so far, by the kernel's count."""
        total = Traffic()
        with self._lock:
            for sock in list(self._sockets):
                with suppress(OSError, struct.error):  # closed meanwhile
                    size = TCP_INFO_COUNTERS + _COUNTERS.size
                    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, size)
                    found = Traffic(*_COUNTERS.unpack_from(info, TCP_INFO_COUNTERS))
                    total = Traffic(*map(sum, zip(total, found, strict=True)))
        return total

    def health(self) -> list[TcpHealth]:
        """Return how the open connections fare."""
        with self._lock:
            found = [read_tcp_health(sock) for sock in list(self._sockets)]
        return [health for health in found if health is not None]

    def abort(self) -> None:
        """Shut every connection down: a thread that waits in one gets an error."""
        with self._lock:
            for sock in list(self._sockets):
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


def _set_rate(sock: socket.socket, bytes_per_second: int) -> None:
    unlimited = 0xFFFFFFFF
    rate = min(bytes_per_second or unlimited, unlimited)
    with suppress(OSError):  # closed meanwhile
        sock.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, struct.pack("=I", rate))


def _set_unsent_limit(sock: socket.socket, size: int) -> None:
    with suppress(OSError):  # closed meanwhile
        sock.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, size)


class TrackingAdapter(HTTPAdapter):
    """Transport with small kernel buffers, dead-peer detection and connections that end at once."""

    def __init__(self, tracker: SocketTracker) -> None:
        self._tracker = tracker
        super().__init__(pool_connections=2, pool_maxsize=2, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pools."""
        kwargs["socket_options"] = [
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
            (socket.IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS),
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            # Closing drops what the kernel still holds; answers have been read by then.
            (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
        ]
        kwargs["blocksize"] = MAX_BLOCK_BYTES
        super().init_poolmanager(*args, **kwargs)
        plain = type("Plain", (_TrackedConnection,), {"tracker": self._tracker})
        secure = type("Secure", (_TrackedTlsConnection,), {"tracker": self._tracker})
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }


class CentralSession:
    """One session to the central system; one per thread that talks.

    Args:
        credentials: TLS files; None only for a plain server in a test.
        requires_contract: require the header that marks every answer of the central system; an
            answer without it comes from something in between (captive portal, proxy).
    """

    def __init__(self, credentials: Credentials | None, *, requires_contract: bool = True) -> None:
        self.sockets = SocketTracker()
        self.send_blocks = SendBlocks(self.sockets.set_unsent_limit)
        self._requires_contract = requires_contract
        self._credentials = credentials
        self.requests_session = requests.Session()
        self.requests_session.trust_env = False
        adapter = TrackingAdapter(self.sockets)
        self.requests_session.mount("https://", adapter)
        self.requests_session.mount("http://", adapter)
        if credentials is not None:
            self.requests_session.verify = str(credentials.ca)
            if credentials.certificate is not None and credentials.key is not None:
                self.requests_session.cert = (str(credentials.certificate), str(credentials.key))

    def request(
        self,
        method: str,
        url: str,
        *,
        timeout: tuple[float, float] = (CONNECT_SECONDS, ANSWER_SECONDS),
        max_bytes: int = MAX_ANSWER_BYTES,
        **options: Any,
    ) -> requests.Response:
        """Send one request; never follows a redirect (captive portals redirect).

        An answer is read up to ``max_bytes``; with ``stream`` the caller reads it.

        Raises:
            AnswerTooLargeError: it is longer.
            CentralUnreachableError: no answer; ``code`` says why.
            ForeignAnswerError: something else answered.
            IdentityRefusedError: the TLS peer refused the device certificate.
        """
        timed_out = threading.Event()
        try:
            with self._limit_duration(sum(timeout), timed_out, options):
                is_read_by_caller = options.pop("stream", False)
                response = self.requests_session.request(
                    method, url, timeout=timeout, allow_redirects=False, stream=True, **options
                )
                if not is_read_by_caller:
                    _read_body(response, max_bytes)
        except requests.RequestException as error:
            if timed_out.is_set():
                raise CentralUnreachableError(
                    f"{method}: the answer took too long", code="central_timeout"
                ) from error
            known = to_central_error(error)
            if known.code == "central_unreachable" and self._is_certificate_out_of_date():
                raise IdentityRefusedError("the device certificate is out of its dates") from error
            raise known from error
        except (OSError, ValueError) as error:
            raise CentralUnreachableError(f"{method}: {error!r}") from error
        if self._requires_contract and CONTRACT_HEADER not in response.headers:
            response.close()
            status = response.status_code
            raise ForeignAnswerError(f"{method}: {status} without {CONTRACT_HEADER}", status)
        return response

    def _is_certificate_out_of_date(self) -> bool:
        """Return whether the device certificate has expired or is not valid yet.

        A server may hang up on such a certificate without a word. A clock that is not certain
        says nothing about it.
        """
        path = None if self._credentials is None else self._credentials.certificate
        if path is None or not is_synchronised():
            return False
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
        except (OSError, ValueError):
            return False
        now = wall_time()
        return not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc

    @contextmanager
    def _limit_duration(
        self, seconds: float, timed_out: threading.Event, options: dict[str, Any]
    ) -> Iterator[None]:
        """Abort a small request that is not done in time.

        The time-outs of ``requests`` apply to each piece: an answer that drips in byte by byte
        would block a thread for ever. Uploads and streams have no limit.
        """
        if options.get("stream") or options.get("data") is not None:
            yield
            return

        def abort() -> None:
            timed_out.set()
            self.sockets.abort()

        timer = threading.Timer(seconds, abort)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """Close the connections."""
        self.requests_session.close()


def _read_body(response: requests.Response, max_bytes: int) -> None:
    """Read an answer into ``response.content``, as ``requests`` does, but not without end.

    Raises:
        AnswerTooLargeError: it is longer than ``max_bytes``, unpacked.
    """
    body = bytearray()
    for block in response.iter_content(BLOCK_BYTES):
        body += block
        if len(body) > max_bytes:
            response.close()
            raise AnswerTooLargeError(
                f"{response.request.path_url}: an answer of more than {max_bytes} bytes"
            )
    response._content = bytes(body)  # noqa: SLF001 - requests has no limit of its own


def error_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and everything it wraps (requests and urllib3 wrap in three ways)."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (current.__cause__, current.__context__, getattr(current, "reason", None))
        waiting += [item for item in (*inner, *current.args) if isinstance(item, BaseException)]


def to_central_error(error: requests.RequestException) -> CentralError:
    """Return the kiosk's error for a failed request, with an exact code."""
    text = type(error).__name__ + ": " + str(error)[:300]
    for cause in error_causes(error):
        if isinstance(cause, NameResolutionError | socket.gaierror):
            return CentralUnreachableError(text, code="dns_failed")
        if isinstance(cause, ssl.SSLCertVerificationError):
            dates = cause.verify_code in (CERTIFICATE_NOT_YET_VALID, CERTIFICATE_EXPIRED)
            code = "certificate_invalid" if dates else "central_untrusted"
            return CentralUnreachableError(text, code=code)
        if isinstance(cause, ssl.SSLError) and "ALERT" in str(cause.reason or cause).upper():
            return IdentityRefusedError(text)
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return CentralUnreachableError(text, code="central_timeout")
    return CentralUnreachableError(text)


def is_unanswered(error: KioskError) -> bool:
    """Return whether nothing came back over the line, not even a refusal."""
    if error.code not in UNANSWERED or isinstance(error, ForeignAnswerError):
        return False
    answers = (ConnectionRefusedError, ConnectionResetError, ssl.SSLError)
    return not any(isinstance(cause, answers) for cause in error_causes(error))


def check_response(response: requests.Response) -> None:
    """Return if the answer is a success.

    Raises:
        IdentityRefusedError: 401, or 403 because of the certificate; ``code`` says which.
        CentralUnreachableError: a fault of the server (5xx) or "later"; a redirect is a
            ``captive_portal``.
        RefusedError: another 4xx.
    """
    where = f"{response.request.method} {response.request.path_url}: {response.status_code}"
    if 300 <= response.status_code < 400:
        raise CentralUnreachableError(where, code="captive_portal")
    if response.status_code < 400:
        return
    try:
        value = response.json()
    except (ValueError, RecursionError):
        value = {}
    body = value if isinstance(value, dict) else {}
    code = str(body.get("code") or response.headers.get("Court-Error") or "central_refused")
    text = f"{where} {code} {body.get('message', '')}"
    if response.status_code == 401 or code in IDENTITY_CODES:
        raise IdentityRefusedError(text)
    if response.status_code == 507:
        raise CentralUnreachableError(text, code="central_full")
    if response.status_code >= 500 or response.status_code in RETRY_STATUSES:
        raise CentralUnreachableError(text, code="central_fault")
    raise RefusedError(text, code=code, status=response.status_code, body=body)


def response_object(response: requests.Response) -> dict[str, Any]:
    """Return the answer's JSON object; see :func:`check_response` for what it raises."""
    check_response(response)
    try:
        value = response.json()
    except (ValueError, RecursionError) as error:
        raise CentralUnreachableError(
            f"{response.request.path_url}: not JSON", code="captive_portal"
        ) from error
    if not isinstance(value, dict):
        raise CentralUnreachableError(
            f"{response.request.path_url}: not a JSON object", code="captive_portal"
        )
    return value
