"""`kpy policy test`: what roles, policies, quotas and webhooks decide about the cases of a folder, and which never did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import own, policy_cases

if TYPE_CHECKING:
    from collections import Counter

    import typer

    from minikube_py.apiserver.admission import Note
    from minikube_py.cli.policy_cases import Result

app = own.new_app("Test roles, policies and webhooks: who may do what.", group=True)

Object = dict[str, Any]

OUTPUTS = ("", "json", "junit")
BY_ITSELF = "changes"  # what a plugin without rules adds to every object: told with -v


@app.command("test")
def run(
    ctx: typer.Context,
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Files of kind PolicyTest, and objects applied before them.")
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="json or junit.")] = "",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Tell what every rule decided, of passing cases too.")
    ] = False,
) -> int:
    """Run the cases of a folder in a copy of the cluster. The exit code is 1 if one is not as expected."""
    if output not in OUTPUTS:
        raise UsageError(f'unknown output format "{output}": want json or junit')
    found = policy_cases.read(folder)
    cluster = ctx.obj.cluster.copy()
    policy_cases.prepare(cluster, found.objects)
    results = [policy_cases.run(cluster, case) for case in found.cases]
    used = _used(results)
    unused = [rule for rule in policy_cases.rules(cluster) if rule not in used]
    if output == "json":
        own.echo(_json(results, used, unused))
    elif output == "junit":
        own.echo(_junit(results))
    else:
        _text(results, unused, verbose=verbose)
    return 1 if any(result.problem for result in results) else 0


def _used(results: list[Result]) -> Counter[tuple[str, str]]:
    from collections import Counter

    return Counter((note.plugin, note.rule) for result in results for note in result.notes)


def _text(results: list[Result], unused: list[tuple[str, str]], *, verbose: bool) -> None:
    suite = None
    for result in results:
        if result.case.suite != suite:
            suite = result.case.suite
            own.echo(f"{suite} ({result.case.where})")
        own.echo(f"  {_word(result):5} {result.case.name}")
        if result.problem:
            own.echo(f"        {_indented(result.problem)}")
        if verbose or result.problem:
            for note in result.notes:
                if verbose or note.verdict != BY_ITSELF:
                    own.echo(f"        {_line(note)}")
    failed = sum(1 for result in results if result.problem)
    own.echo(f"{len(results) - failed} passed, {failed} failed")
    decided = _decided(results)
    if decided:
        own.echo("what each rule decided:")
        for (plugin, rule), verdicts in decided.items():
            own.echo(f"  {plugin} {rule}: {', '.join(f'{verdict} {count}' for verdict, count in verdicts.items())}")
    if unused:
        own.echo("rules that no case used:")
        for plugin, rule in unused:
            own.echo(f"  {plugin} {rule}")


def _decided(results: list[Result]) -> dict[tuple[str, str], dict[str, int]]:
    """How often each rule decided what: {('RBAC', 'Role/shop/reader rule 1'): {'allows': 2}}."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for note in sorted(note for result in results for note in result.notes if note.rule):
        verdicts = found.setdefault((note.plugin, note.rule), {})
        verdicts[note.verdict] = verdicts.get(note.verdict, 0) + 1
    return found


def _word(result: Result) -> str:
    return "ERROR" if result.is_error else "FAIL" if result.problem else "ok"


def _line(note: Note) -> str:
    """'PodSecurity namespace/shop enforce=baseline:latest denies: violates ...'."""
    start = " ".join(filter(None, (note.plugin, note.rule, note.verdict)))
    return f"{start}: {_indented(note.text)}" if note.text else start


def _indented(text: str) -> str:
    return text.replace("\n", "\n          ")


def _json(results: list[Result], used: Counter[tuple[str, str]], unused: list[tuple[str, str]]) -> str:
    import json

    cases = [
        {
            "suite": result.case.suite,
            "name": result.case.name,
            "file": result.case.where,
            "passed": not result.problem,
            "problem": result.problem,
            "expected": result.case.asked["expect"],
            "verdict": result.verdict,
            "text": result.text,
            "warnings": list(result.warnings),
            "decisions": [note._asdict() for note in result.notes],
        }
        for result in results
    ]
    known = [{"plugin": plugin, "rule": rule, "used": count} for (plugin, rule), count in sorted(used.items()) if rule]
    never = [{"plugin": plugin, "rule": rule, "used": 0} for plugin, rule in unused]
    return json.dumps({"cases": cases, "rules": known + never}, indent=2)


def _junit(results: list[Result]) -> str:
    """The report as JUnit's XML: a suite for each document, a case for each case."""
    from xml.etree import ElementTree

    root = ElementTree.Element("testsuites", name="kpy policy test")
    suites: dict[str, ElementTree.Element] = {}
    for result in results:
        suite = suites.get(result.case.suite)
        if suite is None:
            suite = suites[result.case.suite] = ElementTree.SubElement(root, "testsuite", name=result.case.suite)
        case = ElementTree.SubElement(
            suite, "testcase", classname=result.case.suite, name=result.case.name, file=result.case.where
        )
        if result.problem:
            ElementTree.SubElement(case, "error" if result.is_error else "failure", message=result.problem)
        told = "\n".join(_line(note) for note in result.notes if note.verdict != BY_ITSELF)
        if told:
            ElementTree.SubElement(case, "system-out").text = told
    for element in (*suites.values(), root):
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            element.set(name, str(len(list(element.iter(tag)))))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")
