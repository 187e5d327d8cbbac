"""Points a recipe's sources at files that are already here (recipe format: CEP 13, CEP 14).

A build has no network, so each ``url`` gets a local twin in front of it and each ``git``
is replaced by its local clone.  Only those scalars of the text change: everything else of
the recipe, and so the variables that it uses and its hash, stays as it was.  The twin of
``URL`` is ``file:///sources/URL``; templates inside the URL go on working.
"""

from __future__ import annotations

import json
import posixpath
import urllib.parse
from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

#: Where the sandbox shows the sources.
ROOT = "/sources"
_LOCAL = f"file://{ROOT}/"


def with_local_sources(text: str) -> str:
    """The same recipe, with local places for all its sources."""
    edits = [edit for node in _sources(_compose(text)) for edit in _edits(node)]
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def is_local(url: str) -> bool:
    """Whether a rendered URL is one of the local twins."""
    return url.startswith(_LOCAL)


def original(url: str) -> str:
    """What a local twin stands for."""
    return url.removeprefix(_LOCAL)


def local_path(url: str) -> str:
    """Path inside the sandbox, below ``ROOT``, that a rendered local twin leads to."""
    # Query and fragment of the original are no part of a file URL's path.
    path = urllib.parse.unquote(urllib.parse.urlsplit(url).path)
    return posixpath.relpath(posixpath.normpath(path), ROOT)


def _compose(text: str) -> Node:
    yaml = YAML(typ="safe", pure=True)
    node: Node | None = yaml.compose(text)
    if node is None:
        raise ValueError("the recipe is empty")
    return node


def _sources(node: Node) -> Iterator[Node]:
    """Every value of a ``source`` key, at the top, in outputs and in conditionals."""
    if isinstance(node, SequenceNode):
        for item in node.value:
            yield from _sources(item)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == "source":
                yield value
            elif key.value in ("outputs", "output", "then", "else", "staging"):
                yield from _sources(value)


def _edits(node: Node) -> Iterator[tuple[int, int, str]]:
    if isinstance(node, SequenceNode):
        for item in node.value:
            yield from _edits(item)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == "url":
                yield from _url_edits(value)
            elif key.value == "git" and isinstance(value, ScalarNode):
                yield _replace(value, [_LOCAL + value.value])
            elif key.value in ("then", "else"):
                yield from _edits(value)


def _url_edits(value: Node) -> Iterator[tuple[int, int, str]]:
    scalars = list(_scalars(value))
    if isinstance(value, ScalarNode):
        yield _replace(value, [_LOCAL + value.value, value.value])
    elif isinstance(value, SequenceNode) and len(scalars) == len(value.value):
        urls = [scalar.value for scalar in scalars]
        yield _replace(value, [*(_LOCAL + url for url in urls), *urls])
    else:  # conditions inside the list of mirrors: the local ones alone will do
        for scalar in scalars:
            yield _replace(scalar, [_LOCAL + scalar.value])


def _scalars(node: Node) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _scalars(item)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value in ("then", "else"):
                yield from _scalars(value)


def _replace(node: Node, values: list[str]) -> tuple[int, int, str]:
    # JSON is YAML; quoted, so that colons and braces inside stay what they are.
    text = json.dumps(values if len(values) > 1 else values[0], ensure_ascii=False)
    # A block sequence is said to end where the next key begins; its last item knows better.
    last = node.value[-1] if isinstance(node, SequenceNode) and not node.flow_style else node
    return node.start_mark.index, last.end_mark.index, text
