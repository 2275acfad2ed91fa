"""The tokens controller: Secrets of type kubernetes.io/service-account-token are given the token of their account.

`step` runs on Secrets and is woken by: the Secret itself; the deletion of a ServiceAccount of its namespace. A Secret whose
account is missing, or is another one by now, is deleted.
Source: k8s.io/kubernetes/pkg/controller/serviceaccount/tokens_controller.go.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from minikube_py.api import authority
from minikube_py.api.accounts import NAME_NOTE, TOKEN_TYPE, UID_NOTE, legacy_claims
from minikube_py.api.types import Delete, Key, Patch
from minikube_py.controllers.ownership import is_deleting

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock


def step(secret: Object, view: View, clock: Clock) -> Actions:
    if secret.get("type") != TOKEN_TYPE or is_deleting(secret):
        return
    meta = secret["metadata"]
    key = Key("secrets", meta["namespace"], meta["name"])
    notes = meta.get("annotations") or {}
    account = view.get(Key("serviceaccounts", meta["namespace"], notes.get(NAME_NOTE) or ""))
    uid = notes.get(UID_NOTE)
    if account is None or (uid and uid != account["metadata"]["uid"]):
        yield Delete(key)
        return
    data = secret.get("data") or {}
    wanted = {"ca.crt": _encoded(authority.certificate(clock.seed)), "namespace": _encoded(meta["namespace"])}
    missing = {name: value for name, value in wanted.items() if data.get(name) != value}
    if not data.get("token"):
        from minikube_py.base import jwt

        missing["token"] = _encoded(jwt.sign(clock.seed, legacy_claims(account, meta["name"])))
    fields: Object = {"data": missing} if missing else {}
    if not uid:
        fields["metadata"] = {"annotations": {UID_NOTE: account["metadata"]["uid"]}}
    if fields:
        yield Patch(key, fields)


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()
