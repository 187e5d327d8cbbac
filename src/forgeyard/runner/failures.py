"""Why an attempt failed, in words for the recipe's owner (DESIGN §4).

What rattler-build says is flat text ("Script failed to execute"); the reason stands in
the lines before.  The first rule whose pattern is found in the last lines gives the hint.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from forgeyard.builds.outcome import Failure, Outcome


class AttemptFailed(Exception):
    """Ends the attempt with an outcome and, mostly, a failure."""

    def __init__(self, outcome: Outcome, failure: Failure | None = None) -> None:
        super().__init__(failure.message if failure else outcome.value)
        self.outcome = outcome
        self.failure = failure


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    pattern: re.Pattern[str]
    code: str
    #: ``{0}`` is the pattern's first group.
    hint: str
    message: str | None = None
    outcome: Outcome = Outcome.FAILED


def _rule(
    pattern: str,
    code: str,
    hint: str,
    *,
    message: str | None = None,
    outcome: Outcome = Outcome.FAILED,
) -> _Rule:
    return _Rule(
        pattern=re.compile(pattern), code=code, hint=hint, message=message, outcome=outcome
    )


_NETWORK = (
    r"Could not resolve (?:host|proxy)|Temporary failure in name resolution"
    r"|Network is unreachable|Name or service not known|nodename nor servname"
    r"|failed to lookup address information|dial tcp: lookup"
    r"|Failed to establish a new connection|dns error"
)

#: In order of how sure they are.
_SCRIPT_RULES = (
    _rule(
        r"No space left on device|Disk quota exceeded",
        "disk_full",
        "the runner ran out of disk, or of the attempt's share of it",
        message="the disk is full",
        outcome=Outcome.DISK_LIMIT,
    ),
    _rule(
        r"File size limit exceeded|File too large",
        "disk_full",
        "a single file became larger than the attempt's disk limit",
        message="a file became too large",
        outcome=Outcome.DISK_LIMIT,
    ),
    _rule(
        _NETWORK,
        "network_tried",
        "builds have no network; list the file under source: in the recipe, with its sha256",
        message="the build tried to use the network",
    ),
    _rule(
        r"(?:/|: )([^\s:]*[^\s:/]): Read-only file system|Read-only file system: '([^']+)'",
        "read_only",
        "only $PREFIX, $SRC_DIR and /tmp can be written; install into $PREFIX",
        message="the build tried to write outside the prefix",
    ),
    _rule(
        r"Read-only file system|EROFS",
        "read_only",
        "only $PREFIX, $SRC_DIR and /tmp can be written; install into $PREFIX",
        message="the build tried to write outside the prefix",
    ),
    _rule(
        r"line \d+: ([^\s:/]+): command not found",
        "tool_missing",
        "add the package that has {0} to requirements.build",
        message="the program {0} is missing",
    ),
    _rule(
        r"(?:exec|env|make(?:\[\d+\])?|/usr/bin/env): [‘'\"]?([\w.+-]+)[’'\"]?:"
        r" (?:No such file or directory|not found)",
        "tool_missing",
        "add the package that has {0} to requirements.build",
        message="the program {0} is missing",
    ),
    _rule(
        r"ModuleNotFoundError: No module named '([^']+)'",
        "module_missing",
        "add the package that has the Python module {0} to requirements.host",
        message="the Python module {0} is missing",
    ),
    _rule(
        r"fatal error: ([^\s:]+): No such file or directory",
        "header_missing",
        "add the package that has {0} to requirements.host",
        message="the header {0} is missing",
    ),
    _rule(
        r"cannot find -l(\S+?)(?::|$)",
        "library_missing",
        "add the package that has lib{0} to requirements.host",
        message="the library {0} is missing",
    ),
    _rule(
        r"g?cc: fatal error: Killed signal|virtual memory exhausted|Cannot allocate memory"
        r"|std::bad_alloc|MemoryError",
        "memory_short",
        "the build needs more memory, or fewer parallel jobs",
        message="memory ran out",
    ),
)

_PACKAGE_RULES = (
    _rule(
        r"(?i)package content[s]? test|contents? test failed",
        "package_contents",
        "compare the list of files with tests.package_contents in the recipe",
        message="the package does not hold what its tests.package_contents asks for",
    ),
    _rule(
        r"(?i)license file.*not|No license files|missing license",
        "license_missing",
        "about.license_file must name files in the source or beside the recipe",
        message="a license file is missing",
    ),
    _rule(
        r"(?i)overlinking|overdepending|links? against",
        "linking",
        "add the library's package to requirements.host, or change build.dynamic_linking",
        message="the package links to something that it does not depend on",
    ),
)


def script_failure(
    tail: Iterable[tuple[int, str]], *, phase: str, said: str
) -> tuple[Outcome, Failure]:
    """The recipe's script failed: why, as far as the last lines tell."""
    lines = list(tail)
    for rule in _SCRIPT_RULES:
        for number, text in reversed(lines):
            if match := rule.pattern.search(text):
                return rule.outcome, _explained(rule, match, number, text, phase)
    code = _exit_code(lines)
    line, last = _last_word(lines)
    what = "the test" if phase == "test" else "the build script"
    ending = f" with exit code {code}" if code is not None else ""
    message = f"{what} failed{ending}" + (f": {last}" if last else f": {said}")
    return Outcome.FAILED, Failure(
        code="test_failed" if phase == "test" else "script_failed",
        message=message,
        phase=phase,
        log_line=line,
    )


