# SPDX-License-Identifier: PostgreSQL
"""The lab's Redfish board says what DMTF's specification (DSP0266) asks for, by real HTTPS."""

import base64
import http.client
import json
import os
import ssl
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from lablib import bmcredfishd, redfish, tls  # noqa: E402

LIMIT_S = 10


class Switch:
    """A power switch that can be held and can be broken."""

    def __init__(self):
        self.on = True
        self.deeds: list[bool] = []
        self.free = threading.Event()
        self.works = True

    def switch(self, on: bool) -> bool:
        self.free.wait(LIMIT_S)
        self.deeds.append(on)
        self.on = on if self.works else self.on
        return self.works


class Redfish(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = tempfile.TemporaryDirectory()
        tls.issue(cls.directory.name, ["127.0.0.1"])

    @classmethod
    def tearDownClass(cls) -> None:
        cls.directory.cleanup()

    def setUp(self) -> None:
        self.power = Switch()
        self.power.free.set()
        service = redfish.Service("n1", "me", "secret", lambda: self.power.on, self.power.switch)
        self.server = bmcredfishd.serve(service, ("127.0.0.1", 0), self.directory.name)
        self.server.RequestHandlerClass.log_message = lambda *_: None
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def ask(self, method: str, path: str, body: str | None = None, password: str | None = "secret",
            headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
        context = ssl.create_default_context(cafile=f"{self.directory.name}/ca.crt")
        connection = http.client.HTTPSConnection("127.0.0.1", self.server.server_address[1],
                                                 timeout=LIMIT_S, context=context)
        self.addCleanup(connection.close)
        word = base64.b64encode(f"me:{password}".encode()).decode()
        known = {} if password is None else {"Authorization": f"Basic {word}"}
        connection.request(method, path, body, {**known, **(headers or {})})
        response = connection.getresponse()
        text = response.read()
        response.said = json.loads(text) if text else None
        return response

    def reset(self, kind: object) -> http.client.HTTPResponse:
        return self.ask("POST", redfish.RESET, json.dumps({"ResetType": kind}))

    def assert_refused(self, response: http.client.HTTPResponse, status: int, name: str) -> None:
        self.assertEqual(response.status, status, response.said)
        self.assertEqual(response.said["error"]["code"].split(".")[-1], name)
        self.assertEqual(self.power.deeds, [])

    def test_root_is_open_to_all(self):
        self.assertEqual(self.ask("GET", "/redfish", password=None).said, {"v1": redfish.ROOT})
        for path in (redfish.ROOT, redfish.ROOT[:-1]):
            root = self.ask("GET", path, password=None)
            self.assertEqual((root.status, root.said["Systems"]["@odata.id"]), (200, redfish.SYSTEMS))
            self.assertEqual(root.headers["OData-Version"], "4.0")

    def test_way_from_the_root_to_the_action(self):
        systems = self.ask("GET", redfish.SYSTEMS).said
        self.assertEqual(systems["Members@odata.count"], len(systems["Members"]))
        system = self.ask("GET", systems["Members"][0]["@odata.id"]).said
        self.assertEqual((system["PowerState"], system["Name"]), ("On", "n1"))
        self.assertEqual(system["Actions"]["#ComputerSystem.Reset"]["target"], redfish.RESET)

    def test_nothing_without_the_password(self):
        for password in (None, "", "Secret", "secret2"):
            for method, path in (("GET", redfish.SYSTEMS), ("GET", redfish.SYSTEM),
                                 ("POST", redfish.RESET), ("GET", "/redfish/v1/none")):
                refused = self.ask(method, path, '{"ResetType": "ForceOff"}', password)
                self.assert_refused(refused, 401, "NoValidSession")
                self.assertTrue(refused.headers["WWW-Authenticate"].startswith("Basic "))
        other = self.ask("GET", redfish.SYSTEM, password=None,
                         headers={"Authorization": "Basic %%%"})
        self.assert_refused(other, 401, "NoValidSession")

    def test_what_is_not_there(self):
        for path in ("/redfish/v1/Systems/2", "/redfish/v1/TaskService/TaskMonitors/1", "/"):
            self.assert_refused(self.ask("GET", path), 404, "ResourceMissingAtURI")

    def test_wrong_method_is_told_the_right_one(self):
        for method, path, right in (("GET", redfish.RESET, "POST"),
                                    ("DELETE", redfish.SYSTEM, "GET, HEAD")):
            refused = self.ask(method, path)
            self.assert_refused(refused, 405, "OperationNotAllowed")
            self.assertEqual(refused.headers["Allow"], right)

    def test_other_odata_is_refused(self):
        old = self.ask("GET", redfish.SYSTEM, headers={"OData-Version": "3.0"})
        self.assert_refused(old, 412, "PreconditionFailed")

    def test_resets_that_it_does_not_do(self):
        for kind in ("GracefulShutdown", "GracefulRestart", "forceoff", 1, ["ForceOff"]):
            self.assert_refused(self.reset(kind), 400, "ActionParameterValueNotInList")
        self.assert_refused(self.ask("POST", redfish.RESET, "{}"), 400, "ActionParameterMissing")
        self.assert_refused(self.ask("POST", redfish.RESET, "off!"), 400, "MalformedJSON")

    def test_power_is_cut_at_once(self):
        self.assertEqual(self.reset("ForceOff").status, 204)
        self.assertEqual(self.power.deeds, [False])
        self.assertEqual(self.ask("GET", redfish.SYSTEM).said["PowerState"], "Off")

    def test_what_is_so_already_is_no_operation(self):
        again = self.reset("On")
        self.assert_refused(again, 200, "NoOperation")

    def test_switch_that_fails(self):
        self.power.works = False
        failed = self.reset("ForceOff")
        self.assertEqual(failed.status, 500, failed.said)
        self.assertEqual(self.ask("GET", redfish.SYSTEM).said["PowerState"], "On")

    def test_restart_is_a_task(self):
        self.power.free.clear()
        begun = self.reset("ForceRestart")
        monitor = begun.headers["Location"]
        self.assertEqual(begun.status, 202)
        self.assertEqual(self.ask("GET", monitor).status, 202)
        self.power.free.set()
        limit = time.monotonic() + LIMIT_S
        while self.ask("GET", monitor).status == 202 and time.monotonic() < limit:
            time.sleep(0.02)
        self.assertEqual(self.ask("GET", monitor).status, 204)
        self.assertEqual(self.power.deeds, [False, True])

    def test_head_has_no_body(self):
        self.assertEqual((self.ask("HEAD", redfish.SYSTEM).status,
                          self.ask("HEAD", redfish.SYSTEM).said), (200, None))


if __name__ == "__main__":
    unittest.main()
