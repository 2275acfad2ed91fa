"""ipFamilies and ipFamilyPolicy of a Service: what they mean together, and what the cluster has.

Source: pkg/registry/core/service/storage/alloc.go (initIPFamilyFields).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.families import IPV4, IPV6, family_of
from minikube_py.api.validation.causes import same
from minikube_py.api.validation.service import cluster_ips, is_headless

if TYPE_CHECKING:
    from collections.abc import Collection

    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
OTHER = {IPV4: IPV6, IPV6: IPV4}


def completed(causes: Causes, spec: Object, before: Object, configured: Collection[str]) -> Object:
    """The spec with its policy and families. `configured`: the families of the cluster, the default one first;
    `before`: the spec of the stored Service, {} for a new one. Findings go to `causes`."""
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec = {**spec, "clusterIPs": [spec["clusterIP"]]}
    if before and _is_kept(spec, before):
        return spec
    policy = spec.get("ipFamilyPolicy") or before.get("ipFamilyPolicy")
    open_ended = is_headless(spec) and not spec.get("selector")
    if policy is None:
        policy = REQUIRE if open_ended else SINGLE
    spec = {**spec, "ipFamilyPolicy": policy}
    cluster_ips(causes, spec)
    if len(causes):
        return spec
    if before and policy == SINGLE:
        spec = _reduced(spec, before)
    families = _inferred(causes, spec, configured)
    _fit_policy(causes, spec, before)
    if len(causes):
        return spec
    if not open_ended:
        _must_be_there(causes, policy, families, configured)
    families = families or [next(iter(configured))]
    if policy != SINGLE and len(families) == 1 and (open_ended or len(configured) == 2):
        families = [*families, OTHER[families[0]]]
    return {**spec, "ipFamilies": families}


def _is_kept(spec: Object, before: Object) -> bool:
    """A Service that prefers both families is neither extended nor cut when the cluster's have changed."""
    both = spec.get("ipFamilyPolicy") == before.get("ipFamilyPolicy") == PREFER
    return both and all(same(spec.get(field), before.get(field)) for field in ("clusterIPs", "ipFamilies"))


def _reduced(spec: Object, before: Object) -> Object:
    """The policy alone set to SingleStack: the second address and family are given back."""
    fields = ("clusterIPs", "ipFamilies")
    cut = {one: spec[one][:1] for one in fields if len(spec.get(one) or ()) > 1 and spec[one] == before.get(one)}
    return {**spec, **cut}


def _inferred(causes: Causes, spec: Object, configured: Collection[str]) -> list[str]:
    """The families that are named, and those of the addresses that were asked for beyond them."""
    families, addresses = list(spec.get("ipFamilies") or ()), spec.get("clusterIPs") or []
    for index, address in enumerate(addresses):
        if address == "None":
            break
        if index >= len(families):
            if family_of(address) in configured:
                families.append(family_of(address))
            else:
                detail = f"{family_of(address)} is not configured on this cluster"
                causes.invalid(f"spec.clusterIPs[{index}]", addresses, detail)
    return families


def _fit_policy(causes: Causes, spec: Object, before: Object) -> None:
    policy, path = spec["ipFamilyPolicy"], "spec.ipFamilyPolicy"
    named = (("clusterIPs", "cluster IP", "cluster IPs"), ("ipFamilies", "IP family", "IP families"))
    for field, one, many in named:
        found, had = spec.get(field) or [], before.get(field) or []
        if policy == SINGLE and len(found) == 2:
            detail = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {many} are specified"
            causes.invalid(path, policy, detail)
        elif policy != SINGLE and len(had) == 2 and len(found) == 1 and found[0] == had[0]:
            causes.invalid(path, policy, f"must be 'SingleStack' to release the secondary {one}")


def _must_be_there(causes: Causes, policy: str, families: list[str], configured: Collection[str]) -> None:
    if policy == REQUIRE and len(configured) < 2:
        detail = "this cluster is not configured for dual-stack services"
        causes.invalid("spec.ipFamilyPolicy", policy, detail)
    for index, family in enumerate(families):
        if family not in configured:
            causes.invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
