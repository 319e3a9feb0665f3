/* SPDX-License-Identifier: GPL-2.0-only */
/* The reasons for which a bio goes to a worker: the one list of them. */
#ifndef ICRYPT_REASON_H
#define ICRYPT_REASON_H

/*
 * Why a bio went to a worker, or why its cipher answered there: the name of the enum's
 * constant, and the name in the status line, the tracepoint and the documentation. A
 * new reason is a line here, and the place in context.c that gives it.
 *
 *	BUDGET	the bottom halves of this CPU had their share
 *	SPREAD	much work, and more than one CPU
 *	ASYNC	the cipher driver answered later
 *	NOMEM	no memory where nobody should wait for it
 *	CONTEXT	nothing else was legal
 *	SLEPT	the caller had to sleep before it could come back
 *	OPTION	read_context or write_context asked for it
 */
#define ICRYPT_REASON_LIST(REASON)	\
	REASON(BUDGET, "budget")	\
	REASON(SPREAD, "spread")	\
	REASON(ASYNC, "async")		\
	REASON(NOMEM, "nomem")		\
	REASON(CONTEXT, "context")	\
	REASON(SLEPT, "slept")		\
	REASON(OPTION, "option")

/* The constant, the name, and what tracepoints need of both. */
#define ICRYPT_REASON_CONSTANT(constant, name)	ICRYPT_REASON_##constant,
#define ICRYPT_REASON_NAME(constant, name)	[ICRYPT_REASON_##constant] = name,
#define ICRYPT_REASON_TRACE(constant, name)	TRACE_DEFINE_ENUM(ICRYPT_REASON_##constant);
#define ICRYPT_REASON_PAIR(constant, name)	, { ICRYPT_REASON_##constant, name }

enum icrypt_reason {
	ICRYPT_REASON_NONE,
	ICRYPT_REASON_LIST(ICRYPT_REASON_CONSTANT)
	ICRYPT_REASONS
};

#endif /* ICRYPT_REASON_H */
