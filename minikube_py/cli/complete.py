"""What the shell offers behind a half-typed command line: the hidden `__complete`, which the completion scripts call.

The last word is the one to complete. Each line of the answer is a candidate, a tab and what it is; the line behind them,
':4', tells the shell what to do besides (the directives of spf13/cobra, completions.go).

Sources: spf13/cobra completions.go, kubectl pkg/util/completion/completion.go.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from minikube_py.base.errors import KpyError
from minikube_py.cli import cobra, commands

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.kinds import Kind
    from minikube_py.cli.cobra import Flag, Flags
    from minikube_py.cluster import Cluster

DEFAULT, NO_SPACE, NO_FILES, BY_EXTENSION = 0, 2, 4, 8
NAMES = {
    DEFAULT: "ShellCompDirectiveDefault",
    NO_FILES: "ShellCompDirectiveNoFileComp",
    NO_SPACE | NO_FILES: "ShellCompDirectiveNoSpace, ShellCompDirectiveNoFileComp",
    BY_EXTENSION: "ShellCompDirectiveFilterFileExt",
}
EXTENSIONS = ("json", "yaml", "yml")
SHELLS = ("bash", "zsh", "fish")
ONE_OF = re.compile(r"Output format\. One of: \(([^)]*)\)")
FLAG_TEXT = re.compile(r"^    (?:-\w, )?--([\w-]+)=.*:\n\t(.*)$", re.MULTILINE)
SUBCOMMAND = re.compile(r"^  ([\w-]+) +(\S.*)$", re.MULTILINE)

# What a command takes: names of these kinds only, pods or what owns pods, or types and names.
NODES = ("cordon", "drain", "uncordon", "top node")
PODS = ("attach", "cp", "debug", "exec", "logs", "port-forward", "top pod")
OF_PODS = (
    "daemonsets",
    "deployments",
    "pods",
    "jobs",
    "replicasets",
    "replicationcontrollers",
    "services",
    "statefulsets",
)
TYPES = {
    "autoscale": ("deployments.apps", "replicasets.apps", "replicationcontrollers", "statefulsets.apps"),
    "expose": ("pods", "services", "replicationcontrollers", "deployments.apps", "replicasets.apps"),
    "rollout history": ("deployments.apps", "daemonsets.apps", "statefulsets.apps"),
    "rollout pause": ("deployments.apps",),
    "rollout restart": ("deployments.apps", "daemonsets.apps", "statefulsets.apps"),
    "rollout resume": ("deployments.apps",),
    "rollout status": ("deployments.apps", "daemonsets.apps", "statefulsets.apps"),
    "rollout undo": ("deployments.apps", "daemonsets.apps", "statefulsets.apps"),
    "scale": ("deployments.apps", "replicasets.apps", "replicationcontrollers", "statefulsets.apps"),
    "taint": ("nodes",),
}
ANY = (
    "annotate", "apply edit-last-applied", "apply view-last-applied", "delete", "describe", "edit", "get", "label", "patch",
    "set env", "set image", "set resources", "set serviceaccount", "wait",
)  # fmt: skip


class Answer(NamedTuple):
    """Candidates (each with its description behind a tab, if it has one) and the directive."""

    candidates: list[str]
    directive: int = NO_FILES


def run(words: list[str], *, described: bool = True) -> int:
    """Answer for a command line, the last word of which is to be completed."""
    try:
        answer = _answer(words[:-1], words[-1] if words else "")
    except KpyError:
        answer = Answer([], NO_FILES)
    lines = answer.candidates if described else [line.partition("\t")[0] for line in answer.candidates]
    sys.stdout.write("".join(f"{line}\n" for line in lines) + f":{answer.directive}\n")
    sys.stderr.write(f"Completion ended with directive: {NAMES[answer.directive]}\n")
    return 0


def _answer(words: list[str], typed: str) -> Answer:
    name, rest, known = _command(words)
    if not known:
        return Answer([], DEFAULT)
    flags = cobra.flags_of(name) if name else cobra.Flags([*cobra.global_flags(), cobra.HELP_FLAG])
    if "--" not in rest:
        if typed.startswith("--") and "=" in typed:
            flag = flags.by_name.get(typed[2:].partition("=")[0])
            return _values(name, flag, rest, typed.partition("=")[2]) if flag else Answer([], DEFAULT)
        if typed.startswith("-"):
            return Answer(_flags(name, flags, rest, typed))
        if rest and rest[-1].startswith("-") and len(rest[-1]) > 1:
            if _flag(flags, rest[-1]) is None:
                return Answer([], DEFAULT)
            pending = _pending(flags, rest)
            if pending is not None:
                return _values(name, pending, rest, typed)
    args = _positional(flags, rest)
    if not args and (not name or commands.children(name)):
        below = _commands(name, typed)
        row = commands.find(name) if name else None
        if below or row is None or not row.target:
            return Answer(below)
    return _arguments(name, rest, args, typed)


def _command(words: list[str]) -> tuple[str, list[str], bool]:
    """The command that words begin, the words that are not its name, and whether all of them are known."""
    name, rest = "", list(words)
    while not name or commands.children(name):
        flags = cobra.flags_of(name) if name else cobra.Flags(cobra.global_flags())
        position = cobra.first_word(rest, flags)
        row = commands.find(f"{name} {rest[position]}".strip()) if position >= 0 else None
        if row is None:
            return name, rest, position < 0 or bool(name)
        name, rest = row.name, rest[:position] + rest[position + 1 :]
    return name, rest, True


def _commands(name: str, typed: str) -> list[str]:
    if not name:
        found = [(row.name, row.help) for row in commands.COMMANDS if " " not in row.name]
        helps = {"help": "Help about any command", "options": "Print the list of flags inherited by all commands"}
        found = [(title, text or helps.get(title, "")) for title, text in found]
    else:
        listed = cobra.help_text(name).partition("Available Commands:\n")[2].partition("\n\n")[0]
        texts: dict[str, str] = dict(SUBCOMMAND.findall(listed))
        found = [
            (row.name.rpartition(" ")[2], texts.get(row.name.rpartition(" ")[2], "")) for row in commands.children(name)
        ]
    return [f"{title}\t{text}" for title, text in sorted(found) if title.startswith(typed)]


# -- flags -------------------------------------------------------------------------------------------------------


def _flags(name: str, flags: Flags, rest: list[str], typed: str) -> list[str]:
    """Flags that begin so, the global ones first; those that were given already only if they may be repeated."""
    given = {word[2:].partition("=")[0] for word in rest if word.startswith("--")}
    given |= {
        flags.by_short[word[1]].name for word in rest if len(word) > 1 and word[0] == "-" and word[1] in flags.by_short
    }
    texts = dict(FLAG_TEXT.findall(cobra.help_text("options")))
    texts.update(FLAG_TEXT.findall(cobra.help_text(name)) if name else ())
    texts["help"] = f"help for {name.rpartition(' ')[2] or 'kubectl'}"
    if name.startswith("config"):
        texts["kubeconfig"] = "use a particular kubeconfig file"
    everywhere = {flag.name for flag in cobra.global_flags()} - _own_names(name)
    if not name:
        everywhere = set()
    elif name == "config":
        everywhere -= {"kubeconfig"}
    missing = [one for one in cobra.REQUIRED.get(name, ()) if one not in given]
    offered = [flags.by_name[one] for one in missing] or list(flags.by_name.values())
    found = []
    for flag in sorted(offered, key=lambda one: (one.name not in everywhere, one.name)):
        if flag.deprecated or flag.name == "realtime" or (flag.name in given and flag.kind not in ("slice", "array")):
            continue
        for form in (f"--{flag.name}", f"-{flag.short}" if flag.short else ""):
            if form and form.startswith(typed):
                found.append(f"{form}\t{texts.get(flag.name, '').strip()}")
    return found


def _own_names(name: str) -> set[str]:
    return {found[0] for found in FLAG_TEXT.findall(cobra.help_text(name))} if name else set()


def _pending(flags: Flags, rest: list[str]) -> Flag | None:
    """The flag that waits for its value behind the last word."""
    last = rest[-1]
    flag = _flag(flags, last) if "=" not in last and (last.startswith("--") or len(last) == 2) else None
    return flag if flag is not None and not flag.bare else None


def _flag(flags: Flags, word: str) -> Flag | None:
    """The flag of '--name', '--name=value', '-n' or '-nvalue'."""
    if word.startswith("--"):
        return flags.by_name.get(word[2:].partition("=")[0])
    return flags.by_short.get(word[1])


def _values(name: str, flag: Flag, rest: list[str], typed: str) -> Answer:
    """The values of a flag that begin so."""
    if flag.name == "output" and name == "get":
        formats = ONE_OF.search(cobra.help_text(name))
        return _matching(formats.group(1).split(", ") if formats else (), typed)
    if flag.name == "filename":
        return Answer(list(EXTENSIONS), BY_EXTENSION)
    if flag.name in ("context", "cluster"):
        from minikube_py import home

        return _matching(home.clusters(), typed)
    if flag.name == "user" and not name.startswith("create"):
        return _matching(["admin"], typed)
    if flag.name in ("namespace", "namespaces"):
        cluster = _open(rest)
        return _matching([key.name for key in cluster.store.keys("namespaces")] if cluster else (), typed)
    if flag.name == "container" and name in PODS:
        args = _positional(cobra.flags_of(name), rest[:-1])
        return _matching(_containers(rest, args[0]) if args else (), typed)
    return Answer([], DEFAULT)


def _matching(candidates: Iterable[str], typed: str) -> Answer:
    return Answer([one for one in candidates if one.startswith(typed)])


# -- arguments ---------------------------------------------------------------------------------------------------


def _positional(flags: Flags, rest: list[str]) -> list[str]:
    """The words that are neither flags nor their values."""
    found: list[str] = []
    position = 0
    while position < len(rest):
        at = cobra.first_word(rest[position:], flags)
        if at < 0:
            break
        found.append(rest[position + at])
        position += at + 1
    return found


def _arguments(name: str, rest: list[str], args: list[str], typed: str) -> Answer:
    if name == "completion":
        return _matching(SHELLS if not args else (), typed)
    if name.startswith("config ") and name.rpartition(" ")[2] in (
        "use-context",
        "delete-context",
        "rename-context",
        "set-context",
        "delete-cluster",
    ):
        from minikube_py import home

        return _matching(home.clusters() if not args else (), typed)
    if name in NODES:
        return _matching(_names(rest, "nodes", args), typed)
    if name == "explain":
        return _matching(_types(rest) if not args else (), typed)
    if name in PODS:
        return _of_pods(rest, args, typed, single=name not in ("top pod",))
    if name in TYPES or name in ANY:
        return _types_and_names(rest, args, typed, TYPES.get(name))
    return Answer([], DEFAULT if name in ("", "run", "apply", "create", "replace", "kustomize") else NO_FILES)


def _types_and_names(rest: list[str], args: list[str], typed: str, allowed: tuple[str, ...] | None) -> Answer:
    if "/" in typed:
        word, _, start = typed.partition("/")
        return _matching([f"{word}/{name}" for name in _names(rest, word, [])], f"{word}/{start}")
    if not args or "/" in args[0]:
        return _matching(allowed or _types(rest), typed)
    return _matching(_names(rest, args[0], args[1:]), typed)


def _of_pods(rest: list[str], args: list[str], typed: str, *, single: bool) -> Answer:
    if args and single:
        return _matching(_containers(rest, args[0]) if len(args) == 1 else (), typed)
    if "/" in typed:
        return _types_and_names(rest, [], typed, None)
    pods = _matching(_names(rest, "pods", args), typed).candidates
    types = [f"{name}/" for name in OF_PODS if typed and name.startswith(typed)]
    return Answer([*pods, *types], NO_FILES | NO_SPACE if types and not pods else NO_FILES)


def _open(rest: list[str]) -> Cluster | None:
    """The cluster that the words mean; None where there is none yet."""
    from minikube_py import home

    try:
        return home.open(_given(rest, "context") or None)
    except KpyError:
        return None


def _given(rest: list[str], name: str) -> str:
    """The value of a global flag among the words."""
    from minikube_py.cli.cobra import Flags, Parsed, global_flags

    short = {flag.name: flag.short for flag in global_flags()}[name]
    parsed = Parsed(Flags(global_flags()))
    for at, word in enumerate(rest):
        if word in (f"--{name}", f"-{short}") and at + 1 < len(rest):
            return rest[at + 1]
        if word.startswith(f"--{name}="):
            return word.partition("=")[2]
    return parsed.text(name)


def _types(rest: list[str]) -> list[str]:
    """The names of all kinds that can be read, as `api-resources -o name` prints them."""
    cluster = _open(rest)
    if cluster is None:
        from minikube_py.api.kinds import BUILTIN

        kinds: Iterable[Kind] = BUILTIN.kinds
    else:
        kinds = cluster.registry.kinds
    return sorted(kind.resource for kind in kinds if "get" in kind.verbs)


def _names(rest: list[str], word: str, used: list[str]) -> list[str]:
    """The names of a kind's objects in the namespace that the words mean, without those that stand there already."""
    cluster = _open(rest)
    kind = cluster.registry.named(word) if cluster else None
    if cluster is None or kind is None:
        return []
    from minikube_py.cli import contexts

    namespace = _given(rest, "namespace") or contexts.namespace(_given(rest, "context") or None)
    everywhere = "-A" in rest or "--all-namespaces" in rest
    return [
        key.name
        for key in cluster.store.keys(kind.storage)
        if key.name not in used and (everywhere or not kind.namespaced or key.namespace == namespace)
    ]


def _containers(rest: list[str], word: str) -> list[str]:
    """The containers of a pod, init containers first."""
    from minikube_py.api.types import Key
    from minikube_py.cli import contexts

    cluster = _open(rest)
    if cluster is None:
        return []
    namespace = _given(rest, "namespace") or contexts.namespace(_given(rest, "context") or None)
    pod = cluster.store.get(Key("pods", namespace, word.rpartition("/")[2]))
    spec = pod["spec"] if pod else {}
    return [one["name"] for field in ("initContainers", "containers") for one in spec.get(field) or ()]
