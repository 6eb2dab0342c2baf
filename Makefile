# SPDX-License-Identifier: PostgreSQL
#
# make                 helpers/*.c -> build/libexec/, the front -> build/bin/pg_vrrp
# make check           unit and command line tests (no cluster needed)
# make lint asan hardening install uninstall clean
# make fuzz            the fuzz targets -> build/fuzz/bin/ (clang)
# make deb             Debian packages -> build/deb/
#
# BUILD=DIR            where everything goes (default build); the source tree is never written to
# CC=gcc|clang  CFLAGS=...  CFLAGS_EXTRA=-Werror  SANITIZE=yes  V=1

VERSION    := 0.1.0

prefix     ?= /usr/local
bindir     ?= $(prefix)/bin
libexecdir ?= $(prefix)/libexec/pg_vrrp
datarootdir?= $(prefix)/share
datadir    ?= $(datarootdir)/pg_vrrp
docdir     ?= $(datarootdir)/doc/pg_vrrp
mandir     ?= $(datarootdir)/man
bashdir    ?= $(datarootdir)/bash-completion/completions
# The programs look nowhere else for their configuration.
confdir    := /etc/pg_vrrp
# systemd reads the one below /usr/local as well as the distribution's.
unitdir    ?= $(prefix)/lib/systemd/system

BUILD      ?= build
INSTALL    ?= install
PKG_CONFIG ?= pkg-config
CFLAGS     ?= -O2 -g
ifeq ($(origin CC),default)
CC         := gcc
endif
Q          := $(if $(V),,@)
say         = $(if $(V),,@printf '%-8s%s\n' $(1) '$(2)')

