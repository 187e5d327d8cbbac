"""What is wrong with a recipe: file, line and field, and what to do."""

from __future__ import annotations

import re

from forgeyard.errors import BadInput, Where

_YAML_PLACE = re.compile(r"(?:YAML: )?(\d+):(\d+): (.+)", re.DOTALL)
_SPAN = re.compile(r"line: (\d+), column: (\d+)")
_MESSAGE = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
_TEMPLATE = re.compile(r"\(template: (.+?)\)")
_UNKNOWN = re.compile(r"unknown (?:top-level )?field '([^']+)'")
_SECTION = re.compile(r"invalid value for '([^']+)'")


class RecipeProblem(BadInput):
    """A recipe that cannot be used as it is."""

    code = "recipe_invalid"


def problem_from_text(text: str, file: str, source: str) -> RecipeProblem:
    """A typed problem from the words of the recipe engine.

    ``source`` is the recipe's own text; the engine does not say the line of an unknown
    key, so it is looked up there.
    """
    if "undefined value" in text:
        return _undefined(text, file)
    if unknown := _UNKNOWN.search(text):
        return _unknown_key(unknown.group(1), _SECTION.search(text), file, source)
    if place := _YAML_PLACE.search(text):
        line, column, words = int(place[1]), int(place[2]), place[3]
        return RecipeProblem(
            f"not valid YAML: {words.strip()}",
            code="recipe_yaml",
            where=Where(file=file, line=line, column=column),
            hint="Check indentation, quotes and brackets at that line and the one before.",
        )
    span, message = _SPAN.search(text), _MESSAGE.search(text)
    where = Where(file=file, line=int(span[1]), column=int(span[2])) if span else Where(file=file)
    words = message[1].replace('\\"', '"') if message else text
    return RecipeProblem(words, where=where, hint="See the recipe format (CEP 13, CEP 14).")


def _undefined(text: str, file: str) -> RecipeProblem:
    span, template = _SPAN.search(text), _TEMPLATE.search(text)
    expression = template[1] if template else "an expression"
    return RecipeProblem(
        f"{expression} uses a variable that is not defined",
        code="recipe_undefined_variable",
        where=Where(
            file=file,
            line=int(span[1]) if span else None,
            column=int(span[2]) if span else None,
        ),
        hint="Define it under context:, or as a variant key in variants.yaml or the pinning.",
    )


def _unknown_key(key: str, section: re.Match[str] | None, file: str, source: str) -> RecipeProblem:
    parent = section[1] if section and section[1] != "recipe" else None
    field = f"{parent}.{key}" if parent else key
    line = next(
        (
            number
            for number, text in enumerate(source.splitlines(), 1)
            if re.match(rf"[\s-]*{re.escape(key)}\s*:", text)
        ),
        None,
    )
    return RecipeProblem(
        f"unknown key '{key}'" + (f" in '{parent}'" if parent else ""),
        code="recipe_unknown_key",
        where=Where(file=file, line=line, field=field),
        hint="Remove it or correct its spelling; the keys are listed in CEP 14.",
    )
