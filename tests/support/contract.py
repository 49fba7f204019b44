"""Compares answers of a real service with the operations and models of :mod:`kiosk.api`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from kiosk.api.base import read_strictly
from kiosk.api.operations import Operation


def find_operation(operations: Iterable[Operation], method: str, path: str) -> Operation | None:
    """Return the operation that ``method`` and ``path`` call."""
    wanted = path.partition("?")[0]
    for operation in operations:
        pattern = re.sub(r"{\w+}", "[^/]+", operation.path)
        if operation.method == method and re.fullmatch(pattern, wanted):
            return operation
    return None


def check_answer(operations: Iterable[Operation], method: str, path: str, answer: Any) -> None:
    """Check that ``answer`` has exactly the keys of the operation's model.

    Raises:
        ContractError: a key is unknown or missing.
        pydantic.ValidationError: a value does not fit.
    """
    operation = find_operation(operations, method, path)
    assert operation is not None, f"{method} {path} is no operation of the contract"
    if operation.answer is not None:
        read_strictly(operation.answer, answer)
