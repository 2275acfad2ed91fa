"""The root CA publisher: every active namespace has a ConfigMap `kube-root-ca.crt` with the cluster's CA certificate.

`step` runs on namespaces and is woken by: the namespace itself; a change or deletion of that ConfigMap (it is put right).
Source: k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher/publisher.go.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from minikube_py.api.types import Create, Key, Patch
from minikube_py.base import patch
from minikube_py.controllers.ownership import is_deleting

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

NAME = "kube-root-ca.crt"
DESCRIBED_BY = "kubernetes.io/description"
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal "
    "service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
)
_LINES, _BYTES_IN_LINE = 16, 48  # about the length of a real one: 1.1 kB

_certificates: dict[int, str] = {}  # by seed


def step(namespace: Object, view: View, clock: Clock) -> Actions:
    name = namespace["metadata"]["name"]
    if is_deleting(namespace):
        return
    key = Key("configmaps", name, NAME)
    data, annotations = {"ca.crt": certificate(clock)}, {DESCRIBED_BY: DESCRIPTION}
    found = view.get(key)
    if found is None:
        meta = {"name": NAME, "namespace": name, "annotations": annotations}
        yield Create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
        return
    fields: Object = {}
    if found.get("data") != data:
        fields["data"] = patch.diff(found.get("data") or {}, data)
    if (found["metadata"].get("annotations") or {}).get(DESCRIBED_BY) != DESCRIPTION:
        fields["metadata"] = {"annotations": annotations}
    if fields:
        yield Patch(key, fields)


def certificate(clock: Clock) -> str:
    """A text in the shape of a certificate, the same for the whole life of a cluster; nothing is signed with it."""
    known = _certificates.get(clock.seed)
    if known is not None:
        return known
    words = [clock.token("root ca", index).to_bytes(8, "big") for index in range(_LINES * _BYTES_IN_LINE // 8)]
    encoded = b64encode(b"\x30\x82\x03" + b"".join(words)[3:]).decode()
    lines = [encoded[start : start + 64] for start in range(0, len(encoded), 64)]
    text = _certificates[clock.seed] = "\n".join(
        ["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]
    )
    return text
