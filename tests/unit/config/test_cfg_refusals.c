/* SPDX-License-Identifier: PostgreSQL */
/* The INI file: every refusal by its line and words, and nothing left loaded after it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cfgfixture.h"

/* The texts that are exchanged in it, and the words about the result: "LINE: words". */
struct fault {
	const char *name;
	const char *old;
	const char *new;
	const char *said;
};

static const struct fault faults[] = {
	/* lines */
	{ "unknown_section", "[timing]", "[timings]", ":21: unknown section [timings]" },
	{ "section_name_too_long_for_inih", "[timing]",
	  "[timingtimingtimingtimingtimingtimingtimingtimingtimingtiming]",
	  ":21: unknown section" },
	{ "section_twice", "[timing]", "[cluster]",
	  ":21: section [cluster] was already at line 1" },
	{ "text_behind_a_section", "[timing]", "[timing] lease = 1s", ":21: the section heading" },
	{ "section_not_closed", "[timing]", "[timing", ":21: the section heading" },
	{ "key_before_any_section", "[cluster]\n", "", ":1: \"name\" stands before the first" },
	{ "unknown_key", "mode =", "mood =", ":18: unknown key \"mood\" in section [replication]" },
	{ "key_of_another_section", "mode = sync", "lease = 5s", ":18: unknown key \"lease\"" },
	{ "key_twice", "ssh = yes", "ssh = yes\nssh = yes",
	  ":14: \"ssh\" was already set at line 13" },
	{ "no_equals_sign", "mode = sync", "mode sync", ":18: this is not a line of the form" },
	{ "colon_instead", "mode = sync", "mode: sync", ":18: this is not a line of the form" },
	{ "capital_key", "mode = sync", "Mode = sync", ":18: this is not a line of the form" },
	{ "indented_key", "mode = sync", " mode = sync", ":18: the line is indented" },
	{ "key_indented_by_a_tab", "mode = sync", "\tmode = sync", ":18: the line is indented" },
	{ "semicolon_in_a_value", "sync", "sync;x", ":18: there is a semicolon in the value" },
	{ "comment_behind_a_value", "sync", "sync # x",
	  ":18: there is a comment behind the value" },
	{ "line_ends_with_cr_lf", "mode = sync", "mode = sync\r", ":18: the line ends with CR LF" },
	{ "no_value", "mode = sync", "mode =", ":18: \"mode\" has no value" },
	{ "byte_order_mark", "[cluster]", "\xef\xbb\xbf[cluster]", ":1: this is not a line" },
	/* values */
	{ "bad_cluster_name", "= main", "= ../main", ":2: name = ../main is not allowed" },
	{ "capital_cluster_name", "= main", "= Main", ":2: name = Main is not allowed" },
	{ "cluster_name_too_long", "= main", "= abcdefghijklmnopqrstuvwxyz0123456", ":2: name" },
	{ "vip_without_prefix", "100/24", "100", ":3: vip = 10.77.0.100 is not allowed" },
	{ "vip_prefix_too_long", "100/24", "100/33", ":3: vip = 10.77.0.100/33 is out of range" },
	{ "vip_prefix_zero", "100/24", "100/0", ":3: vip = 10.77.0.100/0 is out of range" },
	{ "vip_no_address", "10.77.0.100/24", "vip/24", ":3: vip = vip/24 is not allowed" },
	{ "interface_name_too_long", "eth0", "eth0123456789012", ":4: interface" },
	{ "interface_with_a_slash", "eth0", "../eth0", ":4: interface" },
	{ "router_id_zero", "= 51", "= 0", ":5: virtual_router_id = 0 is out of range" },
	{ "router_id_without_a_next", "= 51", "= 255", ":5: virtual_router_id = 255 is out of" },
	{ "number_with_a_unit", "= 51", "= 51s", ":5: virtual_router_id = 51s is not allowed" },
	{ "number_with_a_sign", "= 51", "= +51", ":5: virtual_router_id = +51 is not allowed" },
	{ "number_octal", "= 51", "= 051", ":5: virtual_router_id = 051 is not allowed" },
	{ "number_of_many_digits", "= 51", "= 99999999999999999999", ":5: virtual_router_id" },
	{ "node_address_a_name", "= 10.77.0.1\n", "= host\n", ":8: address = host is not allowed" },
	{ "node_address_mistyped", "= 10.77.0.1\n", "= 10.77.0.256\n", ":8: address" },
	{ "witness_address_mistyped", "10.77.0.3", "10.77.0.300", ":12: address" },
	{ "bad_word", "ssh = yes", "ssh = true", ":13: ssh = true is not allowed" },
	{ "version_of_a_release", "= 15\n", "= 15.4\n", ":15: version = 15.4 is not allowed" },
	{ "version_too_old", "= 15\n", "= 12\n", ":15: version = 12 is out of range" },
	{ "relative_path", "/var/lib/", "var/lib/", ":16: data_dir" },
	{ "path_with_blanks", "15/main", "15/my main", ":16: data_dir" },
	{ "path_with_quotes", "15/main", "15/\"main", ":16: data_dir" },
	{ "path_that_climbs", "15/main", "15/../main", ":16: data_dir" },
	{ "path_that_climbs_at_its_end", "15/main", "15/..", ":16: data_dir" },
	{ "role_that_postgresql_reserves", "version = 15", "version = 15\nrole = pg_vrrp",
	  ":16: role = pg_vrrp is not allowed" },
	{ "role_that_needs_quotes", "version = 15", "version = 15\nrole = a-b", ":16: role" },
	{ "password_in_conninfo", "version = 15", "version = 15\nconninfo = password=x",
	  ":16: conninfo" },
	{ "host_in_conninfo", "version = 15", "version = 15\nconninfo = sslmode=require host=x",
	  ":16: conninfo" },
	{ "quotes_in_conninfo", "version = 15", "version = 15\nconninfo = sslmode='x'",
	  ":16: conninfo" },
	{ "conninfo_that_is_none", "version = 15", "version = 15\nconninfo = sslmode",
	  ":16: conninfo" },
	{ "unknown_method", "ssh-witness, ssh", "ssh, stonith", ":20: methods = ssh, stonith is" },
	{ "method_twice", "ssh-witness, ssh", "ssh, ssh",
	  ":20: methods = ssh, ssh is not allowed" },
	{ "power_alone", "ssh-witness, ssh", "hook\nhook = /x",
	  ":20: methods switches the other node off before it is asked" },
	{ "power_first", "ssh-witness, ssh", "hook, ssh\nhook = /x",
	  ":20: methods switches the other node off before it is asked" },
	{ "power_in_between", "ssh-witness, ssh", "ssh, hook, ssh-witness\nhook = /x",
	  ":20: methods asks the other node after it was switched off" },
	{ "no_hook", "ssh-witness, ssh", "ssh, hook", ":20: methods has hook, and there is no" },
	{ "hook_for_nothing", "ssh-witness, ssh", "ssh\nhook = /x", ":21: hook is set, and" },
	{ "agent_without_options", "ssh-witness, ssh", "ssh, agent\nagent = /x",
	  ":7: the agent is not told how to switch node \"n1\" off" },
	{ "options_for_nothing", "= 10.77.0.1\n", "= 10.77.0.1\nfence_agent_options = /x\n",
	  ":7: node \"n1\" has fence_agent_options" },
	{ "power_beyond_the_budget", "ssh-witness, ssh",
	  "ssh, hook\nhook = /x\npower_timeout = 50s",
	  ":22: contradictory timings: promote_budget has to be at least 61s" },
	{ "list_without_a_comma", "ssh-witness, ssh", "ssh ssh-witness", ":20: methods" },
	{ "list_that_ends_with_a_comma", "ssh-witness, ssh", "ssh,", ":20: methods" },
	{ "duration_without_a_unit", "= 5s", "= 5", ":22: lease = 5 is not allowed" },
	{ "duration_of_unknown_unit", "= 5s", "= 5d", ":22: lease = 5d is not allowed" },
	{ "duration_with_a_blank", "= 5s", "= 5 s", ":22: lease = 5 s is not allowed" },
	{ "duration_with_a_fraction", "= 5s", "= 5.5s", ":22: lease = 5.5s is not allowed" },
	{ "duration_too_long", "= 5s", "= 301s", ":22: lease = 301s is out of range" },
	{ "duration_that_would_overflow", "= 5s", "= 999999999999999h", ":22: lease" },
	/* what is missing */
	{ "no_vip", "vip = 10.77.0.100/24\n", "",
	  ":1: section [cluster] lacks the required key \"vip\"" },
	{ "no_data_dir", "data_dir = /var/lib/postgresql/15/main\n", "",
	  ":14: section [postgresql]" },
	{ "no_witness", "[witness]\naddress = 10.77.0.3\nssh = yes\n", "",
	  ": section [witness] lacks the required key \"address\"" },
	{ "no_address_of_a_node", "address = 10.77.0.2\n", "", ":9: section [node] lacks" },
	{ "one_node", "[node n2]\naddress = 10.77.0.2\n", "", ": there is only one node" },
	{ "no_node", "[node n1]\naddress = 10.77.0.1\n[node n2]\naddress = 10.77.0.2\n", "",
	  ": there is no node" },
	{ "third_node", "[witness]", "[node n3]\naddress = 10.77.0.9\n[witness]",
	  ":11: [node n3] is a third node" },
	{ "node_twice", "[node n2]", "[node n1]", ":9: section [node n1] was already at line 7" },
	{ "node_without_a_name", "[node n2]", "[node]", ":9: unknown section [node]" },
	{ "node_named_like_the_witness", "[node n2]", "[node witness]",
	  ":9: node name \"witness\" is not allowed" },
	{ "node_of_bad_name", "[node n2]", "[node N 2]", ":9: node name \"N 2\" is not allowed" },
	/* what contradicts itself */
	{ "nodes_of_one_address", "= 10.77.0.2\n", "= 10.77.0.1\n",
	  ":9: node \"n2\" has the address of node \"n1\"" },
	{ "node_has_the_vip", "10.77.0.100/24", "10.77.0.2/24",
	  ":9: node \"n2\" has the address of the VIP" },
	{ "node_is_the_witness", "10.77.0.3", "10.77.0.2",
	  ":9: node \"n2\" has the address of the witness" },
	{ "witness_has_the_vip", "10.77.0.3", "10.77.0.100",
	  ":12: the witness has the address of" },
	{ "families_differ", "10.77.0.100/24", "fd00::100/64",
	  ":7: node \"n1\" and the VIP are of" },
	{ "node_on_loopback", "= 10.77.0.2\n", "= 127.0.0.1\n", ":9: node \"n2\" cannot have" },
	{ "node_anywhere", "= 10.77.0.2\n", "= 0.0.0.0\n", ":9: node \"n2\" cannot have" },
	{ "node_multicast", "= 10.77.0.2\n", "= 224.0.0.18\n", ":9: node \"n2\" cannot have" },
	{ "vip_on_loopback", "10.77.0.100/24", "127.0.0.100/8", ":3: the VIP cannot be" },
	{ "witness_on_loopback", "10.77.0.3", "127.0.0.1", ":12: the witness cannot have" },
	{ "tcp_witness_without_a_port", "ssh = yes", "ssh = yes\nkind = tcp",
	  ":14: a tcp witness needs a port" },
	{ "ping_witness_with_a_port", "ssh = yes", "ssh = yes\nport = 22",
	  ":14: a ping witness has no port" },
	{ "jump_host_without_ssh", "ssh = yes", "ssh = no",
	  ":20: methods has ssh-witness, and the witness" },
	{ "run_dir_is_state_dir", "= 51", "= 51\nrun_dir = /x\nstate_dir = /x",
	  ":7: run_dir and state_dir are" },
};

