"""PROFILE: the plugins of the default scheduler, in its order, with its weights (pkg/scheduler/apis/config/v1/default_plugins.go).

`profile(ProfileArguments(...))` makes one with other plugins and arguments, as a KubeSchedulerConfiguration asks for
(pkg/scheduler/apis/config/types_pluginargs.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.scheduler.framework import Profile, Scored
from minikube_py.scheduler.plugins.default_binder import DefaultBinder
from minikube_py.scheduler.plugins.default_preemption import DefaultPreemption
from minikube_py.scheduler.plugins.image_locality import ImageLocality
from minikube_py.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from minikube_py.scheduler.plugins.node_affinity import NodeAffinity
from minikube_py.scheduler.plugins.node_name import NodeName
from minikube_py.scheduler.plugins.node_ports import NodePorts
from minikube_py.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from minikube_py.scheduler.plugins.node_resources_fit import NodeResourcesFit, Strategy
from minikube_py.scheduler.plugins.node_unschedulable import NodeUnschedulable
from minikube_py.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from minikube_py.scheduler.plugins.pod_topology_spread import PodTopologySpread
from minikube_py.scheduler.plugins.priority_sort import PrioritySort
from minikube_py.scheduler.plugins.scheduling_gates import SchedulingGates
from minikube_py.scheduler.plugins.taint_toleration import TaintToleration
from minikube_py.scheduler.plugins.volumes import VolumeBinding, VolumeRestrictions, VolumeZone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from minikube_py.api.types import Object
    from minikube_py.scheduler.framework import Plugin


# The default profile's filters in their order, and the weights of its scores.
FILTERS = (
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
)
WEIGHTS = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "NodeResourcesFit": 1,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}
# The one plugin at each of the other points.
OTHERS = {
    "queueSort": "PrioritySort",
    "preEnqueue": "SchedulingGates",
    "postFilter": "DefaultPreemption",
    "reserve": "VolumeBinding",
    "preBind": "VolumeBinding",
    "bind": "DefaultBinder",
}


class ProfileArguments(NamedTuple):
    """What a profile is made of, and the arguments of its plugins.

    `scoring`: NodeResourcesFitArgs.scoringStrategy; `ignored`: its ignoredResources, and its ignoredResourceGroups with a slash
    behind them. `added_affinity`: NodeAffinityArgs.addedAffinity, a node affinity that every pod is given on top of its own.
    `default_constraints`: PodTopologySpreadArgs.defaultConstraints (maxSkew, topologyKey, whenUnsatisfiable) for pods without
    constraints of their own; None: the system's defaults. `hard_weight`, `ignore_preferred`: InterPodAffinityArgs.
    `others`: the extension points besides filters and scores that have a plugin, and which. `percent`: see Profile.
    """

    filters: tuple[str, ...] = FILTERS
    weights: Mapping[str, int] = WEIGHTS
    scoring: Strategy = Strategy()
    ignored: tuple[str, ...] = ()
    added_affinity: Object | None = None
    default_constraints: Sequence[Object] | None = None
    hard_weight: int = 1
    ignore_preferred: bool = False
    others: Mapping[str, str] = OTHERS
    percent: int = 0


def profile(arguments: ProfileArguments) -> Profile:
    """A profile with these plugins and arguments."""
    found: tuple[Plugin, ...] = (
        PrioritySort(),
        SchedulingGates(),
        NodeUnschedulable(),
        NodeName(),
        TaintToleration(),
        NodeAffinity(arguments.added_affinity),
        NodePorts(),
        NodeResourcesFit(arguments.scoring, arguments.ignored),
        VolumeRestrictions(),
        NodeVolumeLimits(),
        VolumeBinding(),
        VolumeZone(),
        PodTopologySpread(arguments.default_constraints),
        InterPodAffinity(arguments.hard_weight, arguments.ignore_preferred),
        NodeResourcesBalancedAllocation(),
        ImageLocality(),
        DefaultPreemption(),
        DefaultBinder(),
    )
    plugins = {plugin.name: plugin for plugin in found}
    at = {point: tuple(plugins[name] for name in [arguments.others.get(point)] if name) for point in OTHERS}
    return Profile(
        sort=at["queueSort"],
        gates=at["preEnqueue"],
        filters=tuple(plugins[name] for name in arguments.filters),
        scores=tuple(Scored(plugins[name], weight) for name, weight in arguments.weights.items()),
        post_filters=at["postFilter"],
        reserves=at["reserve"],
        pre_binds=at["preBind"],
        binds=at["bind"],
        percent=arguments.percent,
    )


PROFILE = profile(ProfileArguments())
