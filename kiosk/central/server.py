"""The server process: contract over TLS, UDP echo, and page for court IT."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import ssl
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from kiosk.central import crash_points
from kiosk.central.admin.decisions import DecisionForms
from kiosk.central.admin.page import AdminPage
from kiosk.central.api import KioskApi
from kiosk.central.arrival.intake import Intake
from kiosk.central.arrival.spool import Spool
from kiosk.central.data.database import Database, sqlite_url
from kiosk.central.data.object_store import FolderStore
from kiosk.central.deliveries import read_back
from kiosk.central.deliveries.deliveries import DeliveryService
from kiosk.central.deliveries.filing_registry import FilingRegistry
from kiosk.central.deliveries.hearing_owners import HearingOwners
from kiosk.central.deliveries.quarantine import Quarantine
from kiosk.central.deliveries.read_back import ReadBackLimit
from kiosk.central.deliveries.searchable import SearchableWorker
from kiosk.central.deliveries.small_files import SmallFilesApi
from kiosk.central.deliveries.tus import TusApi, add_tus_headers
from kiosk.central.deliveries.uploads import UploadService
from kiosk.central.http.cases import CaseApi
from kiosk.central.http.connection_limit import TlsConnections
from kiosk.central.http.fault_injection import FaultInjector
from kiosk.central.http.header_timeout import TimedRunner
from kiosk.central.http.json_api import KioskAuthenticator, add_contract_header, errors_as_json
from kiosk.central.http.link_check import LinkCheckApi, UdpEcho
from kiosk.central.http.rate_limit import RateLimit
from kiosk.central.identity import courts
from kiosk.central.identity.authority import CertificateAuthority, ReceiptSigner, random_secret
from kiosk.central.identity.revocation_list import RevocationListIssuer
from kiosk.central.identity.seed import load_seed
from kiosk.central.identity.staff_lists import DEFAULT_DAYS, StaffListIssuer
from kiosk.central.live_rooms import LiveRooms
from kiosk.errors import CentralError, KioskError, UsageError
from kiosk.storage.atomic_io import make_folder, write_text
from kiosk.systemd import notify

if TYPE_CHECKING:
    from kiosk.central.data.s3_store import S3Store

log = logging.getLogger(__name__)
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
WILDCARDS = ("0.0.0.0", "::")
CERTIFICATE_CHECK_S = 3600.0
ADMIN_CODE_LENGTH = 16
WRONG_CODES, WRONG_CODES_WINDOW_S = 20, 60.0
RESUME_S = 30.0
DAY_S = 86_400.0
THREADS = 32  # that wait for disks and the S3 store; Python's own number is 6 on two cores
SHUTDOWN_TIMEOUT_S = 2.0  # an aborted upload continues later


@dataclass(frozen=True)
class ServerOptions:
    """Options of the server.

    Attributes:
        data: folder of everything it stores.
        host: address to listen on.
        port: TCP port of the contract; 0 takes a free one.
        names: further names and addresses for the server certificate.
        seed: file with court, kiosks, staff and hearings, or None.
        database: SQLAlchemy URL, or None for SQLite under ``data``.
        faults: file with faults on demand (development), or None.
        admin_port: TCP port of court IT's page on loopback; 0 takes a free one.
        store: ``s3://…`` (:mod:`kiosk.central.data.s3_store`), or None for a folder under ``data``.
        searchable: whether to make searchable versions of filings.
        staff_days: a kiosk's list of staff ends so many days after it was issued.
        read_back_days: a kiosk may read back a hearing for so many days after its receipt.
        read_back_hearings: so many different ones in a day.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8443
    names: Sequence[str] = ()
    seed: Path | None = None
    database: str | None = None
    faults: Path | None = None
    admin_port: int = 0
    store: str | None = None
    searchable: bool = True
    staff_days: int = DEFAULT_DAYS
    read_back_days: int = read_back.DEFAULT_DAYS
    read_back_hearings: int = read_back.DEFAULT_HEARINGS


def open_database(data: Path, url: str | None = None) -> Database:
    """Open the database of ``data`` and create missing tables.

    Raises:
        CentralError: it cannot be opened, or its driver is not installed.
    """
    make_folder(data)
    place = "--database" if url else str(data / "central.db")  # a URL may hold a password
    try:
        database = Database(url or sqlite_url(data / "central.db"))
        database.create_tables()
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        reason = getattr(error, "orig", None) or error
        raise CentralError(f"{place}: {str(reason).splitlines()[0]}") from error
    return database


def open_store(data: Path, url: str | None = None) -> FolderStore | S3Store:
    """Return the store: S3 by ``url``, else the folder under ``data``.

    Raises:
        ConfigError: not an S3 URL.
    """
    if url is None:
        return FolderStore(data / "store")
    from kiosk.central.data.s3_store import S3Store  # boto3 is an optional dependency

    return S3Store.from_url(url)


