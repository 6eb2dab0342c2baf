/* SPDX-License-Identifier: PostgreSQL */
/*
 * node_health - what this node is, over HTTP, for load balancers and monitoring.
 *
 * Run by its unit (--serve), and by a person, cron or a test for one answer.  It reads what the
 * guard and check_primary have left in this node's files, asks nobody, decides nothing, and changes
 * nothing but the file that --metrics writes.  Neither the guard nor a lease waits for it: it is a
 * process of its own, of low priority.  Exit codes:
 *
 *	0 the answer is 200 (or: it was told to stop)
 *	1 the answer is 503
 *	2 --serve: [health] listen is off
 *	64 71 78 called wrongly, or no such path; system; configuration
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/state.h"
#include "config/cfg.h"
#include "config/cfg_file.h"
#include "health/health_look.h"
#include "health/health_pages.h"
#include "health/health_rules.h"
#include "health/http_serve.h"
#include "net/addr.h"
#include "node/helper.h"

/* Whoever asks each 200 ms must not take the processor from a guard or a server. */
#define NICE 10
/* A new configuration is looked for this often. */
#define LOOK_MS 1000

struct service {
	const struct cfg *cfg;
	struct health health;
	struct http_server server;
};

/* ---- answers ---- */

static void look(void *context)
{
	struct service *service = context;

	health_look(&service->health, service->cfg);
}

static void answer(void *context, const struct http_request *request, struct http_reply *reply)
{
	const struct service *service = context;
	struct health_ask ask;
	int rc = health_ask_parse(&ask, request->path, request->query);

	if (rc < 0) {
		reply->code = rc == -ENOENT ? 404 : 400;
		http_say(reply, "%s\n",
			 rc == -ENOENT ? "no such path; man pg_vrrp-node_health lists them"
				       : "a value in the query is not understood");
		return;
	}
	reply->code = health_code(&service->health, &ask);
	if (ask.page == HEALTH_PAGE_METRICS)
		health_page_metrics(reply, &service->health, service->cfg);
	else if (ask.page == HEALTH_PAGE_CLUSTER)
		health_page_cluster(reply, &service->health, service->cfg);
	else
		health_page_node(reply, &service->health, service->cfg);
}

/* ---- once ---- */

static struct verdict verdict_of(int code)
{
	if (code == 200)
		return (struct verdict)YES("answers-yes", "the answer is 200", NULL);
	if (code == 503)
		return (struct verdict)NO("answers-no", "the answer is 503", NULL);
	return (struct verdict)USAGE_ERROR("bad-path", "there is no such path, or no such value",
					   "man pg_vrrp-node_health lists them");
}

static struct verdict answer_once(struct service *service, const char *text)
{
	struct http_reply *reply = &service->server.reply;
	struct http_request request = { .method = HTTP_GET };
	char line[HTTP_PATH_MAX + HTTP_QUERY_MAX + 32];
	int length = snprintf(line, sizeof(line), "GET %s HTTP/1.1\r\n\r\n", text);

	reply->code = 200;
	if (length < 0 || (size_t)length >= sizeof(line) ||
	    http_request_parse(&request, line, (size_t)length) != 0)
		return verdict_of(400);
	look(service);
	answer(service, &request, reply);
	(void)fputs(reply->body, stdout);
	return verdict_of(reply->code);
}

static struct verdict write_metrics(struct service *service, const char *path)
{
	struct verdict verdict =
	    SYSTEM_ERROR("metrics-unwritten", "the file of metrics could not be written", NULL);
	int rc;

	if (path[0] != '/')
		return (struct verdict)USAGE_ERROR("usage", "--metrics takes an absolute path",
						   NULL);
	look(service);
	health_page_metrics(&service->server.reply, &service->health, service->cfg);
	rc = state_write(path, service->server.reply.body, 0644, false);
	if (rc == 0)
		return (struct verdict)YES("metrics-written", "the file of metrics is written",
					   NULL);
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%.200s: %s", path, strerror(-rc));
	return verdict;
}

