"""Makes the OpenAPI 3.1 documents in ``docs/`` from the operations and models of the services.

``python -m kiosk.api.openapi`` writes them; ``--check`` only says whether they are up to date.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kiosk.api.base import Model
from kiosk.api.hall import HALL_EVENTS, HALL_OPERATIONS
from kiosk.api.operations import EVENT_STREAM, JSON, ErrorAnswer, Event, Operation
from kiosk.api.recorder_operations import RECORDER_EVENTS, RECORDER_OPERATIONS
from kiosk.api.sync import SYNC_EVENTS, SYNC_OPERATIONS

DOCS = Path(__file__).parents[2] / "docs"
Mode = Literal["validation", "serialization"]


@dataclass(frozen=True)
class ApiDocument:
    """One service's document: file name in ``docs/``, heading, and what it offers."""

    file: str
    title: str
    description: str
    operations: Sequence[Operation]
    events: Sequence[Event] = ()


class _Schemas:
    """The models of one document as JSON schemas, each once."""

    def __init__(self, document: ApiDocument) -> None:
        used: dict[tuple[type[BaseModel], Mode], None] = {(ErrorAnswer, "serialization"): None}
        for operation in document.operations:
            for model in (operation.request, operation.query):
                if model is not None:
                    used[model, "validation"] = None
            for answer in (operation.answer, *operation.error_answers.values()):
                if answer is not None:
                    used[answer, "serialization"] = None
        for event in document.events:
            if event.data is not None:
                used[event.data, "serialization"] = None
        self._references, schema = models_json_schema(
            list(used), ref_template="#/components/schemas/{model}"
        )
        self.definitions: dict[str, Any] = _without_titles(schema.get("$defs", {}))
        models = {model.__name__: model for model in _all_models(Model)}
        for name, definition in self.definitions.items():
            model = models.get(name.removesuffix("-Input").removesuffix("-Output"))
            if model is not None:
                _describe_fields(definition, model)

    def reference(self, model: type[Model], mode: Mode) -> dict[str, Any]:
        """Return the reference to ``model``."""
        return dict(self._references[model, mode])

    def query_parameters(self, model: type[Model]) -> list[dict[str, Any]]:
        """Return the fields of ``model`` as query parameters."""
        name = self.reference(model, "validation")["$ref"].rpartition("/")[2]
        schema = self.definitions[name]
        return [
            {
                "name": key,
                "in": "query",
                "required": key in schema.get("required", ()),
                "schema": value,
            }
            for key, value in schema.get("properties", {}).items()
        ]


def _all_models(base: type[Model]) -> Iterator[type[Model]]:
    for model in base.__subclasses__():
        yield model
        yield from _all_models(model)


def _describe_fields(definition: dict[str, Any], model: type[Model]) -> None:
    """Add the texts below the fields of ``model`` to its schema.

    pydantic can do that itself, but would read every source file at each start of a service.
    """
    for owner in reversed(model.__mro__):
        if not issubclass(owner, Model):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in pairwise(body.body):
            if not (isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)):
                continue
            if isinstance(field.target, ast.Name) and isinstance(text.value, ast.Constant):
                field_schema = definition.get("properties", {}).get(field.target.id)
                if field_schema is not None:
                    field_schema["description"] = inspect.cleandoc(str(text.value.value))


def _without_titles(schema: Any) -> Any:
    """Return ``schema`` without the titles that pydantic makes from the names of fields."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_titles(value)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }


def openapi_document(document: ApiDocument) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of one service."""
    schemas = _Schemas(document)
    paths: dict[str, dict[str, Any]] = {}
    for operation in document.operations:
        entry = _operation_object(operation, schemas, document.events)
        paths.setdefault(operation.path, {})[operation.method.lower()] = entry
    return {
        "openapi": "3.1.0",
        "info": {"title": document.title, "version": "1", "description": document.description},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.definitions.items())),
            "securitySchemes": {
                "sign_in": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Token of `POST /v1/sign-in` of the recorder.",
                }
            },
        },
    }


