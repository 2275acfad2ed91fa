"""ImageLocality: nodes that have the images already (pkg/scheduler/framework/plugins/imagelocality)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.scheduler.framework import MAX_SCORE, Feasible, Plugin

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from minikube_py.api.types import Object
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

MIN_BYTES = 23 * 1024 * 1024
MAX_BYTES_PER_CONTAINER = 1000 * 1024 * 1024


class State(NamedTuple):
    images: tuple[str, ...]
    cache: Cache


class ImageLocality(Plugin):
    name = "ImageLocality"

    def pre_score(self, pod: Object, cache: Cache) -> Any:
        spec = pod["spec"]
        containers = (*(spec.get("initContainers") or ()), *spec["containers"])
        return State(tuple(normalized(found.get("image") or "") for found in containers), cache)

    def like(self, state: Any) -> Hashable:
        return state.images  # type: ignore[no-any-return]

    def measure(self, state: Any, node: NodeInfo) -> tuple[int, ...]:
        """The bytes of each image that the node has."""
        if not node.images:
            return ()
        return tuple(node.images.get(image, -1) for image in state.images)

    def raw(self, state: Any, measures: Sequence[tuple[int, ...]], feasible: Feasible) -> list[int | None]:
        return list(self.score(state, measures, feasible))

    def score(self, state: Any, measures: Sequence[tuple[int, ...]], feasible: Feasible) -> list[int]:
        """A large image counts; the more so, the more nodes have it, lest one node draws all pods."""
        return [_score(state, sizes) if sizes else 0 for sizes in measures]


def _score(state: State, sizes: tuple[int, ...]) -> int:
    total_nodes = state.cache.node_count()
    total = sum(
        int(size * (state.cache.nodes_with_image(image) / total_nodes))
        for image, size in zip(state.images, sizes, strict=True)
        if size >= 0
    )
    most = MAX_BYTES_PER_CONTAINER * len(sizes)
    return MAX_SCORE * (min(max(total, MIN_BYTES), most) - MIN_BYTES) // (most - MIN_BYTES)


def normalized(image: str) -> str:
    """With the tag that is meant: 'nginx' is 'nginx:latest'."""
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"
