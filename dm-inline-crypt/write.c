// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a write: it is encrypted into pages of our own, because the data belongs
 * to the submitter and must not change; then it is sent to the device.
 *
 *	icrypt_write_map()	clone with pages, encrypt, submit; or queue for a worker
 *	write_endio()		free the pages, end the bio that dm gave us
 *
 * Pages come from a pool that holds enough for the largest bio. A write that
 * finds none waits for them in a queue of its own, and its submitter goes on.
 * Where it is the submitter who waits: map runs for one bio at a time and what it
 * submits leaves before the next one is mapped (submit_bio_noacct() sorts lower
 * devices first), so it never holds back those that it waits for. Nor do the
 * writes that wait for the cipher's worker: these have their pages, and another
 * workqueue. docs/contexts.md, section 6, has the whole argument.
 */

#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/percpu_counter.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "icrypt.h"
#include "trace.h"

/* Largest chunk of pages to try for, log2. */
#define ICRYPT_ORDER_MAX	get_order(SZ_128K)

#define ICRYPT_MIN_BIOS		64

/*
 * Pages that a CPU got back, to be used again as they are. The page allocator
 * clears what it gives out (init_on_alloc, Debian's default), which costs a good
 * part of what the cipher does, and all of it is written over. A shrinker takes
 * them when memory is short.
 */
#define WRITE_STASH_PAGES	DIV_ROUND_UP(SZ_64K, PAGE_SIZE)
#define WRITE_STASH_CHUNKS	2

struct write_stash {
	spinlock_t	lock;	/* all; also against the end of a write in an interrupt */
	unsigned int	pages;
	unsigned int	chunks;
	struct page	*page[WRITE_STASH_PAGES];
	struct page	*chunk[WRITE_STASH_CHUNKS];	/* of ICRYPT_ORDER_MAX */
};

static DEFINE_PER_CPU(struct write_stash, write_stashes);

static struct page *write_stash_get(unsigned int order)
{
	struct write_stash *s = raw_cpu_ptr(&write_stashes);
	struct page *page = NULL;
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	if (!order && s->pages)
		page = s->page[--s->pages];
	else if (order == ICRYPT_ORDER_MAX && s->chunks)
		page = s->chunk[--s->chunks];
	spin_unlock_irqrestore(&s->lock, flags);
	return page;
}

/* Refuses a page that has another user, and a single page while the pool is not full. */
static bool write_stash_put(struct icrypt_config *cc, struct page *page, unsigned int order)
{
	struct write_stash *s = raw_cpu_ptr(&write_stashes);
	unsigned long flags;
	bool taken = false;

	if (page_ref_count(page) != 1 ||
	    (!order && READ_ONCE(cc->page_pool.curr_nr) < cc->page_pool.min_nr))
		return false;

	spin_lock_irqsave(&s->lock, flags);
	if (!order && s->pages < WRITE_STASH_PAGES) {
		s->page[s->pages++] = page;
		taken = true;
	} else if (order == ICRYPT_ORDER_MAX && s->chunks < WRITE_STASH_CHUNKS) {
		s->chunk[s->chunks++] = page;
		taken = true;
	}
	spin_unlock_irqrestore(&s->lock, flags);
	return taken;
}

/*
 * When memory is short, and whenever a device goes: those that are left will have new
 * ones soon. Returns how many pages that were.
 */
static unsigned long write_stash_empty(void)
{
	struct page *page[WRITE_STASH_PAGES], *chunk[WRITE_STASH_CHUNKS];
	unsigned int pages, chunks;
	unsigned long freed = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct write_stash *s = per_cpu_ptr(&write_stashes, cpu);

		spin_lock_irq(&s->lock);
		pages = s->pages;
		chunks = s->chunks;
		memcpy(page, s->page, sizeof(page));
		memcpy(chunk, s->chunk, sizeof(chunk));
		s->pages = 0;
		s->chunks = 0;
		spin_unlock_irq(&s->lock);

		freed += pages + ((unsigned long)chunks << ICRYPT_ORDER_MAX);
		while (pages)
			__free_page(page[--pages]);
		while (chunks)
			__free_pages(chunk[--chunks], ICRYPT_ORDER_MAX);
	}
	return freed;
}

static struct icrypt_shrinker write_stash_shrinker;

static unsigned long write_stash_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long pages = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct write_stash *s = per_cpu_ptr(&write_stashes, cpu);

		pages += READ_ONCE(s->pages);
		pages += (unsigned long)READ_ONCE(s->chunks) << ICRYPT_ORDER_MAX;
	}
	return pages;
}

