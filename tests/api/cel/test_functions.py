"""What expressions give, what they cost while they run, and how they fail: the standard functions and those of Kubernetes."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.cel import CelError, CompileError, declarations, evaluate, frontend

pytest.importorskip("cel_expr_python")
OBJECT = {
    "metadata": {"name": "web", "labels": {"a": "b"}},
    "spec": {"replicas": 4, "l": [1, 2, 3], "c": [{"name": "x", "image": "nginx:1"}, {"name": "y"}]},
}
# expression, value, cost
GIVEN: list[tuple[str, Any, int]] = [
    ("object.spec.replicas <= 5", True, 4),
    ("object.spec.c.exists(c, c.image.startsWith('nginx'))", True, 12),
    ("object.spec.c.all(c, has(c.image) && c.image.startsWith('nginx'))", False, 13),
    ("object.spec.c.filter(c, has(c.image)).map(c, c.name)", ["x"], 55),
    ("object.spec.c.map(c, has(c.image), c.name)", ["x"], 31),
    ("object.spec.l.exists_one(x, x == 2)", True, 15),
    ("object.spec.l.map(x, x * 2) == [2,4,6]", True, 67),
    ("{'a':1,'b':2}.transformMap(k,v,v+1)", {"a": 2, "b": 3}, 71),
    ("[1,2,3].transformList(i, v, i > 0, v*2)", [4, 6], 56),
    ("{'a':1}.transformMapEntry(k,v,{v:k})", {1: "a"}, 95),
    ("[1,2,3].all(i, v, i < v)", True, 26),
    ("object.?spec.?nope.orValue('d')", "d", 3),
    ("object.spec.?replicas.optMap(x, x+1).orValue(0)", 5, 21),
    ("quantity('1Gi').isGreaterThan(quantity('1000Mi'))", True, 3),
    ("quantity('1.5').add(2).asApproximateFloat()", 3.5, 3),
    ("ip('10.0.0.1').family() == 4 && cidr('10.0.0.0/8').containsIP('10.1.1.1')", True, 6),
    ("isURL('https://a.b/c?d=e') && url('https://a.b:80/c?d=e').getPort() == '80'", True, 5),
    ("url('https://a.b:80/c?d=e&d=f').getQuery()", {"d": ["e", "f"]}, 4),
    ("'abc 123'.find('[0-9]+')", "123", 2),
    ("'1a2b3c'.findAll('[0-9]', 2)", ["1", "2"], 2),
    ("[3,1,2].isSorted()", False, 13),
    ("[3,1,2].sum() == 6 && [3,1].min() == 1 && ['a','b'].max() == 'b'", True, 38),
    ("[1,2,1].indexOf(1) == 0 && [1,2,1].lastIndexOf(1) == 2", True, 28),
    ("semver('1.2.3').isLessThan(semver('1.10.0')) && semver('v1.2', true).minor() == 2", True, 6),
    (
        "format.dns1123Label().validate('Foo').value()",
        [
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        ],
        17,
    ),
    ("!format.dns1123Label().validate('foo').hasValue()", True, 18),
    ("format.named('uuid').hasValue()", True, 2),
    ("'%s is %d %.2f %x'.format(['a', 1, 1.5, 255])", "a is 1 1.50 ff", 12),
    ("timestamp('2024-01-02T03:04:05Z').getFullYear()", 2024, 2),
    ("timestamp('2024-01-02T03:04:05Z') + duration('1h') > timestamp('2024-01-02T03:04:05Z')", True, 5),
    ("string(timestamp('2024-01-02T03:04:05.5Z')) + string(duration('90m'))", "2024-01-02T03:04:05.5Z5400s", 7),
    ("type(object.spec.replicas) == int", True, 6),
    ("type(object.metadata.name) == string", True, 6),
    ("'a' in object.metadata.labels && 4 in [1,4]", True, 16),
    ("object.spec.replicas > 1.5", True, 4),
    ("has(object.metadata.labels) && has(object.metadata.labels.a) && !has(object.spec.zz)", True, 8),
    ("sets.contains([1,2,3],[2]) && sets.equivalent([1,1],[1])", True, 42),
    ("[1,2,3].slice(0,2) == [1,2] && [3,1].sort() == [1,3] && [[1],[2]].flatten() == [1,2]", True, 86),
    ("object.spec.c.sortBy(x, x.name).map(x, x.name)", ["x", "y"], 94),
    (
        "'a,b'.split(',').join('-') + 'Ab'.lowerAscii() + 'abc'.substring(1,2) + 'aXbX'.replace('X','y') + ' a '.trim()",
        "a-babbaybya",
        11,
    ),
    ("false && object.nope.x || true", True, 0),
    ("b'abc' == bytes('abc')", True, 2),
    ("1u + 2u == 3u", True, 2),
    ("-7 / 2", -3, 1),
    ("object.spec.l.map(x, object.spec.l.map(y, x*y))", [[1, 2, 3], [2, 4, 6], [3, 6, 9]], 227),
    ("string(1.0) + string(1.5e30) + string(true)", "11.5e+30true", 6),
    ("null == object.metadata.name", False, 4),
    ("{'a': null}.a == null", True, 32),
    ("optional.none().hasValue()", False, 2),
    ("object[?'spec'].hasValue()", True, 3),
    ("size(object.metadata.name)", 3, 4),
    ("object.metadata.name.size()", 3, 4),
    ("object.a == 1 || true", True, 2),
    ("string(ip('1.2.3.4')) + ' ' + string(cidr('10.0.0.1/8').masked())", "1.2.3.4 10.0.0.0/8", 8),
    ("type(quantity('1')) == kubernetes.Quantity", True, 4),
    ("cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", True, 6),
    ("ip.isCanonical('2001:DB8::1')", False, 3),
    ("quantity('50k').add(20).sub(quantity('100k')).asInteger()", -49980, 5),
    ("quantity('200M').compareTo(quantity('0.2G'))", 0, 3),
    ("format.named('nope').hasValue()", False, 2),
    ("'tacocat'.charAt(3)", "o", 1),
    ("['a','b'].join()", "ab", 11),
    ("strings.quote('a\"b')", '"a\\"b"', 1),
    ("[1,2,3].exists(i, v, i == v)", False, 29),
    ("object.spec.c.exists_one(x, x.name == 'y')", True, 14),
    ("[1].sum() == 1 && [].isSorted()", True, 22),
    ("duration('1h30m').getMinutes()", 90, 2),
    ("'é'.size()", 1, 1),
    ("b'é'.size()", 2, 1),
]
# expression, error
FAILED = [
    ("object.metadata.labels['team'] == 'a'", "no such key: team"),
    ("object.spec.nope.x", "no such key: nope"),
    ("object.spec.c.all(c, c.image.startsWith('nginx'))", "no such key: image"),
    ("1/0 == 1", "division by zero"),
    ("[1,2][5]", "index out of bounds: 5"),
    ("int('abc')", 'strconv.ParseInt: parsing "abc": invalid syntax'),
    ("quantity('abc')", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
    (
        "ip('300.1.1.1')",
        'IP Address "300.1.1.1" parse error during conversion from string: ParseAddr("300.1.1.1"): IPv4 field has value >255',
    ),
    ("semver('1.02.3')", 'Minor number must not contain leading zeroes "02"'),
    ("object.nope.x || false", "no such key: nope"),
    ("object.spec.l.all(x, 1/(x-2) > -5)", "division by zero"),
    ("dyn(1).startsWith('a')", "no such overload"),
    ("9223372036854775807 + 1", "integer overflow"),
    ("object.a == 1 || object.b == 2", "no such key: a"),
]
# expression, findings
UNCOMPILED = [
    ("[1, 'a']", ["ERROR: <input>:1:5: expected type 'int' but found 'string'", " | [1, 'a']", " | ....^"]),
    (
        "[object.metadata.name, 'a']",
        [
            "ERROR: <input>:1:24: expected type 'dyn' but found 'string'",
            " | [object.metadata.name, 'a']",
            " | .......................^",
        ],
    ),
    (
        "duration('abc') > duration('1s')",
        ["ERROR: <input>:1:10: invalid duration argument", " | duration('abc') > duration('1s')", " | .........^"],
    ),
    ("'a'.matches('[')", ["ERROR: <input>:1:13: invalid matches argument", " | 'a'.matches('[')", " | ............^"]),
    (
        "object.metadata.name.startsWith(1)",
        [
            "ERROR: <input>:1:32: found no matching overload for 'startsWith' applied to 'dyn.(int)'",
            " | object.metadata.name.startsWith(1)",
            " | ...............................^",
        ],
    ),
    (
        "cel.bind(x, 1, x + 1)",
        [
            "ERROR: <input>:1:1: undeclared reference to 'cel' (in container '')",
            " | cel.bind(x, 1, x + 1)",
            " | ^",
            "ERROR: <input>:1:9: undeclared reference to 'bind' (in container '')",
            " | cel.bind(x, 1, x + 1)",
            " | ........^",
            "ERROR: <input>:1:10: undeclared reference to 'x' (in container '')",
            " | cel.bind(x, 1, x + 1)",
            " | .........^",
            "ERROR: <input>:1:16: undeclared reference to 'x' (in container '')",
            " | cel.bind(x, 1, x + 1)",
            " | ...............^",
        ],
    ),
    (
        "jsonpatch.escapeKey('a/b')",
        [
            "ERROR: <input>:1:1: undeclared reference to 'jsonpatch' (in container '')",
            " | jsonpatch.escapeKey('a/b')",
            " | ^",
            "ERROR: <input>:1:20: undeclared reference to 'escapeKey' (in container '')",
            " | jsonpatch.escapeKey('a/b')",
            " | ...................^",
        ],
    ),
    (
        "timestamp('2024-13-01T00:00:00Z')",
        ["ERROR: <input>:1:11: invalid timestamp argument", " | timestamp('2024-13-01T00:00:00Z')", " | ..........^"],
    ),
    (
        "{'a': 1} == {'a': 1.0}",
        [
            "ERROR: <input>:1:10: found no matching overload for '_==_' applied to '(map(string, int), map(string, double))'",
            " | {'a': 1} == {'a': 1.0}",
            " | .........^",
        ],
    ),
    (
        "object.nope()",
        [
            "ERROR: <input>:1:12: undeclared reference to 'nope' (in container '')",
            " | object.nope()",
            " | ...........^",
        ],
    ),
    (
        "1 + 'a'",
        ["ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'", " | 1 + 'a'", " | ..^"],
    ),
    (
        "object.spec.",
        [
            "ERROR: <input>:1:13: Syntax error: no viable alternative at input '.'",
            " | object.spec.",
            " | ............^",
        ],
    ),
    (
        "size(5)",
        ["ERROR: <input>:1:5: found no matching overload for 'size' applied to '(int)'", " | size(5)", " | ....^"],
    ),
    (
        "'a' in 5",
        [
            "ERROR: <input>:1:5: found no matching overload for '@in' applied to '(string, int)'",
            " | 'a' in 5",
            " | ....^",
        ],
    ),
]


@pytest.fixture(scope="module")
def environment() -> frontend.Environment:
    return frontend.Environment({"object": declarations.parse("dyn")})


@pytest.mark.parametrize(("text", "value", "cost"), GIVEN, ids=[row[0] for row in GIVEN])
def test_values_and_costs(environment: frontend.Environment, text: str, value: Any, cost: int) -> None:
    scope = evaluate.Scope({"object": OBJECT})
    found = evaluate.Program(environment.compile(text)).run(scope)
    assert (found, type(found), scope.cost) == (value, type(value), cost)


@pytest.mark.parametrize(("text", "error"), FAILED, ids=[row[0] for row in FAILED])
def test_errors_while_it_runs(environment: frontend.Environment, text: str, error: str) -> None:
    program = evaluate.Program(environment.compile(text))
    with pytest.raises(CelError) as raised:
        program.run(evaluate.Scope({"object": OBJECT}))
    assert str(raised.value) == error


@pytest.mark.parametrize(("text", "findings"), UNCOMPILED, ids=[row[0] for row in UNCOMPILED])
def test_what_does_not_compile(environment: frontend.Environment, text: str, findings: list[str]) -> None:
    with pytest.raises(CompileError) as raised:
        environment.compile(text)
    assert str(raised.value).split("\n") == findings