def open_intake(
    database: Database,
    store: FolderStore | S3Store,
    spool: Path,
    crash_hook: crash_points.CrashHook = crash_points.no_crash,
) -> Intake:
    """Return where files arrive: the folder ``spool`` beside a folder, else the S3 store itself."""
    if isinstance(store, FolderStore):
        return Spool(spool, database, store, crash_hook)
    from kiosk.central.arrival.shared_intake import SharedIntake  # boto3, as above

    return SharedIntake(database, store, crash_hook)


def open_authority(data: Path, name: str = "Courtroom kiosk reference CA") -> CertificateAuthority:
    """Return the court's CA under ``data``; create it on first use."""
    return CertificateAuthority.open(data / "authority", name)


class CentralServer:
    """The central system as one process."""

    def __init__(self, options: ServerOptions) -> None:
        self._options = options
        self.authority = open_authority(options.data)
        own = () if options.host in WILDCARDS else (options.host,)
        self._names = {*LOOPBACK_NAMES, *own, *options.names}
        self._certificate, self._key = self.authority.server_files(self._names)
        self._database = open_database(options.data, options.database)
        self._faults = None if options.faults is None else FaultInjector(options.faults)
        self._store = open_store(options.data, options.store)
        self._live = LiveRooms()
        self.url = ""

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="files"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with contextlib.AsyncExitStack() as stack:
            await self._start(stack)
            notify("READY=1")
            await stop.wait()
            notify("STOPPING=1")

    async def _start(self, stack: contextlib.AsyncExitStack) -> None:
        options = self._options
        stack.callback(self._database.close)
        if options.seed is not None:
            seed = load_seed(options.seed)
            refused = await asyncio.to_thread(courts.apply_seed, self._database, seed)
            for person in refused:
                log.warning("staff %s: a revoked kiosk held the PIN or badge of the seed", person)
        crash_hook = crash_points.no_crash if self._faults is None else self._faults.crash_at
        signer = ReceiptSigner(self._certificate, self._key)
        context = tls_context(self.authority, self._certificate, self._key)
        renewal = asyncio.create_task(self._renew_certificate(context, signer))
        stack.push_async_callback(_cancel_task, renewal)
        intake = open_intake(self._database, self._store, options.data / "spool", crash_hook)
        uploads = UploadService(self._database, self._store, intake, signer, crash_hook)
        deliveries = DeliveryService(self._database, self._store, uploads, signer, crash_hook)
        stack.push_async_callback(uploads.close)
        registry = FilingRegistry(self._database, deliveries, crash_hook)
        authenticator = KioskAuthenticator(self._database)
        link = LinkCheckApi(authenticator, self._database)
        owners = HearingOwners(self._database, self._store)
        await owners.resume()
        api = KioskApi(
            database=self._database,
            authority=self.authority,
            uploads=uploads,
            deliveries=deliveries,
            registry=registry,
            store=self._store,
            authenticator=authenticator,
            link=link,
            staff_lists=StaffListIssuer(self._database, signer, options.staff_days),
            owners=owners,
            revocations=RevocationListIssuer(self._database, self.authority),
            wrong_codes=RateLimit(WRONG_CODES, WRONG_CODES_WINDOW_S),
            read_back=ReadBackLimit(
                self._database, options.read_back_days, options.read_back_hearings
            ),
            live=self._live,
        )
        app = self._make_application()
        cases = CaseApi(self._database, authenticator)
        app.add_routes(
            [
                *api.routes(),
                *cases.routes(),
                *TusApi(uploads, authenticator).routes(),
                *SmallFilesApi(uploads, authenticator).routes(),
                *link.routes(),
            ]
        )
        port = await self._listen_kiosks(app, context, stack)
        link.udp_port = await _listen_udp(link, options.host, port, stack)
        await deliveries.closures.resume()
        await uploads.resume()
        await deliveries.resume()
        if not isinstance(self._store, FolderStore):  # there may be other servers, which may die
            resuming = asyncio.create_task(_resume_for_others(uploads, deliveries))
            stack.push_async_callback(_cancel_task, resuming)
            tidying = asyncio.create_task(_abort_stale(intake))
            stack.push_async_callback(_cancel_task, tidying)
        if options.searchable:
            worker = SearchableWorker(self._database, self._store, options.data / "searchable-work")
            task = asyncio.create_task(worker.run())
            stack.push_async_callback(_cancel_task, task)
        self._publish_addresses(port, await self._listen_admin(owners, stack))

    def _make_application(self) -> web.Application:
        middlewares = [errors_as_json]
        if self._faults is not None:
            middlewares.append(self._faults.middleware)
        app = web.Application(middlewares=middlewares)
        app.on_response_prepare.append(add_contract_header)
        app.on_response_prepare.append(add_tus_headers)
        return app

    async def _renew_certificate(self, context: ssl.SSLContext, signer: ReceiptSigner) -> None:
        """Renew the server's certificate in time; new connections and receipts have it at once."""
        while True:
            await asyncio.sleep(CERTIFICATE_CHECK_S)
            try:
                await asyncio.to_thread(self.authority.server_files, self._names)
                context.load_cert_chain(self._certificate, self._key)
                if signer.reload():
                    log.info("the server's certificate was renewed")
            except (KioskError, OSError, ValueError):
                log.exception("the server's certificate is not renewed; tried again in an hour")

    async def _listen_kiosks(
        self, app: web.Application, context: ssl.SSLContext, stack: contextlib.AsyncExitStack
    ) -> int:
        runner = _make_runner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            listener = await asyncio.get_running_loop().create_server(
                TlsConnections(runner.server, context),  # type: ignore[arg-type]
                self._options.host,
                self._options.port,
            )
        except OSError as error:
            raise CentralError(f"cannot listen: {error.strerror}", code="port_taken") from error
        stack.callback(listener.close)
        return int(listener.sockets[0].getsockname()[1])

    async def _listen_admin(self, owners: HearingOwners, stack: contextlib.AsyncExitStack) -> int:
        code = random_secret(ADMIN_CODE_LENGTH)
        write_text(self._options.data / "admin-code", code + "\n", mode=0o600)
        forms = DecisionForms(self._database, Quarantine(self._database, self._store), owners, code)
        app = AdminPage(self._database, self._store, forms, self._live).application()
        runner = _make_runner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await _start(web.TCPSite(runner, "127.0.0.1", self._options.admin_port))
        return int(runner.addresses[0][1])

    def _publish_addresses(self, port: int, admin_port: int) -> None:
        host = self._options.host
        public_host = "localhost" if host in ("127.0.0.1", "::1", "0.0.0.0", "::") else host
        self.url = f"https://{public_host}:{port}"
        page = f"http://127.0.0.1:{admin_port}"
        write_text(self._options.data / "admin-address", page + "\n", mode=0o644)
        # Written last: it signals that the server is ready.
        write_text(self._options.data / "address", self.url + "\n", mode=0o644)
        print(f"central court system: {self.url}")
        print(f"page for court IT: {page}")
        print(f"root certificate: {self.authority.root_path}")
        sys.stdout.flush()


