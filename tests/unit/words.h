/* SPDX-License-Identifier: GPL-2.0-only */
/* Table lines as dm hands them over: words, each in memory of its own. */
#ifndef WORDS_H
#define WORDS_H

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX	64

/**
 * struct words - the words of a table line
 * @argc: their number
 * @argv: each allocated on its own, so that ASan sees an overrun
 * @copy: the same, to see whether they were changed
 */
struct words {
	unsigned int	argc;
	char		*argv[WORDS_MAX];
	char		*copy[WORDS_MAX];
};

/* Take @line apart at single spaces; the rest of too long a line is dropped. */
static inline void words_split(struct words *w, const char *line)
{
	w->argc = 0;
	while (*line && w->argc < WORDS_MAX) {
		size_t len = strcspn(line, " ");

		if (len) {
			w->argv[w->argc] = strndup(line, len);
			w->copy[w->argc++] = strndup(line, len);
		}
		line += len + (line[len] == ' ');
	}
}

static inline bool words_unchanged(const struct words *w)
{
	for (unsigned int i = 0; i < w->argc; i++)
		if (strcmp(w->argv[i], w->copy[i]))
			return false;
	return true;
}

static inline void words_free(struct words *w)
{
	for (unsigned int i = 0; i < w->argc; i++) {
		free(w->argv[i]);
		free(w->copy[i]);
	}
	w->argc = 0;
}

#endif
