/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dm-inline-crypt: declarations that its files share, one section per file.
 */
#ifndef ICRYPT_H
#define ICRYPT_H

#include <crypto/aead.h>
#include <crypto/skcipher.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/ktime.h>
#include <linux/llist.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/percpu_counter.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "iodesc.h"
#include "iv.h"
#include "reason.h"
#include "table.h"
#include "units.h"

#define DM_MSG_PREFIX "inline-crypt"

struct icrypt_config;
struct icrypt_helper;

/*
 * The context in which the cipher of a bio ran, in the order of the counters. If it ran in
 * two contexts, the bio is counted for the later one in this list.
 */
enum icrypt_context {
	ICRYPT_CALLER,		/* the task that submitted or polls the bio */
	ICRYPT_ENDIO,		/* the context that the device completed in */
	ICRYPT_BH,		/* a bottom half on the CPU of a hardirq completion */
	ICRYPT_WQ,		/* a worker, or the cipher driver's own queue */
	ICRYPT_CONTEXTS
};

/* The plan that map made for a read, see context.c. */
enum icrypt_plan {
	ICRYPT_PLAN_ENDIO,	/* decrypt in the end_io chain */
	ICRYPT_PLAN_WAIT,	/* wait in map and decrypt there */
	ICRYPT_PLAN_PLUG,	/* decrypt when the submitter finishes its plug */
};

/**
 * struct icrypt_decision - a decision of context.c, which other files carry out
 * @where: enum icrypt_context in which the cipher runs
 * @why:   enum icrypt_reason for a worker, else ICRYPT_REASON_NONE
 * @may:   what the cipher may do there: ICRYPT_MAY_RESCHED, ICRYPT_MAY_SLEEP or 0
 */
struct icrypt_decision {
	u8	where;
	u8	why;
	u8	may;
};

/* Events after the context was decided; a worker then continues with the bio. */
enum icrypt_event {
	ICRYPT_DRIVER_ANSWERED,	/* the cipher driver answered asynchronously */
	ICRYPT_CIPHER_STOPPED,	/* the cipher must not sleep, but would have to: ICRYPT_NOMEM */
	ICRYPT_NO_PAGES,	/* a write found no pages at once */
	ICRYPT_GIVEN_BACK,	/* the caller had to sleep and gave the read back */
	ICRYPT_HELPED,		/* a helper took it: one of many, or a piece of a large read */
	ICRYPT_TAG_MISMATCH,	/* the data has to be read again */
};

/* The owner of a read with the plan WAIT or PLUG. */
enum icrypt_owner {
	ICRYPT_OWNER_DEVICE,	/* in flight; the caller will come back */
	ICRYPT_OWNER_CALLER,	/* complete, it is the caller's turn */
	ICRYPT_OWNER_ENDIO,	/* given back; the completion continues with it */
};

/**
 * struct icrypt_read - the part of struct icrypt_io that only reads have
 * @whole:     the read that this is a piece of, or NULL
 * @pieces:    if it was cut: number of its pieces that have not ended
 * @owner:     enum icrypt_owner, settles who decrypts
 * @end_io:    dm's completion, or that of a piece, hidden while ours is in place
 * @submitter: the task that called map. It exists while the caller waits for the read;
 *	       otherwise the pointer may only be compared
 * @lane:      lane of the CPU that submitted it, if nobody waits for this read alone
 * @seq:       its number on that lane
 * @iter:      with tags: position of its data, to read it again
 * @plan:      enum icrypt_plan
 * @more:      its submitter had more to submit
 * @backlog:   a helper should decrypt it
 * @timed_ns:  when map began, if the time that it takes tells whether the device seeks,
 *	       else 0
 * @node:      of a piece, on the list of all pieces until it is sent or queued. Then
 *	       of any read that its caller owns, on the list of the plug or of the drain
 * @bh_node:   on the list of a CPU's bottom half
 */
struct icrypt_read {
	struct icrypt_io	*whole;
	atomic_t		pieces;
	atomic_t		owner;
	bio_end_io_t		*end_io;
	struct task_struct	*submitter;
	struct icrypt_lane	*lane;
	u32			seq;
	struct bvec_iter	iter;
	u64			timed_ns;
	u8			plan;
	bool			more;
	bool			backlog;
	struct list_head	node;
	struct llist_node	bh_node;
};