async def _resume_for_others(uploads: UploadService, deliveries: DeliveryService) -> None:
    """Go on with what a server that has died left, again and again."""
    while True:
        await asyncio.sleep(RESUME_S)
        try:
            await deliveries.closures.resume()
            await uploads.resume()
            await deliveries.resume()
        except KioskError as error:
            log.warning("what other servers left is looked for again later: %s", error)
        except Exception:  # the task would end, and nobody would notice
            log.exception("what other servers left is looked for again later")


async def _abort_stale(intake: Intake) -> None:
    """Remove, at the start and daily, what killed servers left in the store."""
    while True:
        try:
            if count := await intake.abort_stale():
                log.info("%d uploads to the store that a killed server left are aborted", count)
        except Exception:  # the task would end, and nobody would notice
            log.exception("what killed servers left in the store is looked for tomorrow")
        await asyncio.sleep(DAY_S)


async def _cancel_task(task: asyncio.Task[None]) -> None:
    """Cancel a background task and wait until it has ended."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def tls_context(authority: CertificateAuthority, certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the server's TLS settings; it requests device certificates of the court's CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority.root_path)
    context.verify_mode = ssl.CERT_OPTIONAL  # a kiosk that enrols has none yet
    return context


def _make_runner(app: web.Application) -> web.AppRunner:
    return TimedRunner(
        app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_TIMEOUT_S
    )


async def _start(site: web.TCPSite) -> None:
    try:
        await site.start()
    except OSError as error:
        raise CentralError(f"cannot listen: {error.strerror}", code="port_taken") from error


async def _listen_udp(
    link: LinkCheckApi, host: str, port: int, stack: contextlib.AsyncExitStack
) -> int | None:
    """Listen for the UDP echo, on the TCP port's number if it is free; return the port."""
    loop = asyncio.get_running_loop()
    for number in (port, 0):
        with contextlib.suppress(OSError):
            transport, _ = await loop.create_datagram_endpoint(
                lambda: UdpEcho(link), local_addr=(host, number)
            )
            stack.callback(transport.close)
            found = int(transport.get_extra_info("sockname")[1])
            if found != port:
                log.warning("UDP port %d is taken: the echo listens on %d", port, found)
            return found
    log.warning("no UDP port for the echo: loss and jitter cannot be measured")
    return None


@contextlib.contextmanager
def exclusive_lock(data: Path) -> Iterator[None]:
    """Lock ``data`` for one server.

    Raises:
        CentralError: another server uses it.
    """
    make_folder(data)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CentralError(f"{data}: another server is running on it", code="busy") from error
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def serve(options: ServerOptions) -> None:
    """Run the server until SIGTERM or SIGINT.

    Raises:
        CentralError: the port or the folder is in use.
        UsageError: nobody says by which name kiosks reach it.
        ConfigError: the seed file is wrong.
    """
    if options.host in WILDCARDS and not options.names:
        raise UsageError(
            f"--host {options.host} needs the names or addresses by which kiosks reach this server "
            "(--name or $KIOSK_CENTRAL_NAMES): its certificate would be for localhost alone"
        )
    with exclusive_lock(options.data):
        asyncio.run(CentralServer(options).run())
