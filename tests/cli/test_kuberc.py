"""The kuberc file against what the real kubectl 1.37 said and wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result

HEAD = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n"
FAILED = "error occurred while applying preferences "
ALL = """aliases:
- appendArgs:
  - --
  - x
  command: get
  name: getn
  options:
  - default: wide
    name: output
  prependArgs:
  - nodes
apiVersion: kubectl.config.k8s.io/v1beta1
credentialPluginAllowlist:
- command: cl
- command: b
credentialPluginPolicy: Allowlist
defaults:
- command: get
  options:
  - default: wide
    name: output
kind: Preference
"""


@pytest.fixture(autouse=True)
def rc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own; the file is not there yet."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBERC", raising=False)
    return tmp_path / ".kube" / "kuberc"


def test_what_is_set_is_written_as_kubectl_writes_it(kpy: Callable[..., Result], rc: Path) -> None:
    option = "--option=output=wide"
    first = kpy("kuberc", "set", "--section=defaults", "--command=get", option)
    assert first == (0, f"Updated {rc}\n", "")
    kpy("kuberc", "set", "--section=aliases", "--name=getn", "--command=get", "--prependarg=nodes", option,
        "--appendarg=--", "--appendarg=x")  # fmt: skip
    kpy("kuberc", "set", "--section=credentialplugin", "--policy=Allowlist", "--allowlist-entry=command=cl,command=b")
    assert rc.read_text() == ALL
    assert kpy("kuberc", "view").out == ALL
    again = kpy("kuberc", "set", "--section=defaults", "--command=get")
    assert again.err == 'error: defaults for command "get" already exist, use --overwrite to replace\n'


def test_an_alias_stands_for_its_command_with_words_and_flags(kpy: Callable[..., Result], rc: Path) -> None:
    rc.parent.mkdir()
    rc.write_text(
        HEAD
        + "aliases:\n- name: getn\n  command: get\n  prependArgs: [nodes]\n  options:\n  - {name: output, default: name}\n"
    )
    assert kpy("getn").out == "node/control-plane\nnode/worker-1\nnode/worker-2\n"
    assert kpy("getn", "worker-1").out == "node/worker-1\n"
    assert kpy("getn", "worker-1", "-o", "jsonpath={.kind}").out == "Node"


def test_a_default_counts_where_the_flag_is_not_written(kpy: Callable[..., Result], rc: Path) -> None:
    rc.parent.mkdir()
    rc.write_text(HEAD + "defaults:\n- command: get\n  options:\n  - {name: output, default: name}\n")
    assert kpy("get", "node", "worker-1").out == "node/worker-1\n"
    assert kpy("get", "node", "worker-1", "-ojsonpath={.kind}").out == "Node"
    assert "STATUS" in kpy("get", "node", "worker-1", "--output=").out or kpy("get", "nodes", "--output=wide").code == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: b", "kuberc error kuberc: no valid preferences found in bad, use --v=5 to see details"),
        (HEAD + "credentialPluginPolicy: Foo\n", 'unknown plugin policy: "Foo"'),
        (
            HEAD + "credentialPluginPolicy: Allowlist\n",
            'credential plugin policy set to "Allowlist", but allowlist is unspecified',
        ),
        (HEAD + "aliases: [{name: v1, command: version}]\n", "invalid alias name, can only include alphabetical characters"),
        (HEAD + "aliases: [{name: a, command: get}, {name: a, command: get}]\n", "duplicate alias name a"),
        (
            HEAD + "defaults: [{command: version, options: [{name: nope, default: z}]}]\n",
            "invalid flag nope for command version",
        ),
        (
            HEAD + "defaults: [{command: version, options: [{name: client, default: z}]}]\n",
            "could not apply override value z to flag client in command version err: invalid argument "
            '"z" for "--client" flag: strconv.ParseBool: parsing "z": invalid syntax',
        ),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_is_refused(
    kpy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("bad").write_text(text)
    assert kpy("version", "--kuberc=bad") == (1, "", f"{FAILED}{complaint}\n")


def test_without_a_file_one_is_offered(kpy: Callable[..., Result], rc: Path) -> None:
    offered = kpy("kuberc", "view", stdin="n\n")
    assert offered.out.startswith(f"kuberc file not found at {rc}\nWould you like to generate a default kuberc file")
    assert not rc.exists()
    kpy("kuberc", "view", stdin="y\n")
    assert "name: server-side" in rc.read_text()


def test_it_can_be_switched_off(kpy: Callable[..., Result], rc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rc.parent.mkdir()
    rc.write_text("a: b\n")
    monkeypatch.setenv("KUBERC", "off")
    assert kpy("version", "--client").err == ""
    assert kpy("kuberc", "view").err == "error: KUBERC is disabled via KUBERC=off environment variable\n"
