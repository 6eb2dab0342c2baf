/* SPDX-License-Identifier: PostgreSQL */
#include "config/cfg_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *word;
	int64_t factor;
};

/* Largest first, for printing. */
static const struct unit durations[] = {
	{ "h", 3600000 }, { "min", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
};
static const struct unit sizes[] = {
	{ "GB", INT64_C(1) << 30 },
	{ "MB", INT64_C(1) << 20 },
	{ "kB", INT64_C(1) << 10 },
	{ "B", 1 },
	{ NULL, 0 },
};

/* The words of each enumerated type, in the order of its enum. */
static const char *const yesno_words[] = { "no", "yes", NULL };
static const char *const witness_words[] = {
	[WITNESS_PING] = "ping",
	[WITNESS_TCP] = "tcp",
	[WITNESS_POSTGRES] = "postgres",
	[WITNESS_POSTGRES + 1] = NULL,
};
static const char *const mode_words[] = {
	[MODE_ASYNC] = "async", [MODE_SYNC] = "sync", [MODE_SYNC + 1] = NULL
};
static const char *const watchdog_words[] = { [WATCHDOG_OFF] = "off",
					      [WATCHDOG_AUTOMATIC] = "automatic",
					      [WATCHDOG_REQUIRED] = "required",
					      [WATCHDOG_REQUIRED + 1] = NULL };
static const char *const unproven_words[] = {
	[UNPROVEN_REFUSE] = "refuse", [UNPROVEN_PROMOTE] = "promote", [UNPROVEN_PROMOTE + 1] = NULL
};
static const char *const rebuild_words[] = { [REBUILD_BY_HAND] = "by-hand",
					     [REBUILD_AUTOMATIC] = "automatic",
					     [REBUILD_AUTOMATIC + 1] = NULL };
static const char *const listen_words[] = { [HEALTH_OFF] = "off",
					    [HEALTH_LOCAL] = "local",
					    [HEALTH_NODE] = "node",
					    [HEALTH_ALL] = "all",
					    [HEALTH_ALL + 1] = NULL };
static const char *const keep_old_words[] = { [KEEP_OLD_NONE] = "none",
					      [KEEP_OLD_NEWEST] = "newest",
					      [KEEP_OLD_ALL] = "all",
					      [KEEP_OLD_ALL + 1] = NULL };
static const char *const disk_full_words[] = { [DISK_FULL_STAY] = "stay",
					       [DISK_FULL_STEP_DOWN] = "step-down",
					       [DISK_FULL_STEP_DOWN + 1] = NULL };
static const char *const salvage_words[] = { [SALVAGE_AUTO] = "auto",
					     [SALVAGE_REQUIRE] = "require",
					     [SALVAGE_TRY] = "try",
					     [SALVAGE_NO] = "no",
					     [SALVAGE_NO + 1] = NULL };
/* From FENCING_SSH on. */
static const char *const method_words[FENCING_METHODS + 1] = { "ssh", "ssh-witness", "agent",
							       "hook", NULL };

static const char *const *words_of(enum cfg_type type)
{
	switch ((int)type) {
	case TYPE_YESNO:
		return yesno_words;
	case TYPE_WITNESS:
		return witness_words;
	case TYPE_MODE:
		return mode_words;
	case TYPE_UNPROVEN:
		return unproven_words;
	case TYPE_WATCHDOG:
		return watchdog_words;
	case TYPE_REBUILD:
		return rebuild_words;
	case TYPE_DISK_FULL:
		return disk_full_words;
	case TYPE_KEEP_OLD:
		return keep_old_words;
	case TYPE_SALVAGE:
		return salvage_words;
	case TYPE_LISTEN:
		return listen_words;
	case TYPE_METHODS:
		return method_words;
	default:
		return NULL;
	}
}

static int word_index(const char *const *words, const char *text, size_t length)
{
	for (int i = 0; words != NULL && words[i] != NULL; i++) {
		if (strlen(words[i]) == length && strncmp(words[i], text, length) == 0)
			return i;
	}
	return -EINVAL;
}

/* ---- numbers ---- */

/* Decimal digits, then one of the units (NULL: none), and nothing else. */
static int number_parse(const char *text, const struct unit *units, int64_t *value)
{
	size_t digits = strspn(text, "0123456789");
	int64_t number = 0;

	if (digits == 0 || (digits > 1 && *text == '0'))
		return -EINVAL;
	if (digits > 15)
		return -ERANGE;
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (text[i] - '0');

	if (units == NULL) {
		*value = number;
		return text[digits] == '\0' ? 0 : -EINVAL;
	}
	for (; units->word != NULL; units++) {
		if (strcmp(text + digits, units->word) != 0)
			continue;
		if (number > INT64_MAX / units->factor)
			return -ERANGE;
		*value = number * units->factor;
		return 0;
	}
	/* 0 is the same in every unit. */
	*value = 0;
	return number == 0 && text[digits] == '\0' ? 0 : -EINVAL;
}

int cfg_duration_parse(const char *text, int64_t *ms)
{
	int64_t value = 0;
	int rc = number_parse(text, durations, &value);

	if (rc == 0)
		*ms = value;
	return rc;
}

static const struct unit *units_of(enum cfg_type type)
{
	if (type == TYPE_DURATION)
		return durations;
	return type == TYPE_BYTES ? sizes : NULL;
}

static void with_unit(const struct unit *unit, int64_t number, char *text, size_t size)
{
	while (number % unit->factor != 0)
		unit++;
	(void)snprintf(text, size, "%lld%s", (long long)(number / unit->factor), unit->word);
}

void cfg_duration_text(int64_t ms, char *text, size_t size)
{
	/* "0h" would be true and odd. */
	with_unit(ms == 0 ? &durations[2] : durations, ms, text, size);
}

void cfg_bytes_text(int64_t bytes, char *text, size_t size)
{
	with_unit(bytes == 0 ? &sizes[3] : sizes, bytes, text, size);
}

/* ---- into the struct ---- */

static int set_vip(struct cfg *cfg, const char *text)
{
	const char *slash = strchr(text, '/');
	char address[CFG_ADDR_MAX] = "";
	int64_t prefix;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	if (!cfg_form_ok(TYPE_ADDRESS, address) || number_parse(slash + 1, NULL, &prefix) != 0)
		return -EINVAL;
	if (prefix < 1 || prefix > (strchr(address, ':') != NULL ? 128 : 32))
		return -ERANGE;
	memcpy(cfg->vip, address, sizeof(address));
	cfg->vip_prefix = prefix;
	return 0;
}

static int set_methods(struct cfg *cfg, const char *text)
{
	struct cfg read = { .method_count = 0 };

	for (;;) {
		size_t length = strcspn(text, ", ");
		int index = word_index(method_words, text, length);

		if (index < 0 || cfg_has_method(&read, (enum fencing_method)(FENCING_SSH + index)))
			return -EINVAL;
		read.methods[read.method_count++] = (enum fencing_method)(FENCING_SSH + index);
		text += length;
		if (*text == '\0')
			break;
		text += strspn(text, " ");
		if (*text++ != ',')
			return -EINVAL;
		text += strspn(text, " ");
	}
	memcpy(cfg->methods, read.methods, sizeof(read.methods));
	cfg->method_count = read.method_count;
	return 0;
}

static int set_word(const struct cfg_key *key, void *field, const char *text)
{
	int index = word_index(words_of(key->type), text, strlen(text));
	unsigned value = (unsigned)index;

	if (index < 0)
		return -EINVAL;
	if (key->type == TYPE_YESNO)
		*(bool *)field = index == 1;
	else
		/* The enums count from 0, so they are stored as unsigned int. */
		memcpy(field, &value, sizeof(value));
	return 0;
}
_Static_assert(sizeof(enum witness_kind) == sizeof(unsigned), "set_word stores it");
_Static_assert(sizeof(enum replication_mode) == sizeof(unsigned), "set_word stores it");
_Static_assert(sizeof(enum fencing_unproven) == sizeof(unsigned), "set_word stores it");
_Static_assert(sizeof(enum watchdog_mode) == sizeof(unsigned), "set_word stores it");
_Static_assert(sizeof(enum rebuild_who) == sizeof(unsigned), "set_word stores it");
_Static_assert(sizeof(enum disk_full) == sizeof(unsigned), "set_word stores it");
_Static_assert(sizeof(enum keep_old) == sizeof(unsigned), "set_word stores it");
_Static_assert(sizeof(enum salvage_policy) == sizeof(unsigned), "set_word stores it");
_Static_assert(sizeof(enum health_listen) == sizeof(unsigned), "set_word stores it");

static int set_number(const struct cfg_key *key, void *field, const char *text)
{
	int64_t number;
	int rc = number_parse(text, units_of(key->type), &number);

	if (rc == 0 && (number < key->min || number > key->max))
		rc = -ERANGE;
	if (rc == 0)
		memcpy(field, &number, sizeof(number));
	return rc;
}

int cfg_value_set(const struct cfg_key *key, void *base, const char *text)
{
	char *field = (char *)base + key->offset;

	switch (key->type) {
	case TYPE_VIP:
		return set_vip(base, text);
	case TYPE_METHODS:
		return set_methods(base, text);
	case TYPE_YESNO:
	case TYPE_WITNESS:
	case TYPE_MODE:
	case TYPE_UNPROVEN:
	case TYPE_WATCHDOG:
	case TYPE_REBUILD:
	case TYPE_DISK_FULL:
	case TYPE_KEEP_OLD:
	case TYPE_SALVAGE:
	case TYPE_LISTEN:
		return set_word(key, field, text);
	case TYPE_NUMBER:
	case TYPE_DURATION:
	case TYPE_BYTES:
		return set_number(key, field, text);
	case TYPE_NAME:
	case TYPE_ROLE:
	case TYPE_DATABASE:
	case TYPE_USER:
	case TYPE_ADDRESS:
	case TYPE_HOST:
	case TYPE_INTERFACE:
	case TYPE_PATH:
	case TYPE_UNIT:
	case TYPE_CONNINFO:
	case TYPE_CONNINFO_NAMED:
		if (!cfg_form_ok(key->type, text) || strlen(text) >= key->size)
			return -EINVAL;
		memcpy(field, text, strlen(text) + 1);
		return 0;
	case TYPE_COUNT:
		break;
	}
	return -EINVAL;
}

/* ---- what is allowed ---- */

static void allowed_words(const char *const *words, const char *separator, char *text, size_t size)
{
	int used = 0;

	for (size_t i = 0; words[i] != NULL && (size_t)used < size; i++)
		used += snprintf(text + used, size - (size_t)used, "%s%s", i > 0 ? separator : "",
				 words[i]);
}

const char *cfg_units(const struct cfg_key *key)
{
	if (key->type == TYPE_DURATION)
		return "; units are ms, s, min, h";
	return key->type == TYPE_BYTES ? "; units are B, kB, MB, GB" : "";
}

void cfg_allowed(const struct cfg_key *key, char *text, size_t size)
{
	const char *const *words = words_of(key->type);
	char low[24];
	char high[24];

	if (words != NULL) {
		allowed_words(words, key->type == TYPE_METHODS ? ", " : " or ", text, size);
	} else if (key->type == TYPE_NUMBER) {
		(void)snprintf(text, size, "%lld to %lld", (long long)key->min,
			       (long long)key->max);
	} else if (key->type == TYPE_DURATION) {
		cfg_duration_text(key->min, low, sizeof(low));
		cfg_duration_text(key->max, high, sizeof(high));
		(void)snprintf(text, size, "%s to %s", low, high);
	} else if (key->type == TYPE_BYTES) {
		cfg_bytes_text(key->min, low, sizeof(low));
		cfg_bytes_text(key->max, high, sizeof(high));
		(void)snprintf(text, size, "%s to %s", low, high);
	} else {
		(void)snprintf(text, size, "%s", cfg_form_words(key->type));
	}
}
