"""Single commands: what they print and what they leave in the cluster."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.base import errors
from minikube_py.cli import failures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {name: conf, labels: {set: p}}
data: {a: "%s"}
"""
POD = """apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: c, image: nginx%s}]}
"""


def test_apply_creates_then_does_nothing_then_configures(kpy: Callable[..., Any]) -> None:
    said = [kpy("apply", "-f", "-", stdin=CONFIG % value).out for value in ("1", "1", "2")]
    assert said == [f"configmap/conf {verb}\n" for verb in ("created", "unchanged", "configured")]


def test_apply_reports_the_bad_documents_and_keeps_the_good_ones(kpy: Callable[..., Any]) -> None:
    bad = CONFIG.replace("name: conf", "name: Bad_Name") % "1"
    result = kpy("apply", "-f", "-", stdin=CONFIG % "1" + "---\n" + bad)
    assert (result.code, result.out) == (1, "configmap/conf created\n")
    assert result.err.startswith('The ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name"')
    assert kpy("get", "cm", "conf", "-o", "name").out == "configmap/conf\n"


def test_reading_goes_on_behind_a_file_that_cannot_be_read(kpy: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "1.yaml").write_text(CONFIG % "1")
    (tmp_path / "2.yaml").write_text("a: [\n")
    (tmp_path / "3.yaml").write_text((CONFIG % "1").replace("name: conf", "name: last"))
    result = kpy("apply", "-f", str(tmp_path))
    assert (result.code, result.out) == (1, "configmap/conf created\nconfigmap/last created\n")
    assert result.err.startswith(f"error: error parsing {tmp_path / '2.yaml'}: error converting YAML to JSON: yaml: ")
    assert len(kpy("get", "cm", "-l", "set=p", "-o", "name").out.split()) == 2


def test_a_server_that_is_not_there_is_told_as_kubectl_tells_it(kpy: Callable[..., Any]) -> None:
    refused = kpy("apply", "-f", "http://127.0.0.1:9/x.yaml").err
    assert refused == "The connection to the server 127.0.0.1:9 was refused - did you specify the right host or port?\n"


def test_a_refused_change_names_what_was_to_be_patched(kpy: Callable[..., Any]) -> None:
    kpy("apply", "-f", "-", stdin=POD % "")
    refused = kpy("apply", "-f", "-", stdin=(POD % "").replace("name: c,", "name: d,"))
    assert refused.err.startswith('The Pod "web" is invalid: ')
    unknown = kpy("apply", "-f", "-", stdin=(POD % "").replace("image", "imagee"))
    assert unknown.err.startswith('The request is invalid: patch: Invalid value: "map[metadata:map[annotations:map[')
    assert 'strict decoding error: unknown field "spec.containers[0].imagee"' in unknown.err


def test_what_apply_wanted_to_change_is_shown_with_the_servers_refusal() -> None:
    error = failures.OfPatch(
        errors.Forbidden('configmaps "c" is forbidden: no'), '{"data":{"a":"2"}}', 'Name: "c", Namespace: "d"', "f.yaml"
    )
    assert failures.text(error) == (
        'Error from server (Forbidden): error when applying patch:\n{"data":{"a":"2"}}\nto:\n'
        'Name: "c", Namespace: "d"\nfor: "f.yaml": error when patching "f.yaml": configmaps "c" is forbidden: no\n'
    )


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("apiVersion: v1\nmetadata: {name: x}\n", 'error: error validating "STDIN": error validating data: kind not set; '),
        ("kind: Pod\nmetadata: {name: x}\n", 'error: error validating "STDIN": error validating data: apiVersion not set; '),
        ("metadata: {name: x}\n", 'error: error validating "STDIN": error validating data: [apiVersion not set, kind not set]; '),
        ("apiVersion: v1\nkind: Foo\nmetadata: {name: x}\n", 'error: resource mapping not found for name: "x" namespace: "" from "STDIN": '),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}\n", "error: error when retrieving current configuration of:\n"),
    ],
)  # fmt: skip
def test_documents_that_do_not_say_what_they_are_are_refused(
    manifest: str, message: str, kpy: Callable[..., Any]
) -> None:
    result = kpy("apply", "-f", "-", stdin=manifest)
    assert (result.code, result.err[: len(message)]) == (1, message)


def test_a_client_side_dry_run_asks_nobody(kpy: Callable[..., Any]) -> None:
    result = kpy("apply", "-f", "-", "--dry-run=client", stdin=POD.replace("name: web", "name: Not_A_Name") % "")
    assert result.out == "pod/Not_A_Name created (dry run)\n"
    server = kpy("create", "-f", "-", "--dry-run=server", "-o", "jsonpath={.spec.restartPolicy}", stdin=POD % "")
    assert server.out == "Always"
    assert kpy("get", "pods", "-o", "name").out == ""


