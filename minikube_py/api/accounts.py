"""What API server and controllers have to know alike about service accounts and their tokens."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

ISSUER = "https://kubernetes.default.svc.cluster.local"
LEGACY_ISSUER = "kubernetes/serviceaccount"
LEGACY = "kubernetes.io/serviceaccount/"
PREFIX = "system:serviceaccount:"
TOKEN_TYPE = "kubernetes.io/service-account-token"
NAME_NOTE, UID_NOTE = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"


def legacy_claims(account: Object, secret: str) -> Object:
    """The claims of the token in a Secret of type kubernetes.io/service-account-token (pkg/serviceaccount/legacy.go)."""
    meta = account["metadata"]
    return {
        "iss": LEGACY_ISSUER,
        f"{LEGACY}namespace": meta["namespace"],
        f"{LEGACY}secret.name": secret,
        f"{LEGACY}service-account.name": meta["name"],
        f"{LEGACY}service-account.uid": meta["uid"],
        "sub": f"{PREFIX}{meta['namespace']}:{meta['name']}",
    }