/**
 * struct icrypt_write - the part of struct icrypt_io that only writes have
 * @clone:   the bio with the ciphertext, NULL before it has its pages
 * @done:    completed when the cipher driver answers, if the writer waits; else NULL
 * @ordered: it must keep its place in the order of writes
 * @nowait:  map must not wait for it
 */
struct icrypt_write {
	struct bio		*clone;
	struct completion	*done;
	bool			ordered;
	bool			nowait;
};

/**
 * struct icrypt_io - per-bio data
 * @cc:        the target
 * @bio:       the clone that dm handed to map, or a piece of it
 * @desc:      its descriptor, for the cipher; the member write tells reads from writes
 * @tags:      integrity metadata of all its data units, or NULL; for a piece, its part
 *	       of the metadata of the whole
 * @sector:    in the mapped device, 512-byte sectors
 * @bytes:     of the bio, or of the part that map took
 * @context:   enum icrypt_context where the cipher ran so far
 * @tags_pooled: @tags are from the pool
 * @rest:      map took only a part; dm calls map with the rest after it returns
 * @start_ns:  when the cipher began, 0 unless traced
 * @map_ns:    when map began, 0 unless the histogram is on
 * @work:      in a queue, for a worker
 * @lane_node: on a lane, for a helper
 * @read:      of a read
 * @write:     of a write
 *
 * The first cipher request of the bio follows this structure, see cipher.c.
 */
struct icrypt_io {
	struct icrypt_config	*cc;
	struct bio		*bio;
	struct iodesc		desc;
	u8			*tags;
	sector_t		sector;
	unsigned int		bytes;
	u8			context;
	bool			tags_pooled;
	bool			rest;
	u64			start_ns;
	u64			map_ns;
	struct work_struct	work;
	struct list_head	lane_node;
	union {
		struct icrypt_read	read;
		struct icrypt_write	write;
	};
};

/* In a worker; may sleep. The bio is gone on return. */
typedef void icrypt_help_fn(struct icrypt_io *io);

/**
 * struct icrypt_lane - bios of a CPU that helpers take, for one device and direction
 * @last:      time at which this CPU was last given cipher work, ns
 * @average:   average time between two such times, ns
 * @limit:     a smaller average means a backlog, ns
 * @submitted: number of reads so far that this CPU submitted and nobody waits for
 * @cc:        the mapped device
 * @write:     direction
 * @help:      what a helper does with a bio
 * @lock:      protects the members below, also against interrupts
 * @ios:       bios that wait for a helper; empty if no helper serves the lane
 * @len:       number of bios in @ios
 * @helpers:   number of workers that serve the lane
 * @called:    one more has been called and has not started
 * @closing:   the last helper is about to leave
 */
struct icrypt_lane {
	u64			last;
	u32			average;
	u32			limit;
	u32			submitted;
	struct icrypt_config	*cc;
	bool			write;
	icrypt_help_fn		*help;
	/* Helpers write the members below. */
	raw_spinlock_t		lock ____cacheline_aligned_in_smp;
	struct list_head	ios;
	unsigned int		len;
	unsigned int		helpers;
	bool			called;
	bool			closing;
};

/* By READ and WRITE. */
struct icrypt_lanes {
	struct icrypt_lane	lane[2];
};

/* Counters, summed over the CPUs when read. */
struct icrypt_stats {
	u64	read[ICRYPT_CONTEXTS];
	u64	write[ICRYPT_CONTEXTS];
	u64	reason[ICRYPT_REASONS];
	u64	units;		/* all of the bio by the engine */
	u64	api;		/* a part of it, or all, by the crypto API */
	u32	runs;		/* of the cipher in a task */
	sector_t read_end;	/* of the last read, if it matters whether the device seeks */
};

/* Powers of two of microseconds: < 1, < 2, < 4, ... < 2^20, and what is left. */
#define ICRYPT_BUCKETS		22

