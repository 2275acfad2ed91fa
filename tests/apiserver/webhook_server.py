"""A webhook on this machine for tests: HTTPS with a certificate of a cluster's authority, an answer that the test gives."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

from minikube_py.api import authority
from minikube_py.base import p256, x509

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Object = dict[str, Any]
SEED = 77
DAY_S = 86_400


class WebhookServer:
    """`answer(request) -> response` decides; `asked` are the reviews that came. Use it as a context manager."""

    def __init__(self, folder: Path, answer: Callable[[Object], Any], *, host: str = "127.0.0.1") -> None:
        self.asked: list[Object] = []
        self.answer = answer
        key = p256.key_of(SEED, "webhook")
        wanted = x509.read_request(x509.request(key, host, (), ("localhost",)))
        address = x509.der(x509.SEQUENCE, x509.der(x509.CONTEXT | x509.IP_ADDRESS, bytes(map(int, host.split(".")))))
        wanted = wanted._replace(alt_names=address)
        text = x509.issue(
            wanted, authority.of(SEED), ["server auth", "digital signature"], 5, authority.FROM_S, authority.UNTIL_S
        )
        (folder / "tls.pem").write_text(x509.private_key(key) + text)
        self.server = HTTPServer((host, 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    @property
    def config(self) -> Object:
        bundle = base64.b64encode(authority.certificate(SEED).encode()).decode()
        return {"url": f"https://127.0.0.1:{self.server.server_port}/hook", "caBundle": bundle}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append({"path": self.path, **review["request"]})
                response = outer.answer(review["request"])
                code, body = 200, response
                if isinstance(response, tuple):
                    code, body = response
                elif "apiVersion" not in response:
                    body = {
                        **{name: review[name] for name in ("apiVersion", "kind")},
                        "response": {"uid": review["request"]["uid"], **response},
                    }
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def __enter__(self) -> WebhookServer:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
