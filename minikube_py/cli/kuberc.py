"""A person's preferences: aliases and defaults of flags from the kuberc file (kubectl's pkg/kuberc, pkg/cmd/kuberc).

The file is kubectl's own: --kuberc, else $KUBERC ('off' for none), else ~/.kube/kuberc. Its policy for credential plugins is
checked and kept, though there are no credentials here.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import cobra, commands, failures

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.commands import Row

Object = dict[str, Any]

GROUP = "kubectl.config.k8s.io"
VERSION = f"{GROUP}/v1beta1"
KIND = "Preference"
POLICIES = ("AllowAll", "DenyAll", "Allowlist")
SECTIONS = ("defaults", "aliases", "credentialplugin")
SECTION = '--section must be "defaults", "aliases", or "credentialplugin", got: '
DISABLED = "KUBERC is disabled via KUBERC=off environment variable"
UNREADABLE = "error converting Preferences to v1beta1.Preferences: expected pointer, but got invalid kind"
DEFAULTS = (("apply", "server-side"), ("delete", "interactive"))  # what `kuberc view` offers to write

_OPTION = {"name": str, "default": str}
_ALLOWED = {"name": str, "command": str}
_ALIAS = {"name": str, "command": str, "prependArgs": [str], "appendArgs": [str], "options": [_OPTION]}
_SHAPE: Object = {
    "apiVersion": str, "kind": str, "aliases": [_ALIAS], "defaults": [{"command": str, "options": [_OPTION]}],
    "credentialPluginPolicy": str, "credentialPluginAllowlist": [_ALLOWED],
}  # fmt: skip
_OLD_SHAPE: Object = {
    "apiVersion": str, "kind": str, "aliases": [_ALIAS], "overrides": [{"command": str, "options": [_OPTION]}],
    "credentialPluginPolicy": str, "credentialPluginAllowlist": [_ALLOWED],
}  # fmt: skip


def path(explicit: str = "") -> str:
    """The file of preferences, '' where they are switched off. Raises UsageError."""
    chosen = os.environ.get("KUBERC", "")
    if chosen == "off":
        if explicit:
            raise UsageError("disabling kuberc via KUBERC=off and passing kuberc flag are mutually exclusive")
        return ""
    return explicit or chosen or os.path.join(os.path.expanduser("~"), ".kube", "kuberc")


def apply(argv: list[str]) -> list[str]:
    """The command line as the preferences make it. Raises failures.Plain."""
    try:
        return _apply(argv)
    except UsageError as error:
        raise failures.Plain(f"error occurred while applying preferences {error}") from None


def _apply(argv: list[str]) -> list[str]:
    found = _preferences(_explicit(argv))
    if found is None:
        return argv
    _validate(found)
    words, alias = _aliased(found, argv)
    return _defaulted(found, words, alias)


def _explicit(argv: list[str]) -> str:
    """The value of --kuberc, which is read before there are flags."""
    for index, word in enumerate(argv):
        if word == "--":
            break
        if word == "--kuberc":
            if index + 1 < len(argv):
                return argv[index + 1]
            raise UsageError("kuberc file is not found")
        if "--kuberc=" in word:
            value = word.split("=")[1]
            if value:
                return value
            raise UsageError("kuberc file is not found")
    return ""


def _preferences(explicit: str) -> Object | None:
    try:
        place = path(explicit)
    except UsageError as error:
        raise UsageError(f"kuberc error {error}") from None
    if not place:
        return None
    is_explicit = bool(explicit or os.environ.get("KUBERC"))
    try:
        found, problem = decode(place)
    except OSError as error:
        if not is_explicit and isinstance(error, FileNotFoundError):
            return None
        _tell_unusable(place, _of_open(place, error), is_explicit)
        return None
    except UsageError as error:
        _tell_unusable(place, str(error), is_explicit)
        return None
    if problem:
        sys.stderr.write(f"kuberc: ignoring strict decoding error in {place}: strict decoding error: {problem}")
    return found


def _tell_unusable(place: str, problem: str, is_explicit: bool) -> None:
    if is_explicit:
        raise UsageError(f"kuberc error kuberc: {problem}")
    sys.stderr.write(f"kuberc: no preferences loaded from {place}: {problem}")


def _of_open(place: str, error: OSError) -> str:
    """Go's PathError: a folder can be opened, but not read."""
    verb = "read" if isinstance(error, IsADirectoryError) else "open"
    return f"{verb} {place}: {(error.strerror or str(error)).lower()}"


