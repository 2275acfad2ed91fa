"""`kubectl set env` (pkg/cmd/set/set_env.go, pkg/cmd/set/env)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import failures, podspecs, select, setting

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]


def run(call: Call) -> None:
    resources, words = _split(call.args)
    _check(call, resources)
    words = [*call.list("env"), *words]
    add, remove = _parsed(call, words)
    add += _imported(call)
    found = setting.found(call, resources)
    if call.on("list"):
        for item in found.items:
            _list(call, item)
        failures.raise_all(found.errors)
        return
    if not add and not remove and not call.on("local"):
        raise UsageError("at least one environment variable must be provided")
    errors: list[KpyError] = []
    what: list[str] = []  # whose containers are looked at

    def change(spec: Object) -> Object:
        if not _matching(call, spec):
            call.warn(f'{what[0]} does not have any containers matching "{call.text("containers")}"')
        return podspecs.with_containers(spec, lambda one: _with_variables(call, one, add, remove), init=True)

    for item in found.items:
        what[:] = [f"{item.kind.name}/{item.name}"]
        alone = found._replace(items=[item], errors=[])
        try:
            setting.change_specs(call, alone, change, "env updated", "failed to patch env update to pod template: ")
        except KpyError as error:
            errors += error.errors if isinstance(error, failures.Several) else [error]
    failures.raise_all([*found.errors, *errors])


def _split(args: list[str]) -> tuple[list[str], list[str]]:
    """Resources, and behind them what is to be set: `KEY=VALUE`, `KEY-`, or `-` for lines from standard input."""
    resources: list[str] = []
    words: list[str] = []
    for word in args:
        if "=" in word or word.endswith("-"):
            words.append(word)
        elif words:
            raise UsageError(f"all resources must be specified before environment changes: {' '.join(args)}")
        else:
            resources.append(word)
    return resources, words


def _parsed(call: Call, words: list[str]) -> tuple[list[Object], list[str]]:
    """The variables to set, and the names of those to remove (set/env: parseIntoEnvVar)."""
    from minikube_py.cli.create_data import environment_problem

    add: list[Object] = []
    remove: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if word == "-":
            add += _of_stdin()
        elif equals:
            problem = environment_problem(name)
            if problem:
                raise UsageError(f'"{name}" is not a valid key name: {problem}')
            add.append({"name": name, **({"value": value} if value else {})})
        elif word.endswith("-"):
            remove.append(word[:-1])
        else:
            raise UsageError(f"unknown environment variable: {word}")
    if {one["name"] for one in add} & set(remove):
        raise UsageError("can not both modify and remove the same environment variable in the same command")
    return add, remove


def _of_stdin() -> list[Object]:
    import sys

    lines = (line.partition("#")[0].rstrip("\n") for line in sys.stdin)
    pairs = (line.partition("=") for line in lines if "=" in line)
    return [{"name": name, **({"value": value} if value else {})} for name, _, value in pairs]


def _check(call: Call, resources: list[str]) -> None:
    if call.on("all") and call.text("selector"):
        raise UsageError("cannot set --all and --selector at the same time")
    if not resources and not call.list("filename"):
        raise UsageError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    if call.on("list") and call.text("output"):
        raise UsageError("--list and --output may not be specified together")
    if call.list("keys") and not call.text("from"):
        raise UsageError("when specifying --keys, a configmap or secret must be provided with --from")


def _imported(call: Call) -> list[Object]:
    """--from=configmap/conf: a variable for each of its keys, in capitals, with --prefix."""
    if not call.text("from"):
        return []
    found = select.find(call, [call.text("from")])
    failures.raise_all(found.errors)
    item = found.items[0]
    fields = {"Secret": "secretKeyRef", "ConfigMap": "configMapKeyRef"}
    if item.kind.name not in fields:
        raise UsageError("unsupported resource specified in --from")
    wanted = call.list("keys")
    return [
        {
            "name": call.text("prefix") + key.upper().replace("-", "_").replace(".", "_"),
            "valueFrom": {fields[item.kind.name]: {"name": item.name, "key": key}},
        }
        for key in sorted(item.object.get("data") or {})
        if not wanted or key in wanted
    ]


def _pattern(call: Call, name: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(name, call.text("containers") or "*")


def _matching(call: Call, spec: Object) -> bool:
    names = [one["name"] for field in ("initContainers", "containers") for one in spec.get(field) or ()]
    return any(_pattern(call, name) for name in names)


def _with_variables(call: Call, container: Object, add: list[Object], remove: list[str]) -> Object:
    if not _pattern(call, container["name"]):
        return container
    variables = [one for one in container.get("env") or () if one["name"] not in remove]
    for new in add:
        at = next((index for index, one in enumerate(variables) if one["name"] == new["name"]), None)
        if at is None:
            variables.append(new)
        elif not call.on("overwrite") and variables[at] != new:
            raise UsageError(
                f"'{new['name']}' already has a value ({variables[at].get('value', '')}), and --overwrite is false"
            )
        else:
            variables[at] = new
    if variables == (container.get("env") or []):
        return container
    rest = {key: value for key, value in container.items() if key != "env"}
    return {**rest, "env": variables} if variables else rest


def _list(call: Call, item: Item) -> None:
    spec = podspecs.spec_of(item.object) or {}
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            if not _pattern(call, container["name"]):
                continue
            call.line(f"# {item.kind.name} {item.name}, container {container['name']}")
            for variable in container.get("env") or ():
                call.line(_shown(call, item, variable))


def _shown(call: Call, item: Item, variable: Object) -> str:
    name, source = variable["name"], variable.get("valueFrom")
    if not source:
        return f"{name}={variable.get('value', '')}"
    for field, what in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
        ref = source.get(field)
        if ref:
            if call.on("resolve"):
                return f"{name}={_resolved(call, item, what, ref)}"
            return f"# {name} from {what} {ref.get('name', '')}, key {ref['key']}"
    if source.get("fieldRef"):
        return f"# {name} from field path {source['fieldRef']['fieldPath']}"
    ref = source.get("resourceFieldRef") or {}
    container = f"{ref['containerName']}/" if ref.get("containerName") else ""
    return f"# {name} from resource field {container}{ref.get('resource', '')}"


def _resolved(call: Call, item: Item, what: str, ref: Object) -> str:
    import base64

    source = call.cluster.get(f"{what}s", ref.get("name", ""), item.namespace)
    value = (source.get("data") or {}).get(ref["key"])
    if value is None:
        raise UsageError(f"key {ref['key']} not found in {what} {ref.get('name', '')}")
    return base64.b64decode(value).decode(errors="replace") if what == "secret" else str(value)
