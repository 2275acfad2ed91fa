"""What a KubeSchedulerConfiguration makes of the scheduler: its profiles, and how long refused pods rest.

Sources: pkg/scheduler/apis/config/validation, pkg/scheduler/framework/runtime/framework.go (expandMultiPointPlugins).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import placement
from minikube_py.api.validation.causes import Causes
from minikube_py.scheduler import configuration_shape as shape
from minikube_py.scheduler.plugins.node_resources_fit import LEAST, MOST, RATIO, Strategy
from minikube_py.scheduler.profile import FILTERS, OTHERS, WEIGHTS, ProfileArguments, profile
from minikube_py.scheduler.settings import DEFAULT_NAME, FILE, ConfigurationError, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from minikube_py.api.types import Object

API_VERSION, KIND = "kubescheduler.config.k8s.io/v1", "KubeSchedulerConfiguration"
FILTER_POINTS, SCORE_POINTS = ("preFilter", "filter"), ("preScore", "score")


def read(text: str) -> Settings:
    """The settings of a file. Raises ConfigurationError, or UsageError if it is no YAML."""
    from minikube_py.api import documents

    found = [document.object for document in documents.read_text(text, FILE)]
    if len(found) != 1 or not isinstance(found[0], dict):
        raise ConfigurationError(f"couldn't decode as {KIND}, got {len(found)} documents")
    config = found[0]
    if (config.get("apiVersion"), config.get("kind")) != (API_VERSION, KIND):
        raise ConfigurationError(
            f'no kind "{config.get("kind") or ""}" is registered for version "{config.get("apiVersion") or ""}" in scheme '
            '"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme/scheme.go"'
        )
    wrong = shape.problem(config, shape.CONFIGURATION, "")
    if wrong:
        raise ConfigurationError(wrong)
    return _settings(shape.without_nulls(config))


def _settings(config: Object) -> Settings:
    causes = Causes()
    rows = config.get("profiles") or [{}]
    first, longest = config.get("podInitialBackoffSeconds") or 1, config.get("podMaxBackoffSeconds") or 10
    percent = config.get("percentageOfNodesToScore")
    names: dict[str, int] = {}
    arguments = []
    for index, row in enumerate(rows):
        path = f"profiles[{index}]"
        name = row.get("schedulerName") or (DEFAULT_NAME if len(rows) == 1 else "")
        if not name:
            causes.required(f"{path}.schedulerName")
        elif name in names:
            causes.duplicate(f"{path}.schedulerName", f"profiles[{names[name]}].schedulerName")
        names.setdefault(name, index)
        arguments.append(_arguments(causes, row, path, percent))
    _percent(causes, percent, "percentageOfNodesToScore")
    if first < 0:
        causes.invalid("podInitialBackoffSeconds", first, "must be greater than 0")
    if longest < first:
        causes.invalid("podMaxBackoffSeconds", longest, "must be greater than or equal to PodInitialBackoffSeconds")
    if config.get("extenders"):
        causes.forbidden("extenders", "this scheduler calls no extenders")
    if causes.found:
        texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes.found))
        raise ConfigurationError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return Settings({name: profile(one) for name, one in zip(names, arguments, strict=True)}, first, longest)


def _percent(causes: Causes, value: Any, path: str) -> None:
    if value is not None and not 0 <= value <= 100:
        causes.invalid(path, value, "not in valid range [0-100]")


def _arguments(causes: Causes, row: Object, path: str, percent: int | None) -> ProfileArguments:
    own = row.get("percentageOfNodesToScore")
    _percent(causes, own, f"{path}.percentageOfNodesToScore")
    filters, weights, others = _enabled(row.get("plugins") or {})
    _needed(others, row.get("schedulerName") or DEFAULT_NAME)
    made = ProfileArguments(filters=filters, weights=weights, others=others, percent=(own or percent) or 0)
    seen: set[str] = set()
    for index, found in enumerate(row.get("pluginConfig") or ()):
        name, args, where = found.get("name") or "", found.get("args") or {}, f"{path}.pluginConfig[{index}]"
        wrong = shape.problem(args, shape.ARGUMENTS[name], f"{where}.args") if name in shape.ARGUMENTS else ""
        if wrong:
            raise ConfigurationError(wrong)
        if name in seen:
            causes.duplicate(where, name)
        seen.add(name)
        if name in READERS:
            made = READERS[name](causes, args, f"{where}.args", made)
        elif name not in KNOWN:
            raise ConfigurationError(f'{name} "{where}": no such plugin')
        elif {key for key in args if key not in ("apiVersion", "kind")}:
            causes.forbidden(f"{where}.args", f"{name} takes no arguments in this scheduler")
    return made


# -- which plugins -----------------------------------------------------------------------------------------------------

# What else the default profile has: it acts elsewhere, or nothing can be seen of it.
KNOWN = frozenset((*FILTERS, *WEIGHTS, *OTHERS.values(), "DynamicResources"))


def _enabled(plugins: Object) -> tuple[tuple[str, ...], dict[str, int], dict[str, str]]:
    """(filters, weights of the scores, the plugins at the other points) after everything that is enabled or disabled."""
    for point in plugins.values():
        for one in point.get("enabled") or ():
            if one.get("name") not in KNOWN:
                raise ConfigurationError(f'plugin "{one.get("name") or ""}" does not exist')
    everywhere = plugins.get("multiPoint") or {}
    filters = tuple(_at(plugins, everywhere, FILTER_POINTS, dict.fromkeys(FILTERS, 0)))
    scores = _at(plugins, everywhere, SCORE_POINTS, WEIGHTS)
    others = {point: name for point, name in OTHERS.items() if _at(plugins, everywhere, (point,), {name: 0})}
    return filters, scores, others


def _needed(others: Mapping[str, str], name: str) -> None:
    """There is no scheduler without a queue, or without somebody who binds."""
    if "queueSort" not in others:
        text = f'only one queue sort plugin required for profile with scheduler name "{name}", but got 0'
        raise ConfigurationError(text)
    if "bind" not in others:
        raise ConfigurationError(f'at least one bind plugin is needed for profile with scheduler name "{name}"')


def _at(plugins: Object, everywhere: Object, points: tuple[str, ...], defaults: Mapping[str, int]) -> dict[str, int]:
    """The plugins at some extension points, with their weights: those of multiPoint, then what the points themselves say."""
    found = _merged(dict(defaults), everywhere, defaults)
    for point in points:
        found = _merged(found, plugins.get(point) or {}, defaults)
    return found


def _merged(found: dict[str, int], point: Object, defaults: Mapping[str, int]) -> dict[str, int]:
    off = {one.get("name") for one in point.get("disabled") or ()}
    kept = {} if "*" in off else {name: weight for name, weight in found.items() if name not in off}
    for one in point.get("enabled") or ():
        name = one["name"]
        if name in defaults:
            kept[name] = one.get("weight") or defaults[name]
    return kept


# -- their arguments ---------------------------------------------------------------------------------------------------


def _fit(causes: Causes, args: Object, path: str, made: ProfileArguments) -> ProfileArguments:
    for index, group in enumerate(args.get("ignoredResourceGroups") or ()):
        if "/" in group:
            causes.invalid(f"{path}.ignoredResourceGroups[{index}]", group, "resource group name can't contain '/'")
    ignored = (*(args.get("ignoredResources") or ()), *(f"{one}/" for one in args.get("ignoredResourceGroups") or ()))
    made = made._replace(ignored=ignored)
    if "scoringStrategy" not in args:
        return made
    return made._replace(scoring=_strategy(causes, args["scoringStrategy"], f"{path}.scoringStrategy"))


def _strategy(causes: Causes, found: Object, path: str) -> Strategy:
    kind = found.get("type") or LEAST
    if kind not in (LEAST, MOST, RATIO):
        causes.not_supported(f"{path}.type", kind, (LEAST, MOST, RATIO))
        return Strategy()
    resources = []
    for index, one in enumerate(found.get("resources") or [{"name": "cpu"}, {"name": "memory"}]):
        weight = one.get("weight", 1)
        resources.append((one.get("name") or "", weight))
        if not 0 < weight <= 100:
            text = f"resource weight of {one.get('name')} not in valid range (0, 100]"
            causes.invalid(f"{path}.resources[{index}].weight", weight, text)
    ratio, where = found.get("requestedToCapacityRatio"), f"{path}.requestedToCapacityRatio"
    if kind != RATIO:
        if ratio is not None:
            causes.forbidden(where, f"must be nil when type is not {RATIO}")
        return Strategy(kind, tuple(resources))
    if ratio is None:
        causes.required(where, f"must be specified when type is {RATIO}")
        return Strategy()
    shape = [(point.get("utilization") or 0, point.get("score") or 0) for point in ratio.get("shape") or ()]
    _shape(causes, shape, f"{where}.shape")
    return Strategy(kind, tuple(resources), tuple(shape))


def _shape(causes: Causes, shape: list[tuple[int, int]], path: str) -> None:
    if not shape:
        causes.required(path, "at least one point must be specified")
    for index in range(1, len(shape)):
        if shape[index - 1][0] >= shape[index][0]:
            text = "values must be sorted in increasing order"
            causes.invalid(f"{path}[{index}].utilization", shape[index][0], text)
            break
    for index, (utilization, score) in enumerate(shape):
        if not 0 <= utilization <= 100:
            causes.invalid(f"{path}[{index}].utilization", utilization, "not in valid range [0, 100]")
        if not 0 <= score <= 10:
            causes.invalid(f"{path}[{index}].score", score, "not in valid range [0, 10]")


def _affinity(causes: Causes, args: Object, path: str, made: ProfileArguments) -> ProfileArguments:
    added = args.get("addedAffinity")
    if added:
        placement.affinity(causes, {"nodeAffinity": added}, path)
    return made._replace(added_affinity=added)


def _spread(causes: Causes, args: Object, path: str, made: ProfileArguments) -> ProfileArguments:
    kind = args.get("defaultingType") or "System"
    constraints: list[Object] = args.get("defaultConstraints") or []
    if kind not in ("System", "List"):
        causes.not_supported(f"{path}.defaultingType", kind, ("System", "List"))
    elif kind == "System" and constraints:
        causes.invalid(f"{path}.defaultingType", kind, "when .defaultConstraints are not empty")
    seen: set[tuple[Any, Any]] = set()
    for index, one in enumerate(constraints):
        where = f"{path}.defaultConstraints[{index}]"
        if not one.get("maxSkew", 0) > 0:
            causes.invalid(f"{where}.maxSkew", one.get("maxSkew", 0), "not in valid range (0, inf)")
        if not one.get("topologyKey"):
            causes.required(f"{where}.topologyKey", "can not be empty")
        if not one.get("whenUnsatisfiable"):
            causes.required(f"{where}.whenUnsatisfiable", "can not be empty")
        else:
            causes.one_of(f"{where}.whenUnsatisfiable", one["whenUnsatisfiable"], ("DoNotSchedule", "ScheduleAnyway"))
        if one.get("labelSelector") is not None:
            text = "constraint must not define a selector, as they deduced for each pod"
            causes.forbidden(f"{where}.labelSelector", text)
        pair = one.get("topologyKey"), one.get("whenUnsatisfiable")
        if pair in seen:
            causes.duplicate(where, f"{{{pair[0]}, {pair[1]}}}")
        seen.add(pair)
    return made._replace(default_constraints=constraints if kind == "List" else None)


def _near(causes: Causes, args: Object, path: str, made: ProfileArguments) -> ProfileArguments:
    weight = args.get("hardPodAffinityWeight", 1)
    if not 0 <= weight <= 100:
        causes.invalid(f"{path}.hardPodAffinityWeight", weight, "not in valid range [0, 100]")
    return made._replace(hard_weight=weight, ignore_preferred=bool(args.get("ignorePreferredTermsOfExistingPods")))


READERS = {
    "NodeResourcesFit": _fit,
    "NodeAffinity": _affinity,
    "PodTopologySpread": _spread,
    "InterPodAffinity": _near,
}
