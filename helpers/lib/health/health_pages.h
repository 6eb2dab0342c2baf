/* SPDX-License-Identifier: PostgreSQL */
/* The bodies of answers: JSON as Patroni's, and metrics as Prometheus reads them. */
#ifndef PGV_HEALTH_PAGES_H
#define PGV_HEALTH_PAGES_H

#include "config/cfg.h"
#include "health/health_look.h"
#include "health/http_serve.h"

/* This node: its state, its role, how far it is. */
void health_page_node(struct http_reply *reply, const struct health *h, const struct cfg *cfg);

/* Both nodes, the other one as far as this one has seen it. */
void health_page_cluster(struct http_reply *reply, const struct health *h, const struct cfg *cfg);

/* The text format of Prometheus, version 0.0.4.  What is not known is left out. */
void health_page_metrics(struct http_reply *reply, const struct health *h, const struct cfg *cfg);

#endif
