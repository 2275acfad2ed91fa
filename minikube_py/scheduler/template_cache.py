"""The templates that are kept, and which of their states a pod concerns: a pod that comes to a node or leaves it is told to
those alone that may count it, however many templates there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from minikube_py.scheduler.framework import AFFINE, EVERYONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from minikube_py.api.types import Object
    from minikube_py.scheduler.framework import Mark
    from minikube_py.scheduler.templates import Template

    Followers: TypeAlias = dict[int, Any]  # states by their ids

TEMPLATES_MAX = 64


class TemplateCache:
    """Templates by their keys, oldest first."""

    def __init__(self) -> None:
        self._templates: dict[Any, Template] = {}
        self._followers: dict[Mark, Followers] = {}

    def __len__(self) -> int:
        return len(self._templates)

    def __iter__(self) -> Iterator[Template]:
        return iter(self._templates.values())

    def get(self, key: Any) -> Template | None:
        return self._templates.get(key)

    def add(self, key: Any, template: Template) -> None:
        """In place of the oldest one, if there are too many."""
        while len(self._templates) >= TEMPLATES_MAX:
            self.forget(next(iter(self._templates)))
        self._templates[key] = template
        for state in template.live:
            for mark in _marks(state):
                self._followers.setdefault(mark, {})[id(state)] = state

    def forget(self, key: Any) -> None:
        template = self._templates.pop(key, None)
        for state in template.live if template is not None else ():
            for mark in _marks(state):
                followers = self._followers[mark]
                followers.pop(id(state), None)
                if not followers:
                    del self._followers[mark]

    def clear(self) -> None:
        self._templates, self._followers = {}, {}

    def keep(self, fits: Callable[[Template], bool]) -> None:
        """Forget those that do not fit any more."""
        for key in [key for key, template in self._templates.items() if not fits(template)]:
            self.forget(key)

    def concerned_by(self, pod: Object) -> Iterable[Any]:
        """The states that may count a pod, each once."""
        meta, followers = pod["metadata"], self._followers
        namespace = meta["namespace"]
        marks: list[Mark] = [EVERYONE, (namespace, None)]
        marks += [(namespace, pair) for pair in (meta.get("labels") or {}).items()]
        if pod["spec"].get("affinity"):
            marks.append(AFFINE)
        found: Followers = {}
        for mark in marks:
            if mark in followers:
                found.update(followers[mark])
        return found.values()


def _marks(state: Any) -> Iterable[Mark]:
    """What the pods have, one of it at least, that the state may count."""
    told: Iterable[Mark] | None = getattr(state, "marks", None)
    return (EVERYONE,) if told is None else dict.fromkeys(told)
