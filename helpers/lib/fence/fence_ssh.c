/* SPDX-License-Identifier: PostgreSQL */
#include "fence/fence_ssh.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SSH "/usr/bin/ssh"
/*
 * OpenSSH 9 begins with a key exchange that also holds against quantum computers (sntrup761), which
 * takes 50 ms of a processor at either end: a third of "fence_old --test".  What is said here is no
 * secret, so the usual one comes first.  "^": the others stay (ssh_config(5)).
 */
#define KEY_EXCHANGE "-oKexAlgorithms=^curve25519-sha256"

/* Appends one formatted word to the vector. */
static int PRINTF_LIKE(2, 3) add(struct fence_ssh *ssh, const char *fmt, ...)
{
	size_t left = sizeof(ssh->text) - ssh->used;
	va_list args;
	int length;

	if (ssh->words + 1 >= ARRAY_COUNT(ssh->argv))
		return -EFBIG;
	va_start(args, fmt);
	length = vsnprintf(ssh->text + ssh->used, left, fmt, args);
	va_end(args);
	if (length < 0 || (size_t)length >= left)
		return -EFBIG;
	ssh->argv[ssh->words++] = ssh->text + ssh->used;
	ssh->argv[ssh->words] = NULL;
	ssh->used += (size_t)length + 1;
	return 0;
}

static bool shell_sees_nothing(const char *text)
{
	return strspn(text,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@+-") ==
	       strlen(text);
}

static bool config_is_plain(const struct cfg *cfg)
{
	return shell_sees_nothing(cfg->ssh_key) && shell_sees_nothing(cfg->ssh_known_hosts) &&
	       shell_sees_nothing(cfg->ssh_user) && shell_sees_nothing(cfg->witness_ssh_user) &&
	       shell_sees_nothing(cfg->witness_address);
}

/*
 * The options that every one of our connections has, as one text for a ProxyCommand and, split at
 * the bars, as words.  ConnectTimeout is whole seconds; the caller's deadline is the real bound.
 */
static int common_options(const struct cfg *cfg, char *text, size_t size)
{
	int length =
	    snprintf(text, size,
		     "-F|none|-T|-i|%s|-oUserKnownHostsFile=%s|-oGlobalKnownHostsFile=/dev/null"
		     "|-oBatchMode=yes|-oIdentitiesOnly=yes|-oIdentityAgent=none"
		     "|-oStrictHostKeyChecking=yes|-oPasswordAuthentication=no"
		     "|-oPreferredAuthentications=publickey|-oUpdateHostKeys=no"
		     "|-oConnectionAttempts=1|-oConnectTimeout=5|-oServerAliveInterval=1"
		     "|-oServerAliveCountMax=3|-oLogLevel=ERROR",
		     cfg->ssh_key, cfg->ssh_known_hosts);

	return length > 0 && (size_t)length < size ? 0 : -EFBIG;
}

static int add_common(struct fence_ssh *ssh, const struct cfg *cfg)
{
	char options[1024];
	char *rest = options;
	const char *word;
	int rc = common_options(cfg, options, sizeof(options));

	while (rc == 0 && (word = strsep(&rest, "|")) != NULL)
		rc = add(ssh, "%s", word);
	return rc == 0 ? add(ssh, "%s", KEY_EXCHANGE) : rc;
}

static const char *bracket(const char *address, const char *with, const char *without)
{
	return strchr(address, ':') != NULL ? with : without;
}

/* ssh -W through the witness host; the whole text is one argument, which ssh gives to a shell. */
static int add_proxy(struct fence_ssh *ssh, const struct cfg *cfg, const struct cfg_node *node)
{
	char options[1024];
	int rc = common_options(cfg, options, sizeof(options));

	if (rc < 0)
		return rc;
	for (char *bar = options; (bar = strchr(bar, '|')) != NULL;)
		*bar = ' ';
	return add(ssh,
		   "-oProxyCommand=" SSH " '" KEY_EXCHANGE "' %s -oHostKeyAlias=witness -p %" PRId64
		   " -l %s -W %s%s%s:%" PRId64 " %s",
		   options, cfg->witness_ssh_port, cfg->witness_ssh_user,
		   bracket(node->address, "[", ""), node->address, bracket(node->address, "]", ""),
		   node->ssh_port, cfg->witness_address);
}

int fence_ssh_node(struct fence_ssh *ssh, const struct cfg *cfg, const struct cfg_node *node,
		   bool through_witness, const char *request)
{
	int rc;

	*ssh = (struct fence_ssh){ .words = 0 };
	if (!config_is_plain(cfg))
		return -EINVAL;
	rc = add(ssh, SSH);
	if (rc == 0)
		rc = add_common(ssh, cfg);
	if (rc == 0 && through_witness)
		rc = add_proxy(ssh, cfg, node);
	/* Pinned by name, so that a key stays valid when an address changes, and never fits another
	 * node. */
	if (rc == 0)
		rc = add(ssh, "-oHostKeyAlias=%s", node->name);
	if (rc == 0)
		rc = add(ssh, "-p%" PRId64, node->ssh_port);
	if (rc == 0)
		rc = add(ssh, "-l%s", cfg->ssh_user);
	if (rc == 0)
		rc = add(ssh, "%s", node->address);
	return rc == 0 ? add(ssh, "%s", request) : rc;
}

int fence_ssh_witness(struct fence_ssh *ssh, const struct cfg *cfg, const char *request)
{
	int rc;

	*ssh = (struct fence_ssh){ .words = 0 };
	if (!config_is_plain(cfg))
		return -EINVAL;
	rc = add(ssh, SSH);
	if (rc == 0)
		rc = add_common(ssh, cfg);
	if (rc == 0)
		rc = add(ssh, "-oHostKeyAlias=witness");
	if (rc == 0)
		rc = add(ssh, "-p%" PRId64, cfg->witness_ssh_port);
	if (rc == 0)
		rc = add(ssh, "-l%s", cfg->witness_ssh_user);
	if (rc == 0)
		rc = add(ssh, "%s", cfg->witness_address);
	return rc == 0 ? add(ssh, "%s", request) : rc;
}
