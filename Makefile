# SPDX-License-Identifier: GPL-2.0-only
#
# The commands of this project; scripts/ has what they do.

BOARD = virt
ROOT = mtd

help:
	@echo 'make boot [BOARD=virt] [ROOT=mtd|cfi|physmem|rom|romram|block]'
	@echo '              boot ARM Linux in QEMU with its programs executing from flash,'
	@echo '              and show the proof; on a terminal, with a shell in the guest'
	@echo 'make boot BOARD=virt-xip [ROOT=mtd|physmem|rom]'
	@echo '              the same in 2 MiB of RAM, the kernel executing from flash, too'
	@echo 'make boot BOARD=mps2 [ROOT=mtd|physmem|rom]'
	@echo '              a Cortex-M3 without an MMU, 1 MiB of RAM, everything in ROM'
	@echo 'make check [X86=1]'
	@echo '              all tests; with X86=1 those in x86-64 guests, too'
	@echo 'make fuzz [TIME=60] [WAY=block|mtd|memory] [SEED=N] [FIRST=N] [COUNT=N]'
	@echo '              fuzz the driver in guests with KASAN and UBSAN, with other images'
	@echo '              each time, unless SEED says which'
	@echo 'make fuzz [WAY=...] IMAGE=FILE'
	@echo '              try one image, such as those that are left in out/fuzz/'
	@echo 'make fuzz-coverage [TIME=60] [WAY=block|mtd] [SEED=N]'
	@echo '              the same, and say which lines of the driver are reached'
	@echo 'make faults [GUEST=all|uml|x86]'
	@echo '              let memory, disks and bytes of the image fail in guests'
	@echo 'make races [TIME=120] [GUEST=all|x86|x86-kcsan|arm] [SEED=N]'
	@echo '              read, map, execute, mount and unmount at the same time, in guests with'
	@echo '              KASAN and lockdep, or KCSAN, under pressure of memory and signals'
	@echo 'make fuzz-tools [TIME=60] [TARGET=fsck|elf|flat|devtable|archive|rules|sort]'
	@echo '              fuzz the readers of fsck.cramfs and mkcramfs, each for TIME seconds'
	@echo 'make series   write the patch series for Linux 6.12 to out/series/'
	@echo 'make figures  sizes of the driver, RAM in use at the prompt of the demo'
	@echo 'make ram      least RAM that boots, with and without an MMU, and RAM in use'
	@echo 'make bench-tools'
	@echo '              mkcramfs beside the other builders of images that Debian has:'
	@echo '              sizes, times, memory, and whether it is as good as it should be'
	@echo 'make clean    remove out/'
	@echo
	@echo 'Debian packages that are missing are installed first (scripts/packages* say'
	@echo 'which and why). Kernel trees and builds are kept in ~/.cache/cramfs-xip, or'
	@echo 'in cramfs-xip of XDG_CACHE_HOME.'

boot:
	@scripts/boot.sh '$(BOARD)' '$(ROOT)'

check:
	@X86='$(X86)' scripts/check.sh

fuzz:
	@scripts/fuzz.sh WAY='$(WAY)' TIME='$(TIME)' SEED='$(SEED)' FIRST='$(FIRST)' \
		COUNT='$(COUNT)' IMAGE='$(IMAGE)' COVERAGE='$(COVERAGE)'

fuzz-coverage:
	@$(MAKE) --no-print-directory fuzz COVERAGE=1

faults:
	@scripts/faults.sh '$(GUEST)'

races:
	@scripts/races.sh '$(GUEST)' '$(TIME)' '$(SEED)'

fuzz-tools:
	@scripts/fuzz-tools.sh '$(TIME)' '$(TARGET)'

series:
	@scripts/setup.sh
	@scripts/kernel-tree.sh patched >/dev/null
	@ls -1 out/series/*.patch

figures:
	@scripts/figures.sh

ram:
	@scripts/ram.sh

bench-tools:
	@scripts/bench-tools.sh

clean:
	rm -rf out

.PHONY: help boot check faults races fuzz fuzz-coverage fuzz-tools series figures ram bench-tools clean