/*
 * A histogram of latencies. Counters only grow, and wrap at the same place on
 * every CPU, so that sums of them can be subtracted from each other.
 */
struct icrypt_latency {
	unsigned long	read[ICRYPT_CONTEXTS][ICRYPT_BUCKETS];
	unsigned long	write[ICRYPT_CONTEXTS][ICRYPT_BUCKETS];
};

/**
 * struct icrypt_engine - the cipher engine of a mapped device, see engine.c
 * @key:    round keys, or NULL if the crypto API does everything
 * @digest: makes the key for the IVs of ESSIV, or NULL
 * @mode:   of operation
 * @on:     the engine is to be used
 */
struct icrypt_engine {
	struct icrypt_units_key	*key;
	struct crypto_shash	*digest;
	enum icrypt_units_mode	mode;
	bool			on;
};

/**
 * struct icrypt_cipher - the keyed transforms
 * @tfms:     @count of them, taking turns by sector; NULL with @aead
 * @aead:     the authenticated one, or NULL
 * @simd_tfms: the same for contexts that may use the FPU, without the wrapper that
 *	       tests for this; NULL if the driver has no wrapper
 * @count:    power of two
 * @iv:       IV generator
 * @iv_data:  state of the IV generator, if it is one of iv_data.c, else NULL
 * @iv_stored: IVs are random and are stored after the tags
 * @special:  the IV needs more than the sector number
 * @iv_waits: an asynchronous driver makes the IV
 * @key_extra: bytes at the end of the key that belong to the IV generator
 * @key_mac:  bytes before those that belong to the MAC
 * @tag_size: of an authentication tag, bytes
 * @tuple_size: integrity metadata of a data unit on the device below, bytes
 * @pieces:   the most pages that a data unit can touch
 * @req_size: of a request with all that follows it, bytes
 * @desc_off: of struct icrypt_request behind a skcipher_request, bytes
 * @iv_off:   of the IV in a struct icrypt_request, before it is aligned, bytes
 * @iv_align: alignment of the IV, bytes
 * @sector_size: data unit, bytes
 * @iv_offset: added to sector numbers for the IV, 512-byte sectors
 * @iv_shift: log2 of the divisor of the sector number for the IV
 * @req_pool: more requests, for asynchronous drivers
 * @engine:   the engine, which is used instead of the transforms where possible
 */
struct icrypt_cipher {
	struct crypto_skcipher	**tfms;
	struct crypto_skcipher	**simd_tfms;
	struct crypto_aead	*aead;
	unsigned int		count;
	struct icrypt_iv	iv;
	struct icrypt_iv_data	*iv_data;
	bool			iv_stored;
	bool			special;
	bool			iv_waits;
	unsigned int		key_extra;
	unsigned int		key_mac;
	unsigned int		tag_size;
	unsigned int		tuple_size;
	unsigned int		pieces;
	unsigned int		req_size;
	unsigned int		desc_off;
	unsigned int		iv_off;
	unsigned int		iv_align;
	unsigned int		sector_size;
	u64			iv_offset;
	unsigned int		iv_shift;
	mempool_t		req_pool;
	struct icrypt_engine	engine;
};

/**
 * struct icrypt_unit - a data unit, for iv_data.c
 * @src:    input
 * @dst:    output, @src when transformed in place
 * @iv:     its IV
 * @buf:    icrypt_iv_data_scratch() bytes of memory
 * @sector: its number for the IV
 * @write:  encrypt, else decrypt
 * @may_sleep: the caller is a task that may wait for a driver
 */
struct icrypt_unit {
	struct scatterlist	*src;
	struct scatterlist	*dst;
	u8			*iv;
	u8			*buf;
	u64			sector;
	bool			write;
	bool			may_sleep;
};

/* Not an errno: call again with icrypt_unit's may_sleep set. */
#define ICRYPT_MUST_SLEEP	(-MAX_ERRNO - 1)
/* Not an errno: -ENOMEM before any data was changed. */
#define ICRYPT_NOMEM_IV		(-MAX_ERRNO - 2)

