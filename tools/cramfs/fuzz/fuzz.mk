# SPDX-License-Identifier: GPL-2.0-only
# Included by ../Makefile: the readers of the tools as targets of libFuzzer.
#
# make [OUTPUT=DIR/] fuzzers       one program for each, in DIR/fuzzers/
#
# It comes with clang, and runs a target in the process, thousands of times a second. AFL++ would
# be another compiler's plug-in and a second set of tools, for the same instrumentation.

FUZZ_CC ?= clang
FUZZ_DIR := $(OUTPUT)fuzzers/
FUZZ_TARGETS := fsck elf flat devtable archive rules sort
# With an error being the end; and what runs a program again and again is not to be searched.
FUZZ_CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	       -fno-sanitize-recover=all
FUZZ_TOOL_OBJS := $(patsubst $(OUTPUT)%,$(FUZZ_DIR)tool/%,$(filter-out %main.o,$(MKCRAMFS_OBJS)))
FUZZ_OBJS := $(addprefix $(FUZZ_DIR),run.o box.o image.o is-json.o mutate.o)

fuzzers: $(addprefix $(FUZZ_DIR)fuzz-,$(FUZZ_TARGETS))

# Programs differ by what they change only.
$(FUZZ_DIR)fuzz-elf $(FUZZ_DIR)fuzz-flat: $(FUZZ_DIR)program.o
$(FUZZ_DIR)fuzz-devtable $(FUZZ_DIR)fuzz-rules $(FUZZ_DIR)fuzz-sort: $(FUZZ_DIR)text.o

$(FUZZ_DIR)fuzz-%: $(FUZZ_DIR)fuzz-%.o $(FUZZ_OBJS) $(FUZZ_TOOL_OBJS)
	$(call say,LINK,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIB_LIBS)

$(FUZZ_DIR)tool/%.o: %.c $(HEADERS) fuzz/tool.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(BUILD_CFLAGS) $(LIB_CFLAGS) $(CPPFLAGS) $(FUZZ_CFLAGS) \
		-fsanitize=fuzzer-no-link -DFUZZ_TOOL -include fuzz/tool.h -c -o $@ $<

$(FUZZ_DIR)%.o: fuzz/%.c $(HEADERS) fuzz/tool.h fuzz/run.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(BUILD_CFLAGS) $(LIB_CFLAGS) $(CPPFLAGS) $(FUZZ_CFLAGS) -c -o $@ $<

.PHONY: fuzzers
.SECONDARY: $(FUZZ_TOOL_OBJS) $(FUZZ_OBJS) $(addprefix $(FUZZ_DIR),program.o text.o) \
	    $(patsubst %,$(FUZZ_DIR)fuzz-%.o,$(FUZZ_TARGETS))
