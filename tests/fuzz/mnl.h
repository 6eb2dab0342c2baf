/* SPDX-License-Identifier: PostgreSQL */
/*
 * A kernel that answers with the input, in place of libmnl's sockets.  A datagram in the input is
 * its length in two bytes, big end first, and its bytes; the sequence number and the port of each
 * message are those of the last question unless the first byte of the input says otherwise.
 */
#ifndef PGV_FUZZ_MNL_H
#define PGV_FUZZ_MNL_H

#include <linux/netlink.h>

#include "fuzz.h"

/* `sent` sees every question. */
void mnl_begin(struct input in, void (*sent)(const struct nlmsghdr *question, size_t size));

#endif
