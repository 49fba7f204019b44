"""The page for court IT: exceptions first, then kiosks, hearings and filings.

Served on loopback only, over plain HTTP, for reading: decisions are made with ``kiosk central``.
A page of another site cannot read it (the Host header must name this machine), and it loads
nothing from anywhere.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, PackageLoader
from sqlalchemy import Connection, Row, exists, func, or_, select

from kiosk.central.admin.overview import (
    INCIDENT_DAYS,
    WATCHED,
    Finding,
    Incident,
    KioskRow,
    Known,
    Open,
    Scheduled,
    findings,
    moment,
)
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.store import Store
from kiosk.central.deliveries.searchable import searchable_of
from kiosk.central.http.web import errors_as_json
from kiosk.clocks import wall_text, wall_time
from kiosk.locale import LANGUAGES, N_, OWN_NAMES, Translator

PAGE = 100
RECENT = 30
HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
# Reloaded as a whole, but never under the hands of someone who is typing.
SCRIPT = """\
function refresh() {
  const text = document.querySelector("input[name=q]");
  if (document.activeElement !== text && text.value === text.defaultValue) location.reload();
}
setInterval(refresh, 30000);"""
SCRIPT_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode("ascii")
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    f"script-src 'sha256-{SCRIPT_HASH}'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
SENTENCES = {
    "not_recording": N_("Case {case} was to begin, and no recording is known of."),
    "source_missing": N_("A source is missing in the running recording: {sources}."),
    "kiosk_silent": N_("The kiosk does not report any more."),
    "backlog_late": N_("What waits for delivery will not be through by tomorrow morning."),
    "disk_fills": N_("The disk will be full by {day}."),
    "disk_is_full": N_("The disk is all but full."),
    "selftest_failed": N_("The last self-test failed in {failed} points."),
    "certificate_expires": N_("The device certificate expires within 30 days."),
    "delivery_stuck": N_("Announced, but not delivered completely: {label}."),
    "hash_mismatch": N_("A file arrived with another hash than announced: {detail}."),
    "journal_rewritten": N_("A recording was held back: its journal was rewritten: {detail}."),
    "closed_after_receipt": N_("A hearing was closed after its delivery; {detail} were deleted."),
    "head_conflicts": N_("A journal contradicts its own earlier heads: {detail}."),
}
LABELS = {
    "title": N_("Central court system"),
    "attention": N_("Needs attention"),
    "well": N_("Nothing needs attention."),
    "kiosks": N_("Kiosks"),
    "kiosk": N_("Kiosk"),
    "room": N_("Courtroom"),
    "seen": N_("Last seen"),
    "version": N_("Version"),
    "disk": N_("Free disk"),
    "queue": N_("Waiting for delivery"),
    "selftest": N_("Last self-test"),
    "now": N_("Now"),
    "hearings": N_("Hearings"),
    "filings": N_("Filings"),
    "number": N_("Number"),
    "state": N_("State"),
    "begun": N_("Announced"),
    "delivered": N_("Delivered"),
    "case": N_("Case"),
    "contents": N_("Documents (pages)"),
    "missing": N_("missing"),
    "originals": N_("original to be handed in"),
    "length": N_("Length"),
    "search": N_("Find a kiosk or courtroom"),
    "show": N_("Show"),
    "next": N_("Next"),
    "previous": N_("Previous"),
    "none": N_("None yet."),
    "never": N_("never"),
    "since": N_("since {time}"),
    "searchable": N_("Searchable version"),
}
STATES = {
    "registered": N_("registered"),
    "accepted": N_("accepted"),
    "returned": N_("returned"),
    "passed_to_judge": N_("passed to the judge"),
    "receiving": N_("arriving"),
    "complete": N_("complete"),
    "recording": N_("recording"),
    "recess": N_("recess"),
    "retired": N_("retired to deliberate"),
    "sealing": N_("sealing"),
}


@dataclass(frozen=True)
class View:
    """What is asked for: search text and page of the list of kiosks (from 0)."""

    text: str
    page: int


class Admin:
    """The page; ``store`` is asked for the server's own free space."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database = database
        self._store = store
        self._templates = Environment(
            loader=PackageLoader("kiosk.central"), autoescape=True, trim_blocks=True
        )
        self._translators = {language: Translator(language) for language in LANGUAGES}

    def application(self) -> web.Application:
        """Return the application of the admin listener."""
        app = web.Application(middlewares=[errors_as_json, _local_only])
        app.router.add_get("/", self.page)
        app.router.add_get("/filings/{id}/searchable/{path}", self.searchable)
        return app

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Show the page."""
        view = View(request.query.get("q", "").strip()[:100], _page(request))
        translate = self._translators[_language(request)]
        text = await self._database.reading(
            lambda connection: self.render(connection, view, translate)
        )
        return web.Response(text=text, content_type="text/html", headers=SECURITY)

    async def searchable(self, request: web.Request) -> web.StreamResponse:
        """Give the searchable version of a filing's document, as PDF."""
        filing, path = request.match_info["id"], request.match_info["path"]
        rows = await self._database.reading(lambda connection: searchable_of(connection, filing))
        row = next((row for row in rows if row.path == path and row.state == "done"), None)
        if row is None:
            raise web.HTTPNotFound(text="there is no searchable version of it")
        blocks = self._store.read(row.key, 0, row.size)
        body = await asyncio.to_thread(lambda: b"".join(blocks))  # at most a few megabytes
        return web.Response(body=body, content_type="application/pdf", headers=SECURITY)

    def render(self, connection: Connection, view: View, translate: Translator) -> str:
        """Return the page as HTML."""
        now = wall_time()
        known = read_known(connection, now)
        zone = known.kiosks[0].zone if known.kiosks else ZoneInfo("UTC")
        words = _Words(translate, zone, now)
        found = findings(known, now)
        worst_last = sorted(found, key=lambda finding: finding.severity == "fault")
        troubled = {finding.kiosk: finding.severity for finding in worst_last}
        kiosks = _chosen(known.kiosks, view, troubled)
        first = view.page * PAGE
        template = self._templates.get_template("admin.html")
        return template.render(
            t={key: translate(text) for key, text in LABELS.items()},
            language=translate.language,
            languages=OWN_NAMES,
            now=words.clock(now),
            findings=[words.finding(finding) for finding in found[:PAGE]],
            more=max(0, len(found) - PAGE),
            script=SCRIPT,
            faults=sum(finding.severity == "fault" for finding in found),
            total=len(known.kiosks),
            kiosks=[words.kiosk(row, troubled.get(row.id)) for row in kiosks[first : first + PAGE]],
            shown=len(kiosks),
            view=view,
            last_page=first + PAGE >= len(kiosks),
            hearings=[words.hearing(row) for row in _hearings(connection)],
            filings=[
                words.filing(row) | {"searchable": _offered(connection, row.id)}
                for row in _filings(connection)
            ],
            free=words.size(self._store.free_bytes()),
        )


