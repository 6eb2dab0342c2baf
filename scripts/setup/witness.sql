-- SPDX-License-Identifier: PostgreSQL
--
-- The record of pg_vrrp on its witness: who may serve, one row a cluster.
--
-- Run by scripts/setup/witness-setup, as a superuser or the owner of the database, as often as you like:
-- it makes what is missing and brings an older schema up to date, in one transaction.
--
--	psql -X -v ON_ERROR_STOP=1 -v role=pgvrrp -f witness.sql pgvrrp
--
-- The role may call the functions and nothing else.  Each write is one compare-and-set on (term,
-- version): whoever has not seen the newest row changes nothing and is shown it instead.  No clock
-- takes part.  Any PostgreSQL from 12 on.

\set ON_ERROR_STOP on
\if :{?role}
\else
\set role pgvrrp
\endif

BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = pg_catalog;
SELECT pg_advisory_xact_lock(hashtext('pgvrrp.schema')) \g /dev/null

CREATE SCHEMA IF NOT EXISTS pgvrrp;

DO $$
BEGIN
	IF current_setting('fsync') = 'off' OR current_setting('full_page_writes') = 'off' THEN
		RAISE WARNING 'the witness has fsync or full_page_writes off'
			USING HINT = 'a crash of its host may bring an older record back, or none';
	END IF;
END
$$;

-- An older file must not take away what a newer one has brought.
DO $$
DECLARE
	there integer := 0;
BEGIN
	IF to_regprocedure('pgvrrp.schema_version()') IS NOT NULL THEN
		EXECUTE 'SELECT pgvrrp.schema_version()' INTO there;
	END IF;
	IF there > 1 THEN
		RAISE EXCEPTION 'the witness has schema %, and this file is of schema 1', there
			USING HINT = 'use witness.sql of the newest pg_vrrp of your clusters';
	END IF;
END
$$;

CREATE TABLE IF NOT EXISTS pgvrrp.record (
	cluster text PRIMARY KEY CHECK (cluster ~ '^[a-z][a-z0-9_-]{0,30}$'),
	-- pg_control_system(): two clusters of one name are told apart by it
	system_identifier bigint NOT NULL,
	nodes text[] NOT NULL CHECK (cardinality(nodes) = 2 AND nodes[1] <> nodes[2]),
	-- grows by one with each change of primary
	term bigint NOT NULL CHECK (term > 0),
	-- the only node that may serve in this term
	holder text NOT NULL CHECK (holder = ANY (nodes)),
	-- the other node may take over; the holder serves under a lease
	paired boolean NOT NULL,
	-- the holder says that it does not serve: nobody need wait for its lease
	released boolean NOT NULL,
	-- an operator wants no takeover: the holder goes solo and stays so
	paused boolean NOT NULL,
	-- grows by one with each write, never wraps
	version bigint NOT NULL CHECK (version > 0),
	-- where a released holder's WAL ends, when it was shut down in good order
	final_lsn pg_lsn,
	-- paired, and no commit is acknowledged that the other node has not
	sync boolean NOT NULL,
	-- of the holder's configuration: the other node waits at least this long
	lease_ms bigint NOT NULL CHECK (lease_ms > 0),
	-- an operator took the term with what there was up to here
	accepted_lsn pg_lsn,
	-- of all the rest: a row that was changed by hand does not have it
	seal text NOT NULL,
	CHECK (paired OR NOT sync)
);

-- The role that wrote the row first, and which alone may go on with it: the password of one cluster's
-- nodes opens no other cluster's row, where each has a role of its own.  Null: of an older file, the
-- next write makes it the writer's.  No part of the seal, so that a person may set it.
ALTER TABLE pgvrrp.record ADD COLUMN IF NOT EXISTS owner name;

-- No takeover until then, by an operator's word: in this server's time, which alone is asked.  No part
-- of the record, so that nodes of either release read that as they did; but each write here is one of
-- the record's versions.
CREATE TABLE IF NOT EXISTS pgvrrp.pause (
	cluster text PRIMARY KEY,
	until timestamptz NOT NULL,
	-- as long as was asked for
	ms bigint NOT NULL CHECK (ms > 0),
	by_whom text NOT NULL,
	why text NOT NULL
);