def test_objects_printed_one_by_one_as_yaml_have_dashes_between(kpy: Callable[..., Any]) -> None:
    two = CONFIG % "1" + "---\n" + (CONFIG % "2").replace("name: conf", "name: last")
    printed = kpy("create", "-f", "-", "--dry-run=client", "-o", "yaml", stdin=two).out
    assert [part.count("kind: ConfigMap") for part in printed.split("---\n")] == [1, 1]


def test_apply_prints_several_objects_as_one_list(kpy: Callable[..., Any]) -> None:
    two = CONFIG % "1" + "---\n" + (CONFIG % "2").replace("name: conf", "name: last")
    assert kpy("apply", "-f", "-", "-o", "yaml", stdin=two).out.endswith("\nkind: List\nmetadata: {}\n")
    text = kpy("apply", "-f", "-", "-o", "json", stdin=two).out
    head = '{\n    "kind": "List",\n    "apiVersion": "v1",\n    "metadata": {},\n    "items": [\n        {\n'
    assert text.startswith(head)
    assert len(json.loads(text)["items"]) == 2


def test_get_prints_single_objects_and_lists(kpy: Callable[..., Any]) -> None:
    kpy("apply", "-f", "-", stdin=CONFIG % "1")
    assert json.loads(kpy("get", "cm", "conf", "-o", "json").out)["kind"] == "ConfigMap"
    assert json.loads(kpy("get", "cm/conf", "-o", "json").out)["data"] == {"a": "1"}
    assert json.loads(kpy("get", "cm", "-l", "set=p", "-o", "json").out)["kind"] == "List"
    assert kpy("get", "cm", "-l", "set=q", "-o", "yaml").out.startswith("apiVersion: v1\nitems: []\nkind: List\n")
    assert kpy("get", "cm", "nope", "--ignore-not-found").code == 0
    assert kpy("get", "cm", "conf", "nope").err == 'Error from server (NotFound): configmaps "nope" not found\n'


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("get foo", 'error: the server doesn\'t have a resource type "foo"\n'),
        ("get pods/a/b", "error: arguments in resource/name form may not have more than one slash\n"),
        ("get pods/", "error: arguments in resource/name form must have a single resource and name\n"),
        ("get pods a svc/b", "error: there is no need to specify a resource type as a separate argument when passing "),
        ("get pods a -l b=c", "error: name cannot be provided when a selector is specified\n"),
        ("get pods a -A", "error: a resource cannot be retrieved by name across all namespaces\n"),
        ("get pods -l a>b>c", 'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label '),
        ("get pods -o nope", 'error: unable to match a printer suitable for the output format "nope", allowed formats '),
        ("get pods -o jsonpath={.a", "error: error parsing jsonpath {.a, unclosed action\n"),
        ("delete pod", "error: resource(s) were provided, but no name was specified\n"),
        ("delete pod x --all", "Error from server (NotFound): pods "),
        ("scale deploy nope --replicas=1", 'Error from server (NotFound): deployments.apps "nope" not found\n'),
        ("scale pod/x --replicas=1", 'Error from server (NotFound): pods "x" not found\n'),
        ("rollout history svc/kubernetes", 'error: error retrieving history for "Service", no visitor method exists for { Service}\n'),
        ("rollout pause svc/kubernetes", 'error: services "kubernetes" pausing is not supported\n'),
        ("rollout status svc/kubernetes", "error: no status viewer has been implemented for Service\n"),
        ("taint nodes worker-1 a=b:Nope", "error: invalid taint effect: Nope, unsupported taint effect\n"),
        ("taint nodes worker-1 a-", 'error: taint "a" not found\n'),
        ("taint pods x a=b:NoSchedule", "error: invalid resource type pods, only node types are supported\n"),
        ("expose pod/x", 'Error from server (NotFound): pods "x" not found\n'),
        ("patch svc kubernetes -p {bad", "Error from server (BadRequest): invalid character 'b' looking for beginning of "),
        ("patch svc kubernetes -p a", "Error from server (BadRequest): json: cannot unmarshal string into Go value of type map"),
        ("patch svc kubernetes --type=json -p {}", "Error from server (BadRequest): json: cannot unmarshal object into Go value "),
        ("describe foo", 'error: the server doesn\'t have a resource type "foo"\n'),
        ("describe pod nope", 'Error from server (NotFound): pods "nope" not found\n'),
        ("create ns default", 'Error from server (AlreadyExists): namespaces "default" already exists\n'),
        ("autoscale deploy nope --max=3", 'Error from server (NotFound): deployments.apps "nope" not found\n'),
        ("wait --for=condition=Ready pod/nope", 'Error from server (NotFound): pods "nope" not found\n'),
        ("--context=nope get pods", 'error: context "nope" does not exist\n'),
    ],
)  # fmt: skip
def test_refusals_have_kubectls_words(words: str, message: str, kpy: Callable[..., Any]) -> None:
    result = kpy(*words.split())
    if words == "delete pod x --all":
        assert result.code == 0 or result.err.startswith(message)
        return
    assert (result.code, result.err[: len(message)]) == (1, message)


