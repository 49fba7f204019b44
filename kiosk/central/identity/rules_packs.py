"""The signed rules pack that kiosks get: monthly indices of years after their release."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select

from kiosk.central.data import schema
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.clocks import format_wall, wall_time
from kiosk.exchange.rules_pack import check_succession, sign_rules_pack
from kiosk.rules.load import load_mrp
from kiosk.rules.mrp_pack import MrpPack, read_mrp_pack


def read_newest(connection: Connection) -> dict[str, Any] | None:
    """Return the signed pack of the highest version; None if there is none."""
    table = schema.rules_packs
    value = connection.execute(
        select(table.c.value).order_by(table.c.version.desc()).limit(1)
    ).scalar()
    return None if value is None else dict(value)


def put(connection: Connection, signer: ReceiptSigner, toml: str) -> MrpPack:
    """Sign a pack and give it to the kiosks from now on. The same again changes nothing.

    Raises:
        RulesError: it is no pack.
        RulesPackError: it is not newer than the last one, or changes the index of a day that is
            over.
    """
    pack, newest, now = read_mrp_pack(toml), read_newest(connection), wall_time()
    held = None if newest is None else read_mrp_pack(newest["toml"])
    check_succession(pack, held, load_mrp(), now.date())
    if pack != held:
        value = sign_rules_pack(toml, now, sign=signer.sign, certificate=signer.certificate)
        row = {"version": pack.version, "put_at": format_wall(now), "value": value}
        connection.execute(insert(schema.rules_packs).values(row))
    return pack
