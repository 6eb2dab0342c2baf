/* SPDX-License-Identifier: PostgreSQL */
#include "fence/fence_permit.h"

#include <stddef.h>

const char *fence_refusal(const struct fence_permit *p)
{
	if (p->spare)
		return "not used: it cannot ask whether the node serves by right";
	if (p->fenced != FACT_NO)
		return "not used: this node is fenced itself, or cannot tell";
	/* A primary has nothing to gain by it, and its standby may be about to do it to us. */
	if (p->standby != FACT_YES)
		return "not used: this node runs no standby that could take over";
	if (p->witness != FACT_YES)
		return "not used: the witness is not seen from here, this may be the side that is "
		       "cut off";
	/* A node that may not take over gains nothing by switching off the one that may serve. */
	if (p->has_record && !p->row.good)
		return "not used: there is no record to go by";
	if (p->has_record && p->row.its_right && !p->row.paired)
		return "not used: the record says that only the other node may serve";
	return NULL;
}

bool fence_yields(const struct fence_permit *p)
{
	return p->has_record ? p->row.its_right : p->second;
}
