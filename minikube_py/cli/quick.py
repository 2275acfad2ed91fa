"""Command lines of kpy's own commands, read without Typer: from the annotations of the functions, which are text.

`Annotated[str, typer.Option("--for", help="...")]` is evaluated with a small stand-in for typer. What does not fit, be it a
kind of parameter or a word of the line, is not judged here: `read` gives None, and Typer is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.cli.own import App, Context

# What an Option or Argument may say that reading a line can do without, or does itself.
KNOWN = frozenset(("help", "metavar", "min", "max", "show_default", "hidden"))


class _NotQuick(Exception):
    """Something that only Typer knows what to do with."""


class Parameter(NamedTuple):
    """One parameter of a function. `on`, `off`: the spellings of an option ('--watch', '-w'); both empty: an argument."""

    name: str
    type: Any
    on: tuple[str, ...]
    off: tuple[str, ...]
    limits: dict[str, Any]
    required: bool
    default: Any

    @property
    def is_argument(self) -> bool:
        return not self.on

    @property
    def is_list(self) -> bool:
        return bool(self.type == list[str] or self.type == list[str] | None)


class _Said(NamedTuple):
    """What an Option or Argument says, with its parameter's type once that is known."""

    sort: str
    names: tuple[str, ...]
    extra: dict[str, Any]
    type: Any = None

    def __call__(self) -> None:
        """typing wants annotations that could be types: those can be called."""


class _Typer:
    """What annotations ask of typer."""

    class Context:
        """The marker of the parameter that is given the Context."""

    @staticmethod
    def Option(*names: str, **said: Any) -> _Said:
        return _Said("option", names, said)

    @staticmethod
    def Argument(*names: str, **said: Any) -> _Said:
        return _Said("argument", names, said)


class _Annotated:
    def __class_getitem__(cls, pair: tuple[Any, _Said]) -> _Said:
        return pair[1]._replace(type=pair[0])


def read(app: App, words: list[str], context: Context) -> Callable[[], Any] | None:
    """The call that a line means, ready to be made; None where Typer has to be asked."""
    try:
        function, rest = _function(app, words)
        values = _values(parameters(function), rest, context)
    except _NotQuick:
        return None
    return lambda: function(**values)


def _function(app: App, words: list[str]) -> tuple[Callable[..., Any], list[str]]:
    """The function of 'snapshot save NAME', and the words behind."""
    while True:
        if len(app.functions) == 1 and not app.group and not app.apps:
            return next(iter(app.functions.values())), words
        if not words:
            raise _NotQuick
        name, words = words[0], words[1:]
        if name in app.functions:
            return app.functions[name], words
        if name not in app.apps:
            raise _NotQuick
        app = app.apps[name]


def parameters(function: Callable[..., Any]) -> list[Parameter]:
    """The parameters of a command's function. Raises _NotQuick for one that is too special."""
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    with_default = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    scope = {**function.__globals__, "typer": _Typer, "Annotated": _Annotated}
    try:
        said = get_type_hints(function, scope)
    except (NameError, TypeError, AttributeError):
        raise _NotQuick from None
    return [_parameter(name, said[name], with_default) for name in names]


def _parameter(name: str, said: Any, defaults: dict[str, Any]) -> Parameter:
    if said is _Typer.Context:
        return Parameter(name, said, (), (), {}, False, None)
    if not isinstance(said, _Said) or not said.extra.keys() <= KNOWN:
        raise _NotQuick
    limits: dict[str, Any] = {key: said.extra[key] for key in ("min", "max") if key in said.extra}
    on: list[str] = []
    off: list[str] = []
    if said.sort == "option":
        for spelling in said.names or (f"--{name.replace('_', '-')}",):
            first, _, second = spelling.partition("/")
            on.append(first)
            off += [second] if second else []
    return Parameter(name, said.type, tuple(on), tuple(off), limits, name not in defaults, defaults.get(name))


def _values(wanted: list[Parameter], words: list[str], context: Context) -> dict[str, Any]:
    values: dict[str, Any] = {}
    places = [one for one in wanted if one.is_argument and one.type is not _Typer.Context]
    options = {spelling: one for one in wanted for spelling in (*one.on, *one.off)}
    plain = _read_options(options, words, values)
    for place in places:
        if place.is_list:
            values[place.name], plain = list(plain), []
        elif plain:
            values[place.name] = _converted(place, plain.pop(0))
    if plain:
        raise _NotQuick
    for one in wanted:
        if one.type is _Typer.Context:
            values[one.name] = _Holder(context)
        elif one.required and one.name not in values:
            raise _NotQuick
        else:
            values.setdefault(one.name, one.default)
    return values


class _Holder:
    """What a function is given as its typer.Context."""

    def __init__(self, context: Context) -> None:
        self.obj = context


def _read_options(options: dict[str, Parameter], words: list[str], values: dict[str, Any]) -> list[str]:
    """Fill in the options; gives back the other words."""
    plain: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            return [*plain, *left]
        if not word.startswith("-") or word == "-":
            plain.append(word)
            continue
        name, equals, value = word.partition("=")
        option = options.get(name)
        if option is None or (equals and not word.startswith("--")):
            raise _NotQuick
        if option.type is bool:
            if equals:
                raise _NotQuick
            values[option.name] = name in option.on
            continue
        if not equals:
            if not left:
                raise _NotQuick
            value = left.pop(0)
        if option.is_list:
            values.setdefault(option.name, []).append(value)
        else:
            values[option.name] = _converted(option, value)
    return plain


def _converted(one: Parameter, text: str) -> Any:
    """The value of a parameter's type, within its limits."""
    if one.type is str:
        return text
    if one.type not in (int, float):
        raise _NotQuick
    try:
        number = one.type(text)
    except ValueError:
        raise _NotQuick from None
    if not one.limits.get("min", number) <= number <= one.limits.get("max", number):
        raise _NotQuick
    return number
