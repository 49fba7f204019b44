"""Description of one call of a local service: the list from which routes and documents are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kiosk.api.base import Model

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
COURT_ROLES = ("secretary", "judge", "presiding")
"""Roles that may take the steps of a hearing."""
TECHNICIAN_ROLES = ("technician",)


class NoBody(Model):
    """An empty JSON object."""


class ErrorAnswer(Model):
    """Answer of a refused call. ``code`` is stable; ``message`` is for the log."""

    code: str
    message: str = ""


@dataclass(frozen=True)
class Operation:
    """One call of a service.

    Attributes:
        name: ``operationId`` of the OpenAPI document; the service's handlers are named by it.
        path: with parameters in braces: ``/v1/exports/{id}``.
        summary: one line for the reader.
        request: model of the JSON body; None: the call has no body.
        answer: model of the answer; None: the answer is not JSON (see ``content``).
        query: model of the query; each field is an optional text parameter.
        status: HTTP status of success.
        roles: roles that may call it; empty: no sign-in is needed.
        errors: codes that the call may answer, by HTTP status. Codes that every call may answer
            (no sign-in, wrong body) need not be named.
        content: media type of the answer.
        error_answers: model of the error body by status, where it is more than an error answer.
    """

    name: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    summary: str
    answer: type[Model] | None
    request: type[Model] | None = None
    query: type[Model] | None = None
    status: int = 200
    roles: tuple[str, ...] = ()
    errors: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    content: str = JSON
    error_answers: Mapping[int, type[Model]] = field(default_factory=dict)

    def all_errors(self) -> dict[int, tuple[str, ...]]:
        """Return the codes by status, with those that follow from body and roles."""
        found: dict[int, tuple[str, ...]] = {}
        if self.request is not None:
            found[400] = ("bad_request",)
        if self.roles:
            found |= {401: ("token_expired",), 403: ("sign_in_refused",)}
        for status, codes in self.errors.items():
            found[status] = (*found.get(status, ()), *codes)
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class Event:
    """One kind of server-sent event.

    Attributes:
        schema: JSON schema of its data, where ``data`` is no model.
    """

    name: str
    summary: str
    data: type[Model] | None = None
    schema: Mapping[str, Any] = field(default_factory=dict)
