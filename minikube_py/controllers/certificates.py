"""The certificate controllers: requests of kubelets are approved, approved ones get their certificate, old ones go.

`step` runs on CertificateSigningRequests and is woken by: the request itself. A kubelet's request for its client
certificate is approved if whoever asks may create certificatesigningrequests/nodeclient (selfnodeclient, if it is the
node's own). It signs for the four signers that
kube-controller-manager has (kubernetes.io/...) with the authority of the cluster; what a signer does not allow fails.
Sources: k8s.io/kubernetes/pkg/controller/certificates (approver/sarapprove.go, signer/signer.go, cleaner/cleaner.go, pkg/apis/certificates/helpers.go).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from minikube_py.api import authority
from minikube_py.api.types import Create, Delete, Key, Patch, Wake
from minikube_py.base import x509
from minikube_py.base.clock import seconds

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Outcome, View
    from minikube_py.base.clock import Clock

RESOURCE = "certificatesigningrequests.certificates.k8s.io"
CLIENT, KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client", "kubernetes.io/kube-apiserver-client-kubelet"
SERVING, LEGACY = "kubernetes.io/kubelet-serving", "kubernetes.io/legacy-unknown"
SIGNERS = (CLIENT, KUBELET_CLIENT, SERVING, LEGACY)
LONGEST_S, SHORTEST_S, BACKDATE_S = (
    365 * 86400,
    600,
    300,
)  # --cluster-signing-duration; notBefore lies five minutes back
DECIDED_S, PENDING_S = 3600, 24 * 3600  # how long decided and undecided requests are kept
KEY_USAGES = frozenset({"digital signature", "key encipherment"})


def step(request: Object, view: View, clock: Clock) -> Actions:
    status = request.get("status") or {}
    conditions = status.get("conditions") or []
    key = Key(RESOURCE, "", request["metadata"]["name"])
    if not {"Approved", "Denied"} & _types(conditions):
        approval = yield from _approval(request, clock)
        if approval:
            conditions = [*conditions, approval]
            status = {**status, "conditions": conditions}
            yield Patch(key, {"status": {"conditions": conditions}}, "approval")
    types = _types(conditions)
    is_approved = "Approved" in types and not {"Denied", "Failed"} & types
    if is_approved and not status.get("certificate") and request["spec"]["signerName"] in SIGNERS:
        status = _signed(request, status, clock)
        yield Patch(key, {"status": status}, "status")
        conditions = status["conditions"]
    due_s = _end_s(request, conditions, bool(status.get("certificate")))
    if due_s is None:
        return
    if clock.now_s >= due_s:
        yield Delete(key)
    else:
        yield Wake(due_s, background=True)


def _types(conditions: list[Object]) -> set[str]:
    """What has been decided about a request."""
    return {one["type"] for one in conditions if one.get("status", "True") == "True"}


def _approval(request: Object, clock: Clock) -> Generator[Action, Outcome, Object | None]:
    """The condition that approves a kubelet's client certificate; None if it is none, or whoever asks may not have it."""
    spec, user = request["spec"], request["spec"].get("username") or ""
    if spec["signerName"] != KUBELET_CLIENT or (request.get("status") or {}).get("certificate"):
        return None
    wanted = _wanted(spec)
    if _problem(KUBELET_CLIENT, wanted, spec.get("usages") or []):
        return None
    kinds = (("selfnodeclient", "self kubelet"),) if user == wanted.common_name else ()
    for subresource, words in (*kinds, ("nodeclient", "kubelet")):
        answer = yield Create(_review(spec, subresource))
        if isinstance(answer, dict) and answer["status"].get("allowed"):
            return {
                "lastTransitionTime": clock.timestamp,
                "lastUpdateTime": clock.timestamp,
                "message": f"Auto approving {words} client certificate after SubjectAccessReview.",
                "reason": "AutoApproved",
                "status": "True",
                "type": "Approved",
            }
    return None


def _review(spec: Object, subresource: str) -> Object:
    """May whoever made the request create such requests?"""
    asked = {
        "group": "certificates.k8s.io", "resource": "certificatesigningrequests", "subresource": subresource,
        "verb": "create", "version": "*",
    }  # fmt: skip
    who = {"groups": spec.get("groups") or [], "uid": spec.get("uid") or "", "user": spec.get("username") or ""}
    kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
    return {**kind, "metadata": {}, "spec": {**who, "resourceAttributes": asked}}


def _wanted(spec: Object) -> x509.Request:
    return x509.read_request(b64decode(spec["request"]).decode("ascii", "replace"))


def _signed(request: Object, status: Object, clock: Clock) -> Object:
    """The status with the certificate, or with the condition that it can't be signed."""
    spec = request["spec"]
    wanted = _wanted(spec)
    problem = _problem(spec["signerName"], wanted, spec.get("usages") or [])
    if problem:
        failed = {
            "lastTransitionTime": clock.timestamp,
            "lastUpdateTime": clock.timestamp,
            "message": problem,
            "reason": "SignerValidationFailure",
            "status": "True",
            "type": "Failed",
        }
        return {**status, "conditions": [*(status.get("conditions") or ()), failed]}
    lifetime_s = max(SHORTEST_S, min(spec.get("expirationSeconds") or LONGEST_S, LONGEST_S))
    from_s = clock.now_s - BACKDATE_S
    serial = int(clock.uid("certificate", request["metadata"]["uid"]).replace("-", ""), 16)
    text = x509.issue(wanted, authority.of(clock.seed), spec.get("usages") or [], serial, from_s, from_s + lifetime_s)
    return {**status, "certificate": b64encode(text.encode()).decode()}


def _problem(signer: str, wanted: x509.Request, usages: list[str]) -> str:
    """Why a signer does not sign a request; '' if it does."""
    if signer == CLIENT:
        return _bad_usages(usages, "client auth")
    if signer not in (KUBELET_CLIENT, SERVING):
        return ""
    if wanted.organizations != ("system:nodes",):
        return "subject organization is not system:nodes"
    if wanted.emails:
        return "email subjectAltNames are not allowed"
    if wanted.uris:
        return "URI subjectAltNames are not allowed"
    if signer == SERVING and not wanted.dns_names and not wanted.ip_addresses:
        return "DNS or IP subjectAltName is required"
    if signer == KUBELET_CLIENT and wanted.dns_names:
        return "DNS subjectAltNames are not allowed"
    if signer == KUBELET_CLIENT and wanted.ip_addresses:
        return "IP subjectAltNames are not allowed"
    problem = _bad_usages(usages, "client auth" if signer == KUBELET_CLIENT else "server auth")
    if problem:
        return problem
    return (
        "" if wanted.common_name.startswith("system:node:") else "subject common name does not begin with system:node:"
    )


def _bad_usages(usages: list[str], needed: str) -> str:
    """The extended usage has to be there, digital signature and key encipherment may, nothing else."""
    allowed = sorted({*KEY_USAGES, needed})
    if needed in usages and set(usages) <= {*allowed}:
        return ""
    return f"usages did not match [{' '.join(allowed)}]"


def _end_s(request: Object, conditions: list[Object], issued: bool) -> int | None:
    """When a request is cleaned away: an hour after it was denied, failed or signed, a day after it was made if nobody
    decides. One that is approved for a signer that does not sign stays."""
    if not conditions:
        return seconds(request["metadata"]["creationTimestamp"]) + PENDING_S
    ends = [
        seconds(one["lastUpdateTime"]) + DECIDED_S
        for one in conditions
        if one.get("lastUpdateTime") and (one["type"] in ("Denied", "Failed") or (one["type"] == "Approved" and issued))
    ]
    return min(ends, default=None)