static unsigned long write_stash_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	return write_stash_empty() ?: SHRINK_STOP;
}

/*
 * The pages of the writes in flight of a device are limited to a part of the memory, the
 * same for each device. Without a limit, a device below that accepts everything
 * (dm-delay, a full journal) would hold a copy of all data that a submitter can send
 * without waiting. Both constants have the values of dm-crypt.
 */
#define WRITE_MEMORY_PERCENT	2
#define WRITE_PAGES_MIN		(16 * BIO_MAX_VECS)

static DEFINE_SPINLOCK(write_limit_lock);
static unsigned int write_devices;	/* under write_limit_lock */
static unsigned long write_pages_limit __read_mostly;	/* of each device */
static int write_pages_batch __read_mostly = 1;

static void write_limit_update(int devices)
{
	/* High memory is not counted. */
	unsigned long pages = (totalram_pages() - totalhigh_pages()) * WRITE_MEMORY_PERCENT / 100;

	spin_lock(&write_limit_lock);
	write_devices += devices;
	if (write_devices) {
		pages = max(pages / write_devices, (unsigned long)WRITE_PAGES_MIN);
		WRITE_ONCE(write_pages_limit, pages);
		/*
		 * The local count of a CPU may differ by the pages of the largest
		 * write, so that few writes touch the shared count. But the error
		 * of all CPUs together must not exceed a quarter of the limit.
		 */
		WRITE_ONCE(write_pages_batch,
			   clamp_t(unsigned long, pages / 4 / num_possible_cpus(), 1,
				   BIO_MAX_VECS));
	}
	spin_unlock(&write_limit_lock);
}

static bool write_within_limit(struct icrypt_config *cc, unsigned int pages)
{
	return percpu_counter_read_positive(&cc->pages_in_flight) + pages <=
	       READ_ONCE(write_pages_limit);
}

static void write_count_pages(struct icrypt_config *cc, int pages)
{
	percpu_counter_add_batch(&cc->pages_in_flight, pages, READ_ONCE(write_pages_batch));
}

/* For the mempool: over the limit this fails, so that only the reserve is left. */
static void *write_page_alloc(gfp_t gfp, void *pool_data)
{
	struct icrypt_config *cc = pool_data;

	return likely(write_within_limit(cc, 1)) ? alloc_page(gfp) : NULL;
}

static void write_page_free(void *page, void *pool_data)
{
	__free_page(page);
}

/*
 * Somebody below may still have a page that came back: a network device that is to
 * send it once more, for a connection that its driver gave up. What is sent then would
 * be another write's. Freed, such a page is not given to anybody before its last user
 * put it, but the pool keeps what it gets; so another page takes its place here. Only
 * if there is none at all, it is used: to wait for its user could be for ever.
 */
static struct page *write_pool_get(struct icrypt_config *cc, gfp_t gfp)
{
	struct page *page = mempool_alloc(&cc->page_pool, gfp), *other;

	if (likely(!page || page_ref_count(page) == 1))
		return page;
	other = alloc_page(gfp | __GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN);
	if (!other)
		return page;
	__free_page(page);
	return other;
}

/* @stash: the pages contain only ciphertext. Others are cleared or returned to the allocator. */
static __always_inline void write_free_pages(struct icrypt_config *cc, struct bio *bio, bool stash)
{
	struct bio_vec *bv;
	int i, pages = 0;

	/* One allocation a vector, see write_fill_clone(). */
	bio_for_each_bvec_all(bv, bio, i) {
		unsigned int order = compound_order(bv->bv_page);

		pages += 1 << order;
		if (stash && write_stash_put(cc, bv->bv_page, order))
			continue;
		if (order) {
			__free_pages(bv->bv_page, order);
			continue;
		}
		/* No plaintext into the pool's reserve. */
		if (!stash)
			clear_highpage(bv->bv_page);
		mempool_free(bv->bv_page, &cc->page_pool);
	}
	write_count_pages(cc, -pages);
	bio_put(bio);
}

/**
 * icrypt_pages_free() - give back a bio with its pages
 * @cc:  the mapped device
 * @bio: from icrypt_pages_alloc(); may have plaintext
 *
 * Context: any.
 */
void icrypt_pages_free(struct icrypt_config *cc, struct bio *bio)
{
	write_free_pages(cc, bio, false);
}