# ------------------------------------------------------------------------------------------------------- the file


def decode(place: str) -> tuple[Object | None, str]:
    """The first usable Preference of a file as v1beta1 (None in an empty file), and what a strict reader says of it.

    Raises OSError, and UsageError where nothing in the file is a Preference.
    """
    from minikube_py.api import documents

    with open(place, encoding="utf-8", errors="replace") as file:
        text = file.read()
    attempts = 0
    for chunk in re.split(r"^---\s*$", text, flags=re.MULTILINE):
        if not chunk.strip():
            continue
        attempts += 1
        try:
            found = [document.object for document in documents.read_text(chunk, place)]
        except UsageError:
            continue
        if found and found[0].get("kind") == KIND and str(found[0].get("apiVersion", "")).startswith(f"{GROUP}/"):
            usable = _usable(found[0])
            if usable is not None:
                return usable
    if attempts:
        raise UsageError(f"no valid preferences found in {place}, use --v=5 to see details")
    return None, ""


def _usable(obj: Object) -> tuple[Object, str] | None:
    version = obj["apiVersion"].partition("/")[2]
    if version not in ("v1alpha1", "v1beta1"):
        return None
    unknown: list[str] = []
    if not _fits(obj, _SHAPE if version == "v1beta1" else _OLD_SHAPE, "", unknown):
        return None
    shown = {**obj, "apiVersion": VERSION}
    if version == "v1alpha1":
        shown["defaults"] = shown.pop("overrides", None)
    known = {field: value for field, value in shown.items() if field in _SHAPE}
    return known, ", ".join(f'unknown field "{name}"' for name in unknown)


def _fits(value: Any, shape: Any, place: str, unknown: list[str]) -> bool:
    """Whether a value can be decoded; fields that the shape does not know are gathered."""
    if value is None:
        return True
    if shape is str:
        return isinstance(value, str)
    if isinstance(shape, list):
        return isinstance(value, list) and all(
            _fits(one, shape[0], f"{place}[{index}]", unknown) for index, one in enumerate(value)
        )
    if not isinstance(value, dict):
        return False
    prefix = f"{place}." if place else ""
    unknown += [f"{prefix}{field}" for field in sorted(value) if field not in shape]
    return all(_fits(value.get(field), inner, prefix + field, unknown) for field, inner in shape.items())


def _validate(found: Object) -> None:
    names: set[str] = set()
    for alias in found.get("aliases") or ():
        if not re.fullmatch("[a-zA-Z]+", alias.get("name") or ""):
            raise UsageError("invalid alias name, can only include alphabetical characters")
        _check_options(alias)
        if alias["name"] in names:
            raise UsageError(f"duplicate alias name {alias['name']}")
        names.add(alias["name"])
    for default in found.get("defaults") or ():
        _check_options(default)
    _check_policy(found.get("credentialPluginPolicy") or "", found.get("credentialPluginAllowlist"))


def _check_options(owner: Object) -> None:
    for option in owner.get("options") or ():
        if option["name"].startswith("-"):
            raise UsageError(f"flag name {option['name']} should be in long form without dashes")


def _check_policy(policy: str, allowed: list[Object] | None) -> None:
    """client-go plugin/pkg/client/auth/exec: ValidatePluginPolicy."""
    if policy not in ("", *POLICIES):
        raise UsageError(f'unknown plugin policy: "{policy}"')
    if policy != "Allowlist":
        if allowed is not None:
            raise UsageError(
                f'misconfigured credential plugin allowlist: plugin policy is "{policy}" but allowlist is non-nil'
            )
        return
    if allowed is None:
        raise UsageError('credential plugin policy set to "Allowlist", but allowlist is unspecified')
    if not allowed:
        raise UsageError('credential plugin policy set to "Allowlist", but allowlist is empty')


