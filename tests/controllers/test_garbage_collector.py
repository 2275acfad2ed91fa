"""Ownership and deletion: misc/garbage_collection."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.types import Key, Patch
from minikube_py.controllers import garbage_collector
from tests.controllers.objects import at, configmap
from tests.support import Delete, FrozenView, actions

OWNER, DEP = Key("configmaps", "default", "owner"), Key("configmaps", "default", "dep")


def _reference(owner: dict[str, Any], *, block: bool = False) -> dict[str, Any]:
    meta = owner["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": meta["name"], "uid": meta["uid"]}
    return {**reference, "blockOwnerDeletion": True} if block else reference


def _deleting(name: str, finalizer: str) -> dict[str, Any]:
    return configmap(name, deletionTimestamp=at(1), finalizers=[finalizer])


def _run(obj: dict[str, Any], *others: dict[str, Any]) -> list[Any]:
    return actions(garbage_collector.step, obj, FrozenView({"configmaps": [obj, *others]}))


def test_an_object_whose_owner_is_there_stays() -> None:
    owner = configmap("owner")
    assert _run(configmap("dep", [_reference(owner)]), owner) == []


@pytest.mark.parametrize("left", [[], [configmap("owner", uid="another")]], ids=["gone", "another of that name"])
def test_an_object_whose_owner_is_gone_is_deleted(left: list[dict[str, Any]]) -> None:
    dependent = configmap("dep", [_reference(configmap("owner"))])
    assert _run(dependent, *left) == [Delete(DEP, propagation="Background", uid="uid-dep")]


def test_an_object_with_another_owner_only_loses_the_reference() -> None:
    other = configmap("other")
    dependent = configmap("dep", [_reference(configmap("owner")), _reference(other)])
    assert _run(dependent, other) == [Patch(DEP, {"metadata": {"ownerReferences": [_reference(other)]}})]


def test_a_reference_to_an_unknown_kind_says_nothing() -> None:
    unknown = {"apiVersion": "example.com/v1", "kind": "Thing", "name": "x", "uid": "u"}
    assert _run(configmap("dep", [unknown])) == []


def test_foreground_deletion_deletes_dependents_and_waits_for_those_that_block() -> None:
    owner = _deleting("owner", "foregroundDeletion")
    blocking = configmap("blocking", [_reference(owner, block=True)])
    plain = configmap("dep", [_reference(owner)])
    assert _run(owner, blocking, plain) == [
        Delete(Key("configmaps", "default", "blocking"), propagation="Background", uid="uid-blocking"),
        Delete(DEP, propagation="Background", uid="uid-dep"),
    ]
    assert _run(owner, plain)[-1] == Patch(OWNER, {"metadata": {"finalizers": None}})


def test_a_dependent_with_dependents_goes_in_the_foreground_too() -> None:
    owner = _deleting("owner", "foregroundDeletion")
    middle = configmap("middle", [_reference(owner, block=True)])
    leaf = configmap("leaf", [_reference(middle, block=True)])
    assert _run(owner, middle, leaf) == [
        Delete(Key("configmaps", "default", "middle"), propagation="Foreground", uid="uid-middle")
    ]


def test_orphaning_strips_the_references_and_then_lets_the_owner_go() -> None:
    owner = _deleting("owner", "orphan")
    assert _run(owner, configmap("dep", [_reference(owner)])) == [Patch(DEP, {"metadata": {"ownerReferences": None}})]
    assert _run(owner, configmap("dep", [])) == [Patch(OWNER, {"metadata": {"finalizers": None}})]
