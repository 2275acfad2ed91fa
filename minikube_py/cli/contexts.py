"""The namespace that a context prefers (`kpy config set-context --current --namespace=x`): a file beside the clusters."""

from __future__ import annotations

from minikube_py import home
from minikube_py.base.errors import StoreError


def namespace(context: str | None) -> str:
    """The namespace of a context, the current one for None; 'default' unless somebody set another."""
    try:
        return (home.root() / "namespaces" / (context or home.current())).read_text(errors="replace").strip() or "default"
    except OSError:
        return "default"


def set_namespace(context: str, value: str) -> None:
    home.path(context)  # refuses names that could leave the folder
    file = home.root() / "namespaces" / context
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(value + "\n")
    except OSError as error:
        raise StoreError(f"cannot write {file}: {error.strerror}") from error