/*
 * With @gfp without __GFP_DIRECT_RECLAIM, takes the memory that is available, the
 * pool's reserve included. Large chunks are optional; they help the cipher and the
 * device. Over the limit there are none.
 */
static bool write_fill_clone(struct icrypt_config *cc, struct bio *clone, unsigned int size,
			     gfp_t gfp)
{
	const gfp_t chunk_gfp = (GFP_NOWAIT & ~__GFP_KSWAPD_RECLAIM) | __GFP_HIGHMEM |
				__GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN | __GFP_COMP;
	bool within_limit = write_within_limit(cc, DIV_ROUND_UP(size, PAGE_SIZE));
	unsigned int order = within_limit ? ICRYPT_ORDER_MAX : 0;
	int pages = 0;

	while (size) {
		struct page *page;
		unsigned int len;

		while (order && (PAGE_SIZE << order) > size)
			order--;
		page = likely(within_limit) ? write_stash_get(order) : NULL;
		while (!page && order) {
			page = alloc_pages(chunk_gfp, order);
			if (!page)
				order--;
		}
		if (!page)
			page = write_pool_get(cc, gfp);
		if (!page)
			break;
		len = min_t(unsigned int, size, PAGE_SIZE << order);
		/* Not merged with its neighbour, because each vector is freed by itself. */
		__bio_add_page(clone, page, len, 0);
		pages += 1 << order;
		size -= len;
	}
	write_count_pages(cc, pages);
	return !size;
}

/**
 * icrypt_pages_alloc() - a bio for the device below, with pages of our own
 * @cc:     the mapped device
 * @size:   bytes, at most what fits into one bio of single pages
 * @opf:    operation and flags of the bio
 * @nowait: do not sleep for memory
 *
 * Tries without waiting first. Then one caller at a time waits, so that no two callers
 * hold half of the pool each and wait for the other half. When the device has reached
 * its limit of pages in flight, only the pool is left.
 *
 * Context: process. Sleeps unless @nowait.
 * Return: the bio, or NULL if @nowait and memory is short.
 */
struct bio *icrypt_pages_alloc(struct icrypt_config *cc, unsigned int size, blk_opf_t opf,
			       bool nowait)
{
	unsigned int vecs = DIV_ROUND_UP(size, PAGE_SIZE);
	struct bio *bio;

	bio = bio_alloc_bioset(cc->dev->bdev, vecs, opf, GFP_NOWAIT | __GFP_NOWARN, &cc->bs);
	if (likely(bio)) {
		if (likely(write_fill_clone(cc, bio, size,
					    GFP_NOWAIT | __GFP_HIGHMEM | __GFP_NOWARN)))
			return bio;
		write_free_pages(cc, bio, true);
	}
	if (nowait)
		return NULL;
	mutex_lock(&cc->page_lock);
	bio = bio_alloc_bioset(cc->dev->bdev, vecs, opf, GFP_NOIO, &cc->bs);
	write_fill_clone(cc, bio, size, GFP_NOIO | __GFP_HIGHMEM);
	mutex_unlock(&cc->page_lock);
	return bio;
}

/*
 * The bio that carries the ciphertext, or NULL: if @nowait and memory is short, or
 * if there is none for integrity metadata.
 */
static struct bio *write_alloc_clone(struct icrypt_io *io, bool nowait)
{
	struct icrypt_config *cc = io->cc;
	struct bio *bio = io->bio;
	/* dm polls its own clone; REQ_DRV is a mark that dm makes for itself. */
	blk_opf_t opf = bio->bi_opf & ~(REQ_POLLED | REQ_DRV | REQ_INTEGRITY);
	struct bio *clone;

	if (icrypt_is_ordered(cc, bio))
		opf &= ~REQ_NOWAIT;
	clone = icrypt_pages_alloc(cc, io->bytes, opf, nowait);
	if (unlikely(!clone))
		return NULL;
	clone->bi_ioprio = bio->bi_ioprio;
	clone->bi_iter.bi_sector = cc->start + io->sector;
	icrypt_bio_copy_hints(clone, bio);
	if (unlikely(io->tags) && !icrypt_tags_attach(io, clone)) {
		icrypt_pages_free(cc, clone);
		return NULL;
	}
	return clone;
}

static void write_finish(struct icrypt_io *io, blk_status_t status)
{
	struct bio *bio = io->bio;

	icrypt_tags_free(io);
	icrypt_stats_latency(io);
	bio->bi_status = status;
	bio_endio(bio);
}

