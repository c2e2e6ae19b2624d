"""Checks requests against Discord's published OpenAPI description, where DISCORD_OPENAPI names its file.

The file is no part of the project (`specs/openapi.json` of github.com/discord/discord-api-spec); without it
nothing is checked. Knows no aiohttp.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator, TypeChecker, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

VARIABLE = "DISCORD_OPENAPI"
ROOT = "urn:discord"
MAX_FILES = 10  # in one message
# What the channel reference has (2026-08) and the description of 2026-07-18 has not.
CHANNEL_TYPES = [{"title": "GUILD_MEDIA", "const": 16}]


@dataclass(frozen=True)
class Violation:
    """What in a request is not as the description says."""

    where: tuple[str, ...]  # the way to it: "embeds", "0", "title"
    code: str
    message: str

    def __str__(self) -> str:
        return f"{'.'.join(self.where) or 'the body'}: {self.message}"

    def to_json(self) -> dict[str, Any]:
        """The `errors` of Discord's answer 50035."""
        told: dict[str, Any] = {"_errors": [{"code": self.code, "message": self.message}]}
        for key in reversed(self.where):
            told = {key: told}
        return told


def _is_whole(checker: TypeChecker, value: object) -> bool:
    """Numbers come as text too: permissions are 53 bits and more, which many languages cannot hold."""
    if isinstance(value, str):
        return re.fullmatch(r"-?\d+", value) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def _range(low: bool) -> Any:
    """`minimum` or `maximum` of a number that may be text."""

    def check(validator: Validator, limit: float, value: object, schema: object) -> Iterator[ValidationError]:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return
        try:
            number = float(value)
        except ValueError:
            return  # its type is wrong, which is told elsewhere
        if number < limit if low else number > limit:
            yield ValidationError(f"{value!r} is {'less' if low else 'more'} than {limit}")

    return check


def _lenient_type(
    validator: Validator, types: str | list[str], value: object, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """`type`, but a snowflake may be a number: Discord reads both and clients send both."""
    if schema.get("format") == "snowflake" and isinstance(value, int) and not isinstance(value, bool):
        return
    yield from Draft202012Validator.VALIDATORS["type"](validator, types, value, schema)


_Validator = extend(
    Draft202012Validator,
    validators={
        "type": _lenient_type,
        "minimum": _range(low=True),
        "maximum": _range(low=False),
        "oneOf": Draft202012Validator.VALIDATORS["anyOf"],  # a nonce of digits is text and a number
    },
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_whole),
)


