"""create, get, list, update, patch, delete over HTTP, and the refusals of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.http.asgi import PARTIAL, TABLE, config_map, deployment, pod

if TYPE_CHECKING:
    from tests.http.asgi import Api

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def test_what_is_created_can_be_read_and_runs(api: Api) -> None:
    made = api.post(PODS, pod("web"))
    assert made.code == 201
    assert (made.json["kind"], made.json["apiVersion"], made.json["status"]) == (
        "Pod",
        "v1",
        {"phase": "Pending", "qosClass": "BestEffort"},
    )
    found = api.get(f"{PODS}/web").json
    assert found["status"]["phase"] == "Running"
    assert found["metadata"]["uid"] == made.json["metadata"]["uid"]
    assert {one["manager"] for one in found["metadata"]["managedFields"]} >= {"unknown", "kubelet"}


def test_a_body_may_leave_out_what_the_path_tells(api: Api) -> None:
    made = api.post(MAPS, {"metadata": {"name": "bare"}, "data": {"a": "b"}}, user_agent="tool/1.0 (linux)")
    assert (made.code, made.json["kind"], made.json["metadata"]["namespace"]) == (201, "ConfigMap", "default")
    assert api.get(f"{MAPS}/bare").json["metadata"]["managedFields"][0]["manager"] == "tool"


def test_a_list_tells_its_kind_and_its_items_do_not(api: Api) -> None:
    api.post(MAPS, config_map("a"))
    found = api.get(MAPS).json
    assert (found["kind"], found["apiVersion"]) == ("ConfigMapList", "v1")
    assert int(found["metadata"]["resourceVersion"]) > 0
    assert [("kind" in one, one["metadata"]["name"]) for one in found["items"]] == [
        (False, "a"),
        (False, "kube-root-ca.crt"),
    ]


def test_pages_are_of_one_moment(api: Api) -> None:
    for name in "abcde":
        api.post(MAPS, config_map(name))
    first = api.get(f"{MAPS}?limit=2").json
    assert first["metadata"]["remainingItemCount"] == 4
    api.delete(f"{MAPS}/c")
    api.post(MAPS, config_map("bb"))
    names, token = [one["metadata"]["name"] for one in first["items"]], first["metadata"]["continue"]
    while token:
        page = api.get(f"{MAPS}?limit=2&continue={token}").json
        assert page["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        names += [one["metadata"]["name"] for one in page["items"]]
        token = page["metadata"].get("continue")
    assert names == ["a", "b", "c", "d", "e", "kube-root-ca.crt"]


def test_a_list_can_be_read_as_it_was(api: Api) -> None:
    api.post(MAPS, config_map("a", x="1"))
    then = api.get(MAPS).json["metadata"]["resourceVersion"]
    api.patch(f"{MAPS}/a", {"data": {"x": "2"}})
    old = api.get(f"{MAPS}?resourceVersion={then}&resourceVersionMatch=Exact").json
    assert old["items"][0]["data"] == {"x": "1"}
    assert api.get(f"{MAPS}?resourceVersion={then}&resourceVersionMatch=NotOlderThan").json["items"][0]["data"] == {
        "x": "2"
    }


@pytest.mark.parametrize(
    ("query", "code", "told"),
    [
        ("continue=nonsense", 400, "continue key is not valid"),
        ("resourceVersionMatch=Exact", 422, "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        ("resourceVersion=5&resourceVersionMatch=Never", 422, "Unsupported value"),
        ("resourceVersion=abc", 422, "invalid syntax"),
        ("resourceVersion=99999999", 504, "Too large resource version"),
        ("limit=x", 400, "invalid syntax"),
        ("labelSelector=a%20%3D%3D%20b%20c", 400, "found 'c', expected: ',' or 'end of string'"),
        ("fieldSelector=spec.nope%3D1", 400, "field label not supported: spec.nope"),
    ],
)
def test_wrong_list_options_are_refused(api: Api, query: str, code: int, told: str) -> None:
    found = api.get(f"{MAPS}?{query}")
    assert found.code == code
    assert told in found.json["message"]


def test_selectors_choose(api: Api) -> None:
    for name, tier in (("a", "front"), ("b", "back")):
        api.post(PODS, pod(name, labels={"tier": tier}))
    names = lambda path: [one["metadata"]["name"] for one in api.get(path).json["items"]]  # noqa: E731
    assert names(f"{PODS}?labelSelector=tier%3Dfront") == ["a"]
    assert names(f"{PODS}?labelSelector=tier!%3Dfront") == ["b"]
    assert names(f"{PODS}?fieldSelector=metadata.name%3Db") == ["b"]
    assert names("/api/v1/pods?fieldSelector=status.phase%3DRunning") == ["a", "b"]


def test_update_needs_the_newest_version(api: Api) -> None:
    made = api.post(MAPS, config_map("a", x="1")).json
    assert api.put(f"{MAPS}/a", {**made, "data": {"x": "2"}}).json["data"] == {"x": "2"}
    stale = api.put(f"{MAPS}/a", {**made, "data": {"x": "3"}})
    assert (stale.code, stale.json["reason"]) == (409, "Conflict")
    assert stale.json["details"] == {"name": "a", "kind": "configmaps"}


@pytest.mark.parametrize(
    ("form", "change"),
    [
        ("merge-patch+json", {"data": {"b": "2"}}),
        ("strategic-merge-patch+json", {"data": {"b": "2"}}),
        ("json-patch+json", [{"op": "add", "path": "/data/b", "value": "2"}]),
        ("apply-patch+yaml", config_map("a", b="2")),
    ],
)
def test_every_sort_of_patch_changes_an_object(api: Api, form: str, change: Any) -> None:
    api.post(MAPS, config_map("a", a="1"))
    changed = api.patch(f"{MAPS}/a?fieldManager=me", change, form)
    assert (changed.code, changed.json["data"]) == (200, {"a": "1", "b": "2"})


def test_apply_creates_takes_and_refuses(api: Api) -> None:
    path = f"{DEPLOYMENTS}/web"
    assert api.patch(f"{path}?fieldManager=one", deployment("web", 2), "apply-patch+yaml").code == 201
    other = api.patch(f"{path}?fieldManager=two", deployment("web", 3), "apply-patch+yaml")
    assert (other.code, other.json["reason"]) == (409, "Conflict")
    assert other.json["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".spec.replicas"}
    ]
    assert api.patch(f"{path}?fieldManager=two&force=true", deployment("web", 3), "apply-patch+yaml").code == 200
    nobody = api.patch(path, deployment("web"), "apply-patch+yaml")
    assert (nobody.code, nobody.json["message"]) == (
        422,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    )


def test_deletion_is_told_by_the_object_or_a_status(api: Api) -> None:
    uid = api.post(MAPS, config_map("a")).json["metadata"]["uid"]
    gone = api.delete(f"{MAPS}/a")
    assert gone.json["status"] == "Success"
    assert gone.json["details"] == {"name": "a", "kind": "configmaps", "uid": uid}
    api.post(PODS, pod("web"))
    marked = api.delete(f"{PODS}/web")
    assert (marked.json["kind"], marked.json["metadata"]["deletionGracePeriodSeconds"]) == ("Pod", 30)
    assert api.get(f"{PODS}/web").code == 404


def test_preconditions_hold(api: Api) -> None:
    made = api.post(MAPS, config_map("a")).json
    for wanted in ({"uid": "other"}, {"resourceVersion": "1"}):
        assert api.delete(f"{MAPS}/a", {"preconditions": wanted}).code == 409
    assert api.delete(f"{MAPS}/a", {"preconditions": {"uid": made["metadata"]["uid"]}}).code == 200


def test_a_collection_is_deleted_by_selector(api: Api) -> None:
    for name, tier in (("a", "front"), ("b", "back")):
        api.post(PODS, pod(name, labels={"tier": tier}))
    gone = api.delete(f"{PODS}?labelSelector=tier%3Dback", {"gracePeriodSeconds": 0})
    assert [one["metadata"]["name"] for one in gone.json["items"]] == ["b"]
    assert [one["metadata"]["name"] for one in api.get(PODS).json["items"]] == ["a"]


def test_propagation_decides_about_dependents(api: Api) -> None:
    for policy, left in (("Orphan", 1), ("Background", 0), ("Foreground", 0)):
        api.post(DEPLOYMENTS, deployment("web"))
        api.delete(f"{DEPLOYMENTS}/web", {"propagationPolicy": policy})
        sets = api.get("/apis/apps/v1/namespaces/default/replicasets").json["items"]
        assert len(sets) == left, policy
        for one in sets:
            api.delete(f"/apis/apps/v1/namespaces/default/replicasets/{one['metadata']['name']}")
    assert api.delete(f"{DEPLOYMENTS}/x?propagationPolicy=Sideways").code == 422


def test_a_dry_run_changes_nothing(api: Api) -> None:
    before = api.cluster.store.revision
    assert api.post(f"{PODS}?dryRun=All", pod("web")).json["spec"]["restartPolicy"] == "Always"
    api.cluster.create(config_map("a"))
    for found in (api.patch(f"{MAPS}/a?dryRun=All", {"data": {"x": "y"}}), api.delete(f"{MAPS}/a?dryRun=All")):
        assert found.code == 200
    assert api.cluster.store.revision == before + 1
    assert api.post(f"{PODS}?dryRun=Some", pod("web")).code == 422


def test_unknown_fields_warn_or_are_refused_or_ignored(api: Api) -> None:
    wrong = {**config_map("a"), "dada": {}}
    assert api.post(f"{MAPS}?dryRun=All", wrong).warnings == ['299 - "unknown field \\"dada\\""']
    strict = api.post(f"{MAPS}?fieldValidation=Strict", wrong)
    assert (strict.code, strict.json["reason"]) == (400, "BadRequest")
    assert 'strict decoding error: unknown field "dada"' in strict.json["message"]
    assert api.post(f"{MAPS}?fieldValidation=Ignore", wrong).warnings == []
    assert api.post(f"{MAPS}?fieldValidation=Perhaps", wrong).code == 422


def test_warnings_are_cut_where_there_are_too_many(api: Api) -> None:
    many = {**config_map("a"), **{f"field{number:03}" + "x" * 500: 1 for number in range(100)}, "line\nbreak": 1}
    found = api.post(f"{MAPS}?dryRun=All", many).warnings
    assert 10 < len(found) < 20
    assert all(len(one) < 300 for one in found)
    assert api.post(f"{MAPS}?dryRun=All", {**config_map("a"), "line\nü": 1}).warnings == [
        '299 - "unknown field \\"line Ã¼\\""'
    ]


def test_a_json_patch_that_is_none(api: Api) -> None:
    api.post(MAPS, config_map("a"))
    for wrong in (
        True,
        1,
        "x",
        {"op": "add"},
        [1],
        [{"op": "replace", "path": "/metadata/managedFields", "value": []}, 1],
    ):
        assert api.patch(f"{MAPS}/a", wrong, "json-patch+json").code in (400, 422), wrong


def test_an_invalid_object_tells_every_cause(api: Api) -> None:
    wrong = pod("Bad_Name")
    wrong["spec"]["containers"] = [{"name": "main"}]
    found = api.post(PODS, wrong).json
    assert (found["code"], found["reason"], found["details"]["kind"]) == (422, "Invalid", "Pod")
    assert [one["field"] for one in found["details"]["causes"]] == ["metadata.name", "spec.containers[0].image"]
    assert {one["reason"] for one in found["details"]["causes"]} == {"FieldValueInvalid", "FieldValueRequired"}


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nope", 404),
        ("GET", "/apis/apps/v1/foos", 404),
        ("GET", "/apis/nope/v1/foos", 404),
        ("GET", f"{PODS}/nope", 404),
        ("GET", "/api/v1/namespaces/default/nodes", 404),
        ("POST", "/api/v1/pods", 405),
        ("PUT", PODS, 405),
        ("PATCH", PODS, 405),
        ("DELETE", "/api/v1/namespaces", 405),
        ("GET", "/api/v1/bindings", 405),
        ("POST", f"{PODS}/web/status", 405),
        ("GET", f"{PODS}/web/nope", 404),
        ("TRACE", PODS, 405),
        ("POST", "/version", 405),
    ],
)
def test_what_is_not_served_is_refused(api: Api, method: str, path: str, code: int) -> None:
    api.post(PODS, pod("web"))
    assert api.call(method, path, {} if method in ("POST", "PUT", "PATCH") else None).code == code


@pytest.mark.parametrize(
    ("body", "media", "code"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"a: [", "application/yaml", 400),
        (b"a: 1\n---\nb: 2", "application/yaml", 400),
        (b"\xff\xfe", "application/yaml", 400),
        (b"k8s\x00\xff", "application/vnd.kubernetes.protobuf", 400),
        (b"junk", "application/vnd.kubernetes.protobuf", 400),
        (b"{}", "application/cbor", 415),
        (b"{}", "text/html", 415),
        (b'{"kind":"Pod","apiVersion":"v1"}', "application/json", 400),
        (b'{"metadata":[]}', "application/json", 400),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "application/json", 400),
        (b"x" * (3 * 1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_a_bad_body_is_refused(api: Api, body: bytes, media: str, code: int) -> None:
    found = api.call("POST", MAPS, body or b" ", media)
    assert found.code == code, found.text
    assert found.json["kind"] == "Status"
    assert found.json["code"] == code


def test_names_on_the_path_count(api: Api) -> None:
    api.post(MAPS, config_map("a"))
    assert (
        api.put(f"{MAPS}/a", config_map("b")).json["message"]
        == "the name of the object (b) does not match the name on the URL (a)"
    )
    other = {**config_map("c"), "metadata": {"name": "c", "namespace": "other"}}
    assert (
        api.post(MAPS, other).json["message"]
        == "the namespace of the provided object does not match the namespace sent on the request"
    )


def test_forms_of_an_answer(api: Api) -> None:
    api.post(PODS, pod("web"))
    table = api.get(PODS, accept=TABLE).json
    assert table["kind"] == "Table"
    assert [one["name"] for one in table["columnDefinitions"]][:3] == ["Name", "Ready", "Status"]
    assert table["rows"][0]["cells"][:3] == ["web", "1/1", "Running"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert api.get(f"{PODS}?includeObject=None", accept=TABLE).json["rows"][0].keys() == {"cells"}
    assert api.get(f"{PODS}/web", accept=PARTIAL).json.keys() == {"kind", "apiVersion", "metadata"}
    assert api.get(f"{PODS}/web", accept="application/yaml").text.startswith("apiVersion: v1\nkind: Pod\n")
    assert api.get(f"{PODS}/web", accept="application/vnd.kubernetes.protobuf, application/json").json["kind"] == "Pod"
    assert api.get(f"{PODS}/web", accept="application/vnd.kubernetes.protobuf").code == 406
    assert api.get(f"{PODS}/web", accept="application/cbor,text/html").code == 406


def test_large_answers_are_packed_for_those_who_can_unpack(api: Api) -> None:
    import gzip

    api.post(MAPS, config_map("a", x="y" * 300_000))
    packed = api.get(f"{MAPS}/a", accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == api.get(f"{MAPS}/a").body


def test_using_a_deprecated_version_warns(api: Api) -> None:
    assert api.get("/api/v1/endpoints").warnings == [
        '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
    ]


def test_an_object_is_served_in_each_of_its_versions(api: Api) -> None:
    body = {
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"},
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "targetCPUUtilizationPercentage": 50},
    }  # fmt: skip
    made = api.post("/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers", body)
    assert (made.code, made.json["apiVersion"], made.json["spec"]["targetCPUUtilizationPercentage"]) == (
        201,
        "autoscaling/v1",
        50,
    )
    other = api.get("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/h").json
    assert other["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 50
    listed = api.get("/apis/autoscaling/v1/horizontalpodautoscalers").json
    assert listed["items"][0]["spec"]["targetCPUUtilizationPercentage"] == 50


def test_options_of_a_deletion_have_types(api: Api) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    api.post(path, config_map("kept"))
    for options, told in (
        ({"preconditions": 3}, "number into Go struct field DeleteOptions.preconditions of type v1.Preconditions"),
        (
            {"preconditions": {"uid": []}},
            "array into Go struct field DeleteOptions.preconditions.uid of type types.UID",
        ),
        ({"propagationPolicy": {"a": 1}}, "object into Go struct field DeleteOptions.propagationPolicy"),
    ):
        refused = api.call("DELETE", f"{path}/kept", options)
        assert refused.code == 400 and told in refused.json["message"], refused.text
    assert api.get(f"{path}/kept").code == 200


def test_who_accepts_only_protobuf_gets_a_406(api: Api) -> None:
    only, first = "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf,application/json"
    assert api.get("/api/v1/nodes", accept=only).code == 406
    answered = api.get("/api/v1/nodes", accept=first)
    assert (answered.code, answered.headers["content-type"]) == (200, "application/json")
