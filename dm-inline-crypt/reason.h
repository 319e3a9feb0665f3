/* SPDX-License-Identifier: GPL-2.0-only */
/* The reasons for which a bio goes to a worker: the one list of them. */
#ifndef ICRYPT_REASON_H
#define ICRYPT_REASON_H

/*
 * Why a bio went to a worker or to the queue of the cipher driver: the name of the enum's
 * constant, and the name in the status line, the tracepoint and the documentation. A
 * new reason is a line here, and the place in context.c that gives it.
 *
 *	BUDGET	too much work for the bottom halves of this CPU
 *	SPREAD	much work, and more than one CPU for it
 *	ASYNC	the cipher driver answered asynchronously
 *	NOMEM	no memory in a context that should not wait for memory
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
