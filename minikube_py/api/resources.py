"""What `kubectl api-resources` and `api-versions` list: rows computed from the table of kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind, Registry


DEPRECATED = {
    ("v1", "ComponentStatus"): "v1 ComponentStatus is deprecated in v1.19+",
    ("v1", "Endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}


class Row(NamedTuple):
    """One line of `kubectl api-resources -o wide`."""

    name: str
    short_names: str
    api_version: str
    namespaced: bool
    kind: str
    verbs: str
    categories: str

    @property
    def full_name(self) -> str:
        """'deployments.apps': what `-o name` prints."""
        group = self.api_version.rpartition("/")[0]
        return f"{self.name}.{group}" if group else self.name


def rows(
    registry: Registry,
    *,
    group: str | None = None,
    namespaced: bool | None = None,
    categories: tuple[str, ...] = (),
    verbs: tuple[str, ...] = (),
    sort_by: str = "",
    simulated: bool = True,
) -> list[Row]:
    """The resources in kubectl's order: by group, then name (or by `sort_by`: 'name' or 'kind').

    `group` '' is the core group; `verbs` and `categories`: all of them must be there; `simulated`: with the simulator's own.
    """
    found = [
        kind
        for kind in registry.kinds
        if (group is None or kind.group == group)
        and (namespaced is None or kind.namespaced == namespaced)
        and all(verb in kind.verbs for verb in verbs)
        and all(category in kind.categories for category in categories)
        and (simulated or not kind.simulated)
    ]
    found.sort(key=lambda kind: (kind.group, kind.plural))
    if sort_by == "name":
        found.sort(key=lambda kind: kind.plural)
    elif sort_by == "kind":
        found.sort(key=lambda kind: kind.name)
    return [_row(kind) for kind in found]


def _row(kind: Kind) -> Row:
    return Row(
        kind.plural,
        ",".join(kind.short),
        kind.version,
        kind.namespaced,
        kind.name,
        ",".join(kind.verbs),
        ",".join(kind.categories),
    )


def header(wide: bool = False) -> tuple[str, ...]:
    """The head of the table."""
    names = ("NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND")
    return (*names, "VERBS", "CATEGORIES") if wide else names


def cells(row: Row, wide: bool = False) -> list[str]:
    """A row as text, in the order of `header`."""
    texts = [row.name, row.short_names, row.api_version, "true" if row.namespaced else "false", row.kind]
    return [*texts, row.verbs, row.categories] if wide else texts


def versions(registry: Registry, simulated: bool = True) -> list[str]:
    """What `kubectl api-versions` prints, sorted."""
    return sorted(
        {
            version
            for kind in registry.kinds
            if simulated or not kind.simulated
            for version in (kind.version, *kind.others)
        }
    )


def deprecation(kind: Kind, api_version: str = "") -> str:
    """What the API server warns of whenever this version of a kind is used (without 'Warning: '), or ''."""
    version = api_version or kind.version
    if kind.schemas is not None:
        return kind.schemas.deprecations.get(version, "")
    return DEPRECATED.get((version, kind.name), "")
