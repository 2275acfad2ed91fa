"""kpy: a whole Kubernetes in one SQLite file, on a virtual clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minikube_py.cluster import Cluster

__version__ = "0.1.0"
__all__ = ["Cluster", "__version__"]


def __getattr__(name: str) -> Any:
    """`from minikube_py import Cluster` without paying for it in commands that only read."""
    if name == "Cluster":
        from minikube_py.cluster import Cluster

        return Cluster
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
