"""The shape of a scheduler plugin.

kube-scheduler asks every plugin about every node. Here a plugin first says what it sees of a node (`place` for filters,
`measure` for scores): a small hashable value that depends on this node alone and is kept until the node or its pods
change. Nodes about which all plugins see the same form one class; verdicts and scores, which may depend on the whole
cluster (spreading, affinity, normalisation), are then worked out once per class. A thousand equal nodes cost as much as one.

Source: pkg/scheduler/framework/interface.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterable, Sequence

    from minikube_py.api.types import Action, Object, Outcome
    from minikube_py.base.clock import Clock
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.cycle import Decision
    from minikube_py.scheduler.nodes import NodeInfo

MAX_SCORE = 100


class Refusal(NamedTuple):
    """Why a node does not do. `resolvable`: removing pods from it might help, so preemption may try."""

    reasons: tuple[str, ...]
    resolvable: bool = False


class Rejected(Exception):
    """Raised by `pre_filter`: no node will do, whatever the nodes are like."""


class Feasible(NamedTuple):
    """The nodes that passed all filters, as classes. `sizes()` tells how many nodes each class has."""

    nodes: int
    sizes: Callable[[], list[int]]


class Plan(NamedTuple):
    """What `post_filter` does for a pod that no node took. `node`: to be promised to it; '' if nothing helps: then `message` says
    why, and `clear` whether an old promise is void. `prepare`: what empties the node, done once it is promised."""

    node: str = ""
    prepare: Iterable[Action] = ()
    message: str = ""
    clear: bool = False


# What a state of a plugin follows: pods of a namespace with a label (None: any), pods with (anti-)affinity, or all.
Mark: TypeAlias = "tuple[str, tuple[str, str] | None]"
EVERYONE: Mark = ("", None)
AFFINE: Mark = ("", ("affinity", ""))


class Plugin:
    """One plugin; each extension point may be left out. Plugins hold no data: what they learn about a pod is the state
    that `pre_filter` and `pre_score` return and that the other calls are given. A state of None skips the plugin.

    A state with a method `update(pod, node, sign)` is kept up to date: it is told of each pod that comes to (+1) or
    leaves (-1) a node; it can `copy()` itself for a question of what would be. It is not asked while it is `idle`, and
    made anew once it is `stale` or does not say that it `survives(node, change)` a change of a node.
    """

    name = ""
    helped_by: tuple[str, ...] = ()  # the happenings (see events) after which a refused pod may be tried again

    def pre_enqueue(self, pod: Object) -> str:
        """Why the pod may not be tried yet; '' if it may."""
        return ""

    @staticmethod
    def queue_key(pod: Object) -> tuple[Any, ...]:
        """Sorts the pods that wait to be tried; the one plugin for queueSort has it (Less)."""
        return ()

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        """The state for `place` and `filter`. Raises Rejected."""
        return None

    def candidates(self, state: Any) -> frozenset[str] | None:
        """The names of the only nodes that can do; None if any might."""
        return None

    def place(self, state: Any, node: NodeInfo) -> Hashable:
        """All that the verdict on a node depends on, of that node. A Refusal is a verdict already."""
        return None

    def places(self, state: Any, nodes: Sequence[NodeInfo]) -> Sequence[Hashable]:
        """`place` for many nodes."""
        return [self.place(state, node) for node in nodes]

    def like(self, state: Any) -> Hashable:
        """Equal for states of `pre_filter` or `pre_score` with which every node looks the same: what was seen of nodes is then
        shared between the templates of pods. None: it is not."""
        return None

    def filter(self, state: Any, place: Any) -> Refusal | None:
        """The verdict on the nodes that look like this; None if they do."""
        return place if isinstance(place, Refusal) else None

    def may_help(self, pod: Object, node: NodeInfo | None, kind: str) -> bool:
        """Whether a happening of the right kind, on this node, may help a pod that the plugin refused. A guess may be
        wrong, but not a 'no' (a queueing hint)."""
        return True

    def post_filter(self, pod: Object, decision: Decision, cache: Cache, clock: Clock) -> Plan:
        """What can be done for a pod that `decision` found no node for."""
        return Plan()

    def reserve(self, state: Any, node: NodeInfo) -> Any:
        """What the pod needs on the chosen node besides room, from the state of `pre_filter`; None: nothing. It is a value that
        nobody else sees, so that there is nothing to take back (Unreserve) if the pod is not bound after all."""
        return None

    def pre_bind(self, pod: Object, reserved: Any, node: NodeInfo) -> Generator[Action, Outcome, bool]:
        """Ask for what was reserved. True: it is not there yet, so the pod waits, its node promised."""
        yield from ()
        return False

    def bind(self, pod: Object, node: str) -> Generator[Action, Outcome, str]:
        """Bind the pod to the node. Why that failed; '' if it did not."""
        yield from ()
        return ""

    def pre_score(self, pod: Object, cache: Cache) -> Any:
        """The state for `measure` and `score`."""
        return None

    def measure(self, state: Any, node: NodeInfo) -> Hashable:
        """All that the score of a node depends on, of that node."""
        return None

    def measures(self, state: Any, nodes: Sequence[NodeInfo]) -> Sequence[Hashable]:
        """`measure` for many nodes."""
        return [self.measure(state, node) for node in nodes]

    def raw(self, state: Any, measures: Sequence[Any], feasible: Feasible) -> list[int | None]:
        """The scores of each class of nodes before they are normalised; None for nodes that do not count."""
        return list(measures)

    def score(self, state: Any, measures: Sequence[Any], feasible: Feasible) -> list[int] | None:
        """The normalised scores, 0 to 100, of each class of nodes; None if the plugin has nothing to say after all."""
        return list(measures)


class Scored(NamedTuple):
    """A row of the profile: a scoring plugin and its weight."""

    plugin: Plugin
    weight: int


class Profile(NamedTuple):
    """The plugins of each extension point in the order in which they are asked: queueSort (one), preEnqueue, preFilter and filter,
    postFilter, preScore and score, reserve, preBind, bind. `percent`: percentageOfNodesToScore; 0: fewer, the larger the
    cluster is."""

    sort: tuple[Plugin, ...]
    gates: tuple[Plugin, ...]
    filters: tuple[Plugin, ...]
    post_filters: tuple[Plugin, ...]
    scores: tuple[Scored, ...]
    reserves: tuple[Plugin, ...]
    pre_binds: tuple[Plugin, ...]
    binds: tuple[Plugin, ...]
    percent: int = 0


def normalize(scores: Sequence[int], *, reverse: bool = False) -> list[int]:
    """Scale so that the largest becomes 100; `reverse` turns the scale round (DefaultNormalizeScore).

    [0, 1, 4] becomes [0, 25, 100], reversed [100, 75, 0].
    """
    most = max(scores, default=0)
    if most == 0:
        return [MAX_SCORE if reverse else 0] * len(scores)
    scaled = [MAX_SCORE * score // most for score in scores]
    return [MAX_SCORE - score for score in scaled] if reverse else scaled