static void write_endio(struct bio *clone)
{
	struct icrypt_io *io = clone->bi_private;
	blk_status_t status = clone->bi_status;

	write_free_pages(io->cc, clone, true);
	write_finish(io, status);
}

/* The cipher has finished or failed. Process context, may sleep. */
static void write_submit(struct icrypt_io *io)
{
	struct bio *clone = io->clone;

	icrypt_stats_done(io);
	if (unlikely(io->desc.status)) {
		icrypt_pages_free(io->cc, clone);
		write_finish(io, io->desc.status);
		return;
	}
	clone->bi_private = io;
	clone->bi_end_io = write_endio;
	trace_submit(io);
	dm_submit_bio_remap(io->bio, clone);
}

static enum icrypt_progress write_encrypt(struct icrypt_io *io, bool sleep)
{
	unsigned int bytes = io->desc.in_iter.bi_size;
	enum icrypt_progress progress;
	u64 start;

	if (trace_encrypt_enabled())
		icrypt_stats_begin(io);
	start = icrypt_clock_start(io);
	progress = icrypt_cipher_run(&io->cc->cipher, &io->desc, icrypt_io_request(io),
				     sleep ? ICRYPT_MAY_SLEEP : ICRYPT_MAY_RESCHED);
	if (start && progress == ICRYPT_DONE)
		icrypt_clock_stop(io, start, bytes - io->desc.in_iter.bi_size);
	return progress;
}

static void write_work(struct work_struct *work)
{
	struct icrypt_io *io = container_of(work, struct icrypt_io, work);
	struct icrypt_config *cc = io->cc;

	if (!io->desc.in_iter.bi_size || io->desc.status ||
	    write_encrypt(io, true) != ICRYPT_QUEUED)
		write_submit(io);
	/* The bio may be gone, but not the device: its dtr waits for its workers. */
	atomic_dec(&cc->writes_queued);
}

static void write_queue_work(struct icrypt_io *io)
{
	INIT_WORK(&io->work, write_work);
	atomic_inc(&io->cc->writes_queued);
	queue_work(io->cc->write_wq, &io->work);
}

static void write_queue(struct icrypt_io *io, enum icrypt_reason reason)
{
	icrypt_stats_fallback(io, reason);
	/*
	 * BLK_STS_AGAIN means "try again" only to a submitter that is still in
	 * its submission; after that io_uring reports it as an error.
	 */
	io->clone->bi_opf &= ~REQ_NOWAIT;
	write_queue_work(io);
}

/*
 * The descriptor's done(): an asynchronous driver answered, in a context that must
 * not submit. A worker submits the write, or the writer if it waits to keep the order.
 */
static void write_cipher_done(void *cookie, enum icrypt_progress progress)
{
	struct icrypt_io *io = cookie;

	if (io->ordered) {
		icrypt_stats_fallback(io, ICRYPT_REASON_ASYNC);
		complete(io->ordered);
		return;
	}
	write_queue(io, ICRYPT_REASON_ASYNC);
}

/* It has its pages: aim the cipher at the data. */
static __always_inline void write_start(struct icrypt_io *io)
{
	struct icrypt_cipher *c = &io->cc->cipher;
	struct bio *bio = io->bio;

	io->ordered = NULL;
	io->desc.done = write_cipher_done;
	if (unlikely(c->aead)) {
		/* The submitter may change its data, but not while the tag is computed. */
		bio_copy_data(io->clone, bio);
		icrypt_cipher_start(c, &io->desc, io->clone, io->clone, io->sector, io->tags);
	} else {
		icrypt_cipher_start(c, &io->desc, bio, io->clone, io->sector, io->tags);
	}
}

/* What a write that waits for pages takes of the memory itself, pages: its bio and tags. */
static int write_waiting_pages(const struct icrypt_io *io)
{
	const struct icrypt_cipher *c = &io->cc->cipher;

	return 1 + (io->bytes / c->sector_size * c->tuple_size >> PAGE_SHIFT);
}

/*
 * Waits for pages, for one write after the other. Another worker encrypts and sends
 * it: the device below may have that one wait for its cgroup's sake.
 */
