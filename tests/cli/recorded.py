"""The recorded commands of a real kubectl, replayed on a cluster brought to the same state.

`replay()` runs them in their order, in one process, and gives for each what the real one printed and what kpy printed,
both masked: chance (uids, random parts of names, allocated addresses and ports) and time (timestamps, ages) are no
behaviour. The recorded cluster had three nodes without a control plane, played by an imitation of a kubelet that started
every container at once from images it had already; `PROGRAMS` and the images of the nodes say the same to the kubelet here.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shlex
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py import bootstrap, home
from minikube_py.__main__ import main
from minikube_py.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DATA = Path(__file__).parents[1] / "data" / "kubectl" / "recorded.json.gz"
EPOCH_S = 1_795_558_871  # 2026-11-24T22:21:11Z, when the recorded nodes came up
NODES = ("fake-000", "fake-001", "fake-002")
IMAGES = (
    "a:1", "a:2", "agent:1", "b:1", "busybox", "nginx", "nginx:1.27", "nginx:1.28", "perl:5", "redis:7",
)  # fmt: skip
# What the imitated kubelet did: everything at once, Jobs done after 3 s, one image that is nowhere.
PROGRAMS: dict[str, dict[str, Any]] = {
    "everything": {"pull": {"after": "0s"}, "create": {"after": "1s"}, "sigterm": {"after": "0s"}},
    "lonely": {"match": {"selector": {"matchLabels": {"app": "lonely"}}}, "create": {"after": "0s"}},
    "jobs": {"match": {"image": "perl:*"}, "exit": {"after": "3s"}},
    "nowhere": {
        "match": {"image": "does-not-exist:*"},
        "pull": {
            "after": "0s",
            "error": "failed to pull and unpack image"
            ' "docker.io/library/does-not-exist:1": failed to resolve reference'
            ' "docker.io/library/does-not-exist:1": docker.io/library/does-not-exist:1: not found',
        },
    },
}
# What somebody did before a command that was not recorded.
UNRECORDED = {"get_all_after": "delete job/j1 pod/p1 svc/s8 hpa/db"}
# Of long texts only the first lines were recorded.
CUT = {"explain_pod_spec_recursive": 60}
# Seconds that passed before a command without one being recorded.
PAUSES = {"get_pods": 13, "get_sts": 1, "explain_pod_spec": 2, "get_f": 5}


class Case(NamedTuple):
    """One recorded command. `wall_s`: how long the real one took."""

    name: str
    command: str
    stdin: str
    code: int
    wall_s: float
    out: str
    err: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.command)


class Outcome(NamedTuple):
    case: Case
    expected: str
    found: str

    @property
    def equal(self) -> bool:
        return self.expected == self.found


def recorded() -> tuple[str, list[Case]]:
    """The manifest of the state, and the commands in their order."""
    data = json.loads(gzip.decompress(DATA.read_bytes()))
    return data["state"], [Case(**row) for row in data["cases"]]


@contextmanager
def prepared(folder: Path, epoch_s: int = EPOCH_S) -> Iterator[list[Case]]:
    """The recorded commands, in a home and working directory that are as they were before the first of them."""
    state, cases = recorded()
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("state.yaml").write_text(state)
    before, place = dict(os.environ), os.getcwd()
    os.environ.update({"KPY_HOME": str(folder / "home"), "TMPDIR": "/tmp"})
    os.chdir(folder)
    try:
        _start(epoch_s)
        yield cases
    finally:
        os.chdir(place)
        os.environ.clear()
        os.environ.update(before)


def replay(folder: Path) -> Iterator[Outcome]:
    """Run every command in `folder`, which becomes the working directory and the home meanwhile."""
    with prepared(folder) as cases:
        elapsed_s = 0.0
        for case in cases:
            pass_time(PAUSES.get(case.name, 0))
            if case.name in UNRECORDED:
                call(UNRECORDED[case.name].split(), "")
            yield _run(case)
            elapsed_s += min(case.wall_s, 1)
            pass_time(int(elapsed_s))
            elapsed_s %= 1


def _start(epoch_s: int) -> None:
    """A cluster of the recorded nodes, as it was before the first command."""
    path = Path(home.path("oracle"))
    path.parent.mkdir(parents=True)
    with Cluster.make(str(path), name="oracle", epoch_s=epoch_s, nodes=0, seed=1) as cluster:
        with cluster.transaction():
            for index, name in enumerate(NODES):
                bootstrap.add_node(
                    cluster.server, name, index=index, cpu="32", memory="128Gi", version="v1.36.2"
                )  # fmt: skip
                images = [
                    {"names": [f"docker.io/library/{image}" + (":latest" * (":" not in image))], "sizeBytes": 1}
                    for image in IMAGES
                ]
                cluster.patch("nodes", name, patch={"status": {"images": images}}, subresource="status")
            for name, spec in PROGRAMS.items():
                meta = {"name": name, "namespace": "default"}
                cluster.create(
                    {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Program", "metadata": meta, "spec": spec}
                )
        cluster.reconcile(for_s=12)
    home.use("oracle")


def pass_time(seconds: int) -> None:
    """The controllers act on what was written, at once; then time passes."""
    with home.open() as cluster:
        cluster.reconcile(for_s=seconds)


def _run(case: Case) -> Outcome:
    code, out, err = call(case.words, case.stdin)
    if case.name in CUT:
        out = "".join(out.splitlines(keepends=True)[: CUT[case.name]])
    return Outcome(case, masked(case, case.code, case.out, case.err), masked(case, code, out, err))


@contextmanager
def _stdin(text: str) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    try:
        yield
    finally:
        sys.stdin = before


def call(words: list[str], stdin: str) -> tuple[int, str, str]:
    out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.TextIOWrapper(io.BytesIO(), write_through=True)
    with _stdin(stdin), redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words)
        except Exception as error:
            code = -1
            err.write(f"{type(error).__name__}: {error}\n")
    return code, *(stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]


# ---- what is chance or time

LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # those of random names (apimachinery/pkg/util/rand)
CHANCE = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uid>"),
        (r"((?:machineID|Machine ID): +)[0-9a-f-]{32,36}", r"\1<uid>"),
        (r"(holderIdentity: |  )apiserver-[a-z0-9]{26}(_\S+)?", r"\1<apiserver>"),
        (r"X509SHA256=[0-9a-f]{64}", "X509SHA256=<digest>"),
        (r"containerd://[0-9a-f]{32,64}", "<container>"),
        (r"docker\.io/library/\S+@sha256:[0-9a-f]{64}", "<image>"),
        (r"(resourceVersion\"?: )\"\d+\"", r"\1<revision>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+0000", "<time>"),
        (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000", "<time>"),
        (r"(?m)^([IWE])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ ", r"\1<time> "),
        (r"\b10\.24[45]\.\d+\.\d+\b", "<pod address>"),
        (r"\b10\.(9[6-9]|10\d|11[01])\.(?!0\.1\b)\d+\.\d+\b", "<service address>"),
        (r"\b192\.(0\.2\.10|168\.10\.1)\b", "<api server>"),
        (r"\b1?6443\b", "<port>"),
        (r"\b3[012]\d{3}\b", "<port>"),
        (r"(LIVE|MERGED)-\w+", r"\1-<random>"),
        (r"\bfake-00\d(/(192\.168\.10\.\d|<api server>))?", "<node>"),
        (rf"(-|hash=|Hash: )[{LETTERS}]{{8,10}}\b", r"\1<hash>"),
        (rf"-[{LETTERS}]{{5}}\b", "-<random>"),
        (r"(?<![\w=.:/-])(\d+d)?(\d+h)?(\d+m)?\d+s\b|(?<![\w=.:/-])\d{1,2}m(?=\n|  )", "<age>"),
    )
)


class Rule(NamedTuple):
    """Something that differs in `cases` (a pattern of their names) for a reason that is none of kubectl's."""

    cases: str
    pattern: str
    by: str
    why: str


