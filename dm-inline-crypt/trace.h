/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, under events/dm_inline_crypt/. They record sectors and sizes, and never
 * data, keys or IVs.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dm_inline_crypt

#if !defined(ICRYPT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ICRYPT_TRACE_H

#include <linux/tracepoint.h>

#include "icrypt.h"

TRACE_DEFINE_ENUM(ICRYPT_CALLER);
TRACE_DEFINE_ENUM(ICRYPT_ENDIO);
TRACE_DEFINE_ENUM(ICRYPT_BH);
TRACE_DEFINE_ENUM(ICRYPT_WQ);
ICRYPT_REASON_LIST(ICRYPT_REASON_TRACE)
TRACE_DEFINE_ENUM(ICRYPT_PLAN_ENDIO);
TRACE_DEFINE_ENUM(ICRYPT_PLAN_WAIT);
TRACE_DEFINE_ENUM(ICRYPT_PLAN_PLUG);

#define icrypt_show_context(c) __print_symbolic(c,	\
	{ ICRYPT_CALLER,	"caller" },		\
	{ ICRYPT_ENDIO,		"endio" },		\
	{ ICRYPT_BH,		"bh" },			\
	{ ICRYPT_WQ,		"wq" })

#define icrypt_show_reason(r) __print_symbolic(r,	\
	{ ICRYPT_REASON_NONE,	"none" }		\
	ICRYPT_REASON_LIST(ICRYPT_REASON_PAIR))

#define icrypt_show_plan(p) __print_symbolic(p,		\
	{ ICRYPT_PLAN_ENDIO,	"endio" },		\
	{ ICRYPT_PLAN_WAIT,	"wait" },		\
	{ ICRYPT_PLAN_PLUG,	"plug" })

/* A bio is sent to the device below. The plan is that of a read; for a write it is 0. */
TRACE_EVENT(submit,
	TP_PROTO(const struct icrypt_io *io),
	TP_ARGS(io),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(sector_t, sector)
		__field(unsigned int, bytes)
		__field(bool, write)
		__field(u8, plan)
	),
	TP_fast_assign(
		__entry->dev = io->cc->devt;
		__entry->sector = io->sector;
		__entry->bytes = io->bytes;
		__entry->write = io->desc.write;
		__entry->plan = io->desc.write ? 0 : io->read.plan;
	),
	TP_printk("%d,%d %s %llu bytes=%u plan=%s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->write ? "W" : "R",
		  (unsigned long long)__entry->sector, __entry->bytes,
		  __entry->write ? "-" : icrypt_show_plan(__entry->plan))
);

DECLARE_EVENT_CLASS(icrypt_cipher,
	TP_PROTO(const struct icrypt_io *io, u64 ns),
	TP_ARGS(io, ns),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(sector_t, sector)
		__field(unsigned int, bytes)
		__field(u8, context)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->dev = io->cc->devt;
		__entry->sector = io->sector;
		__entry->bytes = io->bytes;
		__entry->context = io->context;
		__entry->ns = ns;
	),
	TP_printk("%d,%d %llu bytes=%u context=%s ns=%llu",
		  MAJOR(__entry->dev), MINOR(__entry->dev),
		  (unsigned long long)__entry->sector, __entry->bytes,
		  icrypt_show_context(__entry->context), __entry->ns)
);

/* The cipher has finished with a bio; ns is the time from its start to its end. */
DEFINE_EVENT(icrypt_cipher, decrypt,
	TP_PROTO(const struct icrypt_io *io, u64 ns),
	TP_ARGS(io, ns));

DEFINE_EVENT(icrypt_cipher, encrypt,
	TP_PROTO(const struct icrypt_io *io, u64 ns),
	TP_ARGS(io, ns));

/* A bio goes to a worker, with the reason. */
TRACE_EVENT(fallback,
	TP_PROTO(const struct icrypt_io *io, u8 reason),
	TP_ARGS(io, reason),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(sector_t, sector)
		__field(unsigned int, bytes)
		__field(bool, write)
		__field(u8, reason)
	),
	TP_fast_assign(
		__entry->dev = io->cc->devt;
		__entry->sector = io->sector;
		__entry->bytes = io->bytes;
		__entry->write = io->desc.write;
		__entry->reason = reason;
	),
	TP_printk("%d,%d %s %llu bytes=%u reason=%s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->write ? "W" : "R",
		  (unsigned long long)__entry->sector, __entry->bytes,
		  icrypt_show_reason(__entry->reason))
);

#endif /* ICRYPT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
