"""No door stands open: nothing that runs what it reads, no file that others may read, no Secret in what is told."""

from __future__ import annotations

import ast

import pytest

from tests.house import source

CALLS = {
    "eval": "runs text", "exec": "runs text", "compile": "runs text", "__import__": "imports by a computed name",
    "os.system": "runs a shell", "os.popen": "runs a shell", "yaml.load": "may build any object", "yaml.load_all": "may build any object",
    "yaml.unsafe_load": "builds any object", "yaml.full_load": "builds objects", "yaml.unsafe_load_all": "builds any object",
    "yaml.full_load_all": "builds objects", "tempfile.mktemp": "another may take the name",
}  # fmt: skip
MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "code", "codeop"}


def name_of(node: ast.expr) -> str:
    """'os.system' of a call's function; '' if it is no plain name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inside = name_of(node.value)
        return f"{inside}.{node.attr}" if inside else ""
    return ""


def offences(module: source.Module) -> list[str]:
    found = []
    own = {node.name for node in module.tree.body if isinstance(node, ast.FunctionDef)}  # a `compile` of its own
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            name = name_of(node.func)
            if name in CALLS and name not in own:
                found.append(f"{module.where}:{node.lineno} {name} {CALLS[name]}")
            for word in node.keywords:
                if (
                    word.arg == "shell"
                    and name.startswith(("subprocess.", "Popen"))
                    and not (isinstance(word.value, ast.Constant) and word.value.value is False)
                ):
                    found.append(f"{module.where}:{node.lineno} {name}(shell=...) runs a shell")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            found += [f"{module.where}:{node.lineno} imports {name}" for name in names if name.split(".")[0] in MODULES]
        elif isinstance(node, ast.Attribute) and node.attr in (
            "UnsafeLoader",
            "FullLoader",
            "CUnsafeLoader",
            "CFullLoader",
        ):
            found.append(f"{module.where}:{node.lineno} {node.attr} builds objects")
    return found


@pytest.mark.parametrize("module", source.modules(), ids=lambda module: module.where)
def test_nothing_runs_what_it_reads(module: source.Module) -> None:
    assert not offences(module), "\n".join(offences(module))


@pytest.mark.parametrize(
    "text",
    [
        "eval(x)", "import pickle", "from marshal import loads", "os.system('ls')", "yaml.load(x)", "yaml.load(x, yaml.FullLoader)",
        "subprocess.run(x, shell=True)", "tempfile.mktemp()",
    ],
)  # fmt: skip
def test_the_rule_sees_what_it_forbids(text: str) -> None:
    assert offences(source.Module(source.ROOT / "x.py", "x", ast.parse(text)))


def test_the_rule_lets_other_things_be() -> None:
    text = "yaml.safe_load(x); re.compile('x'); subprocess.run(x, shell=False); jsonpath.compile(x)"
    assert not offences(source.Module(source.ROOT / "x.py", "x", ast.parse(text)))