/**
 * struct icrypt_config - a mapped device
 * @table:       the table line; its key is never a hex key, see @key
 * @cipher_word: the word to which @table.cipher points
 * @name:        name of the target: "crypt" with takeover, else "inline-crypt"
 * @dev:         device below
 * @devt:        number of the mapped device itself, for tracing
 * @latency_on:  the histogram counts bios that are mapped
 * @start:       first sector on the device below
 * @cipher:      transforms
 * @ns_per_kib:  learned cost of the cipher, by READ and WRITE; ns
 * @key:         raw key, @table.key_size bytes; zeros if it is a keyring key
 * @key_desc:    "type:description" of a keyring key, else NULL
 * @key_lock:    protects the key and its description against messages and status
 * @key_valid:   the transforms have the user's key
 * @suspended:   between postsuspend and resume
 * @zoned:       the device below is zoned: submitters send its writes, in order
 * @rotational:  the device below reports that it rotates; if it does, writes keep their
 *	       order
 * @seek_free:   evidence that this report is wrong, see icrypt_seek_clock_stop()
 * @seek_timed:  time at which a read was last timed for that, jiffies
 * @writes_queued: number of writes that a worker processes or will process
 * @writes_waiting: memory of the writes that wait for pages, in pages; they wait in the
 *	       order of @pages_wq
 * @wq:          workers that decrypt reads
 * @write_wq:    the same for writes, whose submission can sleep for long
 * @pages_wq:    where writes wait for pages, one at a time
 * @spread_wq:   helpers of lanes, which may stay for long; nobody waits for them
 * @lanes:       bios for helpers
 * @helpers:     @helper_count workers that serve lanes
 * @helpers_used: bitmap of the helpers that have been called
 * @helper_count: number of helpers, 0 with one CPU
 * @bs:          bios of pages.c
 * @read_bs:     pieces of large reads, each with its struct icrypt_io in front
 * @page_pool:   pages for these bios when there are no others
 * @pages_in_flight: number of pages that these bios have
 * @pages_limited: @pages_in_flight is set up, and the device is counted for the limit
 * @tag_pool:    integrity metadata when memory is short
 * @page_lock:   serialises the tasks that wait for pages
 * @stats:       counters
 * @latency:     the histogram since it was first switched on, NULL before that
 * @latency_base: values of the histogram at its last reset
 */
struct icrypt_config {
	struct icrypt_table	table;
	char			*cipher_word;
	const char		*name;
	struct dm_dev		*dev;
	dev_t			devt;
	bool			latency_on;
	sector_t		start;
	struct icrypt_cipher	cipher;
	u8			*key;
	char			*key_desc;
	struct mutex		key_lock;	/* key, key_desc, table.key */
	bool			key_valid;
	bool			suspended;
	bool			zoned;
	bool			rotational;
	unsigned int		seek_free;
	unsigned long		seek_timed;
	struct workqueue_struct	*wq;
	struct workqueue_struct	*write_wq;
	struct workqueue_struct	*pages_wq;
	struct workqueue_struct	*spread_wq;
	struct icrypt_lanes __percpu *lanes;
	struct icrypt_helper	*helpers;
	unsigned int		helper_count;
	struct bio_set		bs;
	struct bio_set		read_bs;
	mempool_t		page_pool;
	bool			pages_limited;
	mempool_t		tag_pool;
	struct mutex		page_lock;	/* held by whoever waits for page_pool */
	struct icrypt_stats __percpu *stats;
	struct icrypt_latency __percpu *latency;
	struct icrypt_latency	*latency_base;

	/* Several CPUs write these during I/O, so they are apart from members that all read. */
	unsigned int		ns_per_kib[2] ____cacheline_aligned_in_smp;
	atomic_t		writes_queued ____cacheline_aligned_in_smp;
	atomic_t		writes_waiting;
	unsigned long		helpers_used;
	struct percpu_counter	pages_in_flight;
};

/* The capacity of a bio of single pages, bytes. */
#define ICRYPT_PAGES_MAX	((unsigned int)BIO_MAX_VECS << PAGE_SHIFT)

/* The cost before the first bios were timed, ns: a high and so careful estimate. */
#define ICRYPT_NS_PER_KIB_GUESS	8000

