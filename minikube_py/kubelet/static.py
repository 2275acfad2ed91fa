"""The static pods of a control plane, as kubeadm lays them down and the kubelet mirrors them in the API.

They are there before anybody can ask, so they are made with the status of pods that run already.
Sources: cmd/kubeadm/app/phases/controlplane/manifests.go, phases/etcd/local.go, pkg/kubelet/pod/mirror_client.go.
"""

from __future__ import annotations

from hashlib import blake2b, md5
from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import families
from minikube_py.kubelet import addresses
from minikube_py.programs import images

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.base.clock import Clock

ETCD = "registry.k8s.io/etcd:3.6.6-0"


class Part(NamedTuple):
    """One component of the control plane."""

    name: str
    cpu: str
    port: int
    path: str
    memory: str = ""


PARTS = (
    Part("etcd", "100m", 2381, "/readyz", "100Mi"),
    Part("kube-apiserver", "250m", 6443, "/livez"),
    Part("kube-controller-manager", "200m", 10257, "/healthz"),
    Part("kube-scheduler", "100m", 10259, "/livez"),
)


NAMESPACE = "kube-system"


def is_mirror(pod: Object) -> bool:
    """Whether a pod stands for one that its kubelet runs from a file."""
    return "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or ())


def names(node: Object) -> list[str]:
    """The names of a control-plane node's mirror pods."""
    return [f"{part.name}-{node['metadata']['name']}" for part in PARTS]


def pods(node: Object, version: str, clock: Clock) -> list[Object]:
    """The mirror pods of a control-plane node, without identity and status."""
    return [_pod(part, node, version, clock) for part in PARTS]


def _pod(part: Part, node: Object, version: str, clock: Clock) -> Object:
    name, meta = f"{part.name}-{node['metadata']['name']}", node["metadata"]
    digest = md5(f"{name} {version}".encode(), usedforsecurity=False).hexdigest()
    image = ETCD if part.name == "etcd" else f"registry.k8s.io/{part.name}:{version}"
    probe = {
        "httpGet": {"host": "127.0.0.1", "path": part.path, "port": part.port, "scheme": "HTTP" if part.name == "etcd" else "HTTPS"},
        "initialDelaySeconds": 10, "timeoutSeconds": 15, "periodSeconds": 10, "failureThreshold": 8, "successThreshold": 1,
    }  # fmt: skip
    requests = {"cpu": part.cpu} | ({"memory": part.memory} if part.memory else {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "annotations": {
                "kubernetes.io/config.hash": digest,
                "kubernetes.io/config.mirror": digest,
                "kubernetes.io/config.seen": clock.timestamp,
                "kubernetes.io/config.source": "file",
            },
            "labels": {"component": part.name, "tier": "control-plane"},
            "name": name,
            "namespace": NAMESPACE,
            "ownerReferences": [
                {"apiVersion": "v1", "controller": True, "kind": "Node", "name": meta["name"], "uid": meta["uid"]}
            ],
        },
        "spec": {
            "containers": [
                {
                    "command": [part.name],
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "livenessProbe": probe,
                    "name": part.name,
                    "resources": {"requests": requests},
                }
            ],
            "hostNetwork": True,
            "nodeName": meta["name"],
            "priority": 2_000_001_000,
            "priorityClassName": "system-node-critical",
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "tolerations": [{"effect": "NoExecute", "operator": "Exists"}],
        },
    }


def running(pod: Object, node: Object, clock: Clock) -> Object:
    """The status of such a pod: it has run since now."""
    address, now = addresses.of_node(node), clock.timestamp
    all_addresses = [{"ip": one} for one in families.node_addresses(node)]
    container = pod["spec"]["containers"][0]
    words = f"{clock.seed}\0{pod['metadata']['uid']}\0{container['name']}\0{0}"
    conditions = [
        {"lastProbeTime": None, "lastTransitionTime": now, "observedGeneration": 1, "status": "True", "type": sort}
        for sort in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    entry = {
        "allocatedResources": container["resources"]["requests"],
        "containerID": "containerd://" + blake2b(words.encode(), digest_size=32).hexdigest(),
        "image": images.full_name(container["image"]),
        "imageID": images.image_id(container["image"]),
        "lastState": {},
        "name": container["name"],
        "ready": True,
        "resources": container["resources"],
        "restartCount": 0,
        "started": True,
        "state": {"running": {"startedAt": now}},
        "user": {"linux": {"gid": 0, "supplementalGroups": [0], "uid": 0}},
    }
    return {
        "conditions": conditions,
        "containerStatuses": [entry],
        "hostIP": address,
        "hostIPs": all_addresses,
        "observedGeneration": 1,
        "phase": "Running",
        "podIP": address,
        "podIPs": all_addresses,
        "startTime": now,
    }
