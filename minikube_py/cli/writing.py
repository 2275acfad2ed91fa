"""What all changing commands share: one transaction for a whole command, dry runs, `KEY=VALUE KEY-` words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import failures, select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Found, Item

Object = dict[str, Any]

OPERATORS = {"in": "In", "notin": "NotIn", "exists": "Exists", "!": "DoesNotExist"}
COMPARISONS = {"<": "lt", ">": "gt"}


def each(call: Call, items: Iterable[Item], work: Callable[[Item], None], errors: list[KpyError] | None = None) -> None:
    """Work on items in one transaction. An item that fails leaves the others done; the errors are raised at the end,
    behind `errors` that were found before."""
    collected = list(errors or ())
    with call.transaction():
        for item in items:
            try:
                work(item)
            except KpyError as error:
                collected.append(error)
    failures.raise_all(collected)


def chosen(call: Call, args: list[str] | None = None) -> Found:
    """The objects of a changing command: by name, -f, -l, --field-selector, --all, -A."""
    return select.find(
        call,
        args,
        bare_types=False,
        every=call.on("all"),
        all_namespaces=call.on("all-namespaces"),
        labels=call.text("selector"),
        fields=call.text("field-selector"),
    )


def patch(call: Call, item: Item, fields: Object, subresource: str = "") -> Object:
    """Merge fields into an object; with --dry-run=client only here. Returns the object as it is then."""
    if call.dry_run == "client" or call.on("local"):
        from minikube_py.base import patch as patches

        merged: Object = patches.merge(item.object, fields)
        return merged
    return call.cluster.patch(
        item.kind.resource,
        item.name,
        item.namespace,
        fields,
        type="merge",
        subresource=subresource,
        dry_run=call.dry_run == "server",
    )


def resources_and_pairs(args: list[str], what: str) -> tuple[list[str], list[str]]:
    """Split `pod web a=b c-` into the resource words and the pairs (cmdutil.GetResourcesAndPairs)."""
    resources: list[str] = []
    pairs: list[str] = []
    for word in args:
        if ("=" in word and not word.startswith("=")) or (word.endswith("-") and word != "-"):
            pairs.append(word)
        elif pairs:
            raise UsageError(f"all resources must be specified before {what} changes: {word}")
        else:
            resources.append(word)
    return resources, pairs


def values(pairs: list[str], what: str) -> dict[str, str]:
    """'a=b' words as a map (cmdutil.ParsePairs). Raises UsageError naming all that are none."""
    wrong = [pair for pair in pairs if "=" not in pair[1:]]
    if wrong:
        raise UsageError(f"invalid {what} format: {', '.join(wrong)}")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def label_selector(text: str) -> tuple[dict[str, str], list[Object]]:
    """The matchLabels and matchExpressions of 'app=web,tier in (a,b)' (metav1.ParseToLabelSelector). Raises UsageError."""
    from minikube_py.base import selector

    try:
        requirements = selector.parse(text).requirements
    except selector.SelectorError as error:
        raise UsageError(f'couldn\'t parse the selector string "{text}": {error}') from None
    labels: dict[str, str] = {}
    expressions: list[Object] = []
    for one in requirements:
        if one.operator in ("=", "=="):
            labels[one.key] = one.values[0]
        elif one.operator in OPERATORS:
            values = {"values": list(one.values)} if one.values else {}
            expressions.append({"key": one.key, "operator": OPERATORS[one.operator], **values})
        elif one.operator in COMPARISONS:
            raise UsageError(f'"{COMPARISONS[one.operator]}" isn\'t supported in label selectors')
        else:
            raise UsageError(f'"{one.operator}" is not a valid label selector operator')
    return labels, expressions


def nothing_found(call: Call) -> None:
    call.complain(f"No resources found in {call.namespace} namespace.")
