"""Templates with what every page has: the yard, who looks, and the present instant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.responses import HTMLResponse

from forgeyard import __version__, amounts
from forgeyard.errors import ForgeyardError
from forgeyard.web.authentication import maybe_actor, yard_of
from forgeyard.web.pages import words
from forgeyard.web.pages.ansi import plain, to_html
from forgeyard.web.pages.pinning import MovingKeys
from forgeyard.web.problem_document import ProblemDocument
from forgeyard.web.standing import public_url


@pass_context
def _variant(context: Context, variant: Mapping[str, Any]) -> str:
    return words.variant_words(variant, context["moving"])


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(
    span=amounts.span,
    roughly=words.roughly,
    size=amounts.size,
    number=words.number,
    variant=_variant,
    plural=words.plural,
    ansi=to_html,
    plain=plain,
    wrapped=words.wrapped,
)
_environment.globals.update(
    state_words=words.state_words,
    attempt_words=words.attempt_words,
    count_words=words.count_words,
    version=__version__,
)


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> Response:
    """A page as HTML."""
    yard = yard_of(request)
    now = yard.now()
    try:
        actor = maybe_actor(request)
    except ForgeyardError:
        actor = None
    text = _environment.get_template(template).render(
        request=request,
        path=request.url.path,
        yard=yard.settings.yard,
        url=public_url(yard, request),
        moving=moving_keys(request),
        actor=actor,
        now=now,
        ago=lambda at: words.instant(at, now),
        **context,
    )
    # Pages change all the time; going back in a browser must not show an old state.
    return HTMLResponse(text, status, {"Cache-Control": "no-store", **(headers or {})})


def moving_keys(request: Request) -> frozenset[str] | None:
    """The variant keys that tell builds apart."""
    keys: MovingKeys = request.app.state.moving_keys
    return keys.of(yard_of(request).pinning_files())


def problem_page(request: Request, problem: ProblemDocument, headers: dict[str, str]) -> Response:
    """What went wrong, for a person."""
    return page(request, "problem.html", status=problem.status, headers=headers, problem=problem)