/* Smallest piece of a large bio, bytes: a multiple of any sector size. */
#define ICRYPT_PIECE_MIN	(128 * 1024U)

/* split.c */
void icrypt_accept_part(struct icrypt_io *io, unsigned int bytes);
int icrypt_end_unsent(struct icrypt_io *io, bool nowait);
bool icrypt_rest_may_wait(const struct icrypt_io *io);
bool icrypt_may_split_write(const struct bio *bio);
bool icrypt_limit_size(struct icrypt_io *io, unsigned int max);
unsigned int icrypt_unsplit_read_max(const struct icrypt_io *io);
unsigned int icrypt_unsplit_write_max(const struct icrypt_io *io);
void icrypt_limit_segments(struct queue_limits *limits, bool zoned);

/* key.c */
int icrypt_key_set(struct icrypt_config *cc, const struct icrypt_table *t, const char **error);
int icrypt_key_wipe(struct icrypt_config *cc);
void icrypt_key_free(struct icrypt_config *cc);

/* cipher.c */
int icrypt_cipher_init(struct icrypt_cipher *c, struct icrypt_table *t, const char **error);
void icrypt_cipher_exit(struct icrypt_cipher *c);
int icrypt_cipher_setkey(struct icrypt_cipher *c, const u8 *key, unsigned int size);
enum icrypt_progress icrypt_cipher_run(struct icrypt_cipher *c, struct iodesc *d, void *own,
				       unsigned int may);

/* engine.c */
#ifdef ICRYPT_UNITS
void icrypt_engine_module_init(void);
void icrypt_engine_module_exit(void);
void icrypt_engine_init(struct icrypt_cipher *c, const struct icrypt_table *t);
void icrypt_engine_exit(struct icrypt_cipher *c);
int icrypt_engine_setkey(struct icrypt_cipher *c, const u8 *key, unsigned int size);
void icrypt_engine_choose(struct icrypt_cipher *c, const struct icrypt_table *t, const char *name);
bool icrypt_engine_run(struct icrypt_cipher *c, struct iodesc *d, unsigned int may);
const char *icrypt_engine_name(const struct icrypt_cipher *c);
#else
static inline void icrypt_engine_module_init(void)
{
}

static inline void icrypt_engine_module_exit(void)
{
}

static inline void icrypt_engine_init(struct icrypt_cipher *c, const struct icrypt_table *t)
{
}

static inline void icrypt_engine_exit(struct icrypt_cipher *c)
{
}

static inline int icrypt_engine_setkey(struct icrypt_cipher *c, const u8 *key, unsigned int size)
{
	return 0;
}

static inline void icrypt_engine_choose(struct icrypt_cipher *c, const struct icrypt_table *t,
					const char *name)
{
}

static inline bool icrypt_engine_run(struct icrypt_cipher *c, struct iodesc *d, unsigned int may)
{
	return false;
}

static inline const char *icrypt_engine_name(const struct icrypt_cipher *c)
{
	return "api";
}
#endif

/* iv_data.c */
int icrypt_iv_data_init(struct icrypt_cipher *c, struct icrypt_table *t, const char **error);
void icrypt_iv_data_exit(struct icrypt_cipher *c);
int icrypt_iv_data_setkey(struct icrypt_cipher *c, const u8 *key, unsigned int size);
unsigned int icrypt_iv_data_scratch(const struct icrypt_cipher *c);
int icrypt_iv_data_begin(const struct icrypt_cipher *c, const struct icrypt_unit *u);
int icrypt_iv_data_end(const struct icrypt_cipher *c, const struct icrypt_unit *u);
void icrypt_iv_data_undo(const struct icrypt_cipher *c, const struct icrypt_unit *u);

/* selftest.c */
int icrypt_selftest(void);

/* integrity.c */
int icrypt_integrity_init(struct icrypt_config *cc, const char **error);
void icrypt_integrity_exit(struct icrypt_config *cc);
bool icrypt_tags_alloc(struct icrypt_io *io, bool nowait);
bool icrypt_tags_attach(struct icrypt_io *io, struct bio *bio);
void icrypt_tags_free(struct icrypt_io *io);
void icrypt_read_again(struct icrypt_io *io);

