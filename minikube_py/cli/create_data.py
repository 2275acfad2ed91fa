"""`kubectl create configmap` and `create secret generic|tls|docker-registry`."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import create

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.cli.call import Call

Object = dict[str, Any]


def config_map(call: Call) -> None:
    name = create.one_name(call)
    data: dict[str, str] = {}
    binary: dict[str, str] = {}

    def put(key: str, content: bytes) -> None:
        _check_key(key, "ConfigMap", ",")
        if key in data or key in binary:
            field = "Data" if key in data else "BinaryData"
            raise UsageError(
                f'cannot add key "{key}", another key by that name already exists in {field} for ConfigMap "{name}"'
            )
        try:
            data[key] = content.decode()
        except UnicodeDecodeError:
            binary[key] = base64.b64encode(content).decode()

    _read_sources(call, put, "env config file")
    obj: Object = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}}
    if data:
        obj["data"] = data
    if binary:
        obj["binaryData"] = binary
    create.generated(call, _hashed(call, obj), "failed to create configmap: ")


def generic_secret(call: Call) -> None:
    name = create.one_name(call)
    data: dict[str, str] = {}

    def put(key: str, content: bytes) -> None:
        _check_key(key, "Secret", ";")
        if key in data:
            raise UsageError(f"cannot add key {key}, another key by that name already exists")
        data[key] = base64.b64encode(content).decode()

    _read_sources(call, put, "env secret file")
    _create_secret(call, name, data, call.text("type"))


def tls_secret(call: Call) -> None:
    name = create.one_name(call)
    if not call.text("key") or not call.text("cert"):
        raise UsageError("key and cert must be specified")
    content = {}
    for key, flag in (("tls.crt", "cert"), ("tls.key", "key")):
        path = call.text(flag)
        content[key] = _file(path, f"Cannot read file {path}, open {path}: ")
    _check_pair(call, content["tls.crt"], content["tls.key"])
    data = {key: base64.b64encode(value).decode() for key, value in content.items()}
    _create_secret(call, name, data, "kubernetes.io/tls")


def _check_pair(call: Call, cert: bytes, key: bytes) -> None:
    """Whether a certificate and a key are such, and belong together (Go's tls.X509KeyPair)."""
    for what, text, mark in (("certificate", cert, b"CERTIFICATE-----"), ("key", key, b"PRIVATE KEY-----")):
        if b"-----BEGIN " not in text:
            raise UsageError(f"tls: failed to find any PEM data in {what} input")
        if mark not in text:
            raise UsageError(f'tls: failed to find "{mark.decode()[:-5]}" PEM block in {what} input')
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(call.text("cert"), call.text("key"))
    except ssl.SSLError as error:
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        raise UsageError(
            "tls: private key does not match public key" if mismatch else "x509: malformed certificate"
        ) from None


def docker_registry(call: Call) -> None:
    import json

    name = create.one_name(call)
    user, password, email, server = (
        call.text(f"docker-{flag}") for flag in ("username", "password", "email", "server")
    )
    data: dict[str, str] = {}
    if call.list("from-file"):

        def put(key: str, content: bytes) -> None:
            data[key] = base64.b64encode(content).decode()

        named = [text if "=" in text else f".dockerconfigjson={text}" for text in call.list("from-file")]
        _from_files(named, put)
    elif not user or not password or not server:
        raise UsageError(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required"
        )
    else:
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        entry = {"username": user, "password": password, **({"email": email} if email else {}), "auth": auth}
        text = json.dumps({"auths": {server: entry}}, separators=(",", ":"))
        data[".dockerconfigjson"] = base64.b64encode(text.encode()).decode()
    _create_secret(call, name, data, "kubernetes.io/dockerconfigjson")


def _create_secret(call: Call, name: str, data: dict[str, str], kind: str) -> None:
    obj: Object = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": name}}
    if data:
        obj["data"] = data
    if kind:
        obj["type"] = kind
    create.generated(call, _hashed(call, obj), "failed to create secret ")


def _read_sources(call: Call, put: Callable[[str, bytes], None], env_file: str) -> None:
    """--from-file, --from-literal, --from-env-file."""
    if call.list("from-env-file") and (call.list("from-file") or call.list("from-literal")):
        raise UsageError("from-env-file cannot be combined with from-file or from-literal")
    for literal in call.list("from-literal"):
        key, equals, value = literal.partition("=")
        if not equals or not key:
            raise UsageError(f"invalid literal source {literal}, expected key=value")
        put(key, value.encode())
    _from_files(call.list("from-file"), put)
    for path in call.list("from-env-file"):
        if os.path.isdir(path):
            raise UsageError(f"{env_file} cannot be a directory")
        for key, value in _environment(_file(path, f"error reading {path}: ")):
            put(key, value.encode())


def _from_files(sources: list[str], put: Callable[[str, bytes], None]) -> None:
    for source in sources:
        if source.count("=") > 1:
            raise UsageError("key names or file paths cannot contain '='")
        key, equals, path = source.partition("=")
        if not equals:
            key, path = "", source
        elif not key:
            raise UsageError(f"key name for file path {path} missing")
        elif not path:
            raise UsageError(f"file path for key name {key} missing")
        if os.path.isdir(path):
            if key:
                raise UsageError("cannot give a key name for a directory path")
            for name in sorted(os.listdir(path)):
                inner = os.path.join(path, name)
                if os.path.isfile(inner):
                    put(name, _file(inner, f"error reading {inner}: "))
        else:
            put(key or os.path.basename(path), _file(path, f"error reading {path}: "))


def _file(path: str, complaint: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UsageError(f"{complaint}{(error.strerror or str(error)).lower()}") from None


def environment_problem(name: str) -> str:
    """What is wrong with the name of a variable, '' if nothing (validation.IsEnvVarName)."""
    import re

    if not re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", name):
        return (
            "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not "
            "start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is "
            "'[-._a-zA-Z][-._a-zA-Z0-9]*')"
        )
    if name in (".", ".."):
        return f"must not be '{name}'"
    return "must not start with '..'" if name.startswith("..") else ""


def _environment(content: bytes) -> list[tuple[str, str]]:
    """KEY=VALUE lines; `#` comments and empty lines are passed over; KEY alone takes its value from the environment."""
    found = []
    for raw in content.decode("utf-8-sig", errors="replace").splitlines():
        line = raw.lstrip()
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        problem = environment_problem(key)
        if problem:
            raise UsageError(f'"{key}" is not a valid key name: {problem}')
        found.append((key, value if equals else os.environ.get(key, "")))
    return found


def _check_key(key: str, what: str, joiner: str) -> None:
    """The rule for keys of data: validation.IsConfigMapKey."""
    import re

    problems = []
    if len(key) > 253:
        problems.append("must be no more than 253 characters")
    if not re.fullmatch(r"[-._a-zA-Z0-9]+", key):
        problems.append(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
            "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        )
    if key == ".":
        problems.append("must not be '.'")
    elif key == ".." or key.startswith(".."):
        problems.append("must not be '..'" if key == ".." else "must not start with '..'")
    if problems:
        valid = "a valid key name for a ConfigMap: " if what == "ConfigMap" else "valid key name for a Secret "
        raise UsageError(f'"{key}" is not {valid}{joiner.join(problems)}')


def _hashed(call: Call, obj: Object) -> Object:
    """--append-hash: the content's hash behind the name (kubectl pkg/util/hash)."""
    if not call.on("append-hash"):
        return obj
    import json
    from hashlib import sha256

    name = obj["metadata"]["name"]
    fields: Object = {"data": obj.get("data") or "", "kind": obj["kind"], "name": name}
    if obj["kind"] == "Secret":
        fields["type"] = obj.get("type", "")
    if obj.get("binaryData"):
        fields["binaryData"] = obj["binaryData"]
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    table = str.maketrans("013ae", "ghkmt")
    digest = sha256(text.encode()).hexdigest()[:10].translate(table)
    return {**obj, "metadata": {**obj["metadata"], "name": f"{name}-{digest}"}}