static void write_pages_work(struct work_struct *work)
{
	struct icrypt_io *io = container_of(work, struct icrypt_io, work);
	struct icrypt_config *cc = io->cc;
	int pages = write_waiting_pages(io);

	io->clone = write_alloc_clone(io, false);
	if (likely(io->clone)) {
		/* A helper may have had it; its submitter is gone, see write_queue(). */
		io->clone->bi_opf &= ~REQ_NOWAIT;
		write_start(io);
		write_queue_work(io);
	} else {
		write_finish(io, BLK_STS_RESOURCE);
	}
	/* As in write_work(). */
	atomic_sub(pages, &cc->writes_waiting);
}

/*
 * There are no pages: the write waits for them, but not its submitter, who may have
 * something else to do.
 */
static void write_wait_for_pages(struct icrypt_io *io)
{
	icrypt_stats_fallback(io, ICRYPT_REASON_NOMEM);
	INIT_WORK(&io->work, write_pages_work);
	atomic_add(write_waiting_pages(io), &io->cc->writes_waiting);
	queue_work(io->cc->pages_wq, &io->work);
}

/*
 * How many writes may wait for pages, before their submitters do: so many that they
 * take about as much memory as may be in flight.
 */
static bool write_queue_has_room(struct icrypt_config *cc)
{
	return atomic_read(&cc->writes_waiting) < READ_ONCE(write_pages_limit);
}

/**
 * icrypt_write_helped() - a helper has taken a write
 * @io: the write, without pages; it has no tags
 *
 * Without pages it goes where others wait for them.
 *
 * Context: a worker; may sleep.
 */
void icrypt_write_helped(struct icrypt_io *io)
{
	struct icrypt_config *cc = io->cc;

	io->clone = NULL;
	if (likely(!atomic_read(&cc->writes_waiting)))
		io->clone = write_alloc_clone(io, true);
	if (unlikely(!io->clone)) {
		write_wait_for_pages(io);
		return;
	}
	/* Its submitter is not in its submission any more, see write_queue(). */
	io->clone->bi_opf &= ~REQ_NOWAIT;
	write_start(io);
	if (write_encrypt(io, true) != ICRYPT_QUEUED)
		write_submit(io);
}

/* Writes to zones are encrypted and submitted before the next write is mapped. */
static int write_ordered(struct icrypt_io *io)
{
	DECLARE_COMPLETION_ONSTACK(done);

	io->ordered = &done;
	while (io->desc.in_iter.bi_size && !io->desc.status) {
		if (write_encrypt(io, true) != ICRYPT_QUEUED)
			break;
		wait_for_completion_io(&done);
		reinit_completion(&done);
	}
	/* Ended by dm: an end_io inside map would make it end the write twice. */
	if (unlikely(io->desc.status)) {
		icrypt_pages_free(io->cc, io->clone);
		icrypt_tags_free(io);
		return DM_MAPIO_KILL;
	}
	write_submit(io);
	return DM_MAPIO_SUBMITTED;
}

/*
 * The largest write that is encrypted at once, bytes. Polled I/O that must not wait is
 * limited by the segments of the device below. The device would refuse a larger bio
 * instead of splitting it, and submitting it again would not help. Each page may be a
 * segment of its own, because pages are never merged.
 */
static unsigned int write_max_bytes(const struct icrypt_io *io)
{
	unsigned int most, block;

	if (likely(!icrypt_is_unsplit(io->bio)) || !icrypt_may_split_write(io->bio))
		return ICRYPT_PAGES_MAX;
	block = icrypt_block_size(io->cc);
	most = min((unsigned int)bdev_max_segments(io->cc->dev->bdev) << PAGE_SHIFT,
		   icrypt_unsplit_max(io));
	return clamp(round_down(most, block), block, ICRYPT_PAGES_MAX);
}

/**
 * icrypt_write_map() - dm's map for a write
 * @io: the write, aligned to the sector size
 *
 * A REQ_NOWAIT write that cannot be encrypted and sent without waiting ends
 * with BLK_STS_AGAIN before anything of it reached the device.
 *
 * Context: process. Sleeps unless the bio has REQ_NOWAIT and the device no zones.
 * Return: DM_MAPIO_SUBMITTED, or DM_MAPIO_KILL for a write to a zone that the
 * cipher failed or that is too large not to be split.
 */
