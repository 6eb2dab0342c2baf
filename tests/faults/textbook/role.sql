CREATE ROLE @REPLICATOR@ LOGIN REPLICATION;
-- what pg_rewind reads
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text, boolean, boolean) TO @REPLICATOR@;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_file(text, boolean) TO @REPLICATOR@;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text) TO @REPLICATOR@;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) TO @REPLICATOR@;
