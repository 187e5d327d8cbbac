"""The root of every error that a person may see.

    ForgeyardError
    ├── BadInput          what was given is wrong: where, and what to do        (HTTP 422)
    ├── NotFound          no such thing                                         (HTTP 404)
    ├── Conflict          it clashes with what is there                         (HTTP 409)
    ├── Forbidden         the actor may not do this                             (HTTP 403)
    ├── Unauthenticated   no actor, or a token that is unknown or has expired   (HTTP 401)
    └── Unavailable       this machine or service cannot do it now              (HTTP 503)

Concrete errors live beside the code that raises them.  ``code`` is stable and may be
tested for by programs; ``message`` says what is wrong, ``hint`` what to do about it and
``where`` the file, line and field.
"""

from __future__ import annotations

import msgspec


class Where(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in something that a person wrote."""

    file: str | None = None
    #: Line and column count from 1.
    line: int | None = None
    column: int | None = None
    #: Dotted path of the field, such as ``source.0.sha256``.
    field: str | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}"
            if self.column is not None:
                place += f":{self.column}"
        if self.field:
            place += f" ({self.field})" if place else self.field
        return place


class ForgeyardError(Exception):
    """Something a person can understand and act on."""

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        where: Where | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class BadInput(ForgeyardError):
    """What was given is wrong."""

    code = "bad_input"


class NotFound(ForgeyardError):
    """There is no such thing."""

    code = "not_found"


class Conflict(ForgeyardError):
    """It clashes with what is already there."""

    code = "conflict"


class Forbidden(ForgeyardError):
    """The actor may not do this."""

    code = "forbidden"


class Unauthenticated(ForgeyardError):
    """Nobody is known to be asking."""

    code = "unauthenticated"


class Unavailable(ForgeyardError):
    """This machine or service cannot do it now."""

    code = "unavailable"