/* ---- resident ---- */

static socklen_t address_of(const struct cfg *cfg, struct sockaddr_storage *at)
{
	struct addr node;
	const char *text = cfg_self(cfg)->address;
	const bool six = addr_parse(&node, text) == 0 && node.family == AF_INET6;

	if (cfg->health_listen == HEALTH_LOCAL)
		text = six ? "::1" : "127.0.0.1";
	else if (cfg->health_listen == HEALTH_ALL)
		text = six ? "::" : "0.0.0.0";
	if (addr_parse(&node, text) < 0)
		node = (struct addr){ .family = AF_INET };
	return addr_to_sockaddr(&node, (uint16_t)cfg->health_port, at);
}

static struct verdict serve(struct service *service)
{
	struct verdict verdict =
	    SYSTEM_ERROR("listen", "node_health could not listen",
			 "is another program on that port?  [health] port = ... is another one");
	struct sockaddr_storage at;
	const socklen_t size = address_of(service->cfg, &at);
	struct cfg_file file;
	int AUTO_FD signals = -1;
	bool end = false;
	int rc;

	if (service->cfg->health_listen == HEALTH_OFF)
		return (struct verdict)REFUSED("health-off", "nobody wants health checks over HTTP",
					       "[health] listen = node, in the configuration");
	signals = signals_open();
	rc = signals < 0 ? signals : cfg_file_look(&file, service->cfg);
	if (rc == 0)
		rc = http_listen(&service->server, &at, size);
	if (rc < 0) {
		(void)snprintf(verdict.detail, sizeof(verdict.detail), "port %d: %s",
			       (int)service->cfg->health_port, strerror(-rc));
		return verdict;
	}
	if (setpriority(PRIO_PROCESS, 0, NICE) < 0)
		log_failed("take a low priority", -errno);
	log_info("answers health checks on port %d", (int)service->cfg->health_port);
	while (!end && !cfg_file_changed(&file, service->cfg)) {
		struct deadline next = deadline_in_ms(LOOK_MS);

		while (!end && !deadline_passed(&next)) {
			http_serve(&service->server, signals, &next);
			end = signals_end(signals);
		}
	}
	http_close(&service->server);
	return (struct verdict)YES(
	    "stopped", "node_health was told to stop",
	    "or its configuration file has changed; its unit starts it again");
}

int main(int argc, char **argv)
{
	bool resident = false;
	const char *metrics = NULL;
	const struct cli_option extra[] = {
		{ "serve", NULL, "stay, and answer over HTTP at [health] listen", &resident, NULL },
		{ "metrics", "FILE", "write the metrics there, for node_exporter", NULL, &metrics },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "node_health",
		.summary = "what this node is, for load balancers and monitoring",
		.operands = "[PATH]",
		.max_operands = 1,
		.options = extra,
		.answers = true,
	};
	static struct service service;
	static struct cfg cfg;
	struct verdict verdict;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if ((resident || metrics != NULL) + (cli.operand_count > 0) +
		(resident && metrics != NULL) >
	    1) {
		verdict = (struct verdict)USAGE_ERROR(
		    "usage", "--serve, --metrics and a path do not go together", NULL);
		return cli_finish(&cli, &verdict);
	}
	if (!helper_begin(&cfg, &cli, HELPER_NODE, &verdict))
		return cli_finish(&cli, &verdict);
	service.cfg = &cfg;
	service.server.look = look;
	service.server.answer = answer;
	service.server.context = &service;
	if (resident)
		verdict = serve(&service);
	else if (metrics != NULL)
		verdict = write_metrics(&service, metrics);
	else
		verdict = answer_once(&service, cli.operand_count > 0 ? cli.operands[0] : "/");
	return cli_finish(&cli, &verdict);
}