_SETUP_RULES = (
    _rule(
        r"(?i)patch .*(?:fail|not found)|failed to apply patch|hunk",
        "patch_failed",
        "make the patch again for this version of the source",
        message="a patch does not apply",
    ),
    _rule(
        r"(?i)unsupported archive|extraction|failed to (?:extract|unpack)|invalid (?:gzip|tar|zip)",
        "source_broken",
        "the source is no archive of the kind that its name says; "
        "file_name: keeps it from being unpacked",
        message="a source cannot be unpacked",
    ),
    _rule(
        r"(?i)interpreter .* was not found|unsupported interpreter",
        "tool_missing",
        "add the interpreter to requirements.build",
        message="the script's interpreter is missing",
    ),
    _rule(
        r"(?i)no such file or directory|file not found|patch file",
        "source_missing",
        "path: sources and patches are looked for beside the recipe",
        message="a file that the recipe names is missing",
    ),
)


def setup_failure(tail: Iterable[tuple[int, str]], *, said: str) -> tuple[Outcome, Failure]:
    """It ended before the script began: mostly not the recipe's fault."""
    lines = [*tail, (0, said)]
    for rule in (_SCRIPT_RULES[0], *_SETUP_RULES):
        for number, text in reversed(lines[-20:]):
            if match := rule.pattern.search(text):
                return rule.outcome, _explained(rule, match, number, text, "build")
    line, _ = _last_word(lines[:-1])
    return Outcome.INFRASTRUCTURE, Failure(
        code="setup_failed",
        message=f"the build could not be set up: {said}",
        phase="build",
        log_line=line,
    )


def package_failure(tail: Iterable[tuple[int, str]], *, said: str) -> tuple[Outcome, Failure]:
    """The script ended well and packaging did not."""
    lines = [*tail, (0, said)]
    for rule in _PACKAGE_RULES:
        for number, text in reversed(lines):
            if match := rule.pattern.search(text):
                return rule.outcome, _explained(rule, match, number, text, "package")
    line, _ = _last_word(lines[:-1])
    return Outcome.FAILED, Failure(
        code="packaging_failed",
        message=f"the package could not be made: {said}",
        phase="package",
        log_line=line,
    )


def _explained(rule: _Rule, match: re.Match[str], number: int, text: str, phase: str) -> Failure:
    group = next((each for each in match.groups() if each), "") if match.groups() else ""
    message = (rule.message or text).format(group)
    return Failure(
        code=rule.code,
        message=f"{message}: {text.strip()}" if rule.message else message,
        hint=rule.hint.format(group),
        phase=phase,
        log_line=number or None,
    )


def _exit_code(lines: list[tuple[int, str]]) -> int | None:
    for _, text in reversed(lines):
        if match := re.search(r"(?:status|exit code|exited with)\D{0,3}(\d+)", text):
            return int(match.group(1))
    return None


#: What rattler-build adds after a failure; not what went wrong.
_EPILOGUE = re.compile(
    r"Script (?:failed|execution)|^\s*$|Work directory:|Build prefix:|^\s*Prefix:"
    r"|To run |^\s*cd \"|^\s*✔|^[╭│├╰]|Test failed|×"
)


def _last_word(lines: list[tuple[int, str]]) -> tuple[int | None, str]:
    """The last line that a program printed, else the last command that was run."""
    said = [(number, text) for number, text in lines if not _EPILOGUE.search(text)]
    printed = [(number, text) for number, text in said if not text.startswith("+")]
    for found in (printed, said, lines):
        if found:
            return found[-1][0], found[-1][1].strip()
    return None, ""
