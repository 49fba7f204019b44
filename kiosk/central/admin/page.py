"""The page for court IT: findings first, then kiosks, hearings and filings.

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

from kiosk.central.admin.findings import (
    INCIDENT_WINDOW,
    WATCH_WINDOW,
    Finding,
    FleetSnapshot,
    Incident,
    KioskStatus,
    OpenDelivery,
    ScheduledHearing,
    collect_findings,
    parse_time,
)
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.searchable import searchable_versions
from kiosk.central.http.json_api import Handler, errors_as_json
from kiosk.clocks import format_wall, wall_time
from kiosk.locale import LANGUAGES, N_, NATIVE_NAMES, Language, Translator

PAGE_SIZE = 100
RECENT_COUNT = 30
HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
# Reloaded as a whole, but never under the hands of someone who is typing.
SCRIPT = """\
function refresh() {
  const text = document.querySelector("input[name=q]");
  if (document.activeElement !== text && text.value === text.defaultValue) location.reload();
}
setInterval(refresh, 30000);"""
SCRIPT_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode("ascii")
SECURITY_HEADERS = {
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
    "all_clear": N_("Nothing needs attention."),
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
class AdminView:
    """What is asked for: search text and page of the list of kiosks (from 0)."""

    text: str
    page: int


class AdminPage:
    """The page; ``store`` is asked for the server's own free space."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._templates = Environment(
            loader=PackageLoader("kiosk.central"), autoescape=True, trim_blocks=True
        )
        self._translators = {language: Translator(language) for language in LANGUAGES}

    def application(self) -> web.Application:
        """Return the application of the admin listener."""
        app = web.Application(middlewares=[errors_as_json, _require_local_host])
        app.router.add_get("/", self.page)
        app.router.add_get("/filings/{id}/searchable/{path}", self.searchable)
        return app

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Show the page."""
        view = AdminView(request.query.get("q", "").strip()[:100], _page_number(request))
        translate = self._translators[_choose_language(request)]
        text = await self._database.run_read(
            lambda connection: self.render(connection, view, translate)
        )
        return web.Response(text=text, content_type="text/html", headers=SECURITY_HEADERS)

    async def searchable(self, request: web.Request) -> web.StreamResponse:
        """Give the searchable version of a filing's document, as PDF."""
        filing, path = request.match_info["id"], request.match_info["path"]
        rows = await self._database.run_read(
            lambda connection: searchable_versions(connection, filing)
        )
        row = next((row for row in rows if row.path == path and row.state == "done"), None)
        if row is None:
            raise web.HTTPNotFound(text="there is no searchable version of it")
        blocks = self._store.read(row.key, 0, row.size)
        body = await asyncio.to_thread(lambda: b"".join(blocks))  # at most a few megabytes
        return web.Response(body=body, content_type="application/pdf", headers=SECURITY_HEADERS)

    def render(self, connection: Connection, view: AdminView, translate: Translator) -> str:
        """Return the page as HTML."""
        now = wall_time()
        snapshot = read_snapshot(connection, now)
        zone = snapshot.kiosks[0].zone if snapshot.kiosks else ZoneInfo("UTC")
        texts = AdminTexts(translate, zone, now)
        found = collect_findings(snapshot, now)
        worst_last = sorted(found, key=lambda finding: finding.severity == "fault")
        severities = {finding.kiosk: finding.severity for finding in worst_last}
        kiosks = _filter_kiosks(snapshot.kiosks, view, severities)
        first = view.page * PAGE_SIZE
        template = self._templates.get_template("admin.html")
        return template.render(
            t={key: translate(text) for key, text in LABELS.items()},
            language=translate.language,
            languages=NATIVE_NAMES,
            now=texts.clock(now),
            findings=[texts.finding(finding) for finding in found[:PAGE_SIZE]],
            more=max(0, len(found) - PAGE_SIZE),
            script=SCRIPT,
            faults=sum(finding.severity == "fault" for finding in found),
            total=len(snapshot.kiosks),
            kiosks=[
                texts.kiosk(row, severities.get(row.id))
                for row in kiosks[first : first + PAGE_SIZE]
            ],
            shown=len(kiosks),
            view=view,
            last_page=first + PAGE_SIZE >= len(kiosks),
            hearings=[texts.hearing(row) for row in _read_hearings(connection)],
            filings=[
                texts.filing(row) | {"searchable": _searchable_links(connection, row.id)}
                for row in _read_filings(connection)
            ],
            free=texts.size(self._store.free_bytes()),
        )


