"""A table's rows as lines of JSON and back, by the kinds of its columns. Knows no file.

A line is a list with one value a column; bytes are written in base64. What is read is checked before a
database sees it: a file may be damaged, or somebody's who means no good.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, Table, Text, column, table
from sqlalchemy.sql.expression import TableClause
from sqlalchemy.types import TypeEngine

INT64 = range(-(2**63), 2**63)


class BadRow(ValueError):
    """A line is no row of its table."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Of a column's values."""

    type: TypeEngine[Any]  # as both databases take it
    fits: Callable[[Any], bool]  # whether a value of JSON is one


def _is_text(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    value.encode()  # a lone surrogate is no text
    return True


_INT = Kind(BigInteger(), lambda value: type(value) is int and value in INT64)
_FLOAT = Kind(Float(53), lambda value: type(value) in (int, float))
_BOOL = Kind(Boolean(), lambda value: type(value) is bool)
_TEXT = Kind(Text(), _is_text)
_BYTES = Kind(LargeBinary(), lambda value: isinstance(value, str))


def _kind_of(type_: TypeEngine[Any]) -> Kind:
    if isinstance(type_, Boolean):
        return _BOOL
    if isinstance(type_, Integer):
        return _INT
    if isinstance(type_, Float):
        return _FLOAT
    if isinstance(type_, LargeBinary):
        return _BYTES
    return _TEXT


class Rows:
    """Those of one table."""

    def __init__(self, described: Table) -> None:
        """`described`: the table in the form that it has in the database or in the file."""
        self.name = described.name
        self.columns = [each.name for each in described.columns]
        self.key = [each.name for each in described.primary_key]
        self._nullable = [bool(each.nullable) for each in described.columns]
        self._kinds = [_kind_of(each.type) for each in described.columns]
        # In place of the table itself: SQLite's short integers are too short for PostgreSQL's ids.
        columns = (column(name, kind.type) for name, kind in zip(self.columns, self._kinds, strict=True))
        self.table: TableClause = table(self.name, *columns)

    def is_bytes(self, name: str) -> bool:
        """Whether a column holds pictures or the like."""
        return self._kinds[self.columns.index(name)] is _BYTES

    def write(self, row: Sequence[Any]) -> bytes:
        """One line."""
        values = [b64encode(value).decode() if isinstance(value, bytes) else value for value in row]
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    def read(self, line: bytes) -> dict[str, Any]:
        """A row, by its columns' names. Raises `BadRow`."""
        try:
            values = json.loads(line)
            if not isinstance(values, list) or len(values) != len(self.columns):
                raise BadRow
            return {
                name: _checked(value, kind, nullable)
                for name, value, kind, nullable in zip(
                    self.columns, values, self._kinds, self._nullable, strict=True
                )
            }
        except (ValueError, RecursionError) as error:  # of JSON, UTF-8 and base64 as well
            raise BadRow from error


def _checked(value: Any, kind: Kind, nullable: bool) -> Any:
    if value is None and nullable:
        return None
    if not kind.fits(value):
        raise BadRow
    return b64decode(value, validate=True) if kind is _BYTES else value
