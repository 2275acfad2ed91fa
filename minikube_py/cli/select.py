"""Which objects a command line means: TYPE, TYPE NAME..., TYPE/NAME..., TYPE1,TYPE2, `all`, -f FILE, -l, --all.

The rules and texts are those of k8s.io/cli-runtime pkg/resource (builder.go, visitor.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import BadRequest, Forbidden, KpyError, MethodNotAllowed, StatusError, UsageError
from minikube_py.cli.call import in_version

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple

    from minikube_py.api.kinds import Kind, Registry
    from minikube_py.cli.call import Call
else:
    from minikube_py.base.record import NamedTuple


Object = dict[str, Any]

NOTHING_GIVEN = """You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""


SELECT_ALL = ("delete", "apply view-last-applied")  # where --all is a selector, and not a way of naming a type
NO_SELECTABLE = "at least one resource must be specified to use a selector"


class Target(NamedTuple):
    """One object by name, or (name '') all objects of a kind."""

    kind: Kind
    name: str = ""


class Item(NamedTuple):
    """An object that a command works on; `object` is what the cluster has, or (for files, unread) the file's."""

    kind: Kind
    namespace: str
    name: str
    object: Object
    source: str = ""

    @property
    def title(self) -> str:
        """'deployment.apps/web'."""
        return f"{self.kind.qualified}/{self.name or '<unknown>'}"


class Found(NamedTuple):
    """`single`: the words meant exactly one object (so that -o yaml prints it and not a List); `kinds`: all that were asked
    for, found or not."""

    items: list[Item]
    errors: list[KpyError]
    single: bool
    kinds: list[Kind]


def kind_named(registry: Registry, word: str) -> Kind:
    """The kind that a person typed. Raises UsageError: the server doesn't have a resource type "x"."""
    kind = registry.named(word)
    if kind is None:
        raise UsageError(f'the server doesn\'t have a resource type "{word.partition(".")[0]}"')
    return _at_version(kind, word)


def _at_version(kind: Kind, word: str) -> Kind:
    """A custom kind in the version that was named (widgets.v1alpha1.example.com), as it is shown then."""
    if kind.schemas is None or "." not in word:
        return kind
    tail = word.lower().partition(".")[2]
    for version in kind.others:
        if tail == f"{version.rpartition('/')[2]}.{kind.group}":
            others = tuple(one for one in (kind.version, *kind.others) if one != version)
            return kind._replace(version=version, others=others, columns=kind.schemas.columns[version])
    return kind


def kinds_named(registry: Registry, words: str) -> list[Kind]:
    """Kinds of 'po,svc' or 'all', in order, each once."""
    kinds: dict[str, Kind] = {}
    for word in words.split(","):
        if not word:
            raise UsageError("arguments must consist of a resource or a resource and name")
        for kind in registry.category(word) or (kind_named(registry, word),):
            kinds.setdefault(kind.resource, kind)
    return list(kinds.values())


def targets(registry: Registry, args: list[str], *, bare_types: bool) -> list[Target]:
    """What the words name. `bare_types`: a type alone means all its objects (get), else it is refused (scale)."""
    if any("/" in word for word in args):
        return [_slashed(registry, word, args) for word in args]
    if not args:
        return []
    kinds = kinds_named(registry, args[0])
    names = list(dict.fromkeys(args[1:]))
    if names:
        return [Target(kind, name) for kind in kinds for name in names]
    if not bare_types:
        raise UsageError("resource(s) were provided, but no name was specified")
    return [Target(kind) for kind in kinds]


def _slashed(registry: Registry, word: str, args: list[str]) -> Target:
    if "/" not in word:
        raise UsageError(
            "there is no need to specify a resource type as a separate argument when passing arguments in resource/name "
            "form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'"
        )
    parts = word.split("/")
    if len(parts) != 2:
        raise UsageError("arguments in resource/name form may not have more than one slash")
    if not parts[0] or not parts[1]:
        raise UsageError("arguments in resource/name form must have a single resource and name")
    kinds = kinds_named(registry, parts[0])
    if len(kinds) != 1:
        raise UsageError("arguments in resource/name form must have a single resource and name")
    return Target(kinds[0], parts[1])


def find(
    call: Call,
    args: list[str] | None = None,
    *,
    bare_types: bool = False,
    every: bool = False,
    all_namespaces: bool = False,
    labels: str = "",
    fields: str = "",
    read: bool = True,
) -> Found:
    """The objects that a call means. `every`: --all; `read` False: named objects need not exist (delete).

    Errors about single objects (mostly NotFound) are collected, the other objects are still found.
    """
    args = call.args if args is None else args
    if every and labels:
        raise UsageError("setting 'all' parameter but found a non empty selector. ")
    if call.list("filename") or call.text("kustomize"):
        return _of_files(call, args, read)
    if not args:
        selects = labels or fields or (every and call.command in SELECT_ALL)
        raise UsageError(NO_SELECTABLE if selects else NOTHING_GIVEN)
    wanted = targets(call.registry, args, bare_types=bare_types or every or bool(labels or fields))
    named = [target for target in wanted if target.name]
    if named and labels:
        raise UsageError("name cannot be provided when a selector is specified")
    if named and all_namespaces:
        raise UsageError("a resource cannot be retrieved by name across all namespaces")
    if named:
        return _named(call, named, read)
    kinds = [target.kind for target in wanted]
    refused: list[KpyError] = []
    items = _listed(call, kinds, all_namespaces, labels, fields, refused)
    hidden = {(error.details or {}).get("kind") for error in refused if isinstance(error, Forbidden)}
    return Found(items, refused, False, [kind for kind in kinds if kind.plural not in hidden])


