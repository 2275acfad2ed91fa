"""Policy tests: what a file of kind PolicyTest asks, and how it is answered in a copy of the cluster.

    apiVersion: sim.kpy.dev/v1alpha1
    kind: PolicyTest
    metadata: {name: shop}
    cases:
    - name: a viewer may not delete pods
      user: jane
      groups: [viewers]
      verb: delete
      resource: pods/web
      namespace: shop
      expect: deny
      message: cannot delete resource "pods"

docs/policies.md tells every field. All other documents of the folder are applied to the copy first, by the administrator.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import documents
from minikube_py.base.errors import AlreadyExists, Forbidden, Invalid, KpyError, TooManyRequests, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.apiserver.admission import Note
    from minikube_py.apiserver.authorizer import Subject
    from minikube_py.cluster import Cluster

Object = dict[str, Any]

KIND, VERSION = "PolicyTest", "sim.kpy.dev/v1alpha1"
EXPECTED = ("allow", "deny", "warn")
FIELDS = {
    "name": str, "user": str, "groups": list, "serviceAccount": str, "verb": str, "object": dict, "file": str,
    "resource": str, "namespace": str, "patch": (dict, list), "patchType": str, "subresource": str, "given": list,
    "expect": str, "message": str, "becomes": dict, "dryRun": bool,
}  # fmt: skip
READING = ("get", "list", "watch", "deletecollection", "impersonate", "bind", "escalate", "use", "approve", "sign")


class Case(NamedTuple):
    """One question; `asked` are its fields as they stand in the file, `where` is the file and line of its document."""

    suite: str
    name: str
    where: str
    folder: str
    asked: Object


class Result(NamedTuple):
    """`problem`: '' if everything was as expected, else what was not; `is_error`: the case could not be asked at all."""

    case: Case
    verdict: str
    text: str
    warnings: tuple[str, ...]
    notes: tuple[Note, ...]
    problem: str = ""
    is_error: bool = False


class Folder(NamedTuple):
    """What a folder holds: cases, and objects that are applied before them."""

    cases: list[Case]
    objects: list[documents.Document]


def read(path: str) -> Folder:
    """The test files and the objects of a file or folder, and of what is below it. Raises UsageError."""
    found = Folder([], [])
    for document in documents.read_path(path, recursive=True):
        for one in documents.flatten(document):
            if one.object.get("kind") == KIND:
                found.cases.extend(_cases(one))
            else:
                found.objects.append(one)
    if not found.cases:
        raise UsageError(f"{path} holds no document of kind {KIND}")
    return found


def _cases(document: documents.Document) -> Iterator[Case]:
    obj, where = document.object, f"{document.source}:{document.line or 1}"
    if obj.get("apiVersion") != VERSION:
        raise UsageError(f'{where}: a {KIND} has apiVersion {VERSION}, not "{obj.get("apiVersion", "")}"')
    unknown = sorted({*obj} - {"apiVersion", "kind", "metadata", "cases"})
    if unknown:
        raise UsageError(f'{where}: unknown field "{unknown[0]}"')
    cases = obj.get("cases")
    if not isinstance(cases, list) or not cases:
        raise UsageError(f"{where}: cases: a list with at least one case is wanted")
    suite = (obj.get("metadata") or {}).get("name") or os.path.basename(document.source)
    for index, asked in enumerate(cases):
        place = f"{where}: cases[{index}]"
        _check(asked, place)
        name = asked.get("name") or f"case {index + 1}"
        yield Case(suite, name, document.source, os.path.dirname(document.source), asked)


def _check(asked: Any, place: str) -> None:
    """Refuses what makes no sense, before anything is run."""
    if not isinstance(asked, dict):
        raise UsageError(f"{place}: a mapping is wanted")
    for field, value in asked.items():
        if field not in FIELDS:
            raise UsageError(f'{place}: unknown field "{field}"')
        if not isinstance(value, FIELDS[field]):  # type: ignore[arg-type]
            raise UsageError(f"{place}.{field}: {value!r} is of the wrong type")
    for field, sort, told in (("given", dict, "objects"), ("groups", str, "names")):
        if not all(isinstance(one, sort) for one in asked.get(field) or ()):
            raise UsageError(f"{place}.{field}: a list of {told} is wanted")
    if asked.get("expect") not in EXPECTED:
        raise UsageError(f"{place}.expect: one of {', '.join(EXPECTED)} is wanted")
    sources = [field for field in ("object", "file", "resource") if field in asked]
    if len(sources) != 1:
        raise UsageError(f"{place}: one of object, file and resource is wanted")
    if "user" in asked and "serviceAccount" in asked:
        raise UsageError(f"{place}: user and serviceAccount exclude each other")
    if "patch" in asked and "resource" not in asked:
        raise UsageError(f"{place}: patch goes with resource")
    if "resource" in asked and "verb" not in asked and "patch" not in asked:
        raise UsageError(f"{place}: verb is wanted with resource")


# -- running ------------------------------------------------------------------------------------------------------


def prepare(cluster: Cluster, objects: list[documents.Document]) -> None:
    """Apply what stands beside the tests, namespaces and definitions first; refusals name the file."""
    first = ("Namespace", "CustomResourceDefinition")
    for document in sorted(objects, key=lambda one: one.object.get("kind") not in first):
        try:
            cluster.apply(document.object)
        except KpyError as error:
            raise UsageError(f"{document.source}:{document.line or 1}: {error}") from None
    cluster.warnings.clear()


def run(cluster: Cluster, case: Case) -> Result:
    """Ask one case; nothing of it stays."""
    cluster.warnings.clear()
    with cluster.what_if():
        for index, given in enumerate(case.asked.get("given") or ()):
            try:
                _put(cluster, given)
            except KpyError as error:
                return Result(case, "error", str(error), (), (), f"given[{index}]: {error}", True)
        cluster.warnings.clear()
        return _asked(cluster, case)


def _put(cluster: Cluster, obj: Object) -> None:
    """Create an object, or replace the one of its name."""
    try:
        cluster.create(obj)
    except AlreadyExists:
        kind = cluster.registry.find(obj["apiVersion"], obj["kind"])
        assert kind is not None, obj
        meta = obj["metadata"]
        old = cluster.get(kind.resource, meta["name"], meta.get("namespace") or "")
        cluster.update({**obj, "metadata": {**old["metadata"], **meta}})


def _asked(cluster: Cluster, case: Case) -> Result:
    notes: list[Note] = []
    cluster.server.trace, cluster.subject = notes, _subject(case.asked)
    verdict, text, stored, is_error = "allow", "", None, False
    try:
        stored = _do(cluster, case)
    except KpyError as error:
        verdict, text = "deny", str(error)
        refused = isinstance(error, Forbidden | Invalid | TooManyRequests)
        is_error = not refused and not any(note.verdict in ("denies", "fails") for note in notes)
    finally:
        cluster.server.trace, cluster.subject = None, None
    warnings = tuple(dict.fromkeys(cluster.warnings))
    if is_error:
        return Result(case, "error", text, warnings, tuple(notes), text, True)
    found = Result(case, verdict, text, warnings, tuple(notes))
    return found._replace(problem=_problem(found, stored))


def _subject(asked: Object) -> Subject | None:
    from minikube_py.apiserver import authorizer

    account = asked.get("serviceAccount")
    user = asked.get("user") or ""
    if account:
        namespace, slash, name = account.partition("/")
        user = f"{authorizer.SERVICE_ACCOUNT}{namespace if slash else 'default'}:{name if slash else account}"
    return authorizer.impersonated(user, asked.get("groups") or ()) if user else None


def _do(cluster: Cluster, case: Case) -> Object | None:
    """Carry out what a case asks for, and return the object as it is stored then."""
    asked = case.asked
    dry_run = bool(asked.get("dryRun"))
    if "resource" in asked:
        return _on_stored(cluster, asked, dry_run)
    obj, verb = asked.get("object") or _of_file(case), asked.get("verb") or "create"
    namespace = asked.get("namespace") or "default"
    if verb == "create":
        return cluster.create(obj, namespace=namespace, dry_run=dry_run)
    if verb == "apply":
        return cluster.apply(obj, namespace=namespace, dry_run=dry_run)[0]
    if verb == "update":
        return cluster.update(obj, namespace=namespace, subresource=asked.get("subresource") or "", dry_run=dry_run)
    raise UsageError(f'verb "{verb}" goes with resource, not with an object')


def _of_file(case: Case) -> Object:
    found = list(documents.read_path(os.path.join(case.folder, case.asked["file"])))
    if len(found) != 1:
        raise UsageError(f"{case.asked['file']}: one document is wanted, not {len(found)}")
    return found[0].object


def _on_stored(cluster: Cluster, asked: Object, dry_run: bool) -> Object | None:
    word, _, name = asked["resource"].partition("/")
    kind = cluster.kind(word)
    namespace, verb = asked.get("namespace") or "default", asked.get("verb") or "patch"
    below = asked.get("subresource") or ""
    if verb == "delete":
        return cluster.delete(kind.resource, name, namespace, dry_run=dry_run)
    if verb == "patch" and "patch" in asked:
        form = asked.get("patchType") or ("json" if isinstance(asked["patch"], list) else "merge")
        return cluster.patch(
            kind.resource, name, namespace, asked["patch"], type=form, subresource=below, dry_run=dry_run
        )
    if verb == "create" and below == "eviction":
        cluster.evict(name, namespace, dry_run=dry_run)
        return None
    if verb not in (*READING, "create", "update", "patch"):
        raise UsageError(f'verb "{verb}" is not known')
    cluster.authorize(verb, kind, namespace, name, below)  # whether it may be done at all
    return None


def _problem(found: Result, stored: Object | None) -> str:
    asked = found.case.asked
    expected, message = asked["expect"], asked.get("message") or ""
    if expected == "deny":
        if found.verdict != "deny":
            return "expected to be denied, was allowed"
        return "" if message in found.text else f"denied with another text: {found.text}"
    if found.verdict == "deny":
        return f"expected to be allowed, was denied: {found.text}"
    if expected == "warn":
        if not found.warnings:
            return "expected a warning, there was none"
        told = any(message in warning for warning in found.warnings)
        return "" if told else f"warned with another text: {'; '.join(found.warnings)}"
    if message and not any(message in warning for warning in found.warnings):
        return f"no warning contains {message!r}"
    return _difference(asked.get("becomes"), stored, "") if "becomes" in asked else ""


def _difference(wanted: Any, found: Any, path: str) -> str:
    """Where an object lacks what is wanted of it: mappings may hold more, lists are compared item by item."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for field, value in wanted.items():
            problem = _difference(value, found.get(field), f"{path}.{field}" if path else field)
            if problem:
                return problem
        return ""
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, value in enumerate(wanted):
            problem = _difference(value, found[index], f"{path}[{index}]")
            if problem:
                return problem
        return ""
    return "" if wanted == found else f"{path}: expected {wanted!r}, became {found!r}"


