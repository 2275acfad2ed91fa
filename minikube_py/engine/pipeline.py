"""PIPELINE: every component that thinks, in causal order, with what wakes it.

A row: the step's name (and the file it is in), the component that its writes and events carry, the resource whose objects
it looks at, its function, and for each resource that concerns it the mappings from a change to its keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Step(NamedTuple):
    name: str
    component: str
    resource: str  # '*': objects of every resource
    function: str  # 'controllers.deployment:step', below minikube_py
    wakes_on: Mapping[str, tuple[Any, ...]]


PIPELINE: tuple[Step, ...] = ()
