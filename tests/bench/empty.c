/* SPDX-License-Identifier: PostgreSQL */
/* empty - starts and ends: what any program costs at least, for the comparison in scripts/bench. */
int main(void)
{
	return 0;
}