A_FILE = "a cluster is a file, without an address and certificates"
RESYNC = "a claim without a volume is looked at every 15 s, and each time it is told; here once"
NO_LOGS = "the imitated kubelet had no containers to ask: the real answer is compared with what kubectl says besides"
NODES_OF_PODS = "which node a pod falls on is chance"
RULES = (
    Rule("help|no_args", r"Simulation Commands:\n(  .*\n)+\n", "", "kpy's own commands stand behind kubectl's"),
    Rule("options", r"cache-dir='.*/\.kube", "cache-dir='<home>/.kube", "the recorder's home was not told"),
    Rule("get_.*", r"(lonely +)[02](/2 )", r"\1<ready>\2", "the imitated kubelet left a pod without probes unready"),
    Rule("describe_pod", r"(Ready:? +)(True|False)", r"\1<ready>", "the same"),
    Rule(
        "events|get_events_sorted|describe_node.*",
        r".*[ \t](Starting|NodeReady)[ \t].*\n",
        "",
        "the imitated kubelet wrote no events about its node",
    ),
    Rule("describe_node.*", r"PodCIDRs?: .*\n", "", "nobody gave the recorded nodes ranges"),
    Rule("get_yaml_node", r"spec: \{\}\n|spec:\n  podCIDR: .*\n  podCIDRs:\n  - .*\n", "", "the same"),
    Rule(
        "get_yaml_node",
        r"  images:\n(  - names:\n(    - .*\n)+    sizeBytes: \d+\n)+",
        "",
        "the imitated kubelet reported no images",
    ),
    Rule("describe_pod_broken", r" \(x\d+ over \w+\)", "", "the imitated kubelet pulled once"),
    Rule("events", r" \(x\d+ over \w+\)(.* Pod/broken)", r"\1", "the same"),
    Rule("events", r" \(x\d+ over \w+\)(.*FailedBinding)", r"\1", RESYNC),
    Rule("describe_pvc", r"(FailedBinding +\w+) \(x\d+ over \w+\)", r"\1", RESYNC),
    Rule(
        "logs.*|exec|attach", r"exit code \d\n|(Error from server \(NotFound\)|error: Internal error).*\n", "", NO_LOGS
    ),
    Rule("logs.*|exec|attach", r"(?<=--- stdout\n)(.+\n)*(?=--- stderr)", "", NO_LOGS),
    Rule(
        "events|get_events_sorted",
        r".*\(x.*FailedScheduling.*\n|.*FailedScheduling.*\n(?=.*FailedScheduling)",
        "",
        "heartbeats of the nodes made the scheduler try again",
    ),
    Rule("describe_pod_pending", r".*FailedScheduling.*\(x.*\n", "", "the same"),
    Rule("describe_node.*", r"\(\d+ in total\)|  default  .*\n|(?<=  cpu|emory)  +\d+\w* \(.*", "", NODES_OF_PODS),
    Rule("drain", r"(evicting pod default|pod)/.*\n", "", NODES_OF_PODS),
    Rule("get_pods_drained", r"pi-\w{5} .*\n", "", NODES_OF_PODS),
    Rule(
        "api_.*",
        r"(?<=\n).*\b(sim\.kpy\.dev|metrics\.k8s\.io|autoscaling\.k8s\.io).*\n",
        "",
        "kpy's own kinds, and what add-ons serve that the recorded cluster did not have",
    ),
    Rule("api_.*", r"  +", "  ", "columns are as wide as those rows"),
    Rule("cluster_info|config_view", r"https://127\.0\.0\.1:16443|file://\S+", "<address>", A_FILE),
    Rule("config_view", r"    certificate-authority: .*\n", "", A_FILE),
    Rule("config_view", r"  user: \{\}\n|  user:\n    client-certificate: .*\n    client-key: .*\n", "", A_FILE),
    Rule("help|no_args", r"(provided by plugins:\n)(?:.+\n)+\n", r"\1\n", "a program that was on the PATH"),
    Rule("rollout_status_.*", r"(Waiting.*\n)\1+", r"\1", "a line for each change of the status: how fast pods start"),
)
# Their lines come in an order that is chance: times that are equal to the second, nodes of pods.
UNORDERED = ("get_events_sorted", "events", "get_sort_by_node", "describe_pod_broken")


def masked(case: Case, code: int, out: str, err: str) -> str:
    """One text of code and both streams without chance, time, and what `RULES` are about."""
    text = f"exit code {code}\n--- stdout\n{out}--- stderr\n{err}"
    for rule in RULES:
        if rule.pattern and re.fullmatch(rule.cases, case.name):
            text = re.sub(rule.pattern, rule.by, text)
    found = text
    for pattern, by in CHANCE:
        found = pattern.sub(by, found)
    lines = found.split("\n")
    return "\n".join(_in_order(case, lines if found == text else map(_squeezed, lines)))


def _squeezed(line: str) -> str:
    """Columns are as wide as what stands in them, so where chance was replaced runs of spaces count as two."""
    margin = len(line) - len(line.lstrip(" "))
    return line[:margin] + re.sub("  +", "  ", line[margin:])


def _in_order(case: Case, lines: Iterable[str]) -> list[str]:
    """Lines with random names come in the order of these: they are sorted among themselves."""
    ordered = list(lines)
    slots = [number for number, line in enumerate(ordered) if case.name in UNORDERED or "<random>" in line]
    for number, line in zip(slots, sorted(ordered[slot] for slot in slots), strict=True):
        ordered[number] = line
    return ordered
