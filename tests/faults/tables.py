# SPDX-License-Identifier: PostgreSQL
"""The tables of the workloads, and what is asked for at the end.  No key forbids a row twice: that
would hide what the checker is to find."""

ACCOUNTS, BALANCE = 12, 1000
KEYS = 4

MAKE = """\
CREATE TABLE IF NOT EXISTS lab.fault_set (run text, client int, n int, timeline int);
CREATE TABLE IF NOT EXISTS lab.fault_accounts (run text, id int, balance bigint, version int,
    PRIMARY KEY (run, id)) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS lab.fault_transfers (run text, client int, n int, source int, target int,
    amount int, source_version int, target_version int, timeline int);
CREATE TABLE IF NOT EXISTS lab.fault_registers (run text, key int, version int,
    PRIMARY KEY (run, key)) WITH (fillfactor = 50);

CREATE OR REPLACE FUNCTION lab.fault_timeline() RETURNS int LANGUAGE sql AS
$$ SELECT ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int $$;

-- What the hostile call: NULL is the word of a server that takes no writes.
CREATE OR REPLACE FUNCTION lab.fault_add(of_run text, of_client int, of_n int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE made int;
BEGIN
    INSERT INTO lab.fault_set VALUES (of_run, of_client, of_n, lab.fault_timeline())
        RETURNING timeline INTO made;
    RETURN made;
EXCEPTION WHEN read_only_sql_transaction THEN
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION lab.fault_write(of_run text, of_key int) RETURNS int[]
LANGUAGE plpgsql AS $$
DECLARE made int;
BEGIN
    UPDATE lab.fault_registers SET version = version + 1 WHERE run = of_run AND key = of_key
        RETURNING version INTO made;
    RETURN ARRAY[of_key, made, lab.fault_timeline()];
EXCEPTION WHEN read_only_sql_transaction THEN
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION lab.fault_move(of_run text, of_client int, of_n int, from_id int,
    to_id int, amount int) RETURNS int[]
LANGUAGE plpgsql AS $$
DECLARE from_version int; to_version int;
BEGIN
    PERFORM FROM lab.fault_accounts WHERE run = of_run AND id IN (from_id, to_id)
        ORDER BY id FOR UPDATE;
    UPDATE lab.fault_accounts SET balance = balance - amount, version = version + 1
        WHERE run = of_run AND id = from_id RETURNING version INTO from_version;
    UPDATE lab.fault_accounts SET balance = balance + amount, version = version + 1
        WHERE run = of_run AND id = to_id RETURNING version INTO to_version;
    INSERT INTO lab.fault_transfers VALUES (of_run, of_client, of_n, from_id, to_id, amount,
        from_version, to_version, lab.fault_timeline());
    RETURN ARRAY[from_id, to_id, amount, from_version, to_version, lab.fault_timeline()];
EXCEPTION WHEN read_only_sql_transaction THEN
    RETURN NULL;
END $$;
"""

FILL = f"""\
INSERT INTO lab.fault_accounts
    SELECT %s, id, {BALANCE}, 0 FROM generate_series(0, {ACCOUNTS - 1}) id;
INSERT INTO lab.fault_registers SELECT %s, key, 0 FROM generate_series(0, {KEYS - 1}) key;
SELECT 1
"""

# Each is asked with the run.
PRESENT = {
    "set": "SELECT client, n, timeline FROM lab.fault_set WHERE run = %s",
    "transfers": "SELECT client, n, source, target, amount, source_version, target_version, "
                 "timeline FROM lab.fault_transfers WHERE run = %s",
    "accounts": "SELECT id, balance, version FROM lab.fault_accounts WHERE run = %s ORDER BY id",
    "registers": "SELECT key, version FROM lab.fault_registers WHERE run = %s ORDER BY key",
}


def _digest(table: str) -> str:
    return (f"(SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM lab.fault_{table} t "
            "WHERE run = %s)")


# One row; two servers with the same rows answer the same.
DIGEST = "SELECT " + ", ".join(map(_digest, ("set", "transfers", "accounts", "registers")))