# -- rules --------------------------------------------------------------------------------------------------------


def rules(cluster: Cluster) -> list[tuple[str, str]]:
    """Every rule of the cluster that people wrote, as (plugin, rule) as in the notes."""
    return [*_rbac_rules(cluster), *_policy_rules(cluster), *_admission_rules(cluster)]


def _rbac_rules(cluster: Cluster) -> Iterator[tuple[str, str]]:
    from minikube_py.apiserver import authorizer

    for resource in ("clusterroles", "roles"):
        for role in cluster.list(f"{resource}{authorizer.RBAC}"):
            if "kubernetes.io/bootstrapping" in (role["metadata"].get("labels") or ()):
                continue
            for index in range(len(role.get("rules") or ())):
                yield "RBAC", authorizer.rule_name(role, index)


def _policy_rules(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """Admission policies by their bindings; one without a binding can't be used at all."""
    for kind in ("MutatingAdmissionPolicy", "ValidatingAdmissionPolicy"):
        bindings = cluster.list(f"{kind.lower()}bindings.admissionregistration.k8s.io")
        for policy in cluster.list(f"{kind.lower().removesuffix('y')}ies.admissionregistration.k8s.io"):
            name = policy["metadata"]["name"]
            bound = [one["metadata"]["name"] for one in bindings if one["spec"].get("policyName") == name]
            yield from ((kind, f"{name}/{binding}") for binding in bound)
            if not bound:
                yield kind, f"{name} (has no binding)"


def _admission_rules(cluster: Cluster) -> Iterator[tuple[str, str]]:
    from minikube_py.apiserver.admission import pod_security, webhooks

    for namespace in cluster.list("namespaces"):
        labels = namespace["metadata"].get("labels") or {}
        policy = pod_security.policy_of(labels, {})
        for mode, level in (("enforce", policy.enforce), ("audit", policy.audit), ("warn", policy.warn)):
            if f"{pod_security.PREFIX}{mode}" in labels and level.rank:
                yield pod_security.NAME, f"namespace/{namespace['metadata']['name']} {mode}={level}"
    for plugin, resource in (
        ("MutatingAdmissionWebhook", webhooks.MUTATING),
        ("ValidatingAdmissionWebhook", webhooks.VALIDATING),
    ):
        for configuration in cluster.list(resource):
            for hook in configuration.get("webhooks") or ():
                yield plugin, f"{configuration['metadata']['name']}/{hook['name']}"
    for plugin, resource in (("LimitRanger", "limitranges"), ("ResourceQuota", "resourcequotas")):
        for one in cluster.list(resource):
            yield plugin, f"{one['metadata']['namespace']}/{one['metadata']['name']}"