class _Words:
    """Puts rows into words."""

    def __init__(self, translate: Translator, zone: ZoneInfo, now: datetime) -> None:
        self._translate = translate
        self._zone = zone
        self._now = now

    def clock(self, value: datetime | None) -> str:
        """Return a time of day, with the date where that is not today."""
        if value is None:
            return self._translate(LABELS["never"])
        local, today = value.astimezone(self._zone), self._now.astimezone(self._zone).date()
        return f"{local:%H:%M}" if local.date() == today else f"{local:%d.%m.%Y %H:%M}"

    def size(self, count: int | None) -> str:
        """Return a number of bytes."""
        if count is None:
            return "–"
        value, unit = float(count), "B"
        for unit in ("B", "kB", "MB", "GB", "TB"):
            if value < 1000 or unit == "TB":
                break
            value /= 1000
        return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"

    def finding(self, finding: Finding) -> dict[str, str]:
        """Return one exception."""
        return {
            "severity": finding.severity,
            "sentence": self._translate(SENTENCES[finding.code], **finding.values),
            "kiosk": finding.kiosk,
            "room": finding.room,
            "since": self._translate(LABELS["since"], time=self.clock(finding.since)),
        }

    def kiosk(self, row: KioskRow, trouble: str | None) -> dict[str, Any]:
        """Return one line of the list of kiosks."""
        state = row.state
        storage, queue = state.get("storage") or {}, state.get("queue") or {}
        test, running = state.get("selftest") or {}, state.get("recording") or {}
        waiting = queue.get("items", 0)
        return {
            "id": row.id,
            "room": row.room,
            "trouble": trouble,
            "seen": self.clock(row.last_seen),
            "version": state.get("version", "–"),
            "disk": self.size(storage.get("free_bytes")),
            "queue": f"{waiting} ({self.size(queue.get('bytes', 0))})" if waiting else "–",
            "selftest": self._test(test),
            "now": self.state(running.get("phase", "recording")) if running else "–",
            "recording": bool(running) and running.get("phase", "recording") == "recording",
        }

    def _test(self, test: dict[str, Any]) -> str:
        if not test:
            return self._translate(LABELS["never"])
        passed, failed = test.get("passed", 0), test.get("failed", 0)
        return f"{passed}/{passed + failed}, {self.clock(moment(test.get('at')))}"

    def state(self, code: str) -> str:
        """Return the word for a state."""
        return self._translate(STATES[code]) if code in STATES else code

    def hearing(self, row: Row[Any]) -> dict[str, str]:
        """Return one line of the list of hearings."""
        seconds = row.manifest.get("duration_seconds")
        length = "–" if seconds is None else str(timedelta(seconds=int(seconds)))
        return {
            "case": row.manifest["hearing"].get("case_number") or row.id,
            "kiosk": row.kiosk,
            "begun": self.clock(moment(row.created_at)),
            "length": length,
            "state": self.state("complete" if row.completed_at else "receiving"),
            "good": "yes" if row.completed_at else "",
        }

    def _contents(self, manifest: dict[str, Any]) -> str:
        """Return the documents of a filing with their pages, by type."""
        return _listed([f"{file['type']} ({file['pages']})" for file in manifest["documents"]])

    def _lacks(self, manifest: dict[str, Any]) -> str:
        """Return what is missing in a filing, and which originals will be handed in."""
        slots = manifest.get("slots") or ()
        missing = _listed([slot["type"] for slot in slots if slot["state"] == "missing"])
        originals = _listed(manifest.get("not_scanned") or ())
        parts = [
            f"{self._translate(LABELS[key])}: {value}"
            for key, value in (("missing", missing), ("originals", originals))
            if value
        ]
        return "; ".join(parts)

    def filing(self, row: Row[Any]) -> dict[str, Any]:
        """Return one line of the list of filings."""
        delivered = moment(row.completed_at)
        return {
            "number": row.number,
            "kiosk": row.kiosk,
            "begun": self.clock(moment(row.registered_at)),
            "state": self.state(row.state),
            "reason": row.reason or "",
            "contents": self._contents(row.manifest),
            "lacks": self._lacks(row.manifest),
            "delivered": self.clock(delivered) if delivered is not None else "–",
        }


