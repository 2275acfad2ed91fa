"""One call of one kubectl command: its flags and arguments, its streams, and the cluster it talks to.

Commands are functions `run(call: Call) -> int | None` (the exit code; None is 0). They print through `call.say` and
`call.warn`, read the cluster through `call.cluster`, and raise KpyError; `minikube_py.__main__` turns that into text.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import cobra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.documents import Document
    from minikube_py.api.kinds import Kind, Registry
    from minikube_py.apiserver.authorizer import Subject
    from minikube_py.base.errors import KpyError
    from minikube_py.cli.cobra import Parsed
    from minikube_py.cluster import Cluster

    Errors = list[KpyError]
    Texts = list[str]

Object = dict[str, Any]

# Field managers that are not called kubectl-<command>; those without one of their own are known by their user agent. (What
# `scale` writes is 'kubectl' in managedFields, through the subresource scale.)
MANAGERS = {
    "apply": "kubectl-client-side-apply", "rollout undo": "kubectl", "cordon": "kubectl", "uncordon": "kubectl",
    "drain": "kubectl", "certificate": "kubectl", "auth": "kubectl", "wait": "kubectl", "delete": "kubectl-delete",
}  # fmt: skip

UNSUPPORTED = "cannot perform warn validation if server-side field validation is unsupported, skipping validation"


def _sleep(seconds: int) -> None:
    """Let real time pass; what was printed so far is shown before."""
    import time

    sys.stdout.flush()
    time.sleep(seconds)


class Call:
    """`command`: 'rollout status'; `args`: the positional words behind it."""

    def __init__(self, command: str, parsed: Parsed, *, writes: bool = False, cluster: Cluster | None = None) -> None:
        self.command = command
        self.parsed = parsed
        self.args = parsed.args
        self.writes = writes
        self._cluster = cluster
        self.shown = 0  # objects printed in a format of -o so far: YAML has a line of dashes between
        self._warned: list[str] = []
        self._told_of_dry_run = False
        self._held: Texts | None = None  # what is to be printed when the transaction is done

    # ---- what the user said

    def text(self, flag: str) -> str:
        return self.parsed.text(flag)

    def on(self, flag: str) -> bool:
        return self.parsed.on(flag)

    def list(self, flag: str) -> list[str]:
        return self.parsed.list(flag)

    def number(self, flag: str) -> int:
        return self.parsed.number(flag)

    def seconds(self, flag: str) -> float:
        return self.parsed.seconds(flag)

    def changed(self, flag: str) -> bool:
        return self.parsed.changed(flag)

    @property
    def context(self) -> str | None:
        """The cluster of --context (or --cluster: a context is a cluster), None for the current one."""
        return self.text("context") or self.text("cluster") or None

    @property
    def namespace(self) -> str:
        """The namespace of -n, else that of the current context, else 'default'."""
        from minikube_py.cli import contexts

        return self.text("namespace") or contexts.namespace(self.context)

    @property
    def dry_run(self) -> str:
        """'none', 'client' or 'server'."""
        value = self.text("dry-run") or ("" if self.changed("dry-run") else "none")
        if value == "unchanged":
            self._tell_of_dry_run("714", "--dry-run is deprecated and can be replaced with --dry-run=client.")
            return "client"
        if value in cobra.BOOLEANS:
            form, line = ("client", "728") if value in cobra.TRUE else ("none", "731")
            self._tell_of_dry_run(
                line, f"--dry-run={value} is deprecated (boolean value) and can be replaced with --dry-run={form}."
            )
            return form
        if value not in ("none", "client", "server"):
            raise UsageError(f'Invalid dry-run value ({value}). Must be "none", "server", or "client".')
        return value

    def _tell_of_dry_run(self, line: str, text: str) -> None:
        if not self._told_of_dry_run:
            self.log(f"helpers.go:{line}", text)
        self._told_of_dry_run = True

    @property
    def dry_run_suffix(self) -> str:
        """What kubectl puts behind a result's text."""
        return {"client": " (dry run)", "server": " (server dry run)"}.get(self.dry_run, "")

    @property
    def validation(self) -> str:
        """--validate as the API server's fieldValidation: Strict, Warn or Ignore."""
        value = self.text("validate") if "validate" in self.parsed.flags.by_name else "strict"
        known = {
            "true": "Strict",
            "strict": "Strict",
            "warn": "Warn",
            "ignore": "Ignore",
            "false": "Ignore",
        }
        if value not in known:
            raise UsageError(
                f'invalid - validate option "{value}"; must be one of: strict (or true), warn, ignore (or false)'
            )
        return known[value]

    # ---- the cluster

    @property
    def cluster(self) -> Cluster:
        if self._cluster is None:
            from minikube_py import home

            self._cluster = home.open(self.context, create=self.writes)
            self._cluster.subject = self._impersonated()
            self._cluster.manager = self._manager()
            if self.on("realtime"):
                self._cluster.pace = _sleep
        return self._cluster

    def _manager(self) -> str:
        """What this command calls itself where it writes: --field-manager, or its usual name."""
        if self.text("field-manager"):
            return self.text("field-manager")
        first = self.command.partition(" ")[0]
        return MANAGERS.get(self.command) or MANAGERS.get(first) or f"kubectl-{first}"

    def _impersonated(self) -> Subject | None:
        """Whom --as, --as-group, --as-uid and --as-user-extra tell to be; None without them."""
        user, groups, uid = self.text("as"), self.list("as-group"), self.text("as-uid")
        extra: dict[str, tuple[str, ...]] = {}
        for pair in self.list("as-user-extra"):
            name, _, value = pair.partition("=")
            extra[name] = (*extra.get(name, ()), value)
        if not user:
            if groups or uid or extra:
                from minikube_py.cli import failures

                raise failures.Plain(
                    "Error in configuration: requesting uid, groups or user-extra for admin without impersonating a user"
                )
            return None
        from minikube_py.apiserver import authorizer

        return authorizer.impersonated(user, groups, uid, tuple(sorted(extra.items())))

    @property
    def opened(self) -> bool:
        return self._cluster is not None

    @property
    def registry(self) -> Registry:
        registry: Registry = self.cluster.registry
        return registry

    @property
    def now_s(self) -> int:
        return int(self.cluster.clock.now_s)

    def read(self, kind: Kind, name: str, namespace: str) -> Object:
        self.note_deprecation(kind)
        return in_version(kind, self.cluster.get(kind.resource, name, namespace if kind.namespaced else ""))

    def note_deprecation(self, kind: Kind) -> None:
        from minikube_py.api import resources

        told = resources.deprecation(kind)
        if told:
            self.warn(told)

    # ---- streams

    def say(self, text: str) -> None:
        """Text to standard output, as it is; within a transaction it waits until what it tells is true."""
        if self._held is None:
            sys.stdout.write(text)
        else:
            self._held.append(text)

    def line(self, text: str) -> None:
        self.say(text + "\n")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that a command writes as one change of the file. What it says meanwhile is printed once it is stored, and not
        at all if it could not be."""
        if self._held is not None:
            yield
            return
        held: Texts = []
        self._held = held
        try:
            with self.cluster.transaction():
                yield
        finally:
            self._held = None
        sys.stdout.write("".join(held))

    def complain(self, text: str) -> None:
        """A line to standard error, as it is."""
        sys.stderr.write(text + "\n")

    def warn(self, text: str) -> None:
        """A warning, once for each text: 'Warning: ...'."""
        if text not in self._warned:
            self._warned.append(text)
            self.complain(f"Warning: {text}")

    def log(self, source: str, text: str) -> None:
        """A line of klog at warning level: 'W1124 22:22:13.000000       1 prune.go:71] Deprecated: ...'. The time is
        virtual, and the process is always the first: what kpy prints hangs on the cluster alone."""
        now = self.cluster.clock.timestamp
        self.complain(f"W{now[5:7]}{now[8:10]} {now[11:19]}.000000       1 {source}] {text}")

    def flush_warnings(self) -> None:
        """Print what the API server warned of since the last time. (Reading does not even load the API server.)"""
        if self._cluster is None or not self.writes:
            return
        pending, self._cluster.warnings[:] = list(self._cluster.warnings), []
        for text in pending:
            self.warn(text)

    def check_warnings(self) -> None:
        """--warnings-as-errors."""
        count = len(self._warned)
        if count and self.on("warnings-as-errors"):
            raise UsageError(f"{count} warning{'s' if count > 1 else ''} received")

    def settle_if_asked(self) -> None:
        """With KPY_AUTO_RECONCILE=1 a writing command leaves a settled cluster behind."""
        if self.writes and self._cluster is not None and os.environ.get("KPY_AUTO_RECONCILE") == "1":
            self._cluster.reconcile()

    # ---- files

    def documents(self, errors: Errors | None = None) -> Iterator[tuple[Object, str]]:
        """The objects of -f (and -R) and -k in order, Lists flattened, each with its source: a path, a URL or 'STDIN'.

        `errors`: what cannot be read is put there, and reading goes on behind it (kubectl's ContinueOnError); without
        it the first problem is raised.
        """
        from minikube_py.api import documents

        found: Any = errors
        streams = [documents.read(path, self.on("recursive"), found) for path in self.list("filename")]
        if self.text("kustomize"):
            streams.append(documents.read_text(self._built(), self.text("kustomize")))
        for stream in streams:
            for document in stream:
                try:
                    self._check(document)
                    singles = list(documents.flatten(document))
                except UsageError as error:
                    if errors is None:
                        raise
                    errors.append(error)
                    continue
                yield from ((single.object, single.source) for single in singles)

    def _built(self) -> str:
        """What -k builds. The reading commands meet a failure as one of possibly many, which is printed bare."""
        from minikube_py.cli import failures, kustomize

        try:
            return kustomize.build(self.text("kustomize"))
        except UsageError as error:
            if self.command in ("get", "describe", "rollout pause", "rollout restart", "rollout resume"):
                raise failures.Plain(str(error)) from None
            raise

    def _check(self, document: Document) -> None:
        """What --validate checks before anything is decoded, in the commands that have it."""
        if "validate" not in self.parsed.flags.by_name or self.validation == "Ignore":
            return
        from minikube_py.api import precheck

        obj = precheck.validate(document.object, document.source)
        is_known = obj["kind"] == "List" or self.registry.find(obj["apiVersion"], obj["kind"])
        if self.validation == "Warn" and not is_known:
            self.log("schema.go:145", UNSUPPORTED)

    def require_files(self) -> None:
        """The commands that take nothing but files."""
        if not self.list("filename") and not self.text("kustomize"):
            raise UsageError("must specify one of -f and -k")
        if self.list("filename") and self.text("kustomize"):
            raise UsageError("only one of -f or -k can be specified")

    def usage(self, message: str) -> UsageError:
        """cmdutil.UsageErrorf: the message and where to look."""
        return UsageError(message, f"See 'kubectl {self.command} -h' for help and examples")


def in_version(kind: Kind, obj: Object) -> Object:
    """A custom object in the version in which its kind was named: None conversion changes nothing else."""
    if kind.schemas is None or obj.get("apiVersion") == kind.version:
        return obj
    return {**obj, "apiVersion": kind.version}
