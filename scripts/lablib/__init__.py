# SPDX-License-Identifier: PostgreSQL
"""The lab: a whole cluster of real parts in network namespaces on one machine.

One implementation for the demo, the scenario tests and the benchmarks:

    from lablib import Lab
    lab = Lab.up("mine", sets=["timing.lease=2s"])
    load = lab.load_begin(seconds=20)
    lab.fault("crash", "n1")
    report = load.end()
    lab.down()
"""

from .errors import LabError

__all__ = ["Lab", "LabError"]


def __getattr__(name: str):
    # Late: pid 1 of a node imports this package too and has no use for the rest of it.
    if name == "Lab":
        from .lab import Lab
        return Lab
    raise AttributeError(name)