static void is_refused(void **state)
{
	const struct fault *fault = *state;

	cfgfixture_refused(cfgfixture_load(cfgfixture_sound(fault->old, fault->new)), fault->said);
}

static void line_of_200_bytes_is_refused(void **state)
{
	char line[256] = "data_dir = /";

	(void)state;
	memset(line + strlen(line), 'x', 199 - strlen(line));
	assert_int_equal(
	    cfgfixture_load(cfgfixture_sound("data_dir = /var/lib/postgresql/15/main", line)), 0);
	assert_int_equal(strlen(fixture.cfg.data_dir), 199 - strlen("data_dir = "));
	line[199] = 'x';
	cfgfixture_refused(
	    cfgfixture_load(cfgfixture_sound("data_dir = /var/lib/postgresql/15/main", line)),
	    ":16: the line has 200 bytes");
	/* Comments too: inih would take the rest of the line for a line of its own. */
	line[0] = '#';
	cfgfixture_refused(cfgfixture_load(cfgfixture_sound("# a comment; with a semicolon", line)),
			   ":6: the line has 200 bytes");
}

static void nul_byte_is_refused(void **state)
{
	char text[1024];
	size_t length;

	(void)state;
	length = (size_t)snprintf(text, sizeof(text), "%s", cfgfixture_sound("", ""));
	text[20] = '\0';
	cfgfixture_refused(cfgfixture_load_bytes(text, length), ": contains a NUL byte");
}