# --- what there is: a new file in these places needs no line here --------------------------------
lib_src    := $(sort $(wildcard helpers/lib/*/*.c))
front_src  := $(wildcard helpers/pg_vrrp.c)
helper_src := $(filter-out $(front_src),$(sort $(wildcard helpers/*.c)))
test_src   := $(sort $(wildcard tests/unit/*/test_*.c))
shared_src := $(sort $(wildcard tests/unit/fixtures/*.c))
bench_src  := $(sort $(wildcard tests/bench/*.c))
fuzz_src   := $(sort $(wildcard tests/fuzz/fuzz_*.c))
fuzz_with  := $(filter-out $(fuzz_src),$(sort $(wildcard tests/fuzz/*.c)))
kill_src   := $(sort $(wildcard tests/kill/*.c))
sim_src    := $(sort $(wildcard tests/sim/*.c))
man8_src   := $(sort $(wildcard docs/man/*.8))
man5_src   := $(sort $(wildcard docs/man/*.5))
paged      := $(filter-out pg_vrrp,$(man8_src:docs/man/%.8=%))
unit_src   := $(sort $(wildcard scripts/systemd/*.in))
share_src  := $(sort $(wildcard keepalived/*.in)) $(sort $(wildcard scripts/setup/*.sh)) \
	scripts/setup/witness.sql
script_src := scripts/setup/witness-setup scripts/setup/node-setup scripts/setup/report
doc_src    := $(sort $(wildcard README.md LICENSE docs/*.md))

archive    := $(BUILD)/libpgvrrp.a
lib_obj    := $(lib_src:helpers/lib/%.c=$(BUILD)/obj/lib/%.o)
helpers    := $(helper_src:helpers/%.c=$(BUILD)/libexec/%)
front      := $(front_src:helpers/%.c=$(BUILD)/bin/%)
tests      := $(test_src:tests/unit/%.c=$(BUILD)/tests/%)
shared_obj := $(shared_src:tests/unit/%.c=$(BUILD)/obj/tests/%.o)
bench      := $(bench_src:tests/bench/%.c=$(BUILD)/bench/%)
fuzzers    := $(fuzz_src:tests/fuzz/%.c=$(BUILD)/bin/%)
fuzz_obj   := $(fuzz_with:tests/fuzz/%.c=$(BUILD)/obj/fuzz/%.o)
stopat     := $(if $(kill_src),$(BUILD)/kill/stopat)
# The helpers that it runs, each under a main of its own.
sim_mains  := check_primary promote_safe rejoin fence_self witness_record
sim_obj    := $(sim_src:tests/sim/%.c=$(BUILD)/obj/sim/%.o) \
	$(sim_mains:%=$(BUILD)/obj/sim/main_%.o)
fixtures   := $(if $(shared_src),$(BUILD)/libfixtures.a)
units      := $(unit_src:scripts/systemd/%.in=$(BUILD)/systemd/%)
man8       := $(BUILD)/man/pg_vrrp.8 $(paged:%=$(BUILD)/man/pg_vrrp-%.8)
man5       := $(man5_src:docs/man/%=$(BUILD)/man/%)
completion := $(BUILD)/completion/pg_vrrp
# Programs that are scripts, so that "pg_vrrp setup" finds them in the build tree too.
scripted   := $(BUILD)/libexec/node-setup $(BUILD)/libexec/report

# --- flags ----------------------------------------------------------------------------------------
# $(call try,FLAG,ALTERNATIVE): the flag when this compiler takes it without a word.
try = $(shell echo 'int main(void){return 0;}' | $(CC) -O2 -Werror $(1) -x c -c -o /dev/null - \
	2>/dev/null && echo $(1) || echo $(2))
fortified = \#include <stdio.h>\nint main(void){return 0;}

comma      := ,
packages   := libpq libnl-3.0 libnl-route-3.0 libmnl libnftnl inih
# Other people's headers are no concern of our warnings.
cppflags   := -D_GNU_SOURCE -Ihelpers -Ihelpers/lib \
	$(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(packages)))
cppflags   += -DPGV_VERSION='"$(VERSION)"' -DPGV_LIBEXECDIR='"$(libexecdir)"' \
	-DPGV_DATADIR='"$(datadir)"'
warnings   := -Wall -Wextra -Wshadow -Wformat=2 -Wundef -Wvla -Wwrite-strings \
	-Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wswitch-enum \
	-Wnull-dereference -Wimplicit-fallthrough -Wconversion
# gcc only
warnings   += $(call try,-Wlogical-op) $(call try,-Wduplicated-cond)
ifdef SANITIZE
sanitizers := address,undefined
ifneq ($(SANITIZE),fuzzer)
reporting  := $(BUILD)/obj/sanitizer.o
endif
# Fortified calls would hide reads and writes from the sanitizer.
hardening  := -O1 -fno-omit-frame-pointer \
	-fsanitize=$(sanitizers)$(if $(filter fuzzer,$(SANITIZE)),$(comma)fuzzer-no-link) \
	-fno-sanitize-recover=all -U_FORTIFY_SOURCE
# gcc has them as two libraries, of which one would not be told where to report.
ldhard     := -fsanitize=$(sanitizers) $(call try,-static-libasan) $(call try,-static-libubsan)
else
# gcc before 12 knows level 2 at the most and says so as soon as a header is read.
fortify    := $(shell printf '$(fortified)' | $(CC) -O2 -Werror -U_FORTIFY_SOURCE \
	-D_FORTIFY_SOURCE=3 -x c -c -o /dev/null - 2>/dev/null && echo 3 || echo 2)
hardening  := -fstack-protector-strong -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(fortify) \
	$(call try,-fstack-clash-protection) \
	$(call try,-fcf-protection,$(call try,-mbranch-protection=standard))
ldhard     := -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif
cflags     := -std=c11 $(CFLAGS) $(warnings) $(hardening) $(CFLAGS_EXTRA)
# As needed, and one object for each module in the archive: a helper loads only the libraries of
# the modules that it calls.  The guard stays small because it never sees libpq.
ldflags    := $(LDFLAGS) $(ldhard) -Wl,--as-needed
libs       := $(shell $(PKG_CONFIG) --libs $(packages))

# --- build ----------------------------------------------------------------------------------------
.PHONY: all tests check check-unit check-cli lint asan fuzz fuzzers hardening deb install \
	uninstall clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(helpers) $(front) $(scripted) $(units) $(man8) $(man5) $(completion)
tests: $(tests) $(bench) $(stopat)

# Changes when the flags, the places or the list of modules do, and then everything is built anew.
# -Werror makes no difference to what is built.
stamp := $(filter-out -Werror,$(CC) $(cppflags) $(cflags) $(ldflags) $(libs) $(lib_src) $(shared_src))
$(BUILD)/flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)printf '%s\n' $(call quote,$(stamp)) | cmp -s - $@ || \
		printf '%s\n' $(call quote,$(stamp)) >$@
quote = '$(subst ','\'',$(1))'

# For clang-tidy and editors; relative to their own directory, hence the absolute ones.
$(BUILD)/compile_flags.txt: $(BUILD)/flags
	$(Q)printf '%s\n' -std=c11 -I$(CURDIR)/helpers -I$(CURDIR)/helpers/lib -I$(CURDIR)/tests/unit/fixtures \
		$(cppflags) >$@

compile = $(Q)mkdir -p $(@D) && $(CC) $(cppflags) $(cflags) $(1) -MMD -MP -c -o $@ $<
link    = $(Q)mkdir -p $(@D) && $(CC) $(cflags) $(ldflags) -o $@ $(filter %.o %.a,$^) $(1) $(libs)

$(BUILD)/obj/%.o: helpers/%.c $(BUILD)/flags
	$(call say,CC,$<)
	$(call compile)

# A unit test may take in the helper it tests (#include "promote_safe.c") under another main.
$(BUILD)/obj/tests/%.o: tests/unit/%.c $(BUILD)/flags
	$(call say,CC,$<)
	$(call compile,-Itests/unit/fixtures -Wno-missing-prototypes)

$(BUILD)/obj/bench/%.o: tests/bench/%.c $(BUILD)/flags
	$(call say,CC,$<)
	$(call compile)

$(BUILD)/obj/fuzz/%.o: tests/fuzz/%.c $(BUILD)/flags
	$(call say,CC,$<)
	$(call compile,-Itests/fuzz)

$(BUILD)/obj/kill/%.o: tests/kill/%.c $(BUILD)/flags
	$(call say,CC,$<)
	$(call compile)

$(BUILD)/obj/sim/%.o: tests/sim/%.c $(BUILD)/flags
	$(call say,CC,$<)
	$(call compile,-Itests/sim -DSIM_DIR='"$(abspath tests/sim)"')

$(BUILD)/obj/sim/main_%.o: helpers/%.c $(BUILD)/flags
	$(call say,CC,$<)
	$(call compile,-Dmain=$*_main -Wno-missing-prototypes)

$(archive): $(lib_obj)
$(fixtures): $(shared_obj)
$(archive) $(fixtures):
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# Where sanitized helpers report (tests/sanitizer.c).
$(BUILD)/obj/sanitizer.o: tests/sanitizer.c $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(BUILD)/reports
	$(call compile,-DPGV_REPORTS='"$(abspath $(BUILD))/reports"')

$(BUILD)/libexec/% $(BUILD)/bin/%: $(BUILD)/obj/%.o $(reporting) $(archive)
	$(call say,LD,$@)
	$(call link)

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(fixtures) $(archive)
	$(call say,LD,$@)
	$(call link,-lcmocka)

$(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(archive)
	$(call say,LD,$@)
	$(call link)

# FAKE(x) in a target: calls of x from other files come there.
wraps = $(patsubst %,-Wl$(comma)--wrap=%,$(shell \
	sed -n 's/^[^\#].* FAKE(\([A-Za-z0-9_]*\)).*/\1/p; s/^FAKE_LOG(\(.*\))/\1/p' $(1)))
$(BUILD)/bin/fuzz_%: $(BUILD)/obj/fuzz/fuzz_%.o $(fuzz_obj) $(archive)
	$(call say,LD,$@)
	$(call link,-fsanitize=fuzzer $(call wraps,tests/fuzz/fuzz_$*.c $(fuzz_with)))
fuzzers: $(fuzzers)

$(BUILD)/kill/stopat: $(kill_src:tests/kill/%.c=$(BUILD)/obj/kill/%.o)
	$(call say,LD,$@)
	$(call link)

# FAKES(x) in a file of it: calls of x from other files come there.
sim_wraps = $(patsubst %,-Wl$(comma)--wrap=%,$(shell \
	sed -n 's/^FAKES(\([A-Za-z0-9_]*\));/\1/p' $(sim_src)))
$(BUILD)/libsim.a: $(sim_obj)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/sim/sim: $(BUILD)/obj/sim/main.o $(BUILD)/libsim.a $(archive)
	$(call say,LD,$@)
	$(call link,$(sim_wraps))
# The same with changed sources in place of some of the archives' (tests/sim/run writes them).
$(BUILD)/sim/mutants/%/sim: $(BUILD)/obj/sim/main.o $(BUILD)/libsim.a $(archive) FORCE
	$(call say,LD,$@)
	$(Q)for source in $(@D)/*.c; do name=$${source##*/}; name=$${name%.c}; \
		test $(@D)/$$name.o -nt $$source -a $(@D)/$$name.o -nt $(archive) || \
		$(CC) $(cppflags) $(cflags) -w -Itests/sim -Dmain=$${name}_main \
			-c -o $(@D)/$$name.o $$source || exit 1; done
	$(Q)$(CC) $(cflags) $(ldflags) -o $@ $(@D)/*.o $< $(BUILD)/libsim.a $(archive) $(sim_wraps) $(libs)

# Manual pages are installed as git names its own, pg_vrrp-rejoin(8) for "pg_vrrp rejoin", because
# names as general as "restart" are other people's too; whatever names a page follows.
empty      :=
any_paged  := ($(subst $(empty) $(empty),|,$(paged)))
renamed    := -E -e 's/\b$(any_paged)(\(8\))/pg_vrrp-\1\2/g' -e 's/\bXr $(any_paged) 8/Xr pg_vrrp-\1 8/'
see_also   := scripts/packaging/see-also.awk
placed     := -e 's|/usr/local/libexec/pg_vrrp|$(libexecdir)|g' -e 's|/usr/local/share/pg_vrrp|$(datadir)|g'
# $(call page,MORE FOR SED)
page        = $(Q)mkdir -p $(@D) && sed $(renamed) $(placed) $(1) $< | awk -f $(see_also) >$@
$(BUILD)/man/pg_vrrp-%.8: docs/man/%.8 $(see_also) $(BUILD)/flags Makefile
	$(call page,-e 's/^\.Dt /.Dt PG_VRRP-/' -e 's/^\.Nm $*$$/.Nm pg_vrrp-$*/' \
		-e 's/^\.Nm$$/.Nm pg_vrrp $*/')
$(BUILD)/man/%: docs/man/% $(see_also) $(BUILD)/flags Makefile
	$(call page)

$(BUILD)/systemd/%: scripts/systemd/%.in $(BUILD)/flags Makefile
	$(Q)mkdir -p $(@D) && sed $(renamed) -e 's|@libexecdir@|$(libexecdir)|g' $< >$@

$(scripted): $(BUILD)/libexec/%: scripts/setup/%
	$(Q)mkdir -p $(@D) && ln -sfr $< $@

# From --help of what was built, so that it knows each option that they know.
$(completion): scripts/packaging/completion $(helpers) $(front) $(scripted)
	$(Q)mkdir -p $(@D) && scripts/packaging/completion $(BUILD) >$@

-include $(wildcard $(BUILD)/obj/*.d $(BUILD)/obj/*/*.d $(BUILD)/obj/*/*/*.d)

# --- checks ---------------------------------------------------------------------------------------
check-unit: all tests
	scripts/test --no-build --build $(BUILD) unit
check-cli: all
	scripts/test --no-build --build $(BUILD) cli
check: all tests
	scripts/test --no-build --build $(BUILD) unit cli
lint: all $(BUILD)/compile_flags.txt
	scripts/lint --build $(BUILD)
asan:
	$(MAKE) BUILD=$(BUILD)/asan SANITIZE=yes check
# libFuzzer is clang's.
fuzz:
	$(MAKE) BUILD=$(BUILD)/fuzz CC=clang SANITIZE=fuzzer fuzzers
hardening: all
	scripts/hardening $(BUILD)

# Of the tracked files, in a directory of its own.
deb:
	scripts/packaging/deb $(VERSION) $(BUILD)/deb

clean:
	rm -rf $(BUILD)

# --- install --------------------------------------------------------------------------------------
# Under a new name first, then renamed: keepalived takes a script that is missing for a moment as a
# healthy one.  Owned by root where we are root, because its script security demands it.
owner := $(if $(filter 0,$(shell id -u)),-o root -g root)
# $(call put,MODE,DIRECTORY,FILES)
define put
	$(call say,INSTALL,$(DESTDIR)$(2))
	$(Q)$(INSTALL) -d $(owner) -m 0755 $(DESTDIR)$(2)
	$(Q)for file in $(3); do name=$${file##*/}; \
		$(INSTALL) $(owner) -m $(1) "$$file" "$(DESTDIR)$(2)/.$$name.new" && \
		mv -f "$(DESTDIR)$(2)/.$$name.new" "$(DESTDIR)$(2)/$$name" || exit 1; done

endef
# The drop-ins change units of other packages, so they are laid beside the templates and put into
# place by hand (README.md); only our own units go where systemd looks.
services := $(filter %.service %.timer,$(units))
shared   := $(share_src) $(filter %.conf,$(units))

install: all
	$(call put,0755,$(libexecdir),$(helpers) $(script_src))
	$(call put,0755,$(bindir),$(front))
	$(call put,0644,$(datadir),$(shared))
	$(call put,0644,$(mandir)/man8,$(man8))
	$(call put,0644,$(mandir)/man5,$(man5))
	$(call put,0644,$(bashdir),$(completion))
	$(call put,0644,$(docdir),$(doc_src))
	$(call say,INSTALL,$(DESTDIR)$(confdir))
	$(Q)$(INSTALL) -d $(owner) -m 0755 $(DESTDIR)$(confdir)
	$(call put,0644,$(unitdir),$(services))

at = $(addprefix $(DESTDIR)$(1)/,$(notdir $(2)))
uninstall:
	rm -f $(call at,$(libexecdir),$(helpers) $(script_src)) $(call at,$(bindir),$(front)) \
		$(call at,$(datadir),$(shared)) $(call at,$(mandir)/man8,$(man8)) \
		$(call at,$(mandir)/man5,$(man5)) $(call at,$(bashdir),$(completion)) \
		$(call at,$(docdir),$(doc_src)) $(call at,$(unitdir),$(services))
	-rmdir --ignore-fail-on-non-empty $(addprefix $(DESTDIR),$(libexecdir) $(datadir) $(docdir) \
		$(confdir))
