"""The page for court IT: findings first, then kiosks, hearings and filings.

Served on loopback over plain HTTP. Decisions need a code (:mod:`kiosk.central.admin.decisions`).
Pages of other sites cannot read it, because the Host header must name this machine. It loads no
external resources.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, PackageLoader
from sqlalchemy import Connection

from kiosk.central.admin.decisions import MAX_FORM_BYTES, DecisionForms
from kiosk.central.admin.findings import KioskStatus, collect_findings, parse_time
from kiosk.central.admin.open_decisions import (
    describe_decisions,
    describe_notice,
    read_cases,
    read_decisions,
)
from kiosk.central.admin.queries import read_filings, read_hearings, read_snapshot
from kiosk.central.admin.reports import delivered_reports, describe, find_self_test, read_content
from kiosk.central.admin.support import find_report, read_bundle
from kiosk.central.admin.texts import LABELS, AdminTexts
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.searchable import searchable_versions
from kiosk.central.errors import RefusedError, malformed
from kiosk.central.http.json_api import Handler, errors_as_json
from kiosk.central.live_rooms import LiveRooms
from kiosk.clocks import wall_time
from kiosk.locale import LANGUAGES, NATIVE_NAMES, Language, Translator
from kiosk.selftest.words import MeasuredWords

PAGE_SIZE = 100
HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
# Reloads the page, except while somebody is typing or deciding; opens the decision of an address.
SCRIPT = """\
function openDecision() {
  const decision = document.getElementById(location.hash.slice(1));
  if (decision instanceof HTMLDetailsElement) decision.open = true;
}
addEventListener("hashchange", openDecision);
openDecision();
async function showLive() {
  const answer = await fetch("live" + location.search);
  if (!answer.ok) return;
  const live = await answer.json();
  for (const cell of document.querySelectorAll("[data-live]")) {
    const room = live.rooms[cell.dataset.live];
    cell.replaceChildren(...(room ? meters(room) : [document.createTextNode("–")]));
  }
  if (live.alarms !== Number(document.body.dataset.alarms)) refresh();
}
function meters(room) {
  const levels = Object.entries(room.levels).map(([name, level]) => {
    const meter = document.createElement("meter");
    Object.assign(meter, { min: -60, max: 0, value: level, title: `${name} ${level} dB` });
    meter.setAttribute("aria-label", meter.title);
    return meter;
  });
  const proof = document.createElement("span");
  proof.className = room.proof === "good" ? "pill good" : "pill returned";
  proof.textContent = room.proof_text;
  return [...levels, proof];
}
setInterval(() => showLive().catch(() => undefined), 3000);
showLive().catch(() => undefined);
function refresh() {
  const fields = [...document.querySelectorAll("input")];
  const isIdle = (field) => document.activeElement !== field && field.value === field.defaultValue;
  if (fields.every(isIdle) && !document.querySelector("details[open]")) location.reload();
}
setInterval(refresh, 30000);"""
SCRIPT_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode("ascii")
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "connect-src 'self'; "
    f"script-src 'sha256-{SCRIPT_HASH}'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class AdminNotice:
    """What became of a decision: ``done``, or the code of its refusal."""

    code: str
    is_good: bool = False


@dataclass(frozen=True)
class AdminView:
    """Request of a browser: search text, page of the list of kiosks (from 0), what to tell."""

    text: str
    page: int
    notice: AdminNotice | None = None


class AdminPage:
    """The page for court IT; ``store`` reports the server's free space, ``live`` the rooms."""

    def __init__(
        self, database: Database, store: ObjectStore, forms: DecisionForms, live: LiveRooms
    ) -> None:
        self._live = live
        self._database = database
        self._store = store
        self._forms = forms
        self._templates = Environment(
            loader=PackageLoader("kiosk.central"), autoescape=True, trim_blocks=True
        )
        self._translators = {language: Translator(language) for language in LANGUAGES}

    def application(self) -> web.Application:
        """Return the application of the admin listener."""
        app = web.Application(
            middlewares=[errors_as_json, _require_local_host], client_max_size=MAX_FORM_BYTES
        )
        app.router.add_get("/", self.page)
        app.router.add_get("/live", self.live)
        app.router.add_post("/decisions", self.decide)
        app.router.add_get("/support/{code}", self.support)
        app.router.add_get("/reports/{id}", self.report)
        app.router.add_get("/filings/{id}/searchable/{path}", self.searchable)
        return app

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Return the page."""
        is_done = request.query.get("done") == "1"
        return await self._answer(request, AdminNotice("done", is_good=True) if is_done else None)

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Return levels and proof of the rooms that record now, and a count of alarms' changes."""
        texts = AdminTexts(
            self._translators[_choose_language(request)], ZoneInfo("UTC"), wall_time()
        )
        rooms = {row.kiosk: texts.live(row) for row in self._live.rooms()}
        body = {"rooms": rooms, "alarms": self._live.alarm_changes}
        return web.json_response(body, headers=SECURITY_HEADERS)

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Carry out a decision and show the page again; a refusal is told in plain words."""
        try:
            await self._forms.decide(await _read_form(request))
        except RefusedError as error:
            return await self._answer(request, AdminNotice(error.code), error.status)
        address = f"/?lang={_choose_language(request)}&done=1"
        return web.Response(status=303, headers={"Location": address})

    async def _answer(
        self, request: web.Request, notice: AdminNotice | None, status: int = 200
    ) -> web.Response:
        view = AdminView(request.query.get("q", "").strip()[:100], _page_number(request), notice)
        translate = self._translators[_choose_language(request)]
        text = await self._database.run_read(
            lambda connection: self.render(connection, view, translate)
        )
        return web.Response(
            text=text, status=status, content_type="text/html", headers=SECURITY_HEADERS
        )

    async def support(self, request: web.Request) -> web.StreamResponse:
        """Return the support bundle with this code."""
        code = request.match_info["code"]
        report = await self._database.run_read(lambda connection: find_report(connection, code))
        text = None if report is None else await asyncio.to_thread(read_bundle, self._store, report)
        if text is None:
            raise web.HTTPNotFound(text="no support bundle with this code has arrived")
        return web.Response(text=text, content_type="application/json", headers=SECURITY_HEADERS)

    async def report(self, request: web.Request) -> web.StreamResponse:
        """Return a delivered self-test in words, such as that of commissioning."""
        translate = self._translators[_choose_language(request)]
        identifier = request.match_info["id"]
        report = await self._database.run_read(
            lambda connection: find_self_test(connection, identifier)
        )
        page = None
        if report is not None:
            content = await asyncio.to_thread(read_content, self._store, report, "selftest")
            words = MeasuredWords(translate, report.zone)
            page = None if content is None else describe(report.kiosk, content, words)
        if report is None or page is None:
            raise web.HTTPNotFound(text="no self-test with this id has arrived")
        key = "commissioned" if page.is_commissioning else "selftest_page"
        text = self._templates.get_template("report.html").render(
            page=page,
            title=translate(LABELS[key]),
            room=translate(LABELS["room"]),
            back=translate(LABELS["title"]),
            ended=AdminTexts(translate, report.zone, wall_time()).clock(parse_time(page.ended)),
            language=translate.language,
        )
        return web.Response(text=text, content_type="text/html", headers=SECURITY_HEADERS)

    async def searchable(self, request: web.Request) -> web.StreamResponse:
        """Return the searchable version of a filing's document as PDF."""
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
        decisions = read_decisions(connection, snapshot)
        shown = found[:PAGE_SIZE]
        cases = read_cases(
            connection,
            {value for finding in shown for value in finding.values.values()}
            | {item.hearing for item in decisions},
        )
        rooms = {kiosk.id: kiosk.room for kiosk in snapshot.kiosks}
        template = self._templates.get_template("admin.html")
        return template.render(
            t={key: translate(text) for key, text in LABELS.items()},
            language=translate.language,
            languages=NATIVE_NAMES,
            now=texts.clock(now),
            findings=[texts.finding(finding, cases) for finding in shown],
            decidable={item.hearing for item in decisions},
            decisions=describe_decisions(decisions, texts, translate, cases, rooms),
            notice=view.notice and describe_notice(view.notice.code, translate),
            more=max(0, len(found) - PAGE_SIZE),
            script=SCRIPT,
            alarms=self._live.alarm_changes,
            faults=sum(finding.severity == "fault" for finding in found),
            total=len(snapshot.kiosks),
            kiosks=[
                texts.kiosk(row, severities.get(row.id))
                for row in kiosks[first : first + PAGE_SIZE]
            ],
            shown=len(kiosks),
            view=view,
            support=find_report(connection, view.text),
            delivered=delivered_reports(connection, _report_ids(snapshot.kiosks)),
            last_page=first + PAGE_SIZE >= len(kiosks),
            staff=[texts.member(row) for row in snapshot.staff if row.pin != "valid" and row.roles][
                :PAGE_SIZE
            ],
            hearings=[texts.hearing(row) for row in read_hearings(connection)],
            filings=[
                texts.filing(row) | {"searchable": _searchable_links(connection, row.id)}
                for row in read_filings(connection)
            ],
            free=texts.size(self._store.free_bytes()),
        )


