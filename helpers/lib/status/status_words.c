/* SPDX-License-Identifier: PostgreSQL */
/* Words of status for people and for JSON. */
#include "status/status_show.h"

const char *status_vip_word(enum status_vip vip, const struct cfg *cfg)
{
	switch (vip) {
	case VIP_HERE:
		return cfg_self(cfg)->name;
	case VIP_PEER:
		return cfg_peer(cfg)->name;
	case VIP_ELSEWHERE:
		return "elsewhere";
	case VIP_NOBODY:
		return "nowhere";
	case VIP_UNKNOWN:
	case VIP_WHERES:
	default:
		return "unknown";
	}
}

const char *status_kernel_word(enum status_kernel kernel)
{
	static const char *const words[KERNELS] = {
		[KERNEL_OFF] = "off",     [KERNEL_MISSING] = "missing", [KERNEL_SHUT] = "shut",
		[KERNEL_UNTIL] = "until", [KERNEL_OPEN] = "open",
	};

	return kernel < KERNELS ? words[kernel] : NULL;
}
