"""Writes the reference pages from the code: ``python docs/generate_reference.py``.

``--check`` writes nothing and fails when a page is not what the code says; a test runs it.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "forgeyard"
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Made by docs/generate_reference.py; change the code, not this page. -->\n\n"


def main() -> int:
    """Write the pages, or say which of them are old."""
    pages = {"cli": cli(), "api": api(), "settings": settings(), "errors": errors()}
    pages["outcomes"] = outcomes()
    old = [name for name, text in pages.items() if _present(name) != NOTE + text]
    if "--check" in sys.argv[1:]:
        for name in old:
            print(f"docs/reference/{name}.md is not what the code says; run 'make reference'")
        return 1 if old else 0
    for name in old:
        _file(name).write_text(NOTE + pages[name])
        print(f"wrote docs/reference/{name}.md")
    return 0


def _file(name: str) -> Path:
    return REFERENCE / f"{name}.md"


def _present(name: str) -> str:
    return _file(name).read_text() if _file(name).exists() else ""


# ── the command line ──────────────────────────────────────────────────────────────────


def cli() -> str:
    """Each command's own help."""
    from forgeyard.cli.main import cli as root

    parts = ["# Command line\n"]
    for path, command in _commands(root, ("forgeyard",)):
        context = click.Context(command, info_name=" ".join(path), max_content_width=92)
        context.terminal_width = 92
        depth = "#" * min(len(path) + 1, 4)
        parts.append(f"{depth} `{' '.join(path)}`\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def _commands(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _commands(child, (*path, name))


# ── the HTTP API ──────────────────────────────────────────────────────────────────────


def api() -> str:
    """Every operation of the OpenAPI document, by subject."""
    from forgeyard.cli.openapi import document

    described = document()
    parts = [
        "# HTTP API",
        "The prefix of every path is `/api/v1`.  Reading needs no token unless the yard is "
        "private; writing needs `Authorization: Bearer TOKEN`.  Errors are problem documents "
        "(RFC 9457) with `code`, `detail`, `hint` and `where`; the codes are listed in "
        "[](errors.md).  The OpenAPI document itself: `forgeyard openapi`, or "
        "`/api/v1/openapi.json` of a yard, and as a page at `/api/v1/docs`.",
    ]
    for tag, operations in _by_tag(described).items():
        parts += [f"## {tag.capitalize()}", "| operation | what it does |\n| --- | --- |"]
        parts[-1] += "".join(f"\n| `{line}` | {_cell(words)} |" for line, words in operations)
    return "\n\n".join(parts) + "\n"


def _by_tag(described: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for path, methods in described["paths"].items():
        if not path.startswith("/api/v1"):
            continue
        for method, operation in methods.items():
            words = operation.get("description") or operation.get("summary") or ""
            line = f"{method.upper()} {path.removeprefix('/api/v1')}{_query(operation)}"
            found.setdefault((operation.get("tags") or ["other"])[0], []).append((line, words))
    return {tag: found[tag] for tag in sorted(found)}


def _query(operation: dict[str, Any]) -> str:
    names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
    return "?" + "&".join(names) if names else ""


# ── settings and outcomes, from the comments beside their fields ──────────────────────


def settings() -> str:
    """``forgeyard.toml``, section by section."""
    tree, lines = _parse(SOURCE / "settings.py")
    parts = [
        "# Settings",
        "`forgeyard.toml` in the yard's folder.  An unknown key is an error.  A variable of the "
        "environment overrides a value of `[yard]`, `[server]`, `[database]` and `[limits]`: "
        "`FORGEYARD_SERVER_PORT=9000`.",
    ]
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("Settings"):
            title, rows = ast.get_docstring(node) or "", _fields(node, lines)
            simple = [row for row in rows if not row[1].startswith(("YardS", "ServerS"))]
            if node.name == "Settings":
                title = "Outside of sections, at the top of the file."
                simple = [row for row in rows if "Settings" not in row[1]]
            words = title.replace("``", "`")
            parts.append(f"## {_section(title, node.name)}\n\n{words}")
            parts.append(
                _table(("key", "default", "meaning"), [(a, c, d) for a, _, c, d in simple])
            )
    return "\n\n".join(parts) + "\n"


def _section(docstring: str, name: str) -> str:
    if docstring.startswith("``["):
        return "`" + docstring[2 : docstring.index("``", 2)] + "`"
    return "Top level" if name == "Settings" else name


def outcomes() -> str:
    """States, outcomes and what becomes of them."""
    from forgeyard.builds.machine import MOST_TRIES, RETRY_FACTOR, RETRY_SECONDS, State
    from forgeyard.builds.outcome import CACHED, Outcome

    tree, lines = _parse(SOURCE / "builds" / "outcome.py")
    node = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Outcome")
    comments = {default.strip("'\"`"): words for _, _, default, words in _fields(node, lines)}
    rows = [
        (
            f"`{one.value}`",
            "yes" if one.good else "no",
            "yes" if one in CACHED else "no",
            _OUTCOMES[one.value] or comments[one.value],
        )
        for one in Outcome
    ]
    states = " → ".join(f"`{state.value}`" for state in State)
    return (
        "\n\n".join(
            [
                "# States and outcomes",
                f"A build goes {states}; a build that is done has an outcome.  A build has "
                "attempts; each is one try at one stage, `build` or `test`.",
                "*Good* outcomes let what depends on the build go on.  *Remembered* outcomes are "
                "kept under the hash of all the build's inputs, so that the same inputs are not "
                "built again; `--force` does so all the same.",
                _table(("outcome", "good", "remembered", "meaning"), rows),
                f"`infrastructure` is tried again after {RETRY_SECONDS:.0f} s, then after "
                f"{RETRY_FACTOR:.0f} times as long each time, at most {MOST_TRIES} times in all.  "
                "`out_of_memory` is tried again with twice the memory as long as a pool has it.",
            ]
        )
        + "\n"
    )


_OUTCOMES = {
    "succeeded": "Built, tested and published.",
    "unchanged": "",
    "failed": "The recipe's script or a test failed, or a package could not be made of it.",
    "dependency_failed": "Something that it waits for did not end well.",
    "timed_out": "It took longer than `limits.wall_seconds`.",
    "silent": "It wrote no line for `limits.silence_seconds`.",
    "log_limit": "Its log grew larger than `limits.log_mib`.",
    "disk_limit": "It wrote more than `limits.disk_gib`.",
    "out_of_memory": "It needed more memory than any pool has.",
    "infrastructure": "Something around the build failed, not the recipe.",
    "cancelled": "Somebody stopped it.",
    "denied": "Policy does not allow it anywhere.",
    "superseded": "A newer build of the same takes its place.",
    "not_reproducible": "A rebuild gave other bytes where the same were asked for.",
}


def _parse(file: Path) -> tuple[ast.Module, list[str]]:
    text = file.read_text()
    return ast.parse(text), text.splitlines()


def _fields(node: ast.ClassDef, lines: list[str]) -> list[tuple[str, str, str, str]]:
    """(name, type, default, comment) of each field."""
    found = []
    for field in node.body:
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            name, kind, value = field.target.id, ast.unparse(field.annotation), field.value
        elif isinstance(field, ast.Assign) and isinstance(field.targets[0], ast.Name):
            name, kind, value = field.targets[0].id, "", field.value
        else:
            continue
        default = f"`{_default(value)}`" if value is not None else ""
        found.append((f"`{name}`", kind, default, _comment(lines, field.lineno - 2)))
    return found


def _default(value: ast.expr) -> str:
    text = ast.unparse(value)
    try:
        constant = eval(compile(ast.Expression(value), "", "eval"), {"__builtins__": {}})  # noqa: S307
    except Exception:
        return text
    return json.dumps(list(constant) if isinstance(constant, tuple) else constant)


def _comment(lines: list[str], above: int) -> str:
    words: list[str] = []
    while above >= 0 and lines[above].strip().startswith("#:"):
        words.insert(0, lines[above].strip().removeprefix("#:").strip())
        above -= 1
    return " ".join(words)


# ── error codes ───────────────────────────────────────────────────────────────────────


def errors() -> str:
    """Every stable code with its words, as they stand where the error is raised."""
    found: dict[str, tuple[str, str]] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        tree, _ = _parse(file)
        for node in ast.walk(tree):
            for code, words, hint in _codes(node):
                before = found.get(code, ("", ""))
                found[code] = (before[0] or words, before[1] or hint)
    rows = [(f"`{code}`", words, hint) for code, (words, hint) in sorted(found.items())]
    return (
        "\n\n".join(
            [
                "# Error codes",
                "An error has a code that does not change, a message, mostly a hint, and where it "
                "can a file with line and field.  `…` stands for what is named in the case.",
                "The command line exits with 2 for bad input, 3 for what is not allowed, 4 for "
                "what is not available now, and 1 when a build failed.",
                _table(("code", "what it says", "hint"), rows),
            ]
        )
        + "\n"
    )


def _codes(node: ast.AST) -> Iterator[tuple[str, str, str]]:
    if isinstance(node, ast.ClassDef):
        for field in node.body:
            if isinstance(field, ast.Assign) and _is_name(field.targets[0], "code"):
                code = _text(field.value)
                if code and code != "error":
                    yield code, ast.get_docstring(node, clean=True) or "", ""
    elif isinstance(node, ast.Call):
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        code = _text(named["code"]) if "code" in named else ""
        if code:
            message = named.get("message") or (node.args[0] if node.args else None)
            hint = _text(named["hint"]) if "hint" in named else ""
            yield code, _text(message) if message is not None else "", hint


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _text(node: ast.expr) -> str:
    """The text of a literal; the variable parts of an f-string as ``…``."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
        )
    if isinstance(node, ast.BinOp):
        return f"{_text(node.left) or '…'}{_text(node.right) or '…'}"
    return ""


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    text = " ".join(text.split("\n\n")[0].split())
    return text.replace("``", "`").replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main())