def test_describe_takes_a_prefix_of_the_name(kpy: Callable[..., Any]) -> None:
    kpy("create", "deployment", "web", "--image=nginx", "--replicas=2")
    kpy("reconcile")
    text = kpy("describe", "pod", "web").out
    assert text.count("Controlled By:  ReplicaSet/web-") == 2
    assert text.count("\nEvents:") == 2
    assert kpy("describe", "pods").out.count("\nEvents:") == 0


def test_events_about_one_object(kpy: Callable[..., Any]) -> None:
    kpy("create", "deployment", "web", "--image=nginx")
    kpy("reconcile")
    lines = kpy("events", "--for", "deployment/web").out.splitlines()
    assert lines[0].split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert lines[1].split()[1:4] == ["Normal", "ScalingReplicaSet", "Deployment/web"]
    assert kpy("events", "-n", "kube-public").err == "No events found in kube-public namespace.\n"


def test_set_env_adds_replaces_and_removes(kpy: Callable[..., Any]) -> None:
    kpy("create", "deployment", "web", "--image=nginx")
    kpy("create", "cm", "conf", "--from-literal=my-key=1")
    assert kpy("set", "env", "deploy/web", "A=1", "B=2").out == "deployment.apps/web env updated\n"
    kpy("set", "env", "deploy/web", "A-", "B=3")
    kpy("set", "env", "deploy/web", "--from=cm/conf", "--prefix=P_")
    listed = kpy("set", "env", "deploy/web", "--list").out
    assert listed == "# Deployment web, container nginx\nB=3\n# P_MY_KEY from configmap conf, key my-key\n"
    assert "P_MY_KEY=1\n" in kpy("set", "env", "deploy/web", "--list", "--resolve").out


