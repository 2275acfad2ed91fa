"""CEL, the Common Expression Language, as the API server speaks it.

Parsing, macros and type checking are cel-expr-python's, Google's own library (the extra `cel`); it is loaded by
`frontend` when the first expression is compiled, never before. What a checked expression yields is worked out here,
since the library can carry neither Kubernetes' types (quantities, addresses, authorizers) nor its limits of cost.

    frontend      text -> checked syntax tree, or the refusal in the API server's words
    declarations  which functions there are, and their types
    schemas       what an OpenAPI schema says of types and sizes: self, oldSelf, object
    evaluate      checked syntax tree -> value, counting its cost
    functions*    what the functions do
    cost          checked syntax tree -> the most that it may cost
    rules         x-kubernetes-validations of CustomResourceDefinitions
    policies      the expressions of admission policies

Source: k8s.io/apiserver pkg/cel, github.com/google/cel-go.
"""

from __future__ import annotations


class CelError(Exception):
    """What an expression fails with when it is evaluated: 'no such key: labels'."""


class CompileError(Exception):
    """Why an expression doesn't compile: 'ERROR: <input>:1:5: undefined field 'nope'' and the line it is in."""


class CostExceeded(CelError):
    """An expression ran for longer than it may."""