/* read.c */
int icrypt_read_map(struct icrypt_io *io);

/* drain.c */
bool icrypt_plug_add(struct icrypt_io *io);
void icrypt_drain(struct list_head *ios);

/* read_end.c */
void icrypt_read_start(struct icrypt_io *io);
bool icrypt_read_cut(struct icrypt_io *whole, struct bvec_iter iter, unsigned int size,
		     struct list_head *ios);
void icrypt_read_decrypt(struct icrypt_io *io, enum icrypt_context context, unsigned int may);
void icrypt_read_give_back(struct icrypt_io *io);
void icrypt_read_helped(struct icrypt_io *io);
int icrypt_read_init(struct icrypt_config *cc);
void icrypt_read_exit(struct icrypt_config *cc);
void icrypt_read_module_init(void);
void icrypt_read_module_exit(void);

/* write.c */
int icrypt_write_map(struct icrypt_io *io);
void icrypt_write_helped(struct icrypt_io *io);

/* pages.c */
int icrypt_pages_init(struct icrypt_config *cc);
void icrypt_pages_exit(struct icrypt_config *cc);
int icrypt_pages_module_init(void);
void icrypt_pages_module_exit(void);
unsigned long icrypt_pages_limit(void);
struct bio *icrypt_pages_alloc(struct icrypt_config *cc, unsigned int size, blk_opf_t opf,
			       bool nowait);
void icrypt_pages_recycle(struct icrypt_config *cc, struct bio *bio);
void icrypt_pages_free(struct icrypt_config *cc, struct bio *bio);

/* context.c */
bool icrypt_is_ordered(const struct icrypt_config *cc, const struct bio *bio);
enum icrypt_plan icrypt_plan_read(struct icrypt_io *io);
enum icrypt_plan icrypt_plan_without_plug(struct icrypt_io *io);
unsigned int icrypt_caller_piece(struct icrypt_io *io);
unsigned int icrypt_worker_piece(struct icrypt_io *io);
unsigned int icrypt_write_piece(struct icrypt_io *io);
bool icrypt_may_help(struct icrypt_io *io);
bool icrypt_may_call_helper(struct icrypt_io *io);
struct icrypt_decision icrypt_decide_read(struct icrypt_io *io);
struct icrypt_decision icrypt_decide_bh(struct icrypt_io *io);
struct icrypt_decision icrypt_decide_write(struct icrypt_io *io, bool more);
struct icrypt_decision icrypt_decide_after(struct icrypt_io *io, enum icrypt_event event);
void icrypt_fall_back(struct icrypt_io *io, struct icrypt_decision d);
struct icrypt_lane *icrypt_read_backlog(struct icrypt_io *io);
struct icrypt_lane *icrypt_write_backlog(struct icrypt_io *io);
u64 icrypt_run_begin(struct icrypt_io *io);
void icrypt_run_end(struct icrypt_io *io, u64 start, unsigned int bytes);
void icrypt_seek_clock_start(struct icrypt_io *io);
void icrypt_seek_clock_stop(struct icrypt_io *io);
void icrypt_wait_begin(const struct bio *bio);
void icrypt_wait_end(void);
bool icrypt_may_queue_write(struct icrypt_io *io);
bool icrypt_drain_may_sleep(bool from_schedule);

/* spread.c */
int icrypt_spread_init(struct icrypt_config *cc, icrypt_help_fn *help_read,
		       icrypt_help_fn *help_write);
void icrypt_spread_exit(struct icrypt_config *cc);
bool icrypt_spread(struct icrypt_lane *lane, struct icrypt_io *io);
bool icrypt_spread_again(struct icrypt_io *io);
bool icrypt_spread_is_paused(void);
unsigned int icrypt_helpers_most(void);
void icrypt_learn_idle(unsigned int started, unsigned int idle);

