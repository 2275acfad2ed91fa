"""`kubectl cluster-info dump`: nodes, and what is in some namespaces, as lists of typed objects (clusterinfo_dump.go)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]

# The file of each resource, in kubectl's order.
NAMESPACED = (
    ("events", "events"), ("replication-controllers", "replicationcontrollers"), ("services", "services"),
    ("daemonsets", "daemonsets.apps"), ("deployments", "deployments.apps"), ("replicasets", "replicasets.apps"),
    ("pods", "pods"),
)  # fmt: skip
ENDINGS = {"json": ".json", "yaml": ".yaml"}


def run(call: Call) -> None:
    if call.args:
        raise UsageError(f'unknown command "{call.args[0]}" for "kubectl cluster-info dump"')
    _write(call, "nodes", _ending(call), _list(call, "nodes", None))
    if call.on("all-namespaces"):
        namespaces = [obj["metadata"]["name"] for obj in call.cluster.list("namespaces")]
    else:
        namespaces = call.list("namespaces") or ["kube-system", call.namespace]
    for namespace in namespaces:
        for name, resource in NAMESPACED:
            _write(call, os.path.join(namespace, name), _ending(call), _list(call, resource, namespace))
        for pod in call.cluster.list("pods", namespace):
            path = os.path.join(namespace, pod["metadata"]["name"], "logs")
            _write(call, path, ".txt", _logs(call, pod))
    folder = call.text("output-directory")
    if folder and folder != "-":
        call.line(f"Cluster info dumped to {folder}")


def _ending(call: Call) -> str:
    return ENDINGS.get(call.text("output"), ".txt")


def _list(call: Call, resource: str, namespace: str | None) -> str:
    """A typed list in the format of -o: its items tell no kind of their own."""
    from minikube_py.cli import show

    kind = call.registry.resource(resource)
    items = [
        {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
        for obj in call.cluster.list(resource, namespace)
    ]
    meta = {"resourceVersion": str(call.cluster.store.revision)}
    whole = {"kind": f"{kind.name}List", "apiVersion": kind.version, "metadata": meta, "items": items}
    if call.text("output") == "json":
        from minikube_py.printers import goorder

        return goorder.text(goorder.in_order(whole))
    return show.plan(call).render([whole])


def _logs(call: Call, pod: Object) -> str:
    """The logs of a pod's containers, with lines that tell whose they are."""
    from minikube_py.programs import logs

    meta, spec = pod["metadata"], pod["spec"]
    text = ""
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        whose = f"logs for container {container['name']} of pod {meta['namespace']}/{meta['name']} ===="
        problem = logs.problem(container["name"], pod, False) if spec.get("nodeName") else ""
        if problem:
            found = f"Request log error: {problem}\n"
        elif spec.get("nodeName"):
            lines = logs.lines(container, pod, call.cluster.view, call.cluster.clock, False)
            found = "".join(f"{line}\n" for _, line in lines)
        else:
            found = ""
        text += f"==== START {whose}\n{found}==== END {whose}\n"
    return text


def _write(call: Call, path: str, ending: str, text: str) -> None:
    folder = call.text("output-directory")
    if not folder or folder == "-":
        call.say(text)
        return
    target = os.path.join(folder, path) + ending
    try:
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        with open(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"open {target}: {(error.strerror or '').lower()}") from error