static void huge_file_is_refused(void **state)
{
	char *text = malloc(200000);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', 200000);
	cfgfixture_refused(cfgfixture_load_bytes(text, 200000), ": is longer than");
	free(text);
}

static void empty_file_is_refused(void **state)
{
	(void)state;
	cfgfixture_refused(cfgfixture_load(""), ": there is no node");
}

static void directory_is_refused(void **state)
{
	(void)state;
	cfgfixture_path_refused("/etc", "/etc: is a directory");
}

static void missing_file_is_refused(void **state)
{
	(void)state;
	cfgfixture_path_refused("/etc/no-such-file.ini",
				"/etc/no-such-file.ini: cannot be opened: No such file");
}

static void fifo_is_refused_without_waiting(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(fixture.path, 0600), 0);
	cfgfixture_path_refused(fixture.path, ": is not a regular file");
}

static void file_that_everyone_may_write_is_refused(void **state)
{
	(void)state;
	assert_int_equal(cfgfixture_load(cfgfixture_sound("", "")), 0);
	assert_int_equal(chmod(fixture.path, 0666), 0);
	cfgfixture_path_refused(fixture.path, ": may be written by everyone");
}

static void all_faults_are_told_at_once(void **state)
{
	(void)state;
	cfgfixture_refused(
	    cfgfixture_load("[cluster]\nname = Main\nvip = x\n  a = b\n[x]\ny = z\n"), ":2: name");
	cfgfixture_said(":3: vip");
	cfgfixture_said(":4: the line is indented");
	cfgfixture_said(":5: unknown section [x]");
	/* Of a section that is not understood no key is looked at. */
	assert_null(strstr(fixture.said, ":6:"));
}