# ------------------------------------------------------------------------------------------------------- applying


def _find(words: list[str]) -> Row | None:
    """The command that words lead to, as far as they name one."""
    row, rest = None, list(words)
    while True:
        flags = cobra.flags_of(row.name) if row else cobra.Flags(cobra.global_flags())
        position = cobra.first_word(rest, flags)
        if position < 0:
            return row
        below = commands.find(f"{row.name} {rest[position]}" if row else rest[position])
        if below is None:
            return row
        row, rest = below, rest[:position] + rest[position + 1 :]


def _aliased(found: Object, argv: list[str]) -> tuple[list[str], str]:
    """The words with an alias replaced by its command, and the alias's name ('' if there is none)."""
    position = next((index for index, word in enumerate(argv) if not word.startswith("-")), -1)
    if position < 0 or _find(argv) is not None:
        return argv, ""
    alias = next((one for one in found.get("aliases") or () if one["name"] == argv[position]), None)
    if alias is None:
        return argv, ""
    target = (alias.get("command") or "").split()
    row = _find(target)
    if row is None:
        raise UsageError(
            f'command "{alias.get("command") or ""}" not found to set alias "{alias["name"]}": {_go(target)}'
        )
    program = sys.argv[0]
    own: list[str] = []
    flags = cobra.flags_of(row.name)
    for option in alias.get("options") or ():
        flag = flags.by_name.get(option["name"])
        if flag is None:
            raise UsageError(f"invalid alias flag {option['name']} in alias {program}")
        if _is_in(argv, flag, flags):
            continue
        _check_value(flag, option["default"], f"value {option['default']} to flag {option['name']} in alias {program}")
        own.append(f"--{option['name']}={option['default']}")
    before, behind = argv[:position], argv[position + 1 :]
    words = [*before, *target, *own, *(alias.get("prependArgs") or ()), *behind, *(alias.get("appendArgs") or ())]
    return words, alias["name"]


def _go(words: list[str]) -> str:
    return f"[{' '.join(words)}]"


def _defaulted(found: Object, argv: list[str], alias: str) -> list[str]:
    """The words with the defaults of their command's flags in front of the others."""
    row = _find(argv)
    if row is None:
        return argv
    added: list[str] = []
    for default in found.get("defaults") or ():
        name = default.get("command") or ""
        if alias and name == alias:
            raise UsageError(f"alias {alias} can not be overridden")
        other = _find(name.split())
        if other is None:
            sys.stderr.write(f'Warning: command "{name}" not found to set kuberc override\n')
        elif not alias and other.name.rpartition(" ")[2] == row.name.rpartition(" ")[2]:
            added += _options(default, row, argv)
    return _insert(argv, row, added)


def _options(default: Object, row: Row, argv: list[str]) -> list[str]:
    flags, name = cobra.flags_of(row.name), default["command"]
    added = []
    for option in default.get("options") or ():
        flag = flags.by_name.get(option["name"])
        if flag is None:
            raise UsageError(f"invalid flag {option['name']} for command {name}")
        if _is_in(argv, flag, flags):
            continue
        _check_value(
            flag, option["default"], f"override value {option['default']} to flag {option['name']} in command {name}"
        )
        added.append(f"--{option['name']}={option['default']}")
    return added


def _insert(argv: list[str], row: Row, added: list[str]) -> list[str]:
    """Behind the words of the command, which stand in this order among flags."""
    if not added:
        return argv
    left = row.name.count(" ") + 1
    flags = cobra.flags_of(row.name)
    position = 0
    while left:
        position += cobra.first_word(argv[position:], flags) + 1
        left -= 1
    return [*argv[:position], *added, *argv[position:]]


def _check_value(flag: cobra.Flag, value: str, what: str) -> None:
    problem = cobra.problem(flag, value)
    if problem:
        raise UsageError(f'could not apply {what} err: invalid argument "{value}" for "{flag.title}" flag: {problem}')


