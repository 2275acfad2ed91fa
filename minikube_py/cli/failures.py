"""Errors as kubectl prints them (pkg/cmd/util/helpers.go: checkErr, StandardErrorMessage, MultipleErrors)."""

from __future__ import annotations

from minikube_py.base.errors import Invalid, KpyError, StatusError, Unauthorized, UsageError


class Sourced(KpyError):
    """An error about an object that came from a file: `error when creating "web.yaml": ...` (cmdutil.AddSourceToErr)."""

    def __init__(self, error: KpyError, verb: str, source: str) -> None:
        super().__init__(f'error when {verb} "{source}": {error}')
        self.error = error


class OfPatch(Sourced):
    """An error about a change that `apply` wanted to make to a stored object. `patch`: what was sent; `place`: to what."""

    def __init__(self, error: KpyError, patch: str, place: str, source: str) -> None:
        refused = Sourced(error, "patching", source)
        super().__init__(refused, f"applying patch:\n{patch}\nto:\n{place}\nfor:", source)


class Plain(KpyError):
    """An error that kubectl prints without 'error: ' in front."""


class Several(KpyError):
    """What went wrong with each of several objects; the others were done. As text (within another Several) they stand
    in brackets (utilerrors.Aggregate)."""

    def __init__(self, errors: list[KpyError]) -> None:
        super().__init__(f"[{', '.join(dict.fromkeys(map(str, errors)))}]")
        self.errors = errors


def raise_all(errors: list[KpyError]) -> None:
    """Nothing, the one error, or Several."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise Several(errors)


def text(error: KpyError) -> str:
    """What goes to standard error, with its line ends."""
    if isinstance(error, Several):
        return "".join(_standard(single) + "\n" for single in error.errors)
    inner = _innermost(error)
    if isinstance(inner, Invalid):
        return _invalid(inner) + "\n"
    shown = _standard(error)
    if not isinstance(inner, StatusError | Plain) and not shown.startswith("error: "):
        shown = _of_url(shown) or f"error: {shown}"
    usage = inner.usage if isinstance(inner, UsageError) else ""
    return shown.removesuffix("\n") + "\n" + (usage + "\n" if usage else "")


def _innermost(error: KpyError) -> KpyError:
    while isinstance(error, Sourced):
        error = error.error
    return error


def _standard(error: KpyError) -> str:
    inner = _innermost(error)
    if isinstance(inner, Unauthorized):
        return f"error: You must be logged in to the server ({error})"
    if isinstance(inner, StatusError):
        reason = "" if inner.reason == "Unknown" else f" ({inner.reason})"
        return f"Error from server{reason}: {error}"
    return str(error)


def _of_url(text: str) -> str:
    """What Go's url.Error becomes: 'Get "https://host/x": ... connection refused'; '' for other texts."""
    if not text.startswith('Get "http'):
        return ""
    address, _, problem = text[len('Get "') :].partition('": ')
    host = address.partition("://")[2].partition("/")[0]
    if "connection refused" in problem:
        return f"The connection to the server {host} was refused - did you specify the right host or port?"
    return f"Unable to connect to the server: {problem}"


def _invalid(error: Invalid) -> str:
    """'The Deployment "web" is invalid: spec.x: ...', with a list from two findings on."""
    known = error.kind or error.name
    prefix = f'The {error.kind} "{error.name}" is invalid' if known else "The request is invalid"
    findings = list(dict.fromkeys(str(cause) for cause in error.causes))
    if not findings:
        return prefix if known else f"{prefix}: {error}"
    if len(findings) == 1:
        return f"{prefix}: {findings[0]}"
    return f"{prefix}: \n" + "\n".join(f"* {finding}" for finding in findings)