def _searchable_links(connection: Connection, filing: str) -> list[dict[str, str]]:
    """Return name and address of each searchable version of a filing."""
    return [
        {"name": row.path, "address": f"filings/{filing}/searchable/{quote(row.path, safe='')}"}
        for row in searchable_versions(connection, filing)
        if row.state == "done"
    ]


def _report_ids(kiosks: Sequence[KioskStatus]) -> set[str]:
    """Return the ids of the reports that the kiosks name as their newest."""
    return {
        str(named["id"])
        for kiosk in kiosks
        for key in ("selftest", "commissioned")
        if (named := kiosk.state.get(key)) and named.get("id")
    }


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


async def _read_form(request: web.Request) -> Mapping[str, object]:
    """Return the fields of a form.

    Raises:
        RefusedError: 400, it is none of this page's.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise malformed("the body is to be a form of this page")
    try:
        return await request.post()
    except (ValueError, LookupError) as error:
        raise malformed("the body is not text of its charset") from error


@web.middleware
async def _require_local_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a Host header that does not name this machine (DNS rebinding)."""
    name = request.host.rsplit(":", 1)[0] if ":" in request.host else request.host
    if name not in HOSTS:
        raise web.HTTPForbidden(text="this page is for this machine only")
    return await handler(request)


def _choose_language(request: web.Request) -> Language:
    """Return the requested language, else the browser's first known one, else Kazakh."""
    asked = request.query.get("lang", "")
    accepted = request.headers.get("Accept-Language", "").split(",")
    for text in (asked, *(item.split(";")[0].strip()[:2] for item in accepted)):
        if text in LANGUAGES:
            return text
    return "kk"


def _page_number(request: web.Request) -> int:
    text = request.query.get("page", "0")
    return int(text[:6]) if text.isascii() and text.isdigit() else 0