-- What every function answers with: one row, also where there is no record (present is false then,
-- and all after it null).  It is made once, and the functions are replaced and not dropped, so that
-- what other roles were granted stays.
DO $$
BEGIN
	IF to_regtype('pgvrrp.answer') IS NULL THEN
		CREATE TYPE pgvrrp.answer AS (
			schema_version integer,
			-- null: done.  Else nothing was changed, because: absent, system, node,
			-- seal, stale, holder, released, solo, paused, exists
			refused text,
			present boolean,
			same_system boolean,
			node_known boolean,
			sealed boolean,
			term bigint,
			holder text,
			paired boolean,
			released boolean,
			paused boolean,
			version bigint,
			final_lsn pg_lsn,
			sync boolean,
			lease_ms bigint,
			accepted_lsn pg_lsn
		);
	END IF;
END
$$;

CREATE OR REPLACE FUNCTION pgvrrp.schema_version() RETURNS integer
LANGUAGE sql IMMUTABLE AS 'SELECT 1';

-- A position as a number: its text is another one in another version of PostgreSQL.
CREATE OR REPLACE FUNCTION pgvrrp.seal_of(r pgvrrp.record) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT md5(concat_ws('|', r.cluster, r.system_identifier, r.nodes, r.term, r.holder,
		r.paired, r.released, r.paused, r.version,
		coalesce((r.final_lsn - '0/0')::text, '-'), r.sync, r.lease_ms,
		coalesce((r.accepted_lsn - '0/0')::text, '-')))
$$;

CREATE OR REPLACE FUNCTION pgvrrp.answer(a_cluster text, a_system bigint, a_node text,
	a_refused text)
RETURNS pgvrrp.answer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT pgvrrp.schema_version(), a_refused, r.cluster IS NOT NULL,
		r.system_identifier = a_system, a_node = ANY (r.nodes), r.seal = pgvrrp.seal_of(r),
		r.term, r.holder, r.paired, r.released, r.paused, r.version, r.final_lsn, r.sync,
		r.lease_ms, r.accepted_lsn
	FROM (SELECT) AS one LEFT JOIN pgvrrp.record AS r ON r.cluster = a_cluster
$$;

