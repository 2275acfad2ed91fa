"""`kubectl debug` (pkg/cmd/debug/debug.go, profiles.go): an ephemeral container in a pod, a copy of a pod, or a pod on a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import attach, containers, select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]

PROFILES = ("legacy", "general", "baseline", "netadmin", "restricted", "sysadmin")
FIXED = ("name", "command", "image", "lifecycle", "volumeDevices")  # what --custom may not say
PULLS = ("", "Always", "IfNotPresent", "Never")
ENDED = (
    "Session ended, the ephemeral container will not be restarted but may be reattached using "
    "'kubectl attach {pod} -c {container} -n {namespace} -i -t' if it is still running"
)


def run(call: Call) -> int:
    dash = call.parsed.dash
    names, command = (call.args, []) if dash < 0 else (call.args[:dash], call.args[dash:])
    _check(call, names, command)
    args = ["pods", *names] if names and "/" not in names[0] else names
    found = select.find(call, args)
    if found.errors:
        raise found.errors[0]
    code = 0
    for item in found.items:
        if item.kind.resource == "nodes":
            pod, name = _on_node(call, item.object, command)
        elif item.kind.resource == "pods":
            pod, name = (_copy if call.text("copy-to") else _ephemeral)(call, item.object, command)
        else:
            group, _, version = item.kind.version.rpartition("/")
            raise UsageError(f'"{group}/{version}, Kind={item.kind.name}" not supported by debug')
        wants = call.on("attach") if call.changed("attach") else call.on("stdin")
        if wants and name:
            code = attach.enter(call, pod, name, ENDED)
    return code


def _check(call: Call, names: list[str], command: list[str]) -> None:
    """DebugOptions.Complete and Validate, in their order."""
    if call.text("profile") not in PROFILES:
        raise UsageError(f"unknown profile: {call.text('profile')}")
    custom = _custom(call)
    _check_sort(call, command)
    _check_image(call.text("image"), "")
    if not names and not call.list("filename"):
        raise UsageError("NAME or filename is required for debug")
    if call.text("image-pull-policy") not in PULLS:
        raise UsageError(f"invalid image pull policy: {call.text('image-pull-policy')}")
    for name, image in _images(call).items():
        _check_image(image, f' for container "{name}"')
    if call.text("target"):
        if call.text("copy-to"):
            raise UsageError("--target is incompatible with --copy-to. Use --share-processes instead.")
        if not call.on("quiet"):
            call.line(
                f'Targeting container "{call.text("target")}". If you don\'t see processes from this container it may be '
                "because the container runtime doesn't support this feature."
            )
    if call.on("tty") and not call.on("stdin"):
        raise UsageError("-i/--stdin is required for containers with -t/--tty=true")
    if any(custom.get(field) for field in FIXED):
        raise UsageError("name, command, image, lifecycle and volume devices are not modifiable via custom profile")
    if call.text("profile") == "legacy":
        call.complain(
            "--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, "
            'for example "--profile=general".'
        )


def _check_sort(call: Call, command: list[str]) -> None:
    """What goes with --copy-to, and what only without it."""
    image, images = call.text("image"), call.list("set-image")
    if call.on("attach") and not image and not call.text("container"):
        raise UsageError("you must specify --container or create a new container using --image in order to attach.")
    if call.text("copy-to"):
        if not (image or images or command):
            raise UsageError("you must specify --image, --set-image or command arguments.")
        if command and not call.text("container") and not image:
            raise UsageError("you must specify an existing container or a new image when specifying args.")
        return
    for flag in ("replace", "same-node"):
        if call.on(flag):
            raise UsageError(f"--{flag} may only be used with --copy-to.")
    if images:
        raise UsageError("--set-image may only be used with --copy-to.")
    if not image:
        raise UsageError("you must specify --image when not using --copy-to.")


def _check_image(image: str, where: str) -> None:
    from minikube_py.programs import images

    if image and not images.is_reference(image):
        raise UsageError(f'invalid image name "{image}"{where}: invalid reference format')


def _images(call: Call) -> dict[str, str]:
    """--set-image=NAME=IMAGE."""
    return {name: image for name, _, image in (text.partition("=") for text in call.list("set-image"))}


def _custom(call: Call) -> Object:
    """--custom: a part of a container, JSON or YAML, that is merged into the debugging container."""
    path = call.text("custom")
    if not path:
        return {}
    from minikube_py.api import documents

    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError as error:
        problem = f"open {path}: {(error.strerror or str(error)).lower()}"
        raise UsageError(f"must pass a container spec json file for custom profile: {problem}") from None
    try:
        found = [document.object for document in documents.read_text(text, path)]
    except UsageError as error:
        raise UsageError(
            f"{path} does not contain a valid container spec: {str(error).removeprefix(f'error parsing {path}: ')}"
        ) from None
    return found[0] if found else {}


def _settings(call: Call, command: list[str]) -> Object:
    """The fields of the debugging container that the flags give."""
    found: Object = {"image": call.text("image")} if call.text("image") else {}
    if command:
        found["args" if call.on("arguments-only") else "command"] = command
    pairs = [text.partition("=") for text in call.list("env")]
    if pairs:
        found["env"] = [{"name": name, "value": value} for name, _, value in pairs]
    if call.text("image-pull-policy"):
        found["imagePullPolicy"] = call.text("image-pull-policy")
    for flag in ("stdin", "tty"):
        if call.on(flag):
            found[flag] = True
    return found


def _secured(call: Call, container: Object, traced: bool) -> Object:
    """The container as the profile, and --custom over it, want it."""
    custom = _custom(call)
    secured = _of_profile(call, container, traced)
    if not custom:
        return secured
    from minikube_py.base import patch
    from minikube_py.cli.patch import list_keys

    return patch.strategic(secured, custom, list_keys("v1", "Pod"), ("spec", "containers"))


def _of_profile(call: Call, container: Object, traced: bool) -> Object:
    """The container with the security context of the profile; `traced`: the general one lets it trace processes."""
    profile = call.text("profile")
    old = container.get("securityContext") or {}
    kept = {key: value for key, value in container.items() if key != "securityContext"}
    if profile == "sysadmin":
        return {**kept, "securityContext": {**old, "privileged": True}}
    if profile == "restricted":
        context: Object = {
            "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        }  # fmt: skip
        return {**kept, "securityContext": context}
    added = {"general": ["SYS_PTRACE"] if traced else [], "netadmin": ["NET_ADMIN", "NET_RAW"]}.get(profile, [])
    if not added:
        return kept if profile in ("baseline", "general") else container
    return {**kept, "securityContext": {**old, "capabilities": {"add": added}}}


def _name(call: Call, pod: Object) -> str:
    if call.text("container"):
        return call.text("container")
    taken = {one["name"] for listed in containers.LISTS for one in pod["spec"].get(listed) or ()}
    suffixes = (call.cluster.clock.suffix("debugger", pod["metadata"].get("uid", ""), number) for number in range(1000))
    name = next(f"debugger-{suffix}" for suffix in suffixes if f"debugger-{suffix}" not in taken)
    if not call.on("quiet"):
        call.line(f"Defaulting debug container name to {name}.")
    return name


def _ephemeral(call: Call, pod: Object, command: list[str]) -> tuple[Object, str]:
    name, meta = _name(call, pod), pod["metadata"]
    container = {"name": name, **_settings(call, command), "terminationMessagePolicy": "File"}
    if call.text("target"):
        container["targetContainerName"] = call.text("target")
    added = [*(pod["spec"].get("ephemeralContainers") or ()), _secured(call, container, True)]
    fields = {"spec": {"ephemeralContainers": added}}
    patched = call.cluster.patch(
        "pods", meta["name"], meta["namespace"], fields, type="strategic", subresource="ephemeralcontainers"
    )
    return patched, name


def _copy(call: Call, pod: Object, command: list[str]) -> tuple[Object, str]:
    meta, spec = pod["metadata"], dict(pod["spec"])
    for field in ("ephemeralContainers", *(() if call.on("same-node") else ("nodeName",))):
        spec.pop(field, None)
    if not call.on("keep-init-containers"):
        spec.pop("initContainers", None)
    spec.setdefault("shareProcessNamespace", call.on("share-processes"))
    images = _images(call)
    dropped = [f"{sort}Probe" for sort in ("liveness", "readiness", "startup") if not call.on(f"keep-{sort}")]
    listed = [
        {
            **{key: value for key, value in one.items() if key not in dropped},
            "image": images.get(one["name"], images.get("*", one["image"])),
        }
        for one in spec["containers"]
    ]
    name = call.text("container")
    known = [one["name"] for one in listed]
    if name not in known and not call.text("image"):
        if not images:
            raise UsageError("you must specify image when creating new container")
        name = ""
    elif name in known:
        settings = _settings(call, command)
        cleared = {"args": None} if "command" in settings else {}
        changed = {**listed[known.index(name)], **settings, **cleared}
        changed = {key: value for key, value in changed.items() if value is not None}
        listed[known.index(name)] = _secured(call, changed, True)
    else:
        name = _name(call, pod)
        fresh = {"name": name, "terminationMessagePolicy": "File", **_settings(call, command)}
        listed.append(_secured(call, fresh, True))
    metadata: Object = {"name": call.text("copy-to"), "namespace": meta["namespace"]}
    for field in ("labels", "annotations"):
        if call.on(f"keep-{field}") and meta.get(field):
            metadata[field] = meta[field]
    copied = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**spec, "containers": listed}}
    created = call.cluster.create(copied, namespace=meta["namespace"])
    if call.on("replace"):
        call.cluster.delete("pods", meta["name"], meta["namespace"], grace_s=0)
    return created, name


def _on_node(call: Call, node: Object, command: list[str]) -> tuple[Object, str]:
    name = call.text("container") or "debugger"
    pod_name = f"node-debugger-{node['metadata']['name']}-{call.cluster.clock.suffix('debug', node['metadata']['uid'])}"
    if not call.on("quiet"):
        call.line(f"Creating debugging pod {pod_name} with container {name} on node {node['metadata']['name']}.")
    container = _secured(call, {"name": name, **_settings(call, command), "terminationMessagePolicy": "File"}, False)
    spec: Object = {
        "nodeName": node["metadata"]["name"], "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}],
    }  # fmt: skip
    if call.text("profile") in ("general", "legacy", "sysadmin"):
        container["volumeMounts"] = [{"mountPath": "/host", "name": "host-root"}]
        spec["volumes"] = [{"name": "host-root", "hostPath": {"path": "/"}}]
    if call.text("profile") in ("general", "legacy", "netadmin", "sysadmin"):
        spec |= {"hostNetwork": True, "hostPID": True, "hostIPC": True}
    labels = {"app.kubernetes.io/managed-by": "kubectl-debug"}
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod_name, "labels": labels},
        "spec": {**spec, "containers": [container]},
    }  # fmt: skip
    return call.cluster.create(pod, namespace=call.namespace), name
