"""`kubectl explain` (pkg/cmd/explain/explain.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.printers import explain

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.cli.call import Call

OUTPUTS = ("plaintext", "plaintext-openapiv2")


def run(call: Call) -> int:
    from minikube_py.api import openapi

    _check(call)
    kind, path = _kind_and_path(call)
    if kind is None:
        call.complain(f'the server doesn\'t have a resource type "{path[0]}"')
        return 1
    crd = call.cluster.get("customresourcedefinitions.apiextensions.k8s.io", kind.crd) if kind.crd else None
    schema = openapi.of_kind(kind, crd)
    bare = kind.version.rpartition("/")[2]
    if schema is None:
        group = f"{kind.group}/" if kind.group else "/"
        raise UsageError(f"GVR ({group}{bare}, Resource={kind.plural}) not found in OpenAPI schema")
    call.say(
        f"{f'GROUP:      {kind.group}' + chr(10) if kind.group else ''}KIND:       {kind.name}\nVERSION:    {bare}\n\n"
    )
    depth = explain.Depth(call.on("recursive"), call.number("max-depth"))
    text = explain.explain(schema, path, openapi.Definitions(), depth)
    if not text:
        raise UsageError(f'field "{path[-1]}" does not exist')
    call.say(text + "\n")
    return 0


def _check(call: Call) -> None:
    if not call.args:
        raise UsageError(
            "You must specify the type of resource to explain. "
            'Use "kubectl api-resources" for a complete list of supported resources.'
        )
    if len(call.args) > 1:
        raise UsageError("We accept only this format: explain RESOURCE")
    if call.number("max-depth") > 0 and not call.on("recursive"):
        raise UsageError("--max-depth requires --recursive")
    if call.number("max-depth") < 0:
        raise UsageError("--max-depth must be non-negative")
    if call.text("output") not in OUTPUTS:
        raise UsageError(f"unrecognized format: {call.text('output')}")


def _kind_and_path(call: Call) -> tuple[Kind | None, list[str]]:
    """'deployment.spec', 'deployments.apps.spec': the kind (None if unknown; then the path is the word) and its field."""
    word, _, rest = call.args[0].removesuffix(".").partition(".")
    path = rest.split(".") if rest else []
    kind = call.registry.named(word.lower())
    for count in range(len(path), 0, -1):
        longer = call.registry.named(".".join((word, *path[:count])).lower())
        if longer is not None:
            kind, path = longer, path[count:]
            break
    if kind is None:
        return None, [word]
    version = call.text("api-version")
    if version:
        other = call.registry.find(version, kind.name)
        if other is None:
            group, _, bare = version.rpartition("/")
            raise UsageError(f'couldn\'t find resource for "{group}/{bare}, Kind={kind.name}"')
        kind = other
    return kind, path