def _named(call: Call, wanted: list[Target], read: bool) -> Found:
    items: list[Item] = []
    errors: list[KpyError] = []
    for kind, name in wanted:
        check_name(name)
        namespace = call.namespace if kind.namespaced else ""
        if not read:
            items.append(Item(kind, namespace, name, {}))
            continue
        try:
            items.append(Item(kind, namespace, name, call.read(kind, name, namespace)))
        except StatusError as error:
            errors.append(error)
    return Found(items, errors, len(wanted) == 1, _distinct(kind for kind, _ in wanted))


def check_name(name: str) -> None:
    """What cannot be one part of a URL's path is refused before it is sent (apimachinery path.IsValidPathSegmentName)."""
    if name in (".", ".."):
        raise UsageError(f"invalid resource name \"{name}\": [may not be '{name}']")
    wrong = [f"may not contain '{char}'" for char in "/%" if char in name]
    if wrong:
        raise UsageError(f'invalid resource name "{name}": [{" ".join(wrong)}]')


def _listed(
    call: Call, kinds: list[Kind], all_namespaces: bool, labels: str, fields: str, refused: list[KpyError]
) -> list[Item]:
    """The objects of some kinds. Those that one may not read are told in `refused`, the others are read."""
    items = []
    for kind in kinds:
        call.note_deprecation(kind)
        _check_labels(kind, labels, fields)
        if "list" not in kind.verbs:
            raise MethodNotAllowed("the server does not allow this method on the requested resource")
        namespace = call.namespace if kind.namespaced and not all_namespaces else None
        try:
            found = call.cluster.list(kind.resource, namespace, labels=labels, fields=fields)
        except Forbidden as error:
            refused.append(error)
            continue
        items += [item_of(kind, in_version(kind, obj)) for obj in found]
    return items


def _check_labels(kind: Kind, labels: str, fields: str) -> None:
    """A bad label selector is refused by the API server, which names the resource."""
    if not labels:
        return
    from minikube_py.base import selector

    try:
        selector.parse(labels)
    except selector.SelectorError as error:
        group, _, version = kind.version.rpartition("/")
        raise BadRequest(
            f'Unable to find "{group}/{version}, Resource={kind.plural}" that match label selector "{labels}", '
            f'field selector "{fields}": {error}'
        ) from None


def _of_files(call: Call, args: list[str], read: bool) -> Found:
    if args:
        raise UsageError(
            "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well"
        )
    return of_files(call, read)


def of_files(call: Call, read: bool = False) -> Found:
    """The objects of -f and -k; `read`: as the cluster has them. What is wrong with one does not hide the others."""
    items: list[Item] = []
    errors: list[KpyError] = []
    kinds = []
    for obj, source in call.documents(errors):
        try:
            item = of_document(call, obj, source)
            kinds.append(item.kind)
            found = call.read(item.kind, item.name, item.namespace) if read else obj
            items.append(item._replace(object=found))
        except (StatusError, UsageError) as error:
            errors.append(error)
    return Found(items, errors, len(items) + len(errors) == 1, _distinct(kinds))


def locally(call: Call) -> Found:
    """The objects of the files as they stand there (--local): no cluster is asked, so kinds that nobody knows will do."""
    items = [of_document(call, obj, source, local=True) for obj, source in call.documents()]
    return Found(items, [], len(items) == 1, _distinct(item.kind for item in items))


def _distinct(kinds: Iterable[Kind]) -> list[Kind]:
    return list({kind.resource: kind for kind in kinds}.values())


def of_document(call: Call, obj: Object, source: str, *, local: bool = False) -> Item:
    """The place of an object that was read from a file. Raises UsageError for unknown kinds and foreign namespaces."""
    version, kind_name = obj.get("apiVersion") or "", obj.get("kind") or ""
    metadata = obj.get("metadata") or {}
    name, namespace = metadata.get("name") or "", metadata.get("namespace") or ""
    kind = call.registry.find(version, kind_name)
    if kind is None and local:
        from minikube_py.api.kinds import Kind

        kind = Kind(kind_name, version, kind_name.lower(), singular_name=kind_name.lower())
    if kind is None:
        raise UsageError(
            f'resource mapping not found for name: "{name}" namespace: "{namespace}" from "{source}": '
            f'no matches for kind "{kind_name}" in version "{version}"\nensure CRDs are installed first'
        )
    if not kind.namespaced:
        return Item(kind, "", name, obj, source)
    asked = call.text("namespace")
    if asked and namespace and namespace != asked:
        raise UsageError(
            f'the namespace from the provided object "{namespace}" does not match the namespace "{asked}". '
            f"You must pass '--namespace={namespace}' to perform this operation."
        )
    return Item(kind, namespace or call.namespace, name, obj, source)


def item_of(kind: Kind, obj: Object) -> Item:
    """The Item of an object that the cluster has."""
    metadata = obj["metadata"]
    return Item(kind, metadata.get("namespace") or "", metadata["name"], obj)
