# SPDX-License-Identifier: PostgreSQL
"""One kind of error for everything that a user can understand and act upon."""


class LabError(Exception):
    """message: what was wrong; hint: what to do.  code: the exit code, as the helpers use them."""

    def __init__(self, message: str, hint: str = "", code: int = 1):
        super().__init__(message)
        self.hint = hint
        self.code = code


USAGE = 64
SYSTEM = 71
CONFIG = 78
