/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGV_TEST_SAMPLE_H
#define PGV_TEST_SAMPLE_H

/*
 * Every combination of the facts is tried; the sanitizers, which look for another kind of fault at
 * several times the price, get a sample.
 */
#ifdef __SANITIZE_ADDRESS__
#define SAMPLE_EVERY 7
#else
#define SAMPLE_EVERY 1
#endif

#endif
