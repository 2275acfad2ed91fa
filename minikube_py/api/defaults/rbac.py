"""Defaults of roles and bindings. Source: pkg/apis/rbac/v1/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import always, each, fill, settle

Object = dict[str, Any]

_GROUP: Object = {"apiGroup": "rbac.authorization.k8s.io"}


def role(obj: Object) -> Object:
    """A Role or ClusterRole always shows its rules, null if it has none."""
    return fill(obj, {"rules": None})


def binding(obj: Object) -> Object:
    return each(always(obj, "roleRef", lambda reference: settle(reference, _GROUP)), "subjects", _subject)


def _subject(subject: Object) -> Object:
    return fill(subject, _GROUP) if subject.get("kind") in ("User", "Group") else subject
