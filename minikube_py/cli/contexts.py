"""The namespace that a context prefers (`kpy config set-context --current --namespace=x`): a file beside the clusters."""

from __future__ import annotations

import os

from minikube_py import home


def namespace(context: str | None) -> str:
    """The namespace of a context, the current one for None; 'default' unless somebody set another."""
    return home.read(_file(context or home.current())) or "default"


def set_namespace(context: str, value: str) -> None:
    """Keep the namespace that a context prefers. Raises StoreError."""
    home.path(context)  # refuses names that could leave the folder
    home.write(_file(context), value + "\n")


def _file(context: str) -> str:
    return os.path.join(home.root(), "namespaces", context)