def _listed(values: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(values))


def read_known(connection: Connection, now: datetime) -> Known:
    """Read what exceptions are found from."""
    return Known(
        kiosks=_kiosks(connection),
        scheduled=_scheduled(connection, now),
        open=_open(connection),
        incidents=_incidents(connection, now),
    )


def _kiosks(connection: Connection) -> tuple[KioskRow, ...]:
    kiosks, certificates = schema.kiosks, schema.certificates
    newest = (
        select(certificates.c.kiosk, func.max(certificates.c.not_after).label("until"))
        .where(certificates.c.revoked_at.is_(None))
        .group_by(certificates.c.kiosk)
        .subquery()
    )
    rows = connection.execute(
        select(kiosks, newest.c.until, schema.courts.c.timezone)
        .join(schema.courts, schema.courts.c.id == kiosks.c.court)
        .outerjoin(newest, newest.c.kiosk == kiosks.c.id)
        .order_by(kiosks.c.id)
    )
    return tuple(
        KioskRow(
            id=row.id,
            court=row.court,
            room=row.room,
            zone=ZoneInfo(row.timezone),
            last_seen=moment(row.last_seen),
            state_at=moment(row.state_at),
            state=row.state or {},
            certificate_until=moment(row.until),
        )
        for row in rows
    )


