"""ServiceAccount: every pod has one, and unless it is told otherwise a volume with its token, CA and namespace.

Source: plugin/pkg/admission/serviceaccount/admission.go. A hot path: the volume's sources are one shared value, and all
containers of a pod share one mount.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object
    from minikube_py.apiserver.admission import Request

MIRROR = "kubernetes.io/config.mirror"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
PREFIX = "kube-api-access-"
ENFORCE = "kubernetes.io/enforce-mountable-secrets"
_TRUE = ("1", "t", "T", "true", "TRUE", "True")  # what Go's ParseBool takes for true
_CONTAINERS = (
    ("initContainers", "init container"),
    ("containers", "container"),
    ("ephemeralContainers", "ephemeral container"),
)
_PROJECTED: Object = {
    "defaultMode": 420,
    "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
        {
            "downwardAPI": {
                "items": [{"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"}]
            }
        },
    ],
}


def mutate(request: Request) -> Object:
    pod = request.object
    assert pod is not None
    meta = pod["metadata"]
    if MIRROR in (meta.get("annotations") or ()):
        return pod
    spec = pod["spec"]
    name = spec.get("serviceAccountName") or "default"
    account = _account(request, name)
    if (account.get("metadata") or {}).get("annotations", {}).get(ENFORCE) in _TRUE:
        _limit_references(request, account, name)
    added: Object = {"serviceAccountName": name, "serviceAccount": name}
    automount = spec.get("automountServiceAccountToken")
    if automount is None:
        automount = account.get("automountServiceAccountToken")
    if automount is not False:
        _token(request, spec, added)
    if "imagePullSecrets" not in spec and account.get("imagePullSecrets"):
        added["imagePullSecrets"] = account["imagePullSecrets"]
    return {**pod, "spec": {**spec, **added}}


def _limit_references(request: Request, account: Object, name: str) -> None:
    """An account annotated so lets its pods use only the secrets that it lists itself."""
    pod = request.object
    assert pod is not None
    spec = pod["spec"]
    known = {one.get("name") for one in account.get("secrets") or ()}
    tail = f"is not allowed because service account {name} does not reference that secret"
    for volume in spec.get("volumes") or ():
        secret = (volume.get("secret") or {}).get("secretName")
        if secret and secret not in known:
            raise request.forbidden(f'volume with secret.secretName="{secret}" {tail}')
    for field, word in _CONTAINERS:
        for container in spec.get(field) or ():
            for where, secret in _env_secrets(container):
                if secret not in known:
                    told = f'referencing secret.secretName="{secret}" {tail}'
                    raise request.forbidden(f"{word} {container['name']} with {where} {told}")
    pulls = {one.get("name") for one in account.get("imagePullSecrets") or ()}
    for index, one in enumerate(spec.get("imagePullSecrets") or ()):
        if one.get("name") not in pulls:
            raise request.forbidden(
                f'imagePullSecrets[{index}].name="{one.get("name")}" is not allowed because service account {name} does not '
                "reference that imagePullSecret"
            )


def _env_secrets(container: Object) -> Iterator[tuple[str, str]]:
    """('envVar A', secret) and ('envFrom', secret) of each secret that a container's environment comes from."""
    for one in container.get("env") or ():
        secret = ((one.get("valueFrom") or {}).get("secretKeyRef") or {}).get("name")
        if secret:
            yield f"envVar {one['name']}", secret
    for one in container.get("envFrom") or ():
        secret = (one.get("secretRef") or {}).get("name")
        if secret:
            yield "envFrom", secret


def _account(request: Request, name: str) -> Object:
    """The account. A namespace's default one may be a moment away, since a controller makes it: the API server waits up
    to ten tries for it, and here, where no time passes within a command, it counts as there."""
    namespace = request.key.namespace
    account = request.view.get(Key("serviceaccounts", namespace, name))
    if account is None:
        if name == "default":
            return {}
        found = f'serviceaccount "{name}" not found'
        raise request.forbidden(f"error looking up service account {namespace}/{name}: {found}")
    return account


def _token(request: Request, spec: Object, added: Object) -> None:
    """Adds volume and mounts, unless every container already mounts something at the token's place.

    Pods of one controller get one volume name (a real cluster draws one for each), so that what is added to a template is
    made once and shared by its pods, which the scheduler then knows as pods of one template.
    """
    pod = request.object
    assert pod is not None
    meta = pod["metadata"]
    words = next((ref["uid"] for ref in meta.get("ownerReferences") or () if ref.get("controller")), "")
    words = words or meta.get("uid") or f"{request.key.namespace}/{meta.get('name') or meta.get('generateName')}"
    parts = (spec.get("initContainers"), spec.get("containers"), spec.get("volumes"))
    key = (words, *map(id, parts))
    found = _SHARED.get(key)
    if found is None:
        if len(_SHARED) >= _SHARED_MAX:
            _SHARED.clear()
        found = _SHARED[key] = parts, _with_token(spec, request.clock.suffix("kube-api-access", words))
    added.update(found[1])


_SHARED: dict[tuple[object, ...], tuple[tuple[object, ...], Object]] = {}  # holds its parts: ids stay theirs
_SHARED_MAX = 4096


def _with_token(spec: Object, suffix: str) -> Object:
    volumes = spec.get("volumes") or []
    existing = next((volume["name"] for volume in volumes if volume.get("name", "").startswith(PREFIX)), None)
    name = existing or PREFIX + suffix
    mount: Object = {"mountPath": MOUNT_PATH, "name": name, "readOnly": True}
    added: Object = {}
    for field in ("initContainers", "containers"):
        containers = spec.get(field)
        if not containers:
            continue
        mounted = [_mounted(container, mount) for container in containers]
        if any(new is not old for new, old in zip(mounted, containers, strict=True)):
            added[field] = mounted
    if added and existing is None:
        added["volumes"] = [*volumes, {"name": name, "projected": _PROJECTED}]
    return added


def _mounted(container: Object, mount: Object) -> Object:
    mounts = container.get("volumeMounts")
    if not mounts:
        return {**container, "volumeMounts": [mount]}
    if any(one.get("mountPath") == MOUNT_PATH for one in mounts):
        return container
    return {**container, "volumeMounts": [*mounts, mount]}


def check(request: Request) -> None:
    """Mirror pods, which stand for a node's static pods, may use no account and no secrets."""
    pod = request.object
    assert pod is not None
    if MIRROR not in (pod["metadata"].get("annotations") or ()):
        return
    spec = pod["spec"]
    if spec.get("serviceAccountName"):
        raise request.forbidden("a mirror pod may not reference service accounts")
    for volume in spec.get("volumes") or ():
        if "secret" in volume:
            raise request.forbidden("a mirror pod may not reference secrets")
        if any("serviceAccountToken" in source for source in (volume.get("projected") or {}).get("sources") or ()):
            raise request.forbidden("a mirror pod may not use ServiceAccountToken volume projections")
