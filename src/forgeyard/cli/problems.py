"""Errors as words on standard error, and as exit codes."""

from __future__ import annotations

import os
import sys

import click

from forgeyard.cli.show import style
from forgeyard.errors import Forbidden, ForgeyardError, Unauthenticated, Unavailable

GOOD, BUILD_FAILED, BAD_INPUT, NOT_ALLOWED, UNAVAILABLE = range(5)


def exit_code_of(error: ForgeyardError) -> int:
    """What the shell is told."""
    if isinstance(error, Forbidden | Unauthenticated):
        return NOT_ALLOWED
    return UNAVAILABLE if isinstance(error, Unavailable) else BAD_INPUT


def explain(error: Exception) -> int:
    """Say what an error means and return the exit code; what nobody foresaw is raised again."""
    match error:
        case ForgeyardError():
            report(error)
            return exit_code_of(error)
        case BrokenPipeError():
            # The reader (``head``, a pager) has seen enough.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return GOOD
        case OSError(strerror=str() as words):
            say_problem(error.filename, words, None)
            return UNAVAILABLE
        case _:
            raise error


def report(error: ForgeyardError) -> None:
    """``error:`` says what is wrong and where, ``hint:`` what to do."""
    say_problem(str(error.where) if error.where else None, error.message, error.hint)


def say_problem(where: str | None, message: str, hint: str | None) -> None:
    """The same for a problem that came as data."""
    place = f"{where}: " if where else ""
    click.echo(f"{style('error:', 'bad', err=True)} {place}{message}", err=True)
    if hint:
        click.echo(f"{style('hint:', 'note', err=True)} {hint}", err=True)
