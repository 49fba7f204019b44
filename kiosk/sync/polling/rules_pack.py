"""Pulls the signed rules pack (monthly indices, S27); publishes it only if it may follow the last.

Whatever the central system, or somebody in its place, sends: the pack that is held stays. Time is
the central system's own, as for the list of staff.
"""

from __future__ import annotations

import logging
from datetime import datetime
from zoneinfo import ZoneInfo

from kiosk.api.sync import RulesPackState
from kiosk.exchange.rules_pack import (
    RulesPackError,
    SignedPack,
    check_rules_pack,
    check_succession,
)
from kiosk.rules.load import load_mrp
from kiosk.rules.mrp_pack import MrpPack
from kiosk.storage.atomic_io import (
    FileVersion,
    file_version,
    make_folder,
    read_json,
    write_json,
)
from kiosk.sync.context import SyncContext
from kiosk.sync.polling.refusal_alarm import RefusalAlarm
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import AnswerTooLargeError

log = logging.getLogger(__name__)
FIRST_REVISION = 8
REFUSED, DAMAGED = "rules_pack_refused", "rules_pack_damaged"
MODE = 0o644
"""The touch screen reads it."""


class PublishedRulesPack:
    """``published/rules-pack.json``, and the alarms about it."""

    def __init__(self, context: SyncContext) -> None:
        self._context, self._path = context, context.paths.rules_pack
        self._built_in = load_mrp()
        self._held: SignedPack | None = None
        self._tag: str | None = None
        self._version: FileVersion | None = None
        self._refusal = RefusalAlarm(context, REFUSED, "rules pack")
        self._load()

    def pull(self, client: CentralClient, now: datetime) -> None:
        """Pull the pack; publish it, or keep the one held and raise an alarm.

        Args:
            client: of the central system.
            now: the central system's time.

        Raises:
            CentralUnreachableError: no answer.
            StorageError: the disk refuses; the old file stays.
        """
        if self._version != file_version(self._path):
            self._load()
        if client.revision < FIRST_REVISION:
            return
        try:
            answer = client.fetch_rules_pack(self._tag)
            if answer is not None and answer[0].get("pack") is not None:
                self._take(answer[0]["pack"], answer[1], now)
        except RulesPackError as error:
            self._refusal.show(error.code.removeprefix("rules_pack_"), str(error))
        except AnswerTooLargeError as error:
            self._refusal.show("too_large", str(error))
        else:
            self._refusal.show("", "")

    def _take(self, value: object, tag: str | None, now: datetime) -> None:
        """Put a pack in force.

        Raises:
            RulesPackError: it is refused.
        """
        if not isinstance(value, dict):
            raise RulesPackError("no rules pack")
        found = check_rules_pack(value, self._context.paths.court_ca)
        held = self._held.pack if self._held else None
        today = now.astimezone(ZoneInfo(self._context.settings.kiosk.timezone)).date()
        check_succession(found.pack, held, self._built_in, today)
        if found.pack != held:
            make_folder(self._path.parent)
            write_json(self._path, found.value, MODE)
            self._load()
        self._tag = tag

    def _load(self) -> None:
        """Read what is published; a damaged file is not in force, and asked for again."""
        self._version, self._tag, self._held = file_version(self._path), None, None
        is_damaged = False
        if self._version is not None:
            try:
                self._held = check_rules_pack(read_json(self._path), self._context.paths.court_ca)
            except (OSError, ValueError, AttributeError, RulesPackError) as error:
                log.error("the published rules pack is damaged: %s", type(error).__name__)
                is_damaged = True
        self._context.alarms.set(DAMAGED, is_damaged)
        self._context.rules_pack = _state(self._held.pack) if self._held else None


def _state(pack: MrpPack) -> RulesPackState:
    return RulesPackState(
        version=pack.version,
        valid_from=pack.valid_from.isoformat(),
        valid_until=pack.valid_until.isoformat(),
    )
