"""`kubectl set image` (pkg/cmd/set/set_image.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import failures, podspecs, setting, writing

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]


def run(call: Call) -> None:
    resources, pairs = writing.resources_and_pairs(call.args, "image")
    images = writing.values(pairs, "image")
    objects = setting.found(call, resources)  # kubectl looks for the objects before it checks the words
    _check(call, resources, images)
    errors: list[KpyError] = []

    def change(spec: Object) -> Object:
        for name, image in images.items():
            changed = podspecs.with_containers(spec, lambda one, n=name, i=image: _with_image(one, n, i), init=True)  # type: ignore[misc]
            names = [one["name"] for field in ("initContainers", "containers") for one in spec.get(field) or ()]
            if name not in names and name != "*":
                errors.append(UsageError(f'error: unable to find container named "{name}"'))
            spec = changed
        return spec

    setting.change_specs(
        call, objects, change, "image updated", "failed to patch image update to pod template: ", errors
    )


def _with_image(container: Object, name: str, image: str) -> Object:
    return {**container, "image": image} if name in (container["name"], "*") else container


def _check(call: Call, resources: list[str], images: dict[str, str]) -> None:
    errors: list[KpyError] = []
    if call.on("all") and call.text("selector"):
        errors.append(UsageError("cannot set --all and --selector at the same time"))
    if not resources and not call.list("filename") and not call.text("kustomize"):
        errors.append(UsageError("one or more resources must be specified as <resource> <name> or <resource>/<name>"))
    if not images:
        errors.append(UsageError("at least one image update is required"))
    elif len(images) > 1 and "*" in images:
        errors.append(
            UsageError(
                "all containers are already specified by *, but saw more than one container_name=container_image pairs"
            )
        )
    failures.raise_all(errors)
