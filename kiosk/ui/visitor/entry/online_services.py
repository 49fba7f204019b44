"""What a visitor can do from home, each with a code for the telephone (R7-R18, R39)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import OnlineServicesPlace
from kiosk.ui.samples.visit_states import visit


@dataclass(frozen=True)
class OnlineServicesView:
    """The services with an address, as id and label, and the chosen one.

    ``purpose``: what it is for. ``url``: its address; empty: the court has named none.
    """

    services: tuple[tuple[str, str], ...]
    chosen: str
    purpose: str
    url: str


def view(app: AppState) -> OnlineServicesView:
    """Return the services; the first is chosen at first."""
    urls, labels = service_urls(app), app.labels
    services = tuple((service, labels.online_service(service)[0]) for service in urls)
    chosen = app.visit.place_as(OnlineServicesPlace).chosen
    if chosen not in urls:
        chosen = next(iter(urls), "")
    if not chosen:
        return OnlineServicesView((), "", app.translate.gettext("Ask the secretary."), "")
    return OnlineServicesView(services, chosen, labels.online_service(chosen)[1], urls[chosen])


def service_urls(app: AppState) -> dict[str, str]:
    """Return the address of each service that has one; the settings come before the rules."""
    named: Mapping[str, str] = dict(app.settings.ui.online_services.items())
    rows = app.labels.rules.online_services.values()
    urls = {row.id: named.get(row.id, row.url or "") for row in rows}
    return {service: url for service, url in urls.items() if url}


SAMPLES = {"online_services": visit(OnlineServicesPlace())}
