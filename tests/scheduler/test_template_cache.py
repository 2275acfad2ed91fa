"""Which templates are told of a pod that comes to a node or leaves it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from minikube_py.scheduler import template_cache
from minikube_py.scheduler.framework import AFFINE, EVERYONE


def state(name: str, *marks: Any) -> Any:
    return SimpleNamespace(name=name, marks=list(marks)) if marks else SimpleNamespace(name=name)


def template(*live: Any) -> Any:
    return SimpleNamespace(live=list(live), victims={})


def pod(namespace: str = "default", affinity: Any = None, **labels: str) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "labels": labels}, "spec": {"affinity": affinity} if affinity else {}}


@pytest.fixture
def templates() -> template_cache.TemplateCache:
    found = template_cache.TemplateCache()
    found.add("web", template(state("web spread", ("default", ("app", "web")), ("default", ("app", "web")))))
    found.add("db", template(state("db spread", ("default", ("app", "db"))), state("terms", AFFINE)))
    found.add("any", template(state("namespace", ("default", None)), state("all", EVERYONE), state("unmarked")))
    return found


@pytest.mark.parametrize(
    ("told", "names"),
    [
        (pod(app="web"), {"web spread", "namespace", "all", "unmarked"}),
        (pod(app="db", affinity={"podAffinity": {}}), {"db spread", "terms", "namespace", "all", "unmarked"}),
        (pod(namespace="other", app="web"), {"all", "unmarked"}),
        (pod(), {"namespace", "all", "unmarked"}),
    ],
)
def test_states_are_told_of_the_pods_that_bear_their_marks(
    templates: template_cache.TemplateCache, told: Any, names: set[str]
) -> None:
    found = [one.name for one in templates.concerned_by(told)]
    assert sorted(found) == sorted(names), "each once"


def test_a_forgotten_template_is_told_nothing(templates: template_cache.TemplateCache) -> None:
    templates.forget("any")
    templates.keep(lambda one: one.live[0].name != "db spread")
    assert [one.name for one in templates.concerned_by(pod(app="web"))] == ["web spread"]
    templates.forget("web")
    templates.forget("web")
    assert not len(templates)
    assert not list(templates.concerned_by(pod(app="web")))


def test_the_oldest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_cache, "TEMPLATES_MAX", 2)
    templates = template_cache.TemplateCache()
    for name in ("a", "b", "c"):
        templates.add(name, template(state(name, EVERYONE)))
    assert templates.get("a") is None
    assert [one.name for one in templates.concerned_by(pod())] == ["b", "c"]
