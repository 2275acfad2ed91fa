"""CertificateApproval, CertificateSigning and CertificateSubjectRestriction: who may decide about signing requests.

Sources: plugin/pkg/admission/certificates/{approval,signing,subjectrestriction}/admission.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.apiserver import authorizer
from minikube_py.apiserver.authorizer import Subject, Target
from minikube_py.base import gotext

if TYPE_CHECKING:
    from minikube_py.apiserver.admission import Request

Object = dict[str, Any]

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"


def approval(request: Request) -> None:
    """Whoever approves or denies needs the verb `approve` on the signer."""
    if request.subresource == "approval":
        _require(request, "approve")


def signing(request: Request) -> None:
    """Whoever writes the certificate, or that it can't be signed, needs the verb `sign` on the signer."""
    now, before = ((obj or {}).get("status") or {} for obj in (request.object, request.old))
    if request.subresource != "status" or now.get("certificate") == before.get("certificate"):
        failed = [
            any(one.get("type") == "Failed" for one in status.get("conditions") or ()) for status in (now, before)
        ]
        if request.subresource != "status" or failed[0] == failed[1]:
            return
    _require(request, "sign")


def subject(request: Request) -> None:
    """No client certificate may make anybody a master."""
    from minikube_py.base import x509

    assert request.object is not None
    spec = request.object["spec"]
    if spec.get("signerName") != CLIENT_SIGNER:
        return
    wanted = x509.read_request(decoded(spec.get("request") or ""))
    if authorizer.MASTERS in wanted.organizations:
        raise request.forbidden(f"use of {CLIENT_SIGNER} signer with {authorizer.MASTERS} group is not allowed")


def decoded(request: str) -> str:
    """The PEM text in a request's base64; '' if it is none."""
    from base64 import b64decode

    try:
        return b64decode(request).decode("ascii", "replace")
    except ValueError:
        return ""


def _require(request: Request, verb: str) -> None:
    """Asks for the signer's name, and for its domain as a whole. Components of the cluster have no groups here."""
    if not request.groups:
        return
    assert request.object is not None
    signer = request.object["spec"].get("signerName") or ""
    who = Subject(request.user, request.groups)
    for name in (signer, f"{signer.partition('/')[0]}/*"):
        if authorizer.allows(request.view, who, verb, Target("certificates.k8s.io", "signers", "", name)):
            return
    raise request.forbidden(f"user not permitted to {verb} requests with signerName {gotext.quoted(signer)}")