def test_edit_stores_what_the_editor_changed(kpy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    kpy("apply", "-f", "-", stdin=CONFIG % "1")
    monkeypatch.setenv("KUBE_EDITOR", 'sed -i \'s/a: "1"/a: "2"/\'')
    assert kpy("edit", "cm", "conf").out == "configmap/conf edited\n"
    assert kpy("get", "cm", "conf", "-o", "jsonpath={.data.a}").out == "2"
    assert kpy("edit", "cm", "conf").err == "Edit cancelled, no changes made.\n"
    monkeypatch.setenv("KUBE_EDITOR", "sed -i 's/^kind: ConfigMap/kind: Secret/'")
    first, second = kpy("edit", "cm", "conf").err.splitlines()
    assert first.startswith('A copy of your changes has been stored to "')
    assert second == "error: At least one of apiVersion, kind and name was changed"


def test_edit_opens_again_with_what_was_wrong_as_a_comment(
    kpy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kpy("create", "deployment", "web", "--image=nginx")
    kpy("create", "deployment", "other", "--image=nginx")
    editor = tmp_path / "editor"
    editor.write_text(f"cat $1 >> {tmp_path}/seen\nsed -i 's/replicas: 1$/replicas: -1/' $1\n")
    monkeypatch.setenv("KUBE_EDITOR", f"sh {editor}")
    result = kpy("edit", "deployment", "web")
    assert (result.code, result.out) == (1, "")
    told = result.err.splitlines()
    assert told[0] == 'error: deployments.apps "web" is invalid'
    assert told[-1] == "error: Edit cancelled, no valid changes were saved."
    reason = '# deployments.apps "web" was not valid:\n# * spec.replicas: Invalid value: -1: must be greater than or equal to 0\n#\n'
    assert reason in (tmp_path / "seen").read_text()
    monkeypatch.setenv("KUBE_EDITOR", "sed -i '0,/replicas: 1/s//replicas: 2/'")
    assert kpy("edit", "deployments").out == "deployment.apps/other edited\ndeployment.apps/web skipped\n"


def test_create_edit_creates_what_was_made_of_the_file(
    kpy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBE_EDITOR", "sed -i 's/name: conf/name: mine/'")
    assert kpy("create", "-f", "-", "--edit", stdin=CONFIG % "1").out == "configmap/mine created\n"
    monkeypatch.setenv("KUBE_EDITOR", "true")
    assert kpy("create", "-f", "-", "--edit", stdin=CONFIG % "1").err == "Edit cancelled, no changes made.\n"


def test_diff_shows_what_apply_would_change_and_hides_secrets(kpy: Callable[..., Any]) -> None:
    kpy("apply", "-f", "-", stdin=CONFIG % "1")
    assert (kpy("diff", "-f", "-", stdin=CONFIG % "1").out, kpy("diff", "-f", "-", stdin=CONFIG % "1").code) == ("", 0)
    changed = kpy("diff", "-f", "-", stdin=CONFIG % "2")
    assert changed.code == 1
    assert '\n-  a: "1"\n+  a: "2"\n' in changed.out
    assert re.match(
        r"diff -u -N \S*/LIVE-\w+/v1\.ConfigMap\.default\.conf \S*/MERGED-\w+/v1\.ConfigMap\.default\.conf\n",
        changed.out,
    )
    new = kpy("diff", "-f", "-", stdin=(CONFIG % "1").replace("name: conf", "name: new"))
    assert '\n@@ -0,0 +1,11 @@\n+apiVersion: v1\n+data:\n+  a: "1"\n' in new.out
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: %s}\n"
    kpy("apply", "-f", "-", stdin=secret % "MQ==")
    hidden = kpy("diff", "-f", "-", stdin=secret % "Mg==").out
    assert "-  a: '*** (before)'\n+  a: '*** (after)'\n" in hidden
    assert kpy("diff", "-f", "/nope").code == 2


def test_config_maps_are_made_of_files_folders_and_environment_files(kpy: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "one").write_text("1")
    (tmp_path / "d" / "two").write_bytes(b"\xff")
    (tmp_path / "env").write_text("# comment\nA=1\nB=x=y\n\n")
    made = json.loads(kpy("create", "cm", "c", f"--from-file={tmp_path / 'd'}", "--dry-run=client", "-o", "json").out)
    assert (made["data"], made["binaryData"]) == ({"one": "1"}, {"two": "/w=="})
    made = json.loads(
        kpy("create", "cm", "c", f"--from-env-file={tmp_path / 'env'}", "--dry-run=client", "-o", "json").out
    )
    assert made["data"] == {"A": "1", "B": "x=y"}
    missing = kpy("create", "cm", "c", "--from-file=/nope")
    assert missing.err == "error: error reading /nope: no such file or directory\n"


def test_generators_write_json_in_the_order_of_gos_structs(kpy: Callable[..., Any]) -> None:
    text = kpy("create", "service", "clusterip", "s", "--tcp=80:8080", "--dry-run=client", "-o", "json").out
    assert text.startswith(
        '{\n    "kind": "Service",\n    "apiVersion": "v1",\n    "metadata": {\n        "name": "s",'
    )


def test_namespaces_of_contexts_are_remembered(kpy: Callable[..., Any]) -> None:
    assert kpy("config", "set-context", "--current", "--namespace=kube-public").out == 'Context "kpy" modified.\n'
    assert kpy("get", "pods").err == "No resources found in kube-public namespace.\n"
    assert kpy("config", "get-contexts", "--no-headers").out.split() == ["*", "kpy", "kpy", "admin", "kube-public"]
    assert kpy("get", "pods", "-n", "default").err == "No resources found in default namespace.\n"


def test_the_first_writing_command_makes_the_default_cluster(
    kpy: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPY_HOME", str(tmp_path / "fresh"))
    assert kpy("get", "pods").err.startswith("error: there is no cluster yet: 'kpy cluster start' makes one")
    assert kpy("create", "deployment", "web", "--image=nginx").out == "deployment.apps/web created\n"
    assert len(kpy("get", "nodes", "-o", "name").out.split()) == 3


def test_warnings_can_be_made_errors(kpy: Callable[..., Any]) -> None:
    result = kpy("get", "endpoints", "--warnings-as-errors")
    assert result.err.startswith(
        "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n"
    )
    assert (result.code, result.err.splitlines()[-1]) == (1, "error: 1 warning received")


@pytest.mark.parametrize("group", ["set", "create secret", "create service", "config", "rollout"])
def test_a_bare_group_prints_its_help_and_fails(group: str, kpy: Callable[..., Any]) -> None:
    result = kpy(*group.split())
    assert (result.code, "Available Commands:" in result.out + result.err) == (1, True)
