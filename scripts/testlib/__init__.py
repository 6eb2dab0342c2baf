# SPDX-License-Identifier: PostgreSQL
"""What scripts/test is made of."""
