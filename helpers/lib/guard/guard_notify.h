/* SPDX-License-Identifier: PostgreSQL */
/* The guard tells systemd of itself (base/notify.h): that it is ready, that it lives, and in a line
 * of `systemctl status` what it guards.  Private to guard*.c. */
#ifndef PGV_GUARD_NOTIFY_H
#define PGV_GUARD_NOTIFY_H

#include "guard/guard_look.h"

/* Behind each tick: sends what has changed, and from time to time that it lives. */
void guard_notify(struct guard *g, const struct guard_facts *f);
/* The last word. */
void guard_notify_end(const struct guard *g);

/* "STATUS=..." and its newline.  Pure. */
void guard_status_line(const struct guard_facts *f, char *text, size_t size);

#endif
