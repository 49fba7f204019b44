"""Signed staff lists as the test's central system would sign them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kiosk.central.identity.authority import ReceiptSigner
from kiosk.central.server import open_authority
from kiosk.clocks import wall_time
from kiosk.exchange.staff_list import sign_staff_list
from tests.support.delivery_rig import KIOSK, Central


def signed_list(
    central: Central, staff: list[Any], *, kiosk: str = KIOSK, age_days: float = 0, days: float = 30
) -> dict[str, Any]:
    """Return a list signed with the key of ``central``, issued ``age_days`` ago for ``days``."""
    signer = ReceiptSigner(*open_authority(central.data).current_server_files())
    issued = wall_time() - timedelta(days=age_days)
    return sign_staff_list(
        kiosk,
        staff,
        issued,
        issued + timedelta(days=days),
        sign=signer.sign,
        certificate=signer.certificate,
    )