static void garbage_is_not_told_to_the_end(void **state)
{
	char text[4000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? 'x' : '\n';
	cfgfixture_refused(cfgfixture_load_bytes(text, sizeof(text)), ":20: ");
	assert_null(strstr(fixture.said, ":21: "));
	cfgfixture_said("and 1980 more faults");
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(line_of_200_bytes_is_refused),
	cmocka_unit_test(nul_byte_is_refused),
	cmocka_unit_test(huge_file_is_refused),
	cmocka_unit_test(empty_file_is_refused),
	cmocka_unit_test(directory_is_refused),
	cmocka_unit_test(missing_file_is_refused),
	cmocka_unit_test(fifo_is_refused_without_waiting),
	cmocka_unit_test(file_that_everyone_may_write_is_refused),
	cmocka_unit_test(all_faults_are_told_at_once),
	cmocka_unit_test(garbage_is_not_told_to_the_end),
};

int main(void)
{
	struct CMUnitTest tests[ARRAY_COUNT(faults) + ARRAY_COUNT(others)];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
		/* cmocka only hands it back to is_refused, which reads it. */
		tests[count++] =
		    (struct CMUnitTest){ .name = faults[i].name,
					 .test_func = is_refused,
					 .initial_state = (void *)(uintptr_t)&faults[i] };
	}
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		tests[count++] = others[i];
	for (size_t i = 0; i < ARRAY_COUNT(tests); i++) {
		tests[i].setup_func = cfgfixture_set_up;
		tests[i].teardown_func = cfgfixture_tear_down;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