def _scheduled(connection: Connection, now: datetime) -> tuple[Scheduled, ...]:
    table = schema.schedule
    known = or_(
        exists().where(schema.deliveries.c.id == table.c.id),
        exists().where(schema.heads.c.hearing == table.c.id),
        exists().where(schema.uploads.c.owner == table.c.id),
    )
    rows = connection.execute(
        select(table, known.label("recorded"))
        .where(table.c.scheduled_at > wall_text(now - WATCHED))
        .where(table.c.scheduled_at < wall_text(now))
    )
    return tuple(
        Scheduled(
            id=row.id,
            court=row.court,
            room=row.room,
            case_number=str(row.hearing.get("case_number", "")),
            at=datetime.fromisoformat(row.scheduled_at),
            recorded=bool(row.recorded),
        )
        for row in rows
    )


def _open(connection: Connection) -> tuple[Open, ...]:
    table, filings = schema.deliveries, schema.filings
    rows = connection.execute(
        select(table.c.id, table.c.kind, table.c.kiosk, table.c.created_at, filings.c.number)
        .outerjoin(filings, filings.c.id == table.c.id)
        .where(table.c.completed_at.is_(None))
        .order_by(table.c.created_at)
        .limit(PAGE * 10)
    )
    return tuple(
        Open(
            id=row.id,
            kind=row.kind,
            kiosk=row.kiosk,
            label=row.number or row.id,
            since=datetime.fromisoformat(row.created_at),
        )
        for row in rows
    )


def _incidents(connection: Connection, now: datetime) -> tuple[Incident, ...]:
    table = schema.incidents
    rows = connection.execute(
        select(table)
        .where(table.c.at > wall_text(now - INCIDENT_DAYS))
        .order_by(table.c.at.desc())
        .limit(PAGE)
    )
    return tuple(
        Incident(row.code, row.kiosk, row.subject, row.detail, datetime.fromisoformat(row.at))
        for row in rows
    )


def _hearings(connection: Connection) -> Sequence[Row[Any]]:
    table = schema.deliveries
    return connection.execute(
        select(table)
        .where(table.c.kind == "hearing")
        .order_by(table.c.created_at.desc())
        .limit(RECENT)
    ).all()


def _filings(connection: Connection) -> Sequence[Row[Any]]:
    table, deliveries = schema.filings, schema.deliveries
    return connection.execute(
        select(table, deliveries.c.kiosk, deliveries.c.completed_at, deliveries.c.manifest)
        .join(deliveries, deliveries.c.id == table.c.id)
        .order_by(table.c.registered_at.desc())
        .limit(RECENT)
    ).all()


def _offered(connection: Connection, filing: str) -> list[dict[str, str]]:
    """Return name and address of each searchable version of a filing."""
    return [
        {"name": row.path, "address": f"filings/{filing}/searchable/{quote(row.path, safe='')}"}
        for row in searchable_of(connection, filing)
        if row.state == "done"
    ]


def _chosen(
    kiosks: Sequence[KioskRow], view: View, troubled: Collection[str | None]
) -> list[KioskRow]:
    """Return the kiosks that fit the search, those in trouble first."""
    wanted = view.text.casefold()
    fitting = [
        kiosk
        for kiosk in kiosks
        if wanted in kiosk.id.casefold() or wanted == kiosk.room.casefold()
    ]
    return sorted(fitting, key=lambda kiosk: kiosk.id not in troubled)


@web.middleware
async def _local_only(request: web.Request, handler: Any) -> web.StreamResponse:
    """Refuse a Host that is not this machine: another site's name that points here."""
    name = request.host.rsplit(":", 1)[0] if ":" in request.host else request.host
    if name not in HOSTS:
        raise web.HTTPForbidden(text="this page is for this machine only")
    response: web.StreamResponse = await handler(request)
    return response


def _language(request: web.Request) -> Any:
    """Return the language asked for, else the browser's first that is known, else Kazakh."""
    asked = request.query.get("lang", "")
    accepted = request.headers.get("Accept-Language", "").split(",")
    for text in (asked, *(item.split(";")[0].strip()[:2] for item in accepted)):
        if text in LANGUAGES:
            return text
    return "kk"


def _page(request: web.Request) -> int:
    text = request.query.get("page", "0")
    return int(text[:6]) if text.isascii() and text.isdigit() else 0
