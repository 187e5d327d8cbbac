"""msgspec values as the bodies of requests and answers, described in OpenAPI 3.1.

FastAPI asks pydantic about types; `WIRE` answers for msgspec, so that a value is declared
once.  ``-> Annotated[BuildView, WIRE]`` validates nothing (it is our own value) and
writes JSON; ``body: Annotated[Wish, Body(), WIRE]`` is converted with msgspec's messages.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from fastapi import FastAPI
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from forgeyard.errors import BadInput, Where

_MARK = "x-msgspec"


class BadBody(BadInput):
    """The body of a request does not have the form that it must have."""

    code = "body_invalid"


class _Wire:
    """See the module."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = core_schema.no_info_plain_validator_function(
            lambda value: _convert(value, source),
            serialization=core_schema.plain_serializer_function_ser_schema(msgspec.to_builtins),
        )
        schema["metadata"] = {"pydantic_js_functions": [lambda _core, _handler: _marked(source)]}
        return schema


WIRE = _Wire()


def _convert(value: Any, kind: Any) -> Any:
    if not isinstance(value, dict | list | str | int | float | bool | None):
        return value  # our own answer
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        words, _, field = str(error).partition(" - at `$.")
        raise BadBody(
            words,
            where=Where(field=field.rstrip("`") or None),
            hint="The form of every body is described at /api/v1/docs.",
        ) from error


def _marked(kind: Any) -> dict[str, Any]:
    # Text, so that pydantic does not look for the references inside.
    (schema,), components = msgspec.json.schema_components(
        [kind], ref_template="#/components/schemas/{name}"
    )
    return {_MARK: json.dumps([schema, components])}


def describe(app: FastAPI, *more: type[msgspec.Struct]) -> dict[str, Any]:
    """The OpenAPI document of an application, msgspec's schemas filled in.

    ``more`` are types that it refers to by name only.
    """
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        components = document.setdefault("components", {}).setdefault("schemas", {})
        _, named = msgspec.json.schema_components(more, ref_template="#/components/schemas/{name}")
        components.update(named)
        app.openapi_schema = _filled(document, components)
    return app.openapi_schema


def _filled(node: Any, components: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_filled(item, components) for item in node]
    if not isinstance(node, dict):
        return node
    if _MARK in node:
        schema, more = json.loads(node[_MARK])
        components.update(more)
        return schema
    return {key: _filled(value, components) for key, value in list(node.items())}
