# SPDX-License-Identifier: PostgreSQL
"""The Redfish service of one management board, by HTTPS: what the lab runs on the switch.

    bmcredfishd.py LAB NODE ADDRESS
"""

import http.server
import json
import os
import socketserver
import ssl
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lablib import bmcpower  # noqa: E402
from lablib.bmcboard import USER, Board  # noqa: E402
from lablib.redfish import Request, Response, Service  # noqa: E402

PORT = 443
BODY_MAX = 65536


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "LabBoard"
    timeout = 10  # s, for one that connects and says nothing
    service: Service

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > BODY_MAX:
            return None
        return self.rfile.read(int(length))

    def handle_one(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            self.send(Response(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.send(self.service.answer(Request(self.command, self.path, headers, body)))

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = handle_one

    def send(self, response: Response) -> None:
        data = b"" if response.body is None else json.dumps(response.body).encode()
        self.send_response(response.status)
        self.send_header("OData-Version", "4.0")
        self.send_header("Cache-Control", "no-cache")
        for name, value in response.headers.items():
            self.send_header(name, value)
        if data:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        if response.status != http.HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class Server(socketserver.ThreadingTCPServer):
    """Not http.server's own, which asks the DNS for its name."""
    allow_reuse_address = True
    daemon_threads = True


def serve(service: Service, address: tuple[str, int], directory: str) -> Server:
    """The handshake is made by the thread of a connection, so that one who does not make it holds up
    nobody else."""
    server = Server(address, type("ServiceHandler", (Handler,), {"service": service}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(f"{directory}/server.crt", f"{directory}/server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    return server


def main(lab: str, node: str, address: str) -> None:
    board = Board(lab, node, address)
    service = Service(node, USER, board.password, lambda: bmcpower.is_on(lab, node),
                      lambda on: bmcpower.switch(lab, node, on) == 0)
    serve(service, (address, PORT), f"{board.directory}/tls").serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
