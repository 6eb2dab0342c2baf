# SPDX-License-Identifier: PostgreSQL
"""A Redfish service of one computer system, without the network: a request in, a response out.

As much of DMTF's specification (DSP0266) as power takes: the service root, the systems, the action
ComputerSystem.Reset, task monitors, basic authentication.  There are no sessions and no events.
"""

import base64
import binascii
import dataclasses
import hmac
import itertools
import json
import threading
from collections.abc import Callable
from http import HTTPStatus

ROOT = "/redfish/v1/"
SYSTEMS = ROOT + "Systems"
SYSTEM = SYSTEMS + "/1"
RESET = SYSTEM + "/Actions/ComputerSystem.Reset"
MONITORS = ROOT + "TaskService/TaskMonitors/"
REGISTRY = "Base.1.13"

# What each reset does to the power, step by step.  Nothing graceful: that would take a word with the
# operating system, and many boards have none.
RESETS = {"On": [True], "ForceOff": [False], "ForceRestart": [False, True]}


@dataclasses.dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes = b""


@dataclasses.dataclass
class Response:
    status: int
    body: dict | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


def message(status: int, name: str, text: str, severity: str = "Critical", **headers: str) -> Response:
    """An error, or what else is said about a request."""
    key = f"{REGISTRY}.{name}"
    info = {"@odata.type": "#Message.v1_1_1.Message", "MessageId": key, "Message": text,
            "MessageSeverity": severity, "Resolution": "None."}
    error = {"code": key, "message": text, "@Message.ExtendedInfo": [info]}
    return Response(status, {"error": error},
                    {name.replace("_", "-"): value for name, value in headers.items()})


class Service:
    """switch(on) is false when the deed failed; it may take its time."""

    def __init__(self, node: str, user: str, password: str, is_on: Callable[[], bool],
                 switch: Callable[[bool], bool]):
        self.node = node
        self.credentials = f"{user}:{password}".encode()
        self.is_on = is_on
        self.switch = switch
        self.one_at_a_time = threading.Lock()
        self.numbers = itertools.count(1)
        self.tasks: dict[str, Response | None] = {}  # None: under way
        self.resources = {"/redfish": self._versions, ROOT: self._root, ROOT[:-1]: self._root,
                          SYSTEMS: self._systems, SYSTEM: self._system}

    # ---- requests ----

    def answer(self, request: Request) -> Response:
        path = request.path.partition("?")[0]
        if request.headers.get("odata-version", "4.0") != "4.0":
            return message(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed",
                           "This service speaks OData 4.0.")
        if path not in ("/redfish", ROOT, ROOT[:-1]) and not self._is_authentic(request):
            return message(HTTPStatus.UNAUTHORIZED, "NoValidSession",
                           "No user, or not that user's password.",
                           WWW_Authenticate='Basic realm="redfish"')
        if path == RESET:
            return self._allowed(request, ["POST"]) or self._reset(request.body)
        if path in self.resources:
            return (self._allowed(request, ["GET", "HEAD"])
                    or Response(HTTPStatus.OK, self.resources[path](), {"Allow": "GET, HEAD"}))
        if path in self.tasks:
            return self._allowed(request, ["GET", "HEAD"]) or self._monitor(path)
        return message(HTTPStatus.NOT_FOUND, "ResourceMissingAtURI", f"There is no {path} here.")

    def _is_authentic(self, request: Request) -> bool:
        scheme, _, word = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(word.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(given, self.credentials)

    @staticmethod
    def _allowed(request: Request, methods: list[str]) -> Response | None:
        if request.method in methods:
            return None
        return message(HTTPStatus.METHOD_NOT_ALLOWED, "OperationNotAllowed",
                       f"{request.method} is not for this resource.", Allow=", ".join(methods))

    # ---- resources ----

    @staticmethod
    def _versions() -> dict:
        return {"v1": ROOT}

    @staticmethod
    def _root() -> dict:
        return {"@odata.id": ROOT, "@odata.type": "#ServiceRoot.v1_5_0.ServiceRoot",
                "Id": "RootService", "Name": "Root Service", "RedfishVersion": "1.8.0",
                "Systems": {"@odata.id": SYSTEMS}}

    @staticmethod
    def _systems() -> dict:
        return {"@odata.id": SYSTEMS,
                "@odata.type": "#ComputerSystemCollection.ComputerSystemCollection",
                "Name": "Computer System Collection",
                "Members@odata.count": 1, "Members": [{"@odata.id": SYSTEM}]}

    def _system(self) -> dict:
        reset = {"target": RESET, "ResetType@Redfish.AllowableValues": list(RESETS)}
        return {"@odata.id": SYSTEM, "@odata.type": "#ComputerSystem.v1_10_0.ComputerSystem",
                "Id": "1", "Name": self.node, "SystemType": "Physical",
                "PowerState": "On" if self.is_on() else "Off",
                "Actions": {"#ComputerSystem.Reset": reset}}

    # ---- the action ----

    def _reset(self, body: bytes) -> Response:
        try:
            words = json.loads(body or b"{}")
        except ValueError:
            words = None
        if not isinstance(words, dict):
            return message(HTTPStatus.BAD_REQUEST, "MalformedJSON", "The body is no JSON object.")
        if "ResetType" not in words:
            return message(HTTPStatus.BAD_REQUEST, "ActionParameterMissing", "ResetType is missing.")
        kind = words["ResetType"]
        if not isinstance(kind, str) or kind not in RESETS:
            return message(HTTPStatus.BAD_REQUEST, "ActionParameterValueNotInList",
                           f"ResetType can be {', '.join(RESETS)}.")
        steps = RESETS[kind]
        if steps == [self.is_on()]:
            return message(HTTPStatus.OK, "NoOperation", "So it is already.", "Warning")
        # Power is cut at once; a host takes a while to come up.
        return self._do(steps) if not steps[-1] else self._begin(steps)

    def _do(self, steps: list[bool]) -> Response:
        with self.one_at_a_time:
            if all(self.switch(on) for on in steps):
                return Response(HTTPStatus.NO_CONTENT)
        return message(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", "The switch has failed.")

    def _begin(self, steps: list[bool]) -> Response:
        path = f"{MONITORS}{next(self.numbers)}"
        self.tasks[path] = None

        def work() -> None:
            self.tasks[path] = self._do(steps)

        threading.Thread(target=work, daemon=True).start()
        return self._under_way(path)

    def _monitor(self, path: str) -> Response:
        return self.tasks[path] or self._under_way(path)

    @staticmethod
    def _under_way(path: str) -> Response:
        return Response(HTTPStatus.ACCEPTED, headers={"Location": path, "Retry-After": "1"})