def _is_in(argv: list[str], flag: cobra.Flag, flags: cobra.Flags) -> bool:
    """Whether the user wrote the flag: --output json, --output=json, -o json, -ojson, or -o among others (-Ao)."""
    for word in argv:
        if word == f"--{flag.name}" or word.startswith(f"--{flag.name}="):
            return True
        if not flag.short:
            continue
        if word.startswith(f"-{flag.short}"):
            return True
        if re.fullmatch("-[a-zA-Z]+", word) and flag.short in flags.by_short and flag.short in word[1:]:
            return True
    return False


# ------------------------------------------------------------------------------------------------------- commands


def _own_path(call: Call) -> str:
    place = path(call.text("kuberc"))
    if not place:
        raise UsageError(DISABLED)
    return place


def view(call: Call) -> None:
    place = _own_path(call)
    try:
        found, problem = decode(place)
    except FileNotFoundError:
        if call.text("kuberc") or os.environ.get("KUBERC"):
            raise UsageError(f"kuberc file not found at {place}") from None
        _offer(call, place)
        return
    except OSError as error:
        raise UsageError(f"error reading kuberc file: {_of_open(place, error)}") from None
    except UsageError as error:
        raise UsageError(f"error reading kuberc file: {error}") from None
    if problem or found is None:
        raise UsageError(f"error reading kuberc file: {f'strict decoding error: {problem}' if problem else UNREADABLE}")
    shown = _ordered({**found, "aliases": found.get("aliases") or [], "defaults": found.get("defaults") or []})
    if call.text("output") == "json":
        from minikube_py.printers import goorder

        call.say(goorder.text(shown))
        return
    from minikube_py.cli import show

    planned = show.plan(call)
    call.say(f"preference.{GROUP}/<unknown>\n" if planned.name == "name" else planned.render([shown]))


def _offer(call: Call, place: str) -> None:
    call.line(f"kuberc file not found at {place}")
    call.say("Would you like to generate a default kuberc file with recommended options? (y/N): ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() == "y":
        defaults = [{"command": name, "options": [{"name": flag, "default": "true"}]} for name, flag in DEFAULTS]
        _save(call, {"defaults": defaults}, place)


def _ordered(found: Object) -> Object:
    """A Preference with its fields in the order of Go's struct."""
    order = ("aliases", "credentialPluginPolicy", "credentialPluginAllowlist")
    rest = {field: found[field] for field in order if found.get(field) is not None}
    defaults = found.get("defaults")
    whole: Object = {"kind": KIND, "apiVersion": VERSION, "defaults": defaults}
    if defaults is not None:
        whole["defaults"] = [
            {"command": one.get("command") or "", "options": _pairs(one.get("options"))} for one in defaults
        ]
    whole["aliases"] = None
    if rest.get("aliases") is not None:
        rest["aliases"] = [_alias(one) for one in rest["aliases"]]
    return {**whole, **rest}


def _alias(alias: Object) -> Object:
    shown: Object = {"name": alias.get("name") or "", "command": alias.get("command") or ""}
    for field in ("prependArgs", "appendArgs"):
        if alias.get(field):
            shown[field] = alias[field]
    if alias.get("options"):
        shown["options"] = _pairs(alias["options"])
    return shown


def _pairs(options: list[Object] | None) -> list[Object] | None:
    if options is None:
        return None
    return [{"name": one.get("name") or "", "default": one.get("default") or ""} for one in options]


def set_value(call: Call) -> None:
    place = _own_path(call)
    _check_set(call)
    try:
        found, problem = decode(place)
        if problem or found is None:
            raise UsageError(f"strict decoding error: {problem}" if problem else UNREADABLE)
    except FileNotFoundError:
        found = {}
    except OSError as error:
        raise UsageError(f"error reading kuberc file: {_of_open(place, error)}") from None
    except UsageError as error:
        raise UsageError(f"error reading kuberc file: {error}") from None
    options = _parse_options(call)
    section = call.text("section")
    if section == "credentialplugin":
        changed: Object = {"credentialPluginPolicy": call.text("policy")}
        if call.text("policy") == "Allowlist":
            changed["credentialPluginAllowlist"] = _entries(call)
        _save(call, {**found, **changed}, place)
        return
    new = _new_default(call, found, options) if section == "defaults" else _new_alias(call, found, options)
    key = "command" if section == "defaults" else "name"
    listed = [new if one.get(key) == new[key] else one for one in found.get(section) or ()]
    _save(call, {**found, section: listed if new in listed else [*listed, new]}, place)


def _check_set(call: Call) -> None:
    """SetOptions.Validate."""
    section, policy, entries = call.text("section"), call.text("policy"), call.list("allowlist-entry")
    if section not in SECTIONS:
        raise UsageError(SECTION + section)
    if section == "aliases" and not call.text("name"):
        raise UsageError("--name is required when --section=aliases")
    if section == "defaults" and call.text("name"):
        raise UsageError("--name should not be specified when --section=defaults")
    if section == "defaults" and (call.list("prependarg") or call.list("appendarg")):
        raise UsageError("--prependarg and --appendarg are only valid for --section=aliases")
    if section != "credentialplugin":
        if not call.text("command"):
            raise UsageError("--command is required when --section=aliases or --section=defaults")
        return
    if not policy:
        raise UsageError("--policy is required when --section=credentialplugin")
    where = "when --section=credentialplugin and --policy=Allowlist"
    if policy not in POLICIES:
        raise UsageError(f' --policy must be  "AllowAll", "DenyAll", or "Allowlist", got: {policy}')
    if policy == "Allowlist" and not entries:
        raise UsageError(f"--allowlist-entry is required {where}")
    if policy != "Allowlist" and entries:
        raise UsageError(f"--allowlist-entry may only be used {where}")


def _parse_options(call: Call) -> list[Object]:
    from minikube_py.base import gotext

    options = []
    for text in call.list("option"):
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"invalid option format {gotext.quoted(text)}, expected flag=value")
        options.append({"name": name.lstrip("-"), "default": value})
    return options


