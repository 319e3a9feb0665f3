// SPDX-License-Identifier: GPL-2.0-only
/*
 * hog MIB [ROUNDS] - use more memory than there is, and look whether it keeps
 *
 * Fills MIB MiB with content that compresses badly and differs from page to
 * page, then verifies and changes it ROUNDS times (2). Exit status 1 if a page
 * came back with something else.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define WORDS	512	/* a page of 4096 bytes */

static uint64_t word(uint64_t page, uint64_t i, uint64_t round)
{
	uint64_t x = (page * WORDS + i + 1) * 0x9e3779b97f4a7c15ull + round;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9ull;
}

static void fill(uint64_t *p, uint64_t page, uint64_t round)
{
	uint64_t i;

	/* A whole page of them would be the emulated CPU's time only. */
	for (i = 0; i < WORDS; i += 8)
		p[i] = word(page, i, round);
}

int main(int argc, char **argv)
{
	uint64_t pages, page, round, i, rounds = argc > 2 ? strtoull(argv[2], NULL, 0) : 2;
	uint64_t *m;

	if (argc < 2)
		return 2;
	pages = strtoull(argv[1], NULL, 0) << 8;
	m = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	madvise(m, pages * 4096, MADV_NOHUGEPAGE);

	for (page = 0; page < pages; page++)
		fill(m + page * WORDS, page, 0);
	for (round = 0; round < rounds; round++) {
		for (page = 0; page < pages; page++) {
			uint64_t *p = m + page * WORDS;

			for (i = 0; i < WORDS; i += 8) {
				if (p[i] == word(page, i, round))
					continue;
				fprintf(stderr, "page %llu of %llu, round %llu: lost\n",
					(unsigned long long)page, (unsigned long long)pages,
					(unsigned long long)round);
				return 1;
			}
			fill(p, page, round + 1);
		}
	}
	return 0;
}
