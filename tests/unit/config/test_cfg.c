/* SPDX-License-Identifier: PostgreSQL */
/* The INI file: what is loaded, what holds when nothing is said, which file, which node. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cfgfixture.h"
#include "config/cfg_internal.h"
#include "node/identity.h"

static void sound_file_is_loaded(void **state)
{
	(void)state;
	assert_int_equal(cfgfixture_load(cfgfixture_sound("", "")), 0);
	assert_string_equal(fixture.said, "");
	assert_string_equal(fixture.cfg.path, fixture.path);
	assert_string_equal(fixture.cfg.name, "main");
	assert_string_equal(fixture.cfg.vip, "10.77.0.100");
	assert_int_equal(fixture.cfg.vip_prefix, 24);
	assert_int_equal(fixture.cfg.virtual_router_id, 51);
	assert_string_equal(fixture.cfg.nodes[0].name, "n1");
	assert_string_equal(fixture.cfg.nodes[1].address, "10.77.0.2");
	assert_true(fixture.cfg.witness_ssh);
	assert_int_equal(fixture.cfg.mode, MODE_SYNC);
	assert_int_equal(fixture.cfg.method_count, 2);
	assert_int_equal(fixture.cfg.methods[0], FENCING_SSH_WITNESS);
	assert_int_equal(fixture.cfg.methods[1], FENCING_SSH);
}

static void ways_that_switch_a_host_off(void **state)
{
	(void)state;
	assert_int_equal(cfgfixture_load(cfgfixture_sound("ssh-witness, ssh\n",
							  "ssh, hook\nhook = /etc/pg_vrrp/hook\n")),
			 0);
	assert_int_equal(fixture.cfg.method_count, 2);
	assert_int_equal(fixture.cfg.methods[1], FENCING_HOOK);
	assert_string_equal(fixture.cfg.hook, "/etc/pg_vrrp/hook");
	assert_true(cfg_has_method(&fixture.cfg, FENCING_HOOK));
	assert_false(cfg_has_method(&fixture.cfg, FENCING_AGENT));
	assert_int_equal(cfg_power_ms(&fixture.cfg), 20000);
	assert_int_equal(cfgfixture_load("[cluster]\nname = a\nvip = fd00::9/64\ninterface = e\n"
					 "virtual_router_id = 1\n[node a]\naddress = fd00::1\n"
					 "fence_agent_options = /a\n[node b]\naddress = fd00::2\n"
					 "fence_agent_options = /b\n[witness]\naddress = fd00::3\n"
					 "[postgresql]\nversion = 16\ndata_dir = /d\n[fencing]\n"
					 "methods = ssh, agent, hook\nagent = /f\nhook = /h\n"
					 "power_timeout = 10s"),
			 0);
	assert_int_equal(fixture.cfg.methods[2], FENCING_HOOK);
	assert_string_equal(fixture.cfg.nodes[1].fence_agent_options, "/b");
	assert_int_equal(cfg_power_ms(&fixture.cfg), 20000);
}

static void what_is_not_said_has_its_default(void **state)
{
	(void)state;
	assert_int_equal(cfgfixture_load(cfgfixture_sound("methods = ssh-witness, ssh\n", "")), 0);
	assert_string_equal(fixture.cfg.run_dir, "/run/pg_vrrp/main");
	assert_string_equal(fixture.cfg.state_dir, "/var/lib/pg_vrrp/main");
	assert_string_equal(fixture.cfg.libexec_dir, PGV_LIBEXECDIR);
	assert_string_equal(fixture.cfg.nodes[1].interface, "eth0");
	assert_int_equal(fixture.cfg.nodes[1].ssh_port, 22);
	assert_int_equal(fixture.cfg.witness_kind, WITNESS_PING);
	assert_string_equal(fixture.cfg.bin_dir, "/usr/lib/postgresql/15/bin");
	assert_string_equal(fixture.cfg.log_file, "/var/lib/pg_vrrp/main/postgresql.log");
	assert_string_equal(fixture.cfg.config_file, "");
	assert_string_equal(fixture.cfg.conninfo, "");
	assert_string_equal(fixture.cfg.passfile, "/etc/pg_vrrp/main.pgpass");
	assert_string_equal(fixture.cfg.ssh_key, "/etc/pg_vrrp/main.key");
	assert_true(fixture.cfg.auto_start);
	assert_int_equal(fixture.cfg.unproven, UNPROVEN_REFUSE);
	assert_int_equal(fixture.cfg.method_count, 2);
	assert_int_equal(fixture.cfg.methods[0], FENCING_SSH);
	assert_int_equal(fixture.cfg.margin_ms, 1000);
	assert_int_equal(fixture.cfg.renew_interval_ms, 1000);
	assert_int_equal(fixture.cfg.stop_fast_ms, 500);
	assert_int_equal(fixture.cfg.stop_immediate_ms, 300);
	assert_int_equal(cfg_fence_time_ms(&fixture.cfg), 1000);
}

static void without_ssh_to_the_witness_the_nodes_are_fenced_directly(void **state)
{
	(void)state;
	assert_int_equal(
	    cfgfixture_load(cfgfixture_sound("ssh = yes\n[postgresql]", "[postgresql]")), -EINVAL);
	assert_int_equal(
	    cfgfixture_load("[cluster]\nname = a\nvip = fd00::9/64\ninterface = e\n"
			    "virtual_router_id = 1\n[node a]\naddress = fd00::1\n"
			    "[node b]\naddress = fd00::2\n[witness]\nkind = tcp\nport = 22\n"
			    "address = witness.example.org\n[postgresql]\nversion = 16\n"
			    "data_dir = /d\nconninfo = sslmode=verify-full sslrootcert=/etc/ca"),
	    0);
	assert_int_equal(fixture.cfg.method_count, 1);
	assert_int_equal(fixture.cfg.methods[0], FENCING_SSH);
	assert_string_equal(fixture.cfg.conninfo, "sslmode=verify-full sslrootcert=/etc/ca");
	assert_string_equal(fixture.cfg.witness_address, "witness.example.org");
	assert_string_equal(fixture.cfg.vip, "fd00::9");
}

static void other_timings_follow_the_lease(void **state)
{
	(void)state;
	assert_int_equal(cfgfixture_load(cfgfixture_sound("lease = 5s", "lease = 2s")), 0);
	assert_int_equal(fixture.cfg.renew_interval_ms, 400);
	assert_int_equal(fixture.cfg.stop_fast_ms, 200);
	assert_int_equal(fixture.cfg.stop_immediate_ms, 120);
	assert_int_equal(fixture.cfg.margin_ms, 940);
	assert_int_equal(
	    cfgfixture_load(cfgfixture_sound("lease = 5s", "lease = 100s\npromote_budget = 5min")),
	    0);
	assert_int_equal(fixture.cfg.margin_ms, 2900);
}

static void addresses_are_compared_by_value(void **state)
{
	(void)state;
	cfgfixture_refused(
	    cfgfixture_load("[cluster]\nname = a\nvip = fd00::9/64\ninterface = e\n"
			    "virtual_router_id = 1\n[node a]\naddress = fd00::1\n"
			    "[node b]\naddress = FD00:0::1\n[witness]\naddress = fd00::3\n"
			    "[postgresql]\nversion = 16\ndata_dir = /d\n"),
	    ":8: node \"b\" has the address of node \"a\"");
}

/* ---- which file, which node ---- */

