# The front door.  Meson builds (meson.build); this file only spells it for people and for .ci/run.
BUILD  ?= build
PREFIX ?= /usr/local
SIZE   ?= 1G
T      ?= all
S      ?= 60
REAL    = tests/data/otrf-security-datasets tests/data/det-eng-samples tests/data/azure-sentinel-training-lab \
          tests/data/splunk-security-content
configure = test -f $(1)/build.ninja || meson setup $(1) $(2)

build:
	@tools/setup build
	@$(call configure,$(BUILD),--prefix $(PREFIX) -Db_lto=true)
	@ninja -C $(BUILD)
demo: build
	$(BUILD)/taximeter scan $(REAL) || [ $$? -eq 3 ] # 3: some of these samples are excerpts, and say so
	$(BUILD)/taximeter scan tests/cases/storm-0558-replay/input
demo-dump: build # a real server crashes; its key is found, erased, and gdb still works
	@tools/demo-dump $(BUILD)
test: build
	@tools/setup test
	@tools/run-tests $(BUILD)
test-kernel: build # crashes programs through this machine's kernel.core_pattern, and puts it back: as root, with TXM_KERNEL=1
	@tools/setup test && tests/dump/kernel $(BUILD)/taximeter
install: build
	@meson configure $(BUILD) -Dprefix=$(PREFIX) && DESTDIR=$(DESTDIR) meson install -C $(BUILD)
bench: build
	@tools/setup bench && bench/run $(BUILD) $(SIZE) && ninja -C $(BUILD) bench/bench-token && $(BUILD)/bench/bench-token && bench/keys $(BUILD) && bench/dump $(BUILD)
bench-filter: build # a process of 1 GiB that crashes, with and without the filter; redact of its core (TXM_KERNEL=1 as above)
	@bench/filter $(BUILD)
bench-impact: build # `taximeter impact` over a million messages, beside DuckDB
	@tools/setup bench && bench/impact $(BUILD)
bench-soak: build # RECORDS=100000000 through `taximeter scan -`: memory and rate from start to end
	@bench/soak $(BUILD)
eval: build # SIZE=1000 SEEDS="1 2 3" ...: see eval/run
	@ninja -C $(BUILD) eval/peers && eval/run $(BUILD)
examples: build # the reports in examples/, made again
	@examples/make $(BUILD)
asan: # every test under the address and undefined-behaviour sanitizers
	@tools/setup build test && tools/run-tests --sanitize address,undefined build-asan
tsan: # the tests that use threads, under the thread sanitizer
	@tools/setup build test && tools/run-tests --sanitize thread build-tsan cases invariance
browser: # the reports in a real browser, hostile text in every field
	@tools/setup build test browser && tools/run-tests $(BUILD) browser
fuzz:
	@tools/setup build fuzz && tools/fuzz $(T) $(S)
lint:
	@tools/setup build lint && tools/lint
cov:
	@tools/setup build test cov && tools/run-tests --coverage build-cov unit cli cases seeds
clean:
	rm -rf build build-*
.PHONY: build demo demo-dump test test-kernel install bench bench-filter bench-impact bench-soak eval examples asan tsan fuzz browser lint cov clean
