"""The ConfigMaps and Secrets a pod needs before its containers can run, and what is said when one is missing; also that
a container may not run as root.

Sources: pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables), pkg/volume/configmap/configmap.go, pkg/volume/secret,
pkg/kubelet/kuberuntime/security_context_others.go (verifyRunAsNonRoot).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key
from minikube_py.programs import catalogue

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.kubelet.worker import Worker

# What the control plane publishes in every namespace; volumes of service accounts mount it.
ROOT_CERTIFICATE = "kube-root-ca.crt"


def environment_problem(container: Object, worker: Worker) -> str:
    """Why the environment of a container cannot be made; '' if it can."""
    for source in container.get("envFrom") or ():
        for field, resource, kind in (("configMapRef", "configmaps", "configmap"), ("secretRef", "secrets", "secret")):
            wanted = source.get(field)
            if wanted and not wanted.get("optional") and _get(worker, resource, wanted.get("name", "")) is None:
                return f'{kind} "{wanted.get("name", "")}" not found'
    for variable in container.get("env") or ():
        source = variable.get("valueFrom")
        if source:
            problem = _key_problem(source, worker)
            if problem:
                return problem
    of_pod = worker.spec.get("securityContext")
    if of_pod or "securityContext" in container:
        return _root_problem(container, of_pod or {}, worker)
    return ""


def _root_problem(container: Object, of_pod: Object, worker: Worker) -> str:
    """Why a container that may not run as root would, or could; an image that nobody described does not."""
    own = container.get("securityContext") or {}
    if not own.get("runAsNonRoot", of_pod.get("runAsNonRoot")):
        return ""
    user = own.get("runAsUser", of_pod.get("runAsUser"))
    whom = f'(pod: "{worker.full_name()}", container: {container["name"]})'
    if user is not None:
        return f"container's runAsUser breaks non-root policy {whom}" if user == 0 else ""
    named = catalogue.user_of(container.get("image") or "")
    if named == "0":
        return f"container has runAsNonRoot and image will run as root {whom}"
    if named and not named.isdigit():
        why = f"image has non-numeric user ({named}), cannot verify user is non-root"
        return f"container has runAsNonRoot and {why} {whom}"
    return ""


def _key_problem(source: Object, worker: Worker) -> str:
    for field, resource, kind in (
        ("configMapKeyRef", "configmaps", "ConfigMap"),
        ("secretKeyRef", "secrets", "Secret"),
    ):
        wanted = source.get(field)
        if not wanted or wanted.get("optional"):
            continue
        found = _get(worker, resource, wanted.get("name", ""))
        if found is None:
            return f'{kind.lower()} "{wanted.get("name", "")}" not found'
        if not _has(found, wanted["key"]):
            return f"couldn't find key {wanted['key']} in {kind} {worker.key.namespace}/{wanted.get('name', '')}"
    return ""


def mount_problems(worker: Worker) -> list[tuple[str, str]]:
    """(volume, why) for each volume that cannot be set up: 'configmap "conf" not found'."""
    found = []
    for volume in worker.spec.get("volumes") or ():
        problem = _volume_problem(volume, worker)
        if problem:
            found.append((volume["name"], problem))
    return found


def claim_problem(worker: Worker) -> str:
    """What keeps the volumes of claims from being mounted, in the words of the event; '' if nothing does.

    Source: pkg/kubelet/volumemanager/populator/desired_state_of_world_populator.go.
    """
    problems = []
    for volume in worker.spec.get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            name = volume["persistentVolumeClaim"].get("claimName", "")
        elif "ephemeral" in volume:
            name = f"{worker.meta['name']}-{volume['name']}"
        else:
            continue
        claim = _get(worker, "persistentvolumeclaims", name)
        if claim is None:
            why = f'failed to fetch PVC from API server: persistentvolumeclaims "{name}" not found'
        elif (claim.get("status") or {}).get("phase") != "Bound":
            why = "PVC is not bound"
        else:
            continue
        problems.append((volume["name"], f"error processing PVC {worker.key.namespace}/{name}: {why}"))
    if not problems:
        return ""
    listed = " ".join(name for name, _ in problems)
    told = "; ".join(why for _, why in problems)
    return (
        f"Unable to attach or mount volumes: unmounted volumes=[{listed}], unattached volumes=[], failed to process "
        f"volumes=[{listed}]: {told}"
    )


def _volume_problem(volume: Object, worker: Worker) -> str:
    if "configMap" in volume:
        return _source_problem(volume["configMap"], volume["configMap"].get("name", ""), "configmaps", worker)
    if "secret" in volume:
        return _source_problem(volume["secret"], volume["secret"].get("secretName", ""), "secrets", worker)
    if "projected" in volume:
        for source in volume["projected"].get("sources") or ():
            for field, resource in (("configMap", "configmaps"), ("secret", "secrets")):
                wanted = source.get(field)
                if not wanted or wanted.get("name") == ROOT_CERTIFICATE:
                    continue
                problem = _source_problem(wanted, wanted.get("name", ""), resource, worker)
                if problem:
                    return problem
    return ""


def _source_problem(source: Object, name: str, resource: str, worker: Worker) -> str:
    if source.get("optional"):
        return ""
    found = _get(worker, resource, name)
    if found is None:
        return f'{resource[:-1]} "{name}" not found'
    for item in source.get("items") or ():
        if not _has(found, item["key"]):
            return f"references non-existent {'config' if resource == 'configmaps' else 'secret'} key: {item['key']}"
    return ""


def _get(worker: Worker, resource: str, name: str) -> Object | None:
    return worker.view.get(Key(resource, worker.key.namespace, name))


def _has(found: Object, key: str) -> bool:
    return key in (found.get("data") or {}) or key in (found.get("binaryData") or {})


def wanted_by(pod: Object) -> list[Key]:
    """The ConfigMaps and Secrets whose change must wake the pod: all that its environment and volumes name."""
    spec, namespace = pod["spec"], pod["metadata"].get("namespace", "")
    found: dict[Key, None] = {}
    for container in [*(spec.get("initContainers") or ()), *spec["containers"]]:
        for source in container.get("envFrom") or ():
            _note(found, namespace, source.get("configMapRef"), source.get("secretRef"))
        for variable in container.get("env") or ():
            source = variable.get("valueFrom") or {}
            _note(found, namespace, source.get("configMapKeyRef"), source.get("secretKeyRef"))
    for volume in spec.get("volumes") or ():
        secret = volume.get("secret")
        _note(found, namespace, volume.get("configMap"), secret and {"name": secret.get("secretName")})
        for source in (volume.get("projected") or {}).get("sources") or ():
            _note(found, namespace, source.get("configMap"), source.get("secret"))
    return list(found)


def _note(found: dict[Key, None], namespace: str, config_map: Object | None, secret: Object | None) -> None:
    if config_map and config_map.get("name") != ROOT_CERTIFICATE:
        found[Key("configmaps", namespace, config_map.get("name") or "")] = None
    if secret:
        found[Key("secrets", namespace, secret.get("name") or "")] = None