/* stats.c */
int icrypt_stats_init(struct icrypt_config *cc);
void icrypt_stats_exit(struct icrypt_config *cc);
void icrypt_stats_fallback(struct icrypt_io *io, enum icrypt_reason reason);
void icrypt_stats_begin(struct icrypt_io *io);
void icrypt_stats_done(struct icrypt_io *io);
int icrypt_stats_message(struct icrypt_config *cc, unsigned int argc, char **argv, char *result,
			 unsigned int maxlen);
unsigned int icrypt_stats_print(struct icrypt_config *cc, char *buf, unsigned int size);

/* Does the caller own this read now? Acquires the data and status of the completion. */
static inline bool icrypt_read_is_callers(struct icrypt_io *io)
{
	return atomic_read_acquire(&io->read.owner) == ICRYPT_OWNER_CALLER;
}

/**
 * icrypt_cipher_start() - set up a descriptor for its data
 * @c:      the cipher
 * @d:      the descriptor; write, done and cookie are the caller's to set
 * @in:     input; the range of its bi_iter is processed
 * @out:    output, or @in to work in place
 * @sector: sector of the data in the mapped device, 512-byte sectors
 * @tags:   integrity metadata of the data, or NULL
 *
 * Context: any, does not sleep.
 */
static inline void icrypt_cipher_start(struct icrypt_cipher *c, struct iodesc *d, struct bio *in,
				       struct bio *out, sector_t sector, u8 *tags)
{
	d->in = in;
	d->out = out;
	d->in_iter = in->bi_iter;
	if (out != in)
		d->out_iter = out->bi_iter;
	d->sector = sector + c->iv_offset;
	d->tags = tags;
	d->status = BLK_STS_OK;
	d->by_api = false;
}

/* The request that follows the per-bio data. */
static inline void *icrypt_io_request(struct icrypt_io *io)
{
	return PTR_ALIGN((void *)(io + 1), CRYPTO_MINALIGN);
}

static inline unsigned int icrypt_per_io_size(const struct icrypt_cipher *c)
{
	return ALIGN(sizeof(struct icrypt_io) + CRYPTO_MINALIGN + c->req_size,
		     ARCH_KMALLOC_MINALIGN);
}

static inline struct icrypt_io *icrypt_io_of(struct icrypt_config *cc, struct bio *bio)
{
	return dm_per_bio_data(bio, icrypt_per_io_size(&cc->cipher));
}

/* The parts of a bio have to be a multiple of this, bytes. */
static inline unsigned int icrypt_block_size(const struct icrypt_config *cc)
{
	return max_t(unsigned int, cc->cipher.sector_size, bdev_logical_block_size(cc->dev->bdev));
}

/* Polled I/O that has to fit the device below as it is, see split.c. */
static inline bool icrypt_is_unsplit(const struct bio *bio)
{
	const blk_opf_t flags = REQ_NOWAIT | REQ_POLLED;

	return unlikely((bio->bi_opf & flags) == flags);
}

/* Large enough to be cut? */
static inline bool icrypt_is_large(const struct icrypt_io *io)
{
	return io->bytes >= 2 * ICRYPT_PIECE_MIN;
}

/* Is it a piece of a read? Its tags are the whole's. */
static inline bool icrypt_is_piece(const struct icrypt_io *io)
{
	return !io->desc.write && io->read.whole;
}

/* @sector is that of the bio in the mapped device. */
static inline void icrypt_io_init(struct icrypt_io *io, struct icrypt_config *cc, struct bio *bio,
				  sector_t sector)
{
	io->cc = cc;
	io->bio = bio;
	io->tags = NULL;
	io->sector = sector;
	io->bytes = bio->bi_iter.bi_size;
	io->context = ICRYPT_CALLER;
	io->rest = false;
	io->start_ns = 0;
	io->desc.cookie = io;
	io->desc.write = op_is_write(bio_op(bio));
	if (io->desc.write) {
		io->write.clone = NULL;
		io->write.done = NULL;
	} else {
		io->read.whole = NULL;
		io->read.submitter = current;
		io->read.lane = NULL;
		io->read.backlog = false;
		io->read.timed_ns = 0;
		atomic_set(&io->read.owner, ICRYPT_OWNER_DEVICE);
	}
}

#endif /* ICRYPT_H */
