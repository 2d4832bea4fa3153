"""Every error the package raises on purpose. Imports nothing, so that any half may import it."""

from __future__ import annotations


class IVMError(Exception):
    """Base of all errors of this package.

    Arguments: `message` says what is wrong; `code` is a stable short name for programs (``""`` when there is
    none); `hint` says what to do; `location` says where in the view (a clause, a line of the user's own
    text).
    """

    def __init__(self, message: str, *, code: str = "", hint: str = "", location: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.location = location

    def __str__(self) -> str:
        text = self.message
        if self.location:
            text += f" (at {self.location})"
        if self.hint:
            text += f" Hint: {self.hint}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are rebuilt from `args` alone by default, which would lose the keyword arguments.
        return (_rebuild, (type(self), self.message, self.code, self.hint, self.location))


class ReadOnlyViewError(IVMError):
    """Something tried to write to a view; write to the tables it reads instead."""


class NotIncrementalError(IVMError):
    """A query can't be kept incrementally although it was required to be (`strategy = "incremental"`)."""


class DefinitionError(IVMError):
    """A view's declaration or its query is wrong: nothing was installed."""


class DependencyCycleError(IVMError):
    """Views read each other in a circle."""


class NotInstalledError(IVMError):
    """The view (or this package's schema) isn't there in the database that was asked."""


class RefreshError(IVMError):
    """A refresh failed; the failure is in the refresh log."""


def _rebuild(cls: type[IVMError], message: str, code: str, hint: str, location: str) -> IVMError:
    return cls(message, code=code, hint=hint, location=location)
