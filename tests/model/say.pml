/* SPDX-License-Identifier: PostgreSQL */
/*
 * Steps in words, for spin -t; and, with COVERAGE, a list of the steps that the checker never took:
 * what they stand for would not have been checked.
 */
#ifdef COVERAGE
c_decl {
	static char said[1000];

	static void tell(void)
	{
		for (int line = 0; line < 1000; line++)
			if (said[line])
				printf("said in line %d\n", line);
	}

	__attribute__((constructor)) static void tell_at_end(void)
	{
		atexit(tell);
	}
}
#define note c_code { said[__LINE__] = 1; }
#else
#define note skip
#endif

#define say(n, what) note; printf("node %d ", n); printf(what); printf("\n")
