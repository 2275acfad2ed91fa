"""The global flags that say which server and who: what is left of them where a cluster is a file.

Flags of authentication mean nothing here and are taken in silence; one that names a cluster, a user or a file that is not
there is refused as kubectl refuses it (client-go tools/clientcmd).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.cli.cobra import Parsed

USER = "admin"  # the one user of each cluster
PROFILES = ("none", "cpu", "heap", "goroutine", "threadcreate", "block", "mutex", "trace")
TIMEOUT = (
    "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time "
    "unit (e.g. 1s | 2m | 3h)"
)
# Commands that need no server, and read none of these flags.
LOCAL = frozenset(("alpha", "completion", "help", "kuberc", "kustomize", "options", "plugin"))


def check(command: str, parsed: Parsed) -> None:
    """Raises UsageError for a value of a global flag that cannot be."""
    if parsed.changed("profile") and parsed.text("profile") not in PROFILES:
        raise UsageError(f"unknown profile '{parsed.text('profile')}'")
    first = command.partition(" ")[0]
    if first in LOCAL or (first == "version" and parsed.on("client")):
        return
    if first == "config":
        return
    file = parsed.text("kubeconfig")
    if file and not os.path.exists(file):
        raise UsageError(f"stat {file}: no such file or directory")
    from minikube_py import home

    for flag, what in (("context", "context"), ("cluster", "cluster")):
        name = parsed.text(flag)
        if name and name != home.DEFAULT and name not in home.clusters():
            raise UsageError(f'{what} "{name}" does not exist')
    if parsed.text("user") not in ("", USER):
        raise UsageError(f'auth info "{parsed.text("user")}" does not exist')
    if not _is_timeout(parsed.text("request-timeout")):
        raise UsageError(TIMEOUT)
    if not parsed.text("as") and any(parsed.given.get(flag) for flag in ("as-group", "as-uid", "as-user-extra")):
        from minikube_py.cli import failures

        raise failures.Plain(
            f"Error in configuration: requesting uid, groups or user-extra for {USER} without impersonating a user"
        )


def _is_timeout(text: str) -> bool:
    """'' and whole seconds, or Go's durations (clientcmd.ParseTimeout)."""
    if not text or re.fullmatch(r"[+-]?\d+", text):
        return True
    from minikube_py.base.duration import parse_go

    try:
        parse_go(text)
    except ValueError:
        return False
    return True
