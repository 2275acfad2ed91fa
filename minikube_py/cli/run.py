"""`kubectl run` (pkg/cmd/run/run.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import create, writing

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]

RESTARTS = ("Always", "OnFailure", "Never")
ENDED = "Session ended, resume using 'kubectl attach {pod} -c {container} -n {namespace} -i -t' command when the pod is running"
PULLS = ("Always", "IfNotPresent", "Never")


def run(call: Call) -> int:
    dash = call.parsed.dash
    names = call.args if dash < 0 else call.args[:dash]
    if not names:
        raise UsageError("NAME is required for run")
    name, words = names[0], call.args[1:]
    port = _check(call)
    labels = dict(_label(text) for text in call.text("labels").split(",")) if call.text("labels") else {"run": name}
    call.cluster  # noqa: B018  # opened before anything is printed
    if _is_attached(call):
        return _attached(call, _overridden(call, _pod(call, name, labels, words, port)))
    with call.transaction():
        create.generated(call, _overridden(call, _pod(call, name, labels, words, port)))
        if call.on("expose"):
            create.generated(call, _service(name, labels, port))
    return 0


def _is_attached(call: Call) -> bool:
    """-i attaches unless --attach=false says otherwise."""
    return call.on("attach") if call.changed("attach") else call.on("stdin")


def _attached(call: Call, pod: Object) -> int:
    """Create the pod, enter its container, and with --rm delete it afterwards. It goes on running where it is left."""
    from minikube_py.cli import attach

    created = call.cluster.create(pod, namespace=call.namespace, manager="kubectl-run")
    meta = created["metadata"]
    code = attach.enter(call, created, meta["name"], ENDED)
    if call.on("rm"):
        call.cluster.delete("pods", meta["name"], meta["namespace"])
        call.line(f'pod "{meta["name"]}" deleted from {meta["namespace"]} namespace')
    return code


def _check(call: Call) -> int:
    """The port, 0 if none. Raises UsageError for flags that do not go together."""
    from minikube_py.programs import images

    image, port = call.text("image"), call.text("port")
    if not image:
        raise UsageError("--image is required")
    if not images.is_reference(image):
        raise UsageError(f'invalid image name "{image}": invalid reference format')
    attached = call.on("attach") or call.on("stdin") or call.on("tty")
    if call.on("tty") and not call.on("stdin"):
        raise UsageError("-i/--stdin is required for containers with -t/--tty=true")
    if call.on("expose") and not port:
        raise UsageError("--port must be set when exposing a service")
    if port and not port.isdigit():
        raise UsageError("--port must be a number")
    if call.changed("pod-running-timeout") and call.seconds("pod-running-timeout") <= 0:
        raise UsageError("--pod-running-timeout must be higher than zero")
    if call.on("rm") and not attached:
        raise UsageError("--rm should only be used for attached containers")
    if attached and call.dry_run != "none":
        raise UsageError(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)"
        )
    return int(port or 0)


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"unexpected label spec: {text}")
    if not key:
        raise UsageError("unexpected empty label key")
    return key, value


def _pod(call: Call, name: str, labels: dict[str, str], words: list[str], port: int) -> Object:
    restart, pull = call.text("restart") or "Always", call.text("image-pull-policy")
    if restart not in RESTARTS:
        raise UsageError(f"invalid restart policy: {restart}, valid values are: {', '.join(RESTARTS)}")
    if pull and pull not in PULLS:
        raise UsageError(f"invalid image pull policy: {pull}, valid values are: {', '.join(PULLS)}")
    container: Object = {"name": name, "image": call.text("image")}
    if words:
        container["command" if call.on("command") else "args"] = words
    if call.on("stdin"):
        container |= {"stdin": True} | ({} if call.on("leave-stdin-open") else {"stdinOnce": True})
    if call.on("tty"):
        container["tty"] = True
    if port:
        container["ports"] = [{"containerPort": port}]
    if call.list("env"):
        container["env"] = [_variable(text) for text in call.list("env")]
    container["resources"] = {}
    if pull:
        container["imagePullPolicy"] = pull
    if call.on("privileged"):
        container["securityContext"] = {"privileged": True}
    metadata: Object = {"name": name, "labels": labels}
    annotations = writing.values(call.list("annotations"), "annotations")
    if annotations:
        metadata["annotations"] = annotations
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata,
        "spec": {"containers": [container], "restartPolicy": restart, "dnsPolicy": "ClusterFirst"},
        "status": {},
    }


def _variable(text: str) -> Object:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"invalid env: {text}")
    return {"name": name, **({"value": value} if value else {})}


def _service(name: str, labels: dict[str, str], port: int) -> Object:
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": name},
        "spec": {"ports": [{"protocol": "TCP", "port": port, "targetPort": port}], "selector": labels},
        "status": {"loadBalancer": {}},
    }


def _overridden(call: Call, obj: Object) -> Object:
    """--overrides: a patch over the generated object."""
    if not call.text("overrides"):
        return obj
    from minikube_py.api import documents
    from minikube_py.base import patch as patches
    from minikube_py.cli.patch import check_shape, list_keys

    form = call.text("override-type") or "merge"
    found = list(documents.read_text(call.text("overrides"), "--overrides"))
    fields = found[0].object if found else {}
    check_shape(fields, form)
    try:
        if form == "merge":
            result: Object = patches.merge(obj, fields)
        elif form == "strategic":
            result = patches.strategic(obj, fields, list_keys(obj["apiVersion"], obj["kind"]))
        else:
            result = patches.json_patch(obj, fields)  # type: ignore[arg-type]
        if not isinstance(result, dict) or not {"apiVersion", "kind", "metadata"} <= result.keys():
            raise UsageError("the overrides leave no object")
    except ValueError as error:
        raise UsageError(str(error)) from None
    return result
