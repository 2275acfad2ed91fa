"""Errors as kubectl prints them on its standard error.

Source: k8s.io/kubectl/pkg/cmd/util/helpers.go (checkErr, StandardErrorMessage) and cmdutil.AddSourceToErr.
"""

from __future__ import annotations

from minikube_py.base.errors import Invalid, KpyError, StatusError, Unauthorized, UsageError


def status_text(error: KpyError, when: str = "") -> str:
    """The whole text, with its last newline. `when` tells what was being done: 'error when creating "STDIN": '.

    The API server's refusals carry it in front of their message, except for Invalid, which kubectl builds anew from the
    causes: in one line for one, as a list for more.
    """
    if isinstance(error, Invalid):
        return _invalid(error)
    if isinstance(error, StatusError):
        return _status(error, when)
    usage = f"\n{error.usage}" if isinstance(error, UsageError) and error.usage else ""
    message = f"{when}{error}"
    prefix = "" if message.startswith("error: ") else "error: "
    return f"{prefix}{message}{usage}\n"


def line(error: KpyError) -> str:
    """An error as one of several, without 'error: ' in front and without the newline (utilerrors.Aggregate)."""
    if isinstance(error, StatusError):
        return _status(error, "").removesuffix("\n")
    return str(error)


def _status(error: StatusError, when: str) -> str:
    if isinstance(error, Unauthorized):
        return f"error: You must be logged in to the server ({error})\n"
    reason = "" if error.reason in ("", "Unknown") else f" ({error.reason})"
    return f"Error from server{reason}: {when}{error}\n"


def _invalid(error: Invalid) -> str:
    start = f'The {error.kind} "{error.name}" is invalid' if error.kind or error.name else "The request is invalid"
    found = list(dict.fromkeys(str(cause) for cause in error.causes))
    if not found:
        return f"{start}\n" if error.kind or error.name else f"{start}: {error}\n"
    if len(found) == 1:
        return f"{start}: {found[0]}\n"
    return f"{start}: \n" + "".join(f"* {text}\n" for text in found)