-- Before a row is shown or locked.  A superuser could write it without us.
CREATE OR REPLACE FUNCTION pgvrrp.let_in(a_cluster text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	whose name;
BEGIN
	SELECT x.owner INTO whose FROM pgvrrp.record AS x WHERE x.cluster = a_cluster;
	IF whose <> session_user AND
		NOT (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN
		RAISE insufficient_privilege USING
			MESSAGE = format('the record of cluster "%s" is role "%s"''s', a_cluster, whose);
	END IF;
END
$$;

-- Why this write is not to be done; null when nothing is in its way.  Locks the row.
CREATE OR REPLACE FUNCTION pgvrrp.refusal(a_cluster text, a_system bigint, a_node text,
	a_term bigint, a_version bigint, a_holds boolean)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	r pgvrrp.record;
BEGIN
	PERFORM pgvrrp.let_in(a_cluster);
	-- Who does not know which system it is, has no business with it, nor with its lock.
	IF EXISTS (SELECT FROM pgvrrp.record AS x
			WHERE x.cluster = a_cluster AND x.system_identifier <> a_system) THEN
		RETURN 'system';
	END IF;
	SELECT * INTO r FROM pgvrrp.record AS x WHERE x.cluster = a_cluster FOR UPDATE;
	IF NOT FOUND THEN
		RETURN 'absent';
	END IF;
	RETURN CASE
		WHEN r.system_identifier <> a_system THEN 'system'
		WHEN NOT a_node = ANY (r.nodes) THEN 'node'
		WHEN r.seal <> pgvrrp.seal_of(r) THEN 'seal'
		WHEN r.term <> a_term OR r.version <> a_version THEN 'stale'
		WHEN a_holds AND r.holder <> a_node THEN 'holder'
	END;
END
$$;

-- What a node was told is done must outlive a crash of the witness, whatever its settings say.
CREATE OR REPLACE FUNCTION pgvrrp.be_durable() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF current_setting('synchronous_commit') = 'off' THEN
		PERFORM set_config('synchronous_commit', 'on', true);
	END IF;
END
$$;

-- Milliseconds that a pause has left; 0: there is none.  A clock that was set back makes it twice as
-- long at the most; one that shows a time long before it began says nothing of when it ends.
CREATE OR REPLACE FUNCTION pgvrrp.pause_left(a_cluster text) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(min(x.left_ms), 0)
	FROM (SELECT (extract(epoch FROM p.until - clock_timestamp()) * 1000)::bigint AS left_ms, p.ms
		FROM pgvrrp.pause AS p WHERE p.cluster = a_cluster) AS x
	WHERE x.left_ms > 0 AND x.left_ms <= 2 * x.ms
$$;

-- Writes the row under its next version.
CREATE OR REPLACE FUNCTION pgvrrp.put(r pgvrrp.record) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM pgvrrp.be_durable();
	r.version := r.version + 1;
	r.seal := pgvrrp.seal_of(r);
	UPDATE pgvrrp.record AS x SET system_identifier = r.system_identifier, nodes = r.nodes,
		term = r.term, holder = r.holder, paired = r.paired, released = r.released,
		paused = r.paused, version = r.version, final_lsn = r.final_lsn, sync = r.sync,
		lease_ms = r.lease_ms, accepted_lsn = r.accepted_lsn, seal = r.seal,
		owner = coalesce(x.owner, session_user)
	WHERE x.cluster = r.cluster;
END
$$;

-- What the row says.  Changes nothing.  A copy of the witness would say what was.
CREATE OR REPLACE FUNCTION pgvrrp.look(a_cluster text, a_system bigint, a_node text)
RETURNS pgvrrp.answer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF pg_is_in_recovery() THEN
		RAISE read_only_sql_transaction USING MESSAGE = 'this server is a standby';
	END IF;
	PERFORM pgvrrp.let_in(a_cluster);
	RETURN pgvrrp.answer(a_cluster, a_system, a_node, NULL);
END
$$;

-- The holder still serves.  a_resume: it begins to, after it had released.
CREATE OR REPLACE FUNCTION pgvrrp.renew(a_cluster text, a_system bigint, a_node text,
	a_term bigint, a_version bigint, a_lease_ms bigint, a_resume boolean)
RETURNS pgvrrp.answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	why text := pgvrrp.refusal(a_cluster, a_system, a_node, a_term, a_version, true);
	r pgvrrp.record;
BEGIN
	SELECT * INTO r FROM pgvrrp.record AS x WHERE x.cluster = a_cluster;
	IF why IS NULL AND r.released AND NOT a_resume THEN
		why := 'released';
	END IF;
	IF why IS NULL THEN
		r.released := false;
		r.final_lsn := NULL;
		r.lease_ms := a_lease_ms;
		PERFORM pgvrrp.put(r);
	END IF;
	RETURN pgvrrp.answer(a_cluster, a_system, a_node, why);
END
$$;

-- The holder serves on without the other node, which may not take over any more.
CREATE OR REPLACE FUNCTION pgvrrp.go_solo(a_cluster text, a_system bigint, a_node text,
	a_term bigint, a_version bigint)
RETURNS pgvrrp.answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	why text := pgvrrp.refusal(a_cluster, a_system, a_node, a_term, a_version, true);
	r pgvrrp.record;
BEGIN
	SELECT * INTO r FROM pgvrrp.record AS x WHERE x.cluster = a_cluster;
	IF why IS NULL AND r.released THEN
		why := 'released';
	END IF;
	IF why IS NULL THEN
		r.paired := false;
		r.sync := false;
		PERFORM pgvrrp.put(r);
	END IF;
	RETURN pgvrrp.answer(a_cluster, a_system, a_node, why);
END
$$;

-- The other node has what it needs and may take over from now on.
CREATE OR REPLACE FUNCTION pgvrrp.pair(a_cluster text, a_system bigint, a_node text,
	a_term bigint, a_version bigint, a_lease_ms bigint, a_sync boolean)
RETURNS pgvrrp.answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	why text := pgvrrp.refusal(a_cluster, a_system, a_node, a_term, a_version, true);
	r pgvrrp.record;
BEGIN
	SELECT * INTO r FROM pgvrrp.record AS x WHERE x.cluster = a_cluster;
	IF why IS NULL AND r.released THEN
		why := 'released';
	ELSIF why IS NULL AND r.paused THEN
		why := 'paused';
	END IF;
	IF why IS NULL THEN
		r.paired := true;
		r.sync := a_sync;
		r.lease_ms := a_lease_ms;
		r.accepted_lsn := NULL;
		PERFORM pgvrrp.put(r);
	END IF;
	RETURN pgvrrp.answer(a_cluster, a_system, a_node, why);
END
$$;

-- The holder does not serve: its server is down.
CREATE OR REPLACE FUNCTION pgvrrp.release(a_cluster text, a_system bigint, a_node text,
	a_term bigint, a_version bigint, a_final_lsn pg_lsn)
RETURNS pgvrrp.answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	why text := pgvrrp.refusal(a_cluster, a_system, a_node, a_term, a_version, true);
	r pgvrrp.record;
BEGIN
	SELECT * INTO r FROM pgvrrp.record AS x WHERE x.cluster = a_cluster;
	IF why IS NULL THEN
		r.released := true;
		r.final_lsn := a_final_lsn;
		PERFORM pgvrrp.put(r);
	END IF;
	RETURN pgvrrp.answer(a_cluster, a_system, a_node, why);
END
$$;

-- The term goes to this node: the point of no return of a takeover.
CREATE OR REPLACE FUNCTION pgvrrp.take(a_cluster text, a_system bigint, a_node text,
	a_term bigint, a_version bigint, a_lease_ms bigint)
RETURNS pgvrrp.answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	why text := pgvrrp.refusal(a_cluster, a_system, a_node, a_term, a_version, false);
	r pgvrrp.record;
BEGIN
	SELECT * INTO r FROM pgvrrp.record AS x WHERE x.cluster = a_cluster;
	IF why IS NULL AND r.holder <> a_node THEN
		why := CASE
			WHEN NOT r.paired THEN 'solo'
			WHEN r.paused OR pgvrrp.pause_left(a_cluster) > 0 THEN 'paused'
		END;
	END IF;
	IF why IS NULL THEN
		r.term := r.term + 1;
		r.holder := a_node;
		r.paired := false;
		r.sync := false;
		r.released := false;
		r.final_lsn := NULL;
		r.accepted_lsn := NULL;
		r.lease_ms := a_lease_ms;
		PERFORM pgvrrp.put(r);
	END IF;
	RETURN pgvrrp.answer(a_cluster, a_system, a_node, why);
END
$$;

-- The same by an operator's word: from whatever state, with what this node has up to that LSN.
CREATE OR REPLACE FUNCTION pgvrrp.take_by_word(a_cluster text, a_system bigint, a_node text,
	a_term bigint, a_version bigint, a_lease_ms bigint, a_accepted_lsn pg_lsn)
RETURNS pgvrrp.answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	why text := pgvrrp.refusal(a_cluster, a_system, a_node, a_term, a_version, false);
	r pgvrrp.record;
BEGIN
	SELECT * INTO r FROM pgvrrp.record AS x WHERE x.cluster = a_cluster;
	IF why IS NULL THEN
		r.term := r.term + 1;
		r.holder := a_node;
		r.paired := false;
		r.sync := false;
		r.released := false;
		r.final_lsn := NULL;
		r.accepted_lsn := a_accepted_lsn;
		r.lease_ms := a_lease_ms;
		PERFORM pgvrrp.put(r);
	END IF;
	RETURN pgvrrp.answer(a_cluster, a_system, a_node, why);
END
$$;

-- An operator wants no takeover (true), or wants it possible again (false).
CREATE OR REPLACE FUNCTION pgvrrp.pause(a_cluster text, a_system bigint, a_node text,
	a_term bigint, a_version bigint, a_paused boolean)
RETURNS pgvrrp.answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	why text := pgvrrp.refusal(a_cluster, a_system, a_node, a_term, a_version, false);
	r pgvrrp.record;
BEGIN
	SELECT * INTO r FROM pgvrrp.record AS x WHERE x.cluster = a_cluster;
	IF why IS NULL THEN
		r.paused := a_paused;
		PERFORM pgvrrp.put(r);
	END IF;
	RETURN pgvrrp.answer(a_cluster, a_system, a_node, why);
END
$$;

-- No takeover for so long, which changes nothing for the holder; 0 ends that, and the other pause too.
CREATE OR REPLACE FUNCTION pgvrrp.pause_for(a_cluster text, a_system bigint, a_node text,
	a_term bigint, a_version bigint, a_ms bigint, a_by text, a_why text)
RETURNS pgvrrp.answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	refused text := pgvrrp.refusal(a_cluster, a_system, a_node, a_term, a_version, false);
	r pgvrrp.record;
BEGIN
	SELECT * INTO r FROM pgvrrp.record AS x WHERE x.cluster = a_cluster;
	IF refused IS NULL THEN
		DELETE FROM pgvrrp.pause AS p WHERE p.cluster = a_cluster;
		IF a_ms > 0 THEN
			INSERT INTO pgvrrp.pause VALUES (a_cluster,
				clock_timestamp() + a_ms * interval '1 ms', a_ms, a_by, a_why);
		ELSE
			r.paused := false;
		END IF;
		PERFORM pgvrrp.put(r);
	END IF;
	RETURN pgvrrp.answer(a_cluster, a_system, a_node, refused);
END
$$;

-- The pause that runs: one row, with 0 ms where none does.
CREATE OR REPLACE FUNCTION pgvrrp.pause_of(a_cluster text)
RETURNS TABLE (left_ms bigint, by_whom text, why text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM pgvrrp.let_in(a_cluster);
	RETURN QUERY SELECT pgvrrp.pause_left(a_cluster), coalesce(p.by_whom, ''), coalesce(p.why, '')
		FROM (SELECT) AS one LEFT JOIN pgvrrp.pause AS p ON p.cluster = a_cluster;
END
$$;

-- A record where there is none (a_seen_version 0), or in place of one that was edited by hand or is
-- of an earlier term than the one that this node knows to have been.  The holder begins solo.
CREATE OR REPLACE FUNCTION pgvrrp.create_record(a_cluster text, a_system bigint, a_node text,
	a_peer text, a_term bigint, a_seen_term bigint, a_seen_version bigint, a_lease_ms bigint)
RETURNS pgvrrp.answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	why text;
	edited boolean;
	old pgvrrp.record;
	r pgvrrp.record;
BEGIN
	PERFORM pgvrrp.let_in(a_cluster);
	r.owner := session_user;
	r.cluster := a_cluster;
	r.system_identifier := a_system;
	r.nodes := ARRAY[a_node, a_peer];
	r.term := a_term;
	r.holder := a_node;
	r.paired := false;
	r.released := false;
	r.paused := false;
	r.version := 1;
	r.sync := false;
	r.lease_ms := a_lease_ms;
	r.seal := pgvrrp.seal_of(r);
	IF a_seen_version = 0 THEN
		PERFORM pgvrrp.be_durable();
		INSERT INTO pgvrrp.record SELECT r.* ON CONFLICT (cluster) DO NOTHING;
		IF NOT FOUND THEN
			why := 'exists';
		END IF;
		RETURN pgvrrp.answer(a_cluster, a_system, a_node, why);
	END IF;
	SELECT * INTO old FROM pgvrrp.record AS x WHERE x.cluster = a_cluster FOR UPDATE;
	edited := old.seal <> pgvrrp.seal_of(old);
	why := CASE
		WHEN old.cluster IS NULL THEN 'absent'
		WHEN old.system_identifier <> a_system THEN 'system'
		WHEN NOT edited AND NOT a_node = ANY (old.nodes) THEN 'node'
		WHEN old.term <> a_seen_term OR old.version <> a_seen_version THEN 'stale'
		WHEN NOT edited AND old.term >= a_term THEN 'exists'
	END;
	IF why IS NULL THEN
		-- What a person wrote there is no count of ours.
		r.version := CASE WHEN edited THEN 0 ELSE old.version END;
		PERFORM pgvrrp.put(r);
	END IF;
	RETURN pgvrrp.answer(a_cluster, a_system, a_node, why);
END
$$;

-- Nobody but the role of the nodes, and nothing but these functions.
REVOKE ALL ON SCHEMA pgvrrp FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA pgvrrp FROM PUBLIC, :"role";
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgvrrp FROM PUBLIC, :"role";
GRANT USAGE ON SCHEMA pgvrrp TO :"role";
-- By name, so that a REVOKE CONNECT ... FROM PUBLIC changes nothing for it.
SELECT pg_catalog.format('GRANT CONNECT ON DATABASE %I TO %I', pg_catalog.current_database(), :'role') \gexec
GRANT EXECUTE ON FUNCTION
	pgvrrp.schema_version(),
	pgvrrp.look(text, bigint, text),
	pgvrrp.renew(text, bigint, text, bigint, bigint, bigint, boolean),
	pgvrrp.go_solo(text, bigint, text, bigint, bigint),
	pgvrrp.pair(text, bigint, text, bigint, bigint, bigint, boolean),
	pgvrrp.release(text, bigint, text, bigint, bigint, pg_lsn),
	pgvrrp.take(text, bigint, text, bigint, bigint, bigint),
	pgvrrp.take_by_word(text, bigint, text, bigint, bigint, bigint, pg_lsn),
	pgvrrp.pause(text, bigint, text, bigint, bigint, boolean),
	pgvrrp.pause_for(text, bigint, text, bigint, bigint, bigint, text, text),
	pgvrrp.pause_of(text),
	pgvrrp.create_record(text, bigint, text, text, bigint, bigint, bigint, bigint)
TO :"role";
-- Which server it is that answers: a copy that was promoted is not the witness.
GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system(), pg_catalog.pg_current_wal_insert_lsn(),
	pg_catalog.pg_walfile_name(pg_lsn) TO :"role";

COMMIT;
