"""``pypi://NAME/FILE``: a file of a project in the machine's Python package index.

Which index that is, its certificates and credentials are pip's configuration's business
(PEP 503, PEP 691, ``find-links``), so pip itself is asked, in a process of its own: it
lists the links of the project without looking into any archive, so no code of the project
runs, and downloads the one whose file name is FILE.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
from pathlib import Path

from forgeyard.runner.sources.interface import PlaceFailed

_TIMEOUT_SECONDS = 1800.0

#: Runs in a Python that has pip: argv = NAME FILE SHA256-or-empty INTO; prints one JSON line.
_ASK_PIP = r"""
import json, os, shutil, sys
name, file, sha256, into = sys.argv[1:]
try:
    from pip._internal.commands import create_command
    from pip._internal.index.collector import parse_links
    from pip._internal.models.link import Link
    from pip._internal.utils.urls import url_to_path
except ImportError:
    print(json.dumps({"no_pip": True})); sys.exit(0)

command = create_command("download")
with command.main_context():
    options, _ = command.parse_args([name, "--quiet"])
    session = command.get_default_session(options)
    finder = command._build_package_finder(options=options, session=session)
    collector = finder._link_collector
    looked, links = [], []

    def look(place, page):
        try:
            links.extend(page())
            looked.append([place, "does not list it"])
        except Exception as problem:
            looked.append([place, str(problem) or type(problem).__name__])

    def page_of(url):
        def page():
            response = collector.fetch_response(Link(url))
            if response is None:
                raise LookupError("no such project, or no answer")
            return list(parse_links(response))
        return page

    def folder_of(path):
        def page():
            path_to_file = os.path.join(path, file)
            return [Link("file://" + os.path.abspath(path_to_file))] \
                if os.path.isfile(path_to_file) else []
        return page

    for place in finder.find_links:
        path = url_to_path(place) if place.startswith("file:") else os.path.expanduser(place)
        look(place, folder_of(path) if os.path.isdir(path) else page_of(place))
    for url in finder.search_scope.get_index_urls_locations(name):
        look(url, page_of(url))

    wanted = [link for link in links if link.filename == file]
    # Where an index tells digests, the one with the right digest comes first.
    wanted.sort(key=lambda link: (link.hashes or {}).get("sha256", sha256) != sha256
                if hasattr(link, "hashes") else False)
    for link in wanted:
        try:
            if link.url.startswith("file:"):
                shutil.copyfile(url_to_path(link.url_without_fragment), into)
            else:
                answer = session.get(
                    link.url_without_fragment, stream=True,
                    headers={"Accept-Encoding": "identity"},
                )
                answer.raise_for_status()
                with open(into, "wb") as out:
                    for chunk in answer.iter_content(1 << 18):
                        out.write(chunk)
            print(json.dumps({"got": link.url_without_fragment})); sys.exit(0)
        except Exception as problem:
            looked.append([link.url_without_fragment, str(problem) or type(problem).__name__])
    print(json.dumps({"looked": looked, "listed": bool(wanted)}))
"""


class PyPIProvider:
    """Asks the pip of the first interpreter that has one."""

    schemes = frozenset({"pypi"})

    def __init__(self, pythons: tuple[str, ...] | None = None) -> None:
        self._pythons = pythons or _interpreters()

    def fetch(self, url: str, into: Path, *, sha256: str | None) -> None:
        """Let pip find the file and download it."""
        parts = urllib.parse.urlsplit(url)
        name, file = parts.netloc, urllib.parse.unquote(parts.path.lstrip("/"))
        if not name or not file or "/" in file:
            raise PlaceFailed("should look like pypi://NAME/FILE", final=True)
        for python in self._pythons:
            answer = _ask_pip(python, name, file, sha256 or "", into)
            if "no_pip" in answer:
                continue
            if "got" in answer:
                return
            raise _failure(answer)
        raise PlaceFailed("no Python here has pip: install pip (Debian: python3-pip)")


def _interpreters() -> tuple[str, ...]:
    base = getattr(sys, "_base_executable", sys.executable)
    return tuple(dict.fromkeys((sys.executable, base, "/usr/bin/python3")))


def _ask_pip(python: str, name: str, file: str, sha256: str, into: Path) -> dict[str, object]:
    try:
        ended = subprocess.run(
            [python, "-c", _ASK_PIP, name, file, sha256, str(into)],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        return {"no_pip": True}
    except subprocess.TimeoutExpired as problem:
        raise PlaceFailed("pip took too long") from problem
    lines = ended.stdout.strip().splitlines()
    try:
        answer: dict[str, object] = json.loads(lines[-1])
    except (IndexError, ValueError):
        error = (ended.stderr.strip().splitlines() or [f"pip ended with {ended.returncode}"])[-1]
        raise PlaceFailed(error) from None
    return answer


def _failure(answer: dict[str, object]) -> PlaceFailed:
    looked = answer.get("looked")
    places = looked if isinstance(looked, list) else []
    told = "; ".join(f"{place}: {reason}" for place, reason in places)
    if answer.get("listed"):
        return PlaceFailed(f"listed, but the download failed: {told}")
    # An index that answered and does not list it will not list it on the next try either.
    answered = any(reason == "does not list it" for _, reason in places)
    return PlaceFailed(
        f"not in the Python package index of this machine ({told or 'none is configured'})",
        final=answered,
    )