class AdminTexts:
    """Texts of the page, in the chosen language."""

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

    def kiosk(self, row: KioskStatus, severity: str | None) -> dict[str, Any]:
        """Return one line of the list of kiosks."""
        state = row.state
        storage, queue = state.get("storage") or {}, state.get("queue") or {}
        test, running = state.get("selftest") or {}, state.get("recording") or {}
        waiting = queue.get("items", 0)
        return {
            "id": row.id,
            "room": row.room,
            "severity": severity,
            "seen": self.clock(row.last_seen),
            "version": state.get("version", "–"),
            "disk": self.size(storage.get("free_bytes")),
            "queue": f"{waiting} ({self.size(queue.get('bytes', 0))})" if waiting else "–",
            "selftest": self._selftest_text(test),
            "now": self.state(running.get("phase", "recording")) if running else "–",
            "recording": bool(running) and running.get("phase", "recording") == "recording",
        }

    def _selftest_text(self, test: dict[str, Any]) -> str:
        if not test:
            return self._translate(LABELS["never"])
        passed, failed = test.get("passed", 0), test.get("failed", 0)
        return f"{passed}/{passed + failed}, {self.clock(parse_time(test.get('at')))}"

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
            "begun": self.clock(parse_time(row.created_at)),
            "length": length,
            "state": self.state("complete" if row.completed_at else "receiving"),
            "good": "yes" if row.completed_at else "",
        }

    def _contents(self, manifest: dict[str, Any]) -> str:
        """Return the documents of a filing with their pages, by type."""
        return _join_unique([f"{file['type']} ({file['pages']})" for file in manifest["documents"]])

    def _missing_text(self, manifest: dict[str, Any]) -> str:
        """Return the missing documents of a filing, and the originals still to be handed in."""
        slots = manifest.get("slots") or ()
        missing = _join_unique([slot["type"] for slot in slots if slot["state"] == "missing"])
        originals = _join_unique(manifest.get("not_scanned") or ())
        parts = [
            f"{self._translate(LABELS[key])}: {value}"
            for key, value in (("missing", missing), ("originals", originals))
            if value
        ]
        return "; ".join(parts)

    def filing(self, row: Row[Any]) -> dict[str, Any]:
        """Return one line of the list of filings."""
        delivered = parse_time(row.completed_at)
        return {
            "number": row.number,
            "kiosk": row.kiosk,
            "begun": self.clock(parse_time(row.registered_at)),
            "state": self.state(row.state),
            "reason": row.reason or "",
            "contents": self._contents(row.manifest),
            "missing": self._missing_text(row.manifest),
            "delivered": self.clock(delivered) if delivered is not None else "–",
        }


def _join_unique(values: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(values))


def read_snapshot(connection: Connection, now: datetime) -> FleetSnapshot:
    """Read what :func:`collect_findings` needs."""
    return FleetSnapshot(
        kiosks=_read_kiosks(connection),
        scheduled=_read_scheduled(connection, now),
        open=_read_open_deliveries(connection),
        incidents=_read_incidents(connection, now),
    )


def _read_kiosks(connection: Connection) -> tuple[KioskStatus, ...]:
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
        KioskStatus(
            id=row.id,
            court=row.court,
            room=row.room,
            zone=ZoneInfo(row.timezone),
            last_seen=parse_time(row.last_seen),
            state_at=parse_time(row.state_at),
            state=row.state or {},
            certificate_until=parse_time(row.until),
        )
        for row in rows
    )