static void only_file_of_a_directory_is_found(void **state)
{
	char dir[] = "/tmp/pgv-dir-XXXXXX";
	char one[64];
	char two[64];
	char found[CFG_PATH_MAX] = "";

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(one, sizeof(one), "%s/one.ini", dir);
	(void)snprintf(two, sizeof(two), "%s/two.ini", dir);
	assert_int_equal(cfg_find(dir, found, sizeof(found)), -EINVAL);
	assert_int_equal(close(open(one, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	assert_int_equal(cfg_find(dir, found, sizeof(found)), 0);
	assert_string_equal(found, one);
	assert_int_equal(close(open(two, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	assert_int_equal(cfg_find(dir, found, sizeof(found)), -EINVAL);
	(void)unlink(one);
	(void)unlink(two);
	(void)rmdir(dir);
}

static void node_is_found_by_its_name(void **state)
{
	(void)state;
	assert_int_equal(cfgfixture_load(cfgfixture_sound("", "")), 0);
	assert_int_equal(node_identify(&fixture.cfg, "n2"), 0);
	assert_string_equal(cfg_self(&fixture.cfg)->name, "n2");
	assert_string_equal(cfg_peer(&fixture.cfg)->name, "n1");
	assert_int_equal(node_identify(&fixture.cfg, "n3"), -ENOENT);
	assert_ptr_equal(cfg_node(&fixture.cfg, "n1"), &fixture.cfg.nodes[0]);
	assert_null(cfg_node(&fixture.cfg, "n3"));
}

/* This test's host has none of the addresses; tests/cli puts one on an interface. */
static void host_that_is_no_node_is_refused(void **state)
{
	(void)state;
	assert_int_equal(cfgfixture_load(cfgfixture_sound("", "")), 0);
	assert_int_equal(node_identify(&fixture.cfg, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ways_that_switch_a_host_off, cfgfixture_set_up,
						cfgfixture_tear_down),
		cmocka_unit_test_setup_teardown(sound_file_is_loaded, cfgfixture_set_up,
						cfgfixture_tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_said_has_its_default, cfgfixture_set_up,
						cfgfixture_tear_down),
		cmocka_unit_test_setup_teardown(
		    without_ssh_to_the_witness_the_nodes_are_fenced_directly, cfgfixture_set_up,
		    cfgfixture_tear_down),
		cmocka_unit_test_setup_teardown(other_timings_follow_the_lease, cfgfixture_set_up,
						cfgfixture_tear_down),
		cmocka_unit_test_setup_teardown(addresses_are_compared_by_value, cfgfixture_set_up,
						cfgfixture_tear_down),
		cmocka_unit_test_setup_teardown(only_file_of_a_directory_is_found,
						cfgfixture_set_up, cfgfixture_tear_down),
		cmocka_unit_test_setup_teardown(node_is_found_by_its_name, cfgfixture_set_up,
						cfgfixture_tear_down),
		cmocka_unit_test_setup_teardown(host_that_is_no_node_is_refused, cfgfixture_set_up,
						cfgfixture_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
