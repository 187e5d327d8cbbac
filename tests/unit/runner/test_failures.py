"""Log tails, and what the owner of the recipe is told."""

from __future__ import annotations

import pytest

from forgeyard.builds.outcome import Outcome
from forgeyard.runner.failures import package_failure, script_failure, setup_failure


def tail(*lines: str) -> list[tuple[int, str]]:
    return list(enumerate(lines, start=1))


@pytest.mark.parametrize(
    ("line", "code", "hint"),
    [
        ("curl: (6) Could not resolve host: example.invalid", "network_tried", "source:"),
        ("OSError: [Errno 101] Network is unreachable", "network_tried", "source:"),
        ("$SRC_DIR/conda_build.sh: line 3: cmake: command not found", "tool_missing", "cmake"),
        ("make: gfortran: No such file or directory", "tool_missing", "gfortran"),
        ("env: 'perl5': No such file or directory", "tool_missing", "perl5"),
        ("ModuleNotFoundError: No module named 'flit_core'", "module_missing", "flit_core"),
        ("a.c:1:10: fatal error: zlib.h: No such file or directory", "header_missing", "zlib.h"),
        ("/usr/bin/ld: cannot find -lfoo: No such file", "library_missing", "libfoo"),
        ("touch: cannot touch '/usr/x': Read-only file system", "read_only", "$PREFIX"),
        ("OSError: [Errno 30] Read-only file system: '/usr/x'", "read_only", "$PREFIX"),
    ],
)
def test_reasons_in_the_log(line: str, code: str, hint: str) -> None:
    outcome, failure = script_failure(
        tail("one", line, "make: *** [all] Error 1"), phase="build", said="Script failed"
    )
    assert outcome is Outcome.FAILED
    assert failure.code == code
    assert failure.hint is not None
    assert hint in failure.hint
    assert failure.log_line == 2


def test_full_disk_is_not_the_scripts_fault() -> None:
    outcome, failure = script_failure(
        tail("cp: error writing 'x': No space left on device"), phase="build", said=""
    )
    assert (outcome, failure.code) == (Outcome.DISK_LIMIT, "disk_full")


def test_plain_failure_shows_exit_code_and_last_words() -> None:
    lines = tail(
        "checking", "assertion failed: 1 == 2", "+ true", "Script failed with status 9", ""
    )
    _, failure = script_failure(lines, phase="build", said="Script failed to execute")
    assert failure.code == "script_failed"
    assert failure.message == "the build script failed with exit code 9: assertion failed: 1 == 2"
    assert failure.log_line == 2


def test_failed_test() -> None:
    _, failure = script_failure(tail("AssertionError"), phase="test", said="Test failed")
    assert failure.code == "test_failed"


def test_nothing_was_printed() -> None:
    _, failure = script_failure([], phase="build", said="Script failed to execute")
    assert failure.log_line is None
    assert "Script failed to execute" in failure.message


def test_packaging() -> None:
    outcome, failure = package_failure([], said="No license files were copied")
    assert (outcome, failure.code) == (Outcome.FAILED, "license_missing")
    assert package_failure([], said="odd")[1].code == "packaging_failed"


def test_before_the_script_it_is_infrastructure_unless_it_is_the_recipe() -> None:
    assert setup_failure([], said="odd")[0] is Outcome.INFRASTRUCTURE
    outcome, failure = setup_failure([], said="Failed to apply patch: a.patch")
    assert (outcome, failure.code) == (Outcome.FAILED, "patch_failed")
