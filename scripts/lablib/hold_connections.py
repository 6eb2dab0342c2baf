# SPDX-License-Identifier: PostgreSQL
"""hold_connections.py DIRECTORY PORT: an application that leaks connections, run inside a node.
It opens one after the other over the server's socket until it is refused, holds them, and comes
back for what becomes free, until it is killed."""

import sys
import time

import psycopg2

PAUSE_S = 0.05


def alive(connection) -> bool:
    try:
        connection.cursor().execute("SELECT 1")
        return True
    except psycopg2.Error:
        return False


def main() -> None:
    directory, port = sys.argv[1:]
    held: list = []
    while True:
        try:
            connection = psycopg2.connect(host=directory, port=port, user="lab",
                                          dbname="postgres", connect_timeout=2)
            connection.autocommit = True
            held.append(connection)
        except psycopg2.Error:
            time.sleep(PAUSE_S)
            # A server that was started again has closed them all.
            if held and not alive(held[0]):
                held.clear()


if __name__ == "__main__":
    main()
