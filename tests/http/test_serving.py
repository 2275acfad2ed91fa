"""What lies around the server: certificates, kubeconfigs, its folder, and its command."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from minikube_py import home
from minikube_py.base import clock
from minikube_py.base.errors import UsageError
from minikube_py.http import certificates, endpoint, kubeconfig, serving
from tests.cli.conftest import kpy, template  # noqa: F401  (fixtures)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_certificates_are_made_once_and_anew_when_they_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = lambda name: (tmp_path / name).read_text()  # noqa: E731
    certificates.ensure(str(tmp_path), [])
    first = (read("ca.crt"), read("server.crt"))
    assert [oct(os.stat(tmp_path / name).st_mode)[-3:] for name in ("ca.key", "server.key")] == ["600", "600"]
    certificates.ensure(str(tmp_path), [])
    assert (read("ca.crt"), read("server.crt")) == first
    certificates.ensure(str(tmp_path), ["192.0.2.7"])
    assert read("ca.crt") == first[0]
    assert read("server.crt") != first[1]
    monkeypatch.setattr(clock, "wall_now_s", lambda: 2_200_000_000)
    certificates.ensure(str(tmp_path), [])
    assert read("ca.crt") != first[0], "an authority that is over is made anew"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    (tmp_path / "ca.key").write_text("broken")
    certificates.ensure(str(tmp_path), [])


def test_a_kubeconfig_has_a_context_for_each_user() -> None:
    found = kubeconfig.config("c", "https://x", "PEM", {"boss": "t1", "alice": "t2"}, admin="boss", namespace="shop")
    assert [one["name"] for one in found["contexts"]] == ["c", "c-alice"]
    assert found["contexts"][1]["context"] == {"cluster": "c", "user": "c-alice", "namespace": "shop"}
    assert found["users"][1] == {"name": "c-alice", "user": {"token": "t2"}}
    plain = kubeconfig.config("c", "http://x", "", {"boss": "t1"}, admin="boss", namespace="default")
    assert plain["clusters"][0]["cluster"] == {"server": "http://x"}
    assert "namespace" not in plain["contexts"][0]["context"]


def test_other_entries_of_a_kubeconfig_stay(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        yaml.safe_dump({"clusters": [{"name": "c", "cluster": {}}, {"name": "other", "cluster": {}}], "extensions": []})
    )
    wanted = kubeconfig.config("c", "https://x", "", {"boss": "t"}, admin="boss", namespace="")
    kubeconfig.write(str(path), wanted)
    found = yaml.safe_load(path.read_text())
    assert [one["name"] for one in found["clusters"]] == ["other", "c"]
    assert found["current-context"] == "c"
    assert "extensions" in found
    for wrong in ("[]", "a: [", "text"):
        path.write_text(wrong)
        with pytest.raises(UsageError, match="kubeconfig"):
            kubeconfig.write(str(path), wanted)


def test_tokens_stay_and_users_get_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPY_HOME", str(tmp_path))
    place = serving.Place("c")
    first = place.tokens({"boss": ()})
    second = place.tokens({"boss": (), "alice": ("devs",)})
    assert second["boss"] == first["boss"]
    assert len({*second.values()}) == 2
    assert len(second["alice"]) == 64


def test_only_one_server_holds_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPY_HOME", str(tmp_path))
    place = serving.Place("c")
    assert not place.is_running
    held = place.acquire()
    assert held is not None
    assert place.is_running
    assert serving.Place("c").acquire() is None
    os.close(held)
    assert not place.is_running


def test_a_port_that_is_taken_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPY_HOME", str(tmp_path))
    place = serving.Place("c")
    with serving._listener(serving.Options(), place) as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen at 127.0.0.1:{port}: Address already in use"):
            serving._listener(serving.Options(port=port), place)
        place.write("port", str(port))
        with serving._listener(serving.Options(), place) as second:
            assert second.getsockname()[1] != port, "the last port is only a wish"


def test_the_service_of_the_api_server_leads_here() -> None:
    from minikube_py.cluster import Cluster

    with Cluster.memory() as cluster:
        endpoint.publish(cluster, "127.0.0.1", 4711)
        found = cluster.get("endpoints", "kubernetes")["subsets"]
        assert found == [
            {"addresses": [{"ip": "127.0.0.1"}], "ports": [{"name": "https", "port": 4711, "protocol": "TCP"}]}
        ]
        assert cluster.get("endpointslices", "kubernetes")["endpoints"][0]["addresses"] == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--clock", "fast"], 'error: unknown clock "fast": use virtual, manual, wall, or x and a number'),
        (["--address", "example.com"], 'error: "example.com" is not an IP address'),
        (["--user", "system:x"], 'error: "system:x" cannot be a user'),
        (["--port", "70000"], "error: invalid value for '--port'"),
        (["extra"], "error: got unexpected extra argument"),
    ],
)
def test_wrong_options_are_refused_before_anything_starts(kpy: Callable[..., Any], words: list[str], told: str) -> None:  # noqa: F811
    found = kpy("serve", *words)
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith(told)


def test_stopping_what_does_not_run_says_so(kpy: Callable[..., Any]) -> None:  # noqa: F811
    assert kpy("serve", "--stop").out == 'The server of cluster "kpy" was not running.\n'


def test_without_the_packages_it_says_what_to_install(kpy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert kpy("serve").err == "error: kpy serve needs more packages: pip install 'minikube-py[serve]'\n"


def test_a_cluster_takes_its_servers_folder_with_it(kpy: Callable[..., Any]) -> None:  # noqa: F811
    serving.Place("kpy").tokens({"boss": ()})
    kpy("config", "rename-context", "kpy", "other")
    assert os.path.exists(home.serve_folder("other"))
    assert kpy("cluster", "delete", "other").code == 0
    assert not os.path.exists(home.serve_folder("other"))