int icrypt_write_map(struct icrypt_io *io)
{
	struct icrypt_config *cc = io->cc;
	struct bio *bio = io->bio;
	unsigned int part = icrypt_write_piece(io), most = write_max_bytes(io);
	enum icrypt_reason reason;
	/*
	 * Order goes before not waiting, as in the block layer's zone write
	 * plugging; and dm wants no write of a zone to fail inside map.
	 */
	bool ordered = icrypt_is_ordered(cc, bio);
	bool nowait = (bio->bi_opf & REQ_NOWAIT) && !ordered;
	struct icrypt_lane *lane;

	if (unlikely(io->bytes > most)) {
		if (!icrypt_may_split_write(bio))
			return DM_MAPIO_KILL;
		if (!icrypt_rest_may_wait(cc, bio))
			return icrypt_end_unsent(io, nowait);
		if (!part || part > most)
			part = most;
	}
	if (part) {
		dm_accept_partial_bio(bio, part >> SECTOR_SHIFT);
		io->bytes = part;
	}

	/* A write that would wait for pages is not handed over: their number has a limit. */
	lane = part || atomic_read(&cc->writes_waiting) ? NULL : icrypt_write_backlog(io);
	if (lane && icrypt_spread(lane, io))
		return DM_MAPIO_SUBMITTED;

	if (unlikely(cc->cipher.tuple_size) && !icrypt_tags_alloc(io, nowait))
		return icrypt_end_unsent(io, nowait);
	/*
	 * Who comes later does not get what others wait for. But polled I/O that must not
	 * wait cannot queue, and would come again for as long as others do.
	 */
	io->clone = NULL;
	if (likely(!atomic_read(&cc->writes_waiting)) || icrypt_is_unsplit(bio))
		io->clone = write_alloc_clone(io, true);
	if (unlikely(!io->clone)) {
		if (nowait)
			return icrypt_end_unsent(io, true);
		if (icrypt_may_queue_write(io) && write_queue_has_room(cc)) {
			write_wait_for_pages(io);
			return DM_MAPIO_SUBMITTED;
		}
		io->clone = write_alloc_clone(io, false);
		if (!io->clone)
			return icrypt_end_unsent(io, false);
	}
	write_start(io);

	if (unlikely(icrypt_write_context(io, part, &reason) == ICRYPT_WQ)) {
		write_queue(io, reason);
		return DM_MAPIO_SUBMITTED;
	}
	if (unlikely(ordered))
		return write_ordered(io);

	switch (write_encrypt(io, !nowait)) {
	case ICRYPT_QUEUED:
		break;
	case ICRYPT_NOMEM:
		/* Only with REQ_NOWAIT. Nothing was sent, the submitter may try again. */
		icrypt_pages_free(cc, io->clone);
		return icrypt_end_unsent(io, nowait);
	case ICRYPT_DONE:
		write_submit(io);
		break;
	}
	return DM_MAPIO_SUBMITTED;
}

/**
 * icrypt_write_init() - allocate the pools of a mapped device
 * @cc: the mapped device
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno; icrypt_write_exit() cleans up after either.
 */
int icrypt_write_init(struct icrypt_config *cc)
{
	int err;

	mutex_init(&cc->page_lock);
	err = percpu_counter_init(&cc->pages_in_flight, 0, GFP_KERNEL);
	if (err)
		return err;
	write_limit_update(1);
	cc->write_limited = true;
	err = mempool_init(&cc->page_pool, BIO_MAX_VECS, write_page_alloc, write_page_free, cc);
	if (err)
		return err;
	err = bioset_init(&cc->bs, ICRYPT_MIN_BIOS, 0, BIOSET_NEED_BVECS);
	if (!err && cc->cipher.tuple_size)
		err = icrypt_bioset_integrity(&cc->bs, ICRYPT_MIN_BIOS);
	return err;
}

/**
 * icrypt_write_exit() - free the pools
 * @cc: the mapped device, zeroed or as far as icrypt_write_init() came
 *
 * Context: process, may sleep.
 */
void icrypt_write_exit(struct icrypt_config *cc)
{
	bioset_exit(&cc->bs);
	mempool_exit(&cc->page_pool);
	if (cc->write_limited) {
		WARN_ON_ONCE(percpu_counter_sum(&cc->pages_in_flight));
		percpu_counter_destroy(&cc->pages_in_flight);
		write_limit_update(-1);
	}
	write_stash_empty();
}

/**
 * icrypt_write_module_init() - module init
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int icrypt_write_module_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(&write_stashes, cpu)->lock);
	return icrypt_shrinker_register(&write_stash_shrinker, write_stash_count,
					write_stash_scan);
}

/**
 * icrypt_write_module_exit() - module exit, when no device is left
 *
 * Context: process, may sleep.
 */
void icrypt_write_module_exit(void)
{
	icrypt_shrinker_unregister(&write_stash_shrinker);
}