def _read_scheduled(connection: Connection, now: datetime) -> tuple[ScheduledHearing, ...]:
    table = schema.schedule
    is_recorded = or_(
        exists().where(schema.deliveries.c.id == table.c.id),
        exists().where(schema.heads.c.hearing == table.c.id),
        exists().where(schema.uploads.c.owner == table.c.id),
    )
    rows = connection.execute(
        select(table, is_recorded.label("recorded"))
        .where(table.c.scheduled_at > format_wall(now - WATCH_WINDOW))
        .where(table.c.scheduled_at < format_wall(now))
    )
    return tuple(
        ScheduledHearing(
            id=row.id,
            court=row.court,
            room=row.room,
            case_number=str(row.hearing.get("case_number", "")),
            at=datetime.fromisoformat(row.scheduled_at),
            recorded=bool(row.recorded),
        )
        for row in rows
    )


def _read_open_deliveries(connection: Connection) -> tuple[OpenDelivery, ...]:
    table, filings = schema.deliveries, schema.filings
    rows = connection.execute(
        select(table.c.id, table.c.kind, table.c.kiosk, table.c.created_at, filings.c.number)
        .outerjoin(filings, filings.c.id == table.c.id)
        .where(table.c.completed_at.is_(None))
        .order_by(table.c.created_at)
        .limit(PAGE_SIZE * 10)
    )
    return tuple(
        OpenDelivery(
            id=row.id,
            kind=row.kind,
            kiosk=row.kiosk,
            label=row.number or row.id,
            since=datetime.fromisoformat(row.created_at),
        )
        for row in rows
    )


def _read_incidents(connection: Connection, now: datetime) -> tuple[Incident, ...]:
    table = schema.incidents
    rows = connection.execute(
        select(table)
        .where(table.c.at > format_wall(now - INCIDENT_WINDOW))
        .order_by(table.c.at.desc())
        .limit(PAGE_SIZE)
    )
    return tuple(
        Incident(row.code, row.kiosk, row.subject, row.detail, datetime.fromisoformat(row.at))
        for row in rows
    )


def _read_hearings(connection: Connection) -> Sequence[Row[Any]]:
    table = schema.deliveries
    return connection.execute(
        select(table)
        .where(table.c.kind == "hearing")
        .order_by(table.c.created_at.desc())
        .limit(RECENT_COUNT)
    ).all()


def _read_filings(connection: Connection) -> Sequence[Row[Any]]:
    table, deliveries = schema.filings, schema.deliveries
    return connection.execute(
        select(table, deliveries.c.kiosk, deliveries.c.completed_at, deliveries.c.manifest)
        .join(deliveries, deliveries.c.id == table.c.id)
        .order_by(table.c.registered_at.desc())
        .limit(RECENT_COUNT)
    ).all()


def _searchable_links(connection: Connection, filing: str) -> list[dict[str, str]]:
    """Return name and address of each searchable version of a filing."""
    return [
        {"name": row.path, "address": f"filings/{filing}/searchable/{quote(row.path, safe='')}"}
        for row in searchable_versions(connection, filing)
        if row.state == "done"
    ]


def _filter_kiosks(
    kiosks: Sequence[KioskStatus], view: AdminView, severities: Collection[str | None]
) -> list[KioskStatus]:
    """Return the kiosks that match the search, those with findings first."""
    wanted = view.text.casefold()
    matching = [
        kiosk
        for kiosk in kiosks
        if wanted in kiosk.id.casefold() or wanted == kiosk.room.casefold()
    ]
    return sorted(matching, key=lambda kiosk: kiosk.id not in severities)


@web.middleware
async def _require_local_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a Host that is not this machine: another site's name that points here."""
    name = request.host.rsplit(":", 1)[0] if ":" in request.host else request.host
    if name not in HOSTS:
        raise web.HTTPForbidden(text="this page is for this machine only")
    return await handler(request)


def _choose_language(request: web.Request) -> Language:
    """Return the language asked for, else the browser's first that is known, else Kazakh."""
    asked = request.query.get("lang", "")
    accepted = request.headers.get("Accept-Language", "").split(",")
    for text in (asked, *(item.split(";")[0].strip()[:2] for item in accepted)):
        if text in LANGUAGES:
            return text
    return "kk"


def _page_number(request: web.Request) -> int:
    text = request.query.get("page", "0")
    return int(text[:6]) if text.isascii() and text.isdigit() else 0
