"""The kubeconfig of a server: a cluster, its users with their tokens, and a context for each.

In a file that is there already, entries of these names are replaced and all others stay.
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

from minikube_py import home
from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.api.types import Object

EMPTY: Object = {"apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "users": [], "preferences": {}}


def config(cluster: str, address: str, authority: str, tokens: dict[str, str], *, admin: str, namespace: str) -> Object:
    """`authority`: the PEM of the CA, '' for plain HTTP. The administrator's context is called like the cluster, those of
    other users CLUSTER-USER."""
    server: Object = {"server": address}
    if authority:
        server["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
    contexts, users = [], []
    for user, token in tokens.items():
        title = cluster if user == admin else f"{cluster}-{user}"
        context = {
            "cluster": cluster,
            "user": title,
            **({"namespace": namespace} if namespace not in ("", "default") else {}),
        }
        contexts.append({"name": title, "context": context})
        users.append({"name": title, "user": {"token": token}})
    return {
        **EMPTY,
        "clusters": [{"name": cluster, "cluster": server}],
        "contexts": contexts,
        "users": users,
        "current-context": cluster,
    }


def write(path: str, wanted: Object) -> None:
    """Write a kubeconfig, or put its entries into the one that is there. Raises UsageError if that is none."""
    merged = wanted
    if os.path.exists(path):
        merged = _merged(path, read(path), wanted)
    from minikube_py.printers import yaml_text

    home.write(path, yaml_text.dump(merged) + "\n")


def read(path: str) -> Object:
    """The kubeconfig in a file. Raises UsageError."""
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            found: Any = yaml.safe_load(file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read the kubeconfig {path}: {error}") from None
    if found is not None and not isinstance(found, dict):
        raise UsageError(f"{path} is not a kubeconfig")
    return found or {}


def _merged(path: str, there: Object, wanted: Object) -> Object:
    found = {**EMPTY, **there, "current-context": wanted["current-context"]}
    for field in ("clusters", "contexts", "users"):
        names = {one["name"] for one in wanted[field]}
        if not isinstance(there.get(field) or [], list):
            raise UsageError(f"{path} is not a kubeconfig: its {field} are no list")
        kept = [one for one in there.get(field) or () if not (isinstance(one, dict) and one.get("name") in names)]
        found[field] = [*kept, *wanted[field]]
    return found
