"""The API's reference, made from its OpenAPI document."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from forgeyard.web.pages.rendering import page

router = APIRouter()


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the API does."""

    method: str
    path: str
    summary: str
    parameters: list[dict[str, Any]]
    body: str | None
    answer: str | None


@router.get("/api/v1/docs")
def reference(request: Request) -> Response:
    """What the API offers."""
    document = request.app.openapi()
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    return page(request, "reference.html", groups=groups)


def _operation(method: str, path: str, told: dict[str, Any]) -> Operation:
    good: dict[str, Any] = next(
        (told["responses"][c] for c in told["responses"] if c.startswith("2")), {}
    )
    return Operation(
        method=method.upper(),
        path=path,
        summary=told.get("description") or told["summary"],
        parameters=[p for p in told.get("parameters", ()) if p["in"] in ("query", "header")],
        body=_form(told.get("requestBody") or {}),
        answer=_form(good),
    )


def _form(part: dict[str, Any]) -> str | None:
    """The name of what a body holds."""
    for kind, content in part.get("content", {}).items():
        schema = content.get("schema", {})
        items = schema.get("items") or {}
        if name := str(schema.get("$ref", "")).rsplit("/", 1)[-1]:
            return name
        if name := str(items.get("$ref", "")).rsplit("/", 1)[-1]:
            return f"list of {name}"
        return str(kind)
    return None