class Description:
    """All operations of the API, by method and path."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        document["components"]["schemas"]["ChannelTypes"]["oneOf"].extend(CHANNEL_TYPES)
        self._registry = Registry().with_resource(ROOT, DRAFT202012.create_resource(document))
        self._operations: dict[str, list[tuple[list[str], list[Any], Mapping[str, Any]]]] = {}
        for template, item in document["paths"].items():
            shared = item.get("parameters", [])
            for method in ("get", "post", "put", "patch", "delete"):
                if method in item:
                    segments = template.strip("/").split("/")
                    self._operations.setdefault(method.upper(), []).append((segments, shared, item[method]))
        self._validators: dict[str, Any] = {}

    def check(
        self, method: str, path: str, *, query: Mapping[str, str], body: Any, files: int = 0
    ) -> list[Violation]:
        """What is wrong with a request; `path` without `/api/v10`, `files`: how many it carries."""
        found = self._find(method, path)
        if found is None:
            return [Violation((), "NOT_FOUND", f"{method} {path} is not in Discord's description")]
        operation, parameters, values = found
        wrong = [*self._parameters(parameters, "path", values)]
        wrong += self._parameters(parameters, "query", query)
        wrong += self._body(operation, body)
        if files > MAX_FILES:
            wrong.append(Violation(("files",), "BASE_TYPE_BAD_LENGTH", f"more than {MAX_FILES} files"))
        return wrong

    def _find(self, method: str, path: str) -> tuple[Mapping[str, Any], list[Any], dict[str, str]] | None:
        """The operation whose path has most in common with this one, and the values in its path."""
        given = path.strip("/").split("/")
        best: tuple[int, Mapping[str, Any], list[Any], dict[str, str]] | None = None
        for segments, shared, operation in self._operations.get(method, []):
            if len(segments) != len(given):
                continue
            pairs = list(zip(segments, given, strict=True))
            values = {s[1:-1]: unquote(g) for s, g in pairs if s.startswith("{")}
            literal = [s == g for s, g in pairs if not s.startswith("{")]
            if all(literal) and (best is None or len(literal) > best[0]):
                best = (len(literal), operation, [*shared, *operation.get("parameters", [])], values)
        return None if best is None else best[1:]

    def _parameters(
        self, parameters: list[Any], place: str, values: Mapping[str, str]
    ) -> Iterator[Violation]:
        described = {p["name"]: p for p in parameters if p["in"] == place}
        for name, value in values.items():
            if name not in described:
                yield Violation((name,), "UNKNOWN", f"is no parameter of the {place}")
            else:
                schema = described[name]["schema"]
                wrongs = [[*self._wrong(schema, meaning, (name,))] for meaning in _meanings(value)]
                yield from min(wrongs, key=len)
        for name, parameter in described.items():
            if parameter.get("required") and name not in values:
                yield Violation((name,), "BASE_TYPE_REQUIRED", "This field is required")

    def _body(self, operation: Mapping[str, Any], body: Any) -> Iterator[Violation]:
        content = operation.get("requestBody", {}).get("content", {})
        if body is None:
            if operation.get("requestBody", {}).get("required"):
                yield Violation((), "BASE_TYPE_REQUIRED", "there is none")
        elif "application/json" in content:
            yield from self._wrong(content["application/json"]["schema"], body, ())
        elif "multipart/form-data" not in content:
            yield Violation((), "UNKNOWN", "no body belongs here")

    def _wrong(self, schema: Any, value: Any, where: tuple[str, ...]) -> Iterator[Violation]:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            absolute = json.loads(key.replace('"#/', f'"{ROOT}#/'))
            self._validators[key] = _Validator(absolute, registry=self._registry)
        for error in self._validators[key].iter_errors(value):
            said = _meant(error)
            way = (*where, *(str(part) for part in said.absolute_path))
            told = said.message if len(said.message) < 200 else f"{said.message[:99]}…{said.message[-99:]}"
            yield Violation(way, f"BASE_TYPE_{str(said.validator).upper()}", told)


def _meant(error: ValidationError) -> ValidationError:
    """Of a value that is none of several kinds: what is wrong with it as the kind that it says it is."""
    while error.context:
        kinds: dict[Any, list[ValidationError]] = {}
        for one in error.context:
            kinds.setdefault(one.schema_path[0], []).append(one)
        meant = [ones for ones in kinds.values() if not any(_is_another(one) for one in ones)]
        error = min(meant or kinds.values(), key=len)[0]
    return error


def _is_another(error: ValidationError) -> bool:
    """Whether the value says of itself that it is of another kind."""
    way = list(error.relative_path)
    return (way == ["type"] and error.validator in ("enum", "const")) or (
        not way and error.validator == "type"
    )


def _meanings(text: str) -> list[Any]:
    """What a value of a path or a query may stand for."""
    found: list[Any] = [text]
    if text.isdecimal():
        found.append(int(text))
    if text.lower() in ("true", "1", "false", "0"):
        found.append(text.lower() in ("true", "1"))
    return found


@cache
def _load(path: str) -> Description:
    return Description(json.loads(Path(path).read_text(encoding="utf-8")))


def description() -> Description | None:
    """Discord's, where the environment names its file."""
    path = os.environ.get(VARIABLE)
    return _load(path) if path else None
