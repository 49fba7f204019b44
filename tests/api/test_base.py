"""Models of the contract: frozen, tolerant of newer services, exact in tests."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from kiosk.api.base import (
    ContractError,
    Model,
    Rows,
    missing_keys,
    read_leniently,
    read_strictly,
    unknown_keys,
)
from kiosk.api.openapi import ApiDocument, openapi_document
from kiosk.api.operations import COURT_ROLES, Operation


class Row(Model):
    name: str
    size: int = 0


class Table(Model):
    """A table."""

    rows: tuple[Row, ...] = ()
    newest: Row | None = None


WIRE = {"rows": [{"name": "a", "size": 1}, {"name": "b", "size": 2}], "newest": None}


def test_unknown_keys_are_ignored_and_can_be_named() -> None:
    wire = {**WIRE, "rows": [{"name": "a", "sise": 1}], "extra": 1}
    assert Table.model_validate(wire).rows == (Row(name="a"),)
    assert unknown_keys(Table, wire) == ["rows[0].sise", "extra"]
    assert missing_keys(Table, wire) == ["rows[0].size"]


def test_strict_reading_wants_exactly_the_models_keys() -> None:
    assert read_strictly(Table, WIRE).to_json() == WIRE
    with pytest.raises(ContractError, match=r"unknown \['newset'\], missing \['newest'\]"):
        read_strictly(Table, {"rows": [], "newset": None})
    with pytest.raises(ValidationError):
        read_strictly(Table, {"rows": [{}]})


def test_a_document_is_made_from_operations() -> None:
    operation = Operation(
        "makeTable",
        "POST",
        "/v1/tables/{id}",
        "Make a table",
        answer=Table,
        request=Row,
        status=201,
        roles=COURT_ROLES,
        errors={409: ("table_exists",)},
    )
    document = openapi_document(ApiDocument("x.yaml", "X", "Y", [operation]))
    entry = document["paths"]["/v1/tables/{id}"]["post"]
    assert sorted(entry["responses"]) == ["201", "400", "401", "403", "409"]
    assert entry["parameters"][0] == {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    }
    assert document["components"]["schemas"]["Table"]["required"] == ["rows", "newest"]


class Listing(Model):
    rows: Rows[Row] = ()
    title: str = ""


def test_an_odd_row_is_said_and_hides_no_other() -> None:
    wire = {"rows": [{"name": "a", "size": "big"}, {"name": 7}, None, {"name": "d"}], "title": "t"}
    listing, problems = read_leniently(Listing, wire)
    assert listing.rows == (Row(name="a"), Row(name="d"))
    assert [problem.partition(":")[0] for problem in problems] == [
        "rows[0].size",
        "rows[1].name",
        "rows[2]",
    ]
    assert "big" not in str(problems)
    with pytest.raises(ValidationError):
        Listing.model_validate(wire)
    with pytest.raises(ValidationError):
        read_leniently(Listing, {"rows": [], "title": 5})
