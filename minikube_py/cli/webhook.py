"""`kpy webhook`: what admission webhooks answer that cannot be called, and who answers for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from minikube_py.apiserver.admission import webhook_calls, webhooks
from minikube_py.base.errors import NotFound, UsageError
from minikube_py.cli import own

if TYPE_CHECKING:
    import typer

app = own.new_app("Say what admission webhooks answer that cannot be called here.", group=True)

Object = dict[str, Any]


@app.command()
def stub(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A webhook, or a configuration: then all of its webhooks.")
    ],
    allow: Annotated[bool, typer.Option("--allow", help="Every request passes.")] = False,
    deny: Annotated[str, typer.Option("--deny", metavar="TEXT", help="Every request is refused with this text.")] = "",
    patch: Annotated[
        str,
        typer.Option(
            "--patch",
            metavar="FILE",
            help="Every request passes, changed: a list of JSON patch operations, or a mapping to merge; - is stdin.",
        ),
    ] = "",
    warn: Annotated[
        list[str] | None, typer.Option("--warn", metavar="TEXT", help="A warning for whoever asks.")
    ] = None,
    code: Annotated[int, typer.Option("--code", help="The HTTP code of a refusal.")] = 0,
    reason: Annotated[str, typer.Option("--reason", metavar="WORD", help="The reason of a refusal: Forbidden.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Nobody answers for it any more.")] = False,
) -> None:
    """Let a webhook answer as you say. It is kept in the cluster, as an object of kind WebhookStub."""
    cluster = ctx.obj.cluster
    if sum(map(bool, (allow, deny, patch, remove))) != 1:
        raise UsageError("say one of --allow, --deny TEXT, --patch FILE and --remove")
    if remove:
        cluster.delete(webhook_calls.STUBS, name)
        own.echo(f"webhookstub.sim.kpy.dev/{name} removed")
        return
    if (code or reason) and not deny:
        raise UsageError("--code and --reason go with --deny")
    spec: Object = {"allowed": not deny, "message": deny, "code": code, "reason": reason, "warnings": warn or []}
    spec = {field: value for field, value in spec.items() if value or field == "allowed"}
    if patch:
        spec["patch"] = _patch(patch)
    obj = {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "WebhookStub", "metadata": {"name": name}, "spec": spec}
    try:
        old = cluster.get(webhook_calls.STUBS, name)
    except NotFound:
        cluster.create(obj)
    else:
        cluster.update({**obj, "metadata": old["metadata"]})
    own.echo(f"webhookstub.sim.kpy.dev/{name} {_deed(spec)}")


def _deed(spec: Object) -> str:
    if not spec["allowed"]:
        return "denies"
    return "patches" if "patch" in spec else "allows"


def _patch(file: str) -> Any:
    import sys

    import yaml

    try:
        if file == "-":
            found = yaml.safe_load(sys.stdin)
        else:
            with open(file, encoding="utf-8") as stream:
                found = yaml.safe_load(stream)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is neither JSON nor YAML: {str(error).splitlines()[0]}") from None
    if not found or not isinstance(found, (dict, list)):
        raise UsageError(f"{file} holds no patch: want a list of operations, or a mapping to merge")
    return found


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the webhooks of the cluster in the order in which they are asked, and who answers for each."""
    from minikube_py.printers import tables

    cluster = ctx.obj.cluster
    rows = [["WEBHOOK", "CONFIGURATION", "TYPE", "FAILURE-POLICY", "ANSWERED-BY"]]
    for resource, kind in ((webhooks.MUTATING, "Mutating"), (webhooks.VALIDATING, "Validating")):
        for configuration in cluster.list(resource):
            name = configuration["metadata"]["name"]
            rows += [
                [hook["name"], name, kind, hook.get("failurePolicy") or "Fail", _answered_by(cluster, hook, name)]
                for hook in configuration.get("webhooks") or ()
            ]
    if len(rows) == 1:
        own.echo("No webhooks found")
    else:
        own.echo(tables.layout(rows), nl=False)


def _answered_by(cluster: Any, hook: Object, configuration: str) -> str:
    found = webhook_calls.stub_of(cluster.view, hook["name"], configuration)
    if found is not None:
        return f"stub {found['metadata']['name']}: {_deed({'allowed': True, **found['spec']})}"
    place = webhook_calls.place_of(hook.get("clientConfig") or {})
    return place.url if webhook_calls.is_loopback(place.host) else f"nobody ({place.url})"
