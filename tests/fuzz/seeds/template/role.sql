-- pg_vrrp cluster "@CLUSTER@": the role of the helpers.  Run it on the primary as a superuser, again
-- whenever you like:  psql -X -v ON_ERROR_STOP=1 -d @DATABASE@ -f FILE
-- The password is yours to set (\password @ROLE@) and to write into @PASSFILE@.

DO $$
BEGIN
	IF current_database() <> '@DATABASE@' THEN
		RAISE EXCEPTION 'connected to database %, the helpers use @DATABASE@', current_database();
	END IF;
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '@ROLE@') THEN
		CREATE ROLE @ROLE@;
	END IF;
END
$$;
ALTER ROLE @ROLE@ LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE;

-- Looking: settings, replication, activity.
GRANT pg_monitor TO @ROLE@;

-- A standby gives, withdraws and restores its vote, and is promoted.
GRANT ALTER SYSTEM ON PARAMETER primary_conninfo, primary_slot_name, synchronous_standby_names
	TO @ROLE@;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO @ROLE@;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO @ROLE@;
GRANT pg_checkpoint TO @ROLE@;

-- What pg_rewind reads from the new primary.
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text, boolean, boolean) TO @ROLE@;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_file(text, boolean) TO @ROLE@;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text) TO @ROLE@;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) TO @ROLE@;