def _new_default(call: Call, found: Object, options: list[Object]) -> Object:
    command = call.text("command")
    old = next((one for one in found.get("defaults") or () if one.get("command") == command), None)
    if old is not None and not call.on("overwrite"):
        raise UsageError(f'defaults for command "{command}" already exist, use --overwrite to replace')
    return {"command": command, "options": options or ((old or {}).get("options"))}


def _new_alias(call: Call, found: Object, options: list[Object]) -> Object:
    name = call.text("name")
    old = next((one for one in found.get("aliases") or () if one.get("name") == name), None)
    if old is not None and not call.on("overwrite"):
        raise UsageError(f'alias "{name}" already exists, use --overwrite to replace')
    kept = old or {}
    return {
        "name": name,
        "command": call.text("command"),
        "prependArgs": call.list("prependarg") or kept.get("prependArgs"),
        "appendArgs": call.list("appendarg") or kept.get("appendArgs"),
        "options": options or kept.get("options"),
    }


def _entries(call: Call) -> list[Object]:
    """--allowlist-entry=command=NAME,command=OTHER. Raises Several naming each wrong one."""
    errors: list[str] = []
    entries: list[Object] = []
    for pair in (pair for text in call.list("allowlist-entry") for pair in text.split(",")):
        field, equals, value = pair.partition("=")
        if not equals:
            errors.append(f'improperly formatted allowlist entry: "{pair}"')
        elif field == "name":
            errors.append('allowlist entry field "name" is deprecated, use "command" instead')
        elif field != "command":
            errors.append(f'unrecognized allowlist entry field: "{field}"')
        elif not value.strip():
            errors.append(f'empty value in allowlist entry for field "{field}"')
        else:
            entries.append({"command": value})
    if errors:
        raise failures.Several([failures.Plain(text) for text in errors])
    return entries


def _save(call: Call, found: Object, place: str) -> None:
    from minikube_py.printers import yaml_text

    try:
        os.makedirs(os.path.dirname(place) or ".", exist_ok=True)
        with open(place, "w", encoding="utf-8") as file:
            file.write(yaml_text.dump(_ordered(found)))
    except OSError as error:
        raise UsageError(f"failed to write kuberc file: {_of_open(place, error)}") from None
    call.line(f"Updated {place}")
