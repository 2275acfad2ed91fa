"""CustomResourceDefinitions, after a recorded session with the kind Widget (tests/data/kinds/widget_crd.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py.api import custom, resources
from minikube_py.api.decode import decode
from minikube_py.api.kinds import Kind, Registry
from minikube_py.base.clock import timestamp
from minikube_py.base.errors import BadRequest
from minikube_py.printers import tables

Object = dict[str, Any]
CRD: Object = json.loads((Path(__file__).parent.parent / "data" / "kinds" / "widget_crd.json").read_text())
(WIDGET,) = custom.kinds_of(CRD)
NOW = 1_790_000_000


def widget(name: str = "w1", age: int = 3, status: Object | None = None, **spec: Any) -> Object:
    metadata = {"name": name, "creationTimestamp": timestamp(NOW - age)}
    more = {"status": status} if status else {}
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata, "spec": {"size": 3, "color": "red", **spec}, **more}  # fmt: skip


def with_names(name: str, **names: Any) -> Object:
    given = {"plural": name, "kind": name.title(), **names}
    return {**CRD, "metadata": {"name": f"{name}.example.com"}, "spec": {**CRD["spec"], "names": given}}


def test_a_crd_is_a_row_of_the_table() -> None:
    assert WIDGET.resource == "widgets.example.com"
    assert (WIDGET.version, WIDGET.others) == ("example.com/v1", ("example.com/v1alpha1",))
    assert (WIDGET.short, WIDGET.categories, WIDGET.subresources) == (("wg",), ("all", "toys"), ("scale", "status"))
    assert WIDGET.verbs[0] == "delete"
    assert (WIDGET.namespaced, WIDGET.qualified, WIDGET.list_kind) == (True, "widget.example.com", "WidgetList")
    registry = Registry().with_kinds([WIDGET])
    assert registry.named("wg") == WIDGET
    assert registry.find("example.com/v1alpha1", "Widget") == WIDGET


def test_a_registry_serves_established_crds_only() -> None:
    status = custom.established(CRD, timestamp(NOW))
    registry = Registry().with_crds([{**CRD, "status": status}])
    assert registry.named("wg") is not None
    assert registry.with_crds([CRD]).named("wg") is None
    assert registry.with_crds([]).kinds == Registry().kinds


def test_a_deprecated_version_has_a_warning() -> None:
    assert resources.deprecation(WIDGET) == ""
    assert resources.deprecation(WIDGET, "example.com/v1alpha1").startswith("example.com/v1alpha1 Widget is deprecated")
    assert resources.deprecation(Registry().resource("endpoints")) == (
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    )
    assert resources.deprecation(Registry().resource("pods")) == ""
    assert WIDGET.schemas is not None
    assert WIDGET.schemas.deprecations == {
        "example.com/v1alpha1": "example.com/v1alpha1 Widget is deprecated; use example.com/v1 Widget"
    }


def test_versions_are_ordered_as_kubernetes_does() -> None:
    versions = ["v1alpha1", "foo", "v2", "v1beta2", "v1", "v10", "v1beta1", "bar"]
    ordered = ["v10", "v2", "v1", "v1beta2", "v1beta1", "v1alpha1", "bar", "foo"]
    assert sorted(versions, key=custom.version_rank) == ordered


def test_storage_version_and_scale() -> None:
    assert custom.stored_version(CRD) == "example.com/v1"
    assert custom.scale_paths(CRD, "v1") == (".spec.replicas", ".status.replicas", ".status.labelSelector")
    assert custom.scale_paths(CRD, "v1alpha1") is None


def test_defaults_are_set_and_nulls_dropped() -> None:
    decoded, warnings = decode(WIDGET, widget(host=None, nullable=None, items=[{"name": "a"}]))
    assert decoded["spec"] == {
        "color": "red", "size": 3, "replicas": 2, "minReplicas": 1, "nullable": None, "items": [{"name": "a", "v": 7}],
    }  # fmt: skip
    assert warnings == []


def test_unknown_fields_are_refused_told_or_pruned() -> None:
    given = widget(bogus=1, items=[{"name": "a", "zzz": 1}], free={"any": {"x": [1]}}, map={"k": "v"})
    with pytest.raises(BadRequest) as refused:
        decode(WIDGET, given)
    assert str(refused.value) == (
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: '
        'unknown field "spec.bogus", unknown field "spec.items[0].zzz"'
    )
    decoded, warnings = decode(WIDGET, given, "Warn")
    assert warnings == ['unknown field "spec.bogus"', 'unknown field "spec.items[0].zzz"']
    assert decoded["spec"] == {
        "color": "red", "size": 3, "replicas": 2, "minReplicas": 1, "free": {"any": {"x": [1]}}, "map": {"k": "v"},
        "items": [{"name": "a", "v": 7}],
    }  # fmt: skip


def test_metadata_is_decoded_strictly() -> None:
    given = {**widget(), "metadata": {"name": "w1", "labels": {"a": 1}}}
    with pytest.raises(BadRequest, match=r"Go struct field ObjectMeta.metadata.labels of type string"):
        decode(WIDGET, {**given, "kind": "Widget"})


def test_a_version_that_preserves_unknown_fields_keeps_them() -> None:
    given = {"apiVersion": "example.com/v1alpha1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"any": [1]}}
    assert decode(WIDGET, given)[0] == given


def test_printer_columns_make_the_table() -> None:
    objects = [widget(age=14, size=5, status={"state": "ready"}), widget("wx", age=1, replicas=2, when="soon")]
    assert tables.table(WIDGET, objects, now_s=NOW) == (
        "NAME   SIZE   COLOR   STATE   WHEN        AGE\n"
        "w1     5      red     ready               14s\n"
        "wx     3      red             <invalid>   1s\n"
    )
    assert tables.table(WIDGET, [widget(replicas=2)], now_s=NOW, wide=True, show_kind=True) == (
        "NAME                    SIZE   COLOR   REPLICAS   STATE   WHEN   AGE\n"
        "widget.example.com/w1   3      red     2                         3s\n"
    )


def test_without_printer_columns_there_are_name_and_age() -> None:
    versions = [{**CRD["spec"]["versions"][0], "additionalPrinterColumns": []}]
    (plain,) = custom.kinds_of({**CRD, "spec": {**CRD["spec"], "versions": versions}})
    assert tables.table(plain, [widget()], now_s=NOW) == "NAME   AGE\nw1     3s\n"


def conditions(status: Object) -> list[tuple[str, str, str, str]]:
    return [(one["type"], one["status"], one["reason"], one["message"]) for one in status["conditions"]]


def test_a_new_crd_is_established() -> None:
    status = custom.established(CRD, timestamp(NOW), Registry().kinds)
    assert conditions(status) == [
        ("NamesAccepted", "True", "NoConflicts", "no conflicts found"),
        ("Established", "True", "InitialNamesAccepted", "the initial names have been accepted"),
    ]
    assert status["acceptedNames"] == CRD["spec"]["names"]
    assert status["storedVersions"] == ["v1"]
    later = custom.established({**CRD, "status": status}, timestamp(NOW + 60), [WIDGET])
    assert later == status


CONFLICTS = [
    ({"shortNames": ["wg"]}, "ShortNamesConflict", '"wg" is already in use'),
    ({"kind": "Widget"}, "KindConflict", '"Widget" is already in use'),
    ({"singular": "widget"}, "SingularConflict", '"widget" is already in use'),
]


@pytest.mark.parametrize(("names", "reason", "message"), CONFLICTS)
def test_a_name_in_use_is_not_accepted(names: Object, reason: str, message: str) -> None:
    crd = with_names("gizmos", **{"listKind": "GizmoList", "singular": "gizmo", **names})
    kinds: list[Kind] = [WIDGET._replace(crd="widgets.example.com")]
    status = custom.established(crd, timestamp(NOW), kinds)
    assert conditions(status) == [
        ("NamesAccepted", "False", reason, message),
        ("Established", "False", "NotAccepted", "not all names are accepted"),
    ]
    assert status["acceptedNames"] == {"kind": "", "plural": ""}