def _operation_object(
    operation: Operation, schemas: _Schemas, events: Iterable[Event]
) -> dict[str, Any]:
    entry: dict[str, Any] = {"operationId": operation.name, "summary": operation.summary}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if operation.query is not None:
        parameters += schemas.query_parameters(operation.query)
    if operation.roles:
        entry["description"] = f"Roles: {', '.join(operation.roles)}."
        entry["security"] = [{"sign_in": []}]
    if parameters:
        entry["parameters"] = parameters
    if operation.request is not None:
        schema = schemas.reference(operation.request, "validation")
        fields = operation.request.model_fields.values()
        required = any(field.is_required() for field in fields)
        entry["requestBody"] = {"required": required, "content": {JSON: {"schema": schema}}}
    answer: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not None:
        schema = schemas.reference(operation.answer, "serialization")
        answer["content"] = {operation.content: {"schema": schema}}
    else:
        answer["content"] = {operation.content: {"schema": {"type": "string"}}}
    if operation.content == EVENT_STREAM:
        answer["description"] = "Server-sent events, by name"
        answer["x-events"] = {event.name: _event_object(event, schemas) for event in events}
    entry["responses"] = {str(operation.status): answer}
    for status, codes in operation.all_errors().items():
        model = operation.error_answers.get(status, ErrorAnswer)
        entry["responses"][str(status)] = {
            "description": f"Codes: {', '.join(dict.fromkeys(codes))}",
            "content": {JSON: {"schema": schemas.reference(model, "serialization")}},
        }
    return entry


def _event_object(event: Event, schemas: _Schemas) -> dict[str, Any]:
    if event.data is None:
        schema = _without_titles(dict(event.schema))
    else:
        schema = schemas.reference(event.data, "serialization")
    return {"summary": event.summary, "data": schema}


def documents() -> list[ApiDocument]:
    """Return the documents of all services."""
    return [
        ApiDocument(
            "recorder-api.yaml",
            "Recorder of a courtroom kiosk",
            "Local API on the Unix socket `run/recorder/recorder.sock`. What the keys mean is "
            "explained in [interfaces.md](interfaces.md). Readers ignore keys that they do not "
            "know.",
            RECORDER_OPERATIONS,
            RECORDER_EVENTS,
        ),
        ApiDocument(
            "hall-api.yaml",
            "The recorder's view for the display in the hall",
            "Read-only, on the Unix socket `run/recorder/hall.sock`, and in the network where "
            "`kiosk-hall-view.socket` is enabled. It holds what everybody may see, nothing else.",
            HALL_OPERATIONS,
            HALL_EVENTS,
        ),
        ApiDocument(
            "sync-api.yaml",
            "Sync of a courtroom kiosk",
            "Local API on the Unix socket `run/sync/sync.sock`. What the keys mean is explained in "
            "[interfaces.md](interfaces.md). Readers ignore keys that they do not know.",
            SYNC_OPERATIONS,
            SYNC_EVENTS,
        ),
    ]


def to_yaml(document: ApiDocument) -> str:
    """Return the text of the document's file."""
    head = "# Made by `python -m kiosk.api.openapi`; do not edit.\n"
    value = openapi_document(document)
    return head + str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110))


def outdated(folder: Path = DOCS) -> list[str]:
    """Return the names of the documents in ``folder`` that are not up to date."""
    found = []
    for document in documents():
        path = folder / document.file
        if not path.exists() or path.read_text(encoding="utf-8") != to_yaml(document):
            found.append(document.file)
    return found


def main() -> int:
    """Write the documents, or only check them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; 1: one is outdated")
    if parser.parse_args().check:
        found = outdated()
        for name in found:
            print(f"docs/{name} is not up to date: python -m kiosk.api.openapi")
        return 1 if found else 0
    for document in documents():
        (DOCS / document.file).write_text(to_yaml(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
