// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of our own, and the bios that carry them: for the ciphertext of writes, and for
 * data that is read again because it did not match its tag.
 *
 *	icrypt_pages_alloc()	a bio with pages
 *	icrypt_pages_recycle()	gives back a bio whose pages have only ciphertext
 *	icrypt_pages_free()	gives back any other bio
 *
 * A page comes from the stash of this CPU. If that is empty, it comes from the page
 * allocator, and then from the pool of the mapped device, which holds enough for the
 * largest bio.
 */

#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/percpu_counter.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "icrypt.h"

/* Largest chunk of pages to try for, log2. */
#define PAGES_ORDER_MAX	get_order(SZ_128K)

#define PAGES_MIN_BIOS		64

/*
 * Pages that a CPU keeps to use them again without clearing. The page allocator clears
 * the pages that it gives out (init_on_alloc, Debian's default). This costs a good part
 * of the time of the cipher, and the cipher overwrites the pages anyway. A shrinker frees
 * the stash when memory is short.
 */
#define PAGES_STASH_SINGLES	DIV_ROUND_UP(SZ_64K, PAGE_SIZE)
#define PAGES_STASH_CHUNKS	2

struct pages_stash {
	spinlock_t	lock;	/* all members, also against a write that ends in an interrupt */
	unsigned int	pages;
	unsigned int	chunks;
	struct page	*page[PAGES_STASH_SINGLES];
	struct page	*chunk[PAGES_STASH_CHUNKS];	/* of PAGES_ORDER_MAX */
};

static DEFINE_PER_CPU(struct pages_stash, pages_stashes);

static struct page *pages_stash_get(unsigned int order)
{
	struct pages_stash *s = raw_cpu_ptr(&pages_stashes);
	struct page *page = NULL;
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	if (!order && s->pages)
		page = s->page[--s->pages];
	else if (order == PAGES_ORDER_MAX && s->chunks)
		page = s->chunk[--s->chunks];
	spin_unlock_irqrestore(&s->lock, flags);
	return page;
}

/* Refuses pages that have another user, and single pages while the pool is not full. */
static bool pages_stash_put(struct icrypt_config *cc, struct page *page, unsigned int order)
{
	struct pages_stash *s = raw_cpu_ptr(&pages_stashes);
	unsigned long flags;
	bool taken = false;

	if (page_ref_count(page) != 1 ||
	    (!order && READ_ONCE(cc->page_pool.curr_nr) < cc->page_pool.min_nr))
		return false;

	spin_lock_irqsave(&s->lock, flags);
	if (!order && s->pages < PAGES_STASH_SINGLES) {
		s->page[s->pages++] = page;
		taken = true;
	} else if (order == PAGES_ORDER_MAX && s->chunks < PAGES_STASH_CHUNKS) {
		s->chunk[s->chunks++] = page;
		taken = true;
	}
	spin_unlock_irqrestore(&s->lock, flags);
	return taken;
}

/*
 * Called when memory is short, and when a device is removed; the other devices soon have
 * new pages. Returns the number of pages.
 */
static unsigned long pages_stash_empty(void)
{
	struct page *page[PAGES_STASH_SINGLES], *chunk[PAGES_STASH_CHUNKS];
	unsigned int pages, chunks;
	unsigned long freed = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct pages_stash *s = per_cpu_ptr(&pages_stashes, cpu);

		spin_lock_irq(&s->lock);
		pages = s->pages;
		chunks = s->chunks;
		memcpy(page, s->page, sizeof(page));
		memcpy(chunk, s->chunk, sizeof(chunk));
		s->pages = 0;
		s->chunks = 0;
		spin_unlock_irq(&s->lock);

		freed += pages + ((unsigned long)chunks << PAGES_ORDER_MAX);
		while (pages)
			__free_page(page[--pages]);
		while (chunks)
			__free_pages(chunk[--chunks], PAGES_ORDER_MAX);
	}
	return freed;
}

static struct icrypt_shrinker pages_shrinker;

static unsigned long pages_stash_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long pages = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct pages_stash *s = per_cpu_ptr(&pages_stashes, cpu);

		pages += READ_ONCE(s->pages);
		pages += (unsigned long)READ_ONCE(s->chunks) << PAGES_ORDER_MAX;
	}
	return pages;
}

static unsigned long pages_stash_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	return pages_stash_empty() ?: SHRINK_STOP;
}

/*
 * The pages of the writes in flight of a device are limited to a part of the memory, the
 * same for each device. Without a limit, a device below that accepts everything
 * (dm-delay, a full journal) would hold a copy of all data that a submitter can send
 * without waiting. Both constants have the values of dm-crypt.
 */
#define PAGES_MEMORY_PERCENT	2
#define PAGES_LIMIT_MIN		(16 * BIO_MAX_VECS)

static DEFINE_SPINLOCK(pages_limit_lock);
static unsigned int pages_devices;	/* under pages_limit_lock */
static unsigned long pages_limit __read_mostly;	/* of each device */
static int pages_batch __read_mostly = 1;

/* The number of devices changes by @devices. */
static void pages_limit_update(int devices)
{
	/* High memory is not counted. */
	unsigned long pages = (totalram_pages() - totalhigh_pages()) * PAGES_MEMORY_PERCENT / 100;

	spin_lock(&pages_limit_lock);
	pages_devices += devices;
	if (pages_devices) {
		pages = max(pages / pages_devices, (unsigned long)PAGES_LIMIT_MIN);
		WRITE_ONCE(pages_limit, pages);
		/*
		 * The local count of a CPU may differ by the pages of the largest
		 * write, so that few writes touch the shared count. But the error
		 * of all CPUs together must not exceed a quarter of the limit.
		 */
		WRITE_ONCE(pages_batch,
			   clamp_t(unsigned long, pages / 4 / num_possible_cpus(), 1,
				   BIO_MAX_VECS));
	}
	spin_unlock(&pages_limit_lock);
}

static bool pages_within_limit(struct icrypt_config *cc, unsigned int pages)
{
	return percpu_counter_read_positive(&cc->pages_in_flight) + pages <=
	       READ_ONCE(pages_limit);
}

static void pages_count(struct icrypt_config *cc, int pages)
{
	percpu_counter_add_batch(&cc->pages_in_flight, pages, READ_ONCE(pages_batch));
}

/* For the mempool. Fails over the limit, so that the mempool uses only its reserve. */
static void *pages_pool_alloc(gfp_t gfp, void *pool_data)
{
	struct icrypt_config *cc = pool_data;

	return likely(pages_within_limit(cc, 1)) ? alloc_page(gfp) : NULL;
}

static void pages_pool_free(void *page, void *pool_data)
{
	__free_page(page);
}

/*
 * A layer below may still use a page of a write that has ended: a network device may send
 * it once more, for a connection that its driver gave up. If the page were used again, it
 * would send the data of another write. The allocator gives such a page to nobody before
 * its last user has put it, but the pool keeps its pages. So another page replaces it
 * here. If there is none, the page is used, because waiting for its user could take for
 * ever.
 */
static struct page *pages_pool_get(struct icrypt_config *cc, gfp_t gfp)
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
static __always_inline void pages_free(struct icrypt_config *cc, struct bio *bio, bool stash)
{
	struct bio_vec *bv;
	int i, pages = 0;

	/* Each vector is one allocation, see pages_fill(). */
	bio_for_each_bvec_all(bv, bio, i) {
		unsigned int order = compound_order(bv->bv_page);

		pages += 1 << order;
		if (stash && pages_stash_put(cc, bv->bv_page, order))
			continue;
		if (order) {
			__free_pages(bv->bv_page, order);
			continue;
		}
		/* The pool must not contain plaintext. */
		if (!stash)
			clear_highpage(bv->bv_page);
		mempool_free(bv->bv_page, &cc->page_pool);
	}
	pages_count(cc, -pages);
	bio_put(bio);
}

/**
 * icrypt_pages_recycle() - give back a bio whose pages have only ciphertext
 * @cc:  the mapped device
 * @bio: from icrypt_pages_alloc()
 *
 * The pages are used again as they are.
 *
 * Context: any.
 */
void icrypt_pages_recycle(struct icrypt_config *cc, struct bio *bio)
{
	pages_free(cc, bio, true);
}

/**
 * icrypt_pages_free() - give back a bio whose pages may have plaintext
 * @cc:  the mapped device
 * @bio: from icrypt_pages_alloc()
 *
 * Context: any.
 */
void icrypt_pages_free(struct icrypt_config *cc, struct bio *bio)
{
	pages_free(cc, bio, false);
}

/*
 * If @gfp lacks __GFP_DIRECT_RECLAIM, takes as much memory as is available, including the
 * reserve of the pool. Large chunks are optional. They help the cipher and the device.
 * Over the limit no chunks are taken.
 */
static bool pages_fill(struct icrypt_config *cc, struct bio *bio, unsigned int size, gfp_t gfp)
{
	const gfp_t chunk_gfp = (GFP_NOWAIT & ~__GFP_KSWAPD_RECLAIM) | __GFP_HIGHMEM |
				__GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN | __GFP_COMP;
	bool within_limit = pages_within_limit(cc, DIV_ROUND_UP(size, PAGE_SIZE));
	unsigned int order = within_limit ? PAGES_ORDER_MAX : 0;
	int pages = 0;

	while (size) {
		struct page *page;
		unsigned int len;

		while (order && (PAGE_SIZE << order) > size)
			order--;
		page = likely(within_limit) ? pages_stash_get(order) : NULL;
		while (!page && order) {
			page = alloc_pages(chunk_gfp, order);
			if (!page)
				order--;
		}
		if (!page)
			page = pages_pool_get(cc, gfp);
		if (!page)
			break;
		len = min_t(unsigned int, size, PAGE_SIZE << order);
		/* It must not be merged with its neighbour: each vector is freed separately. */
		__bio_add_page(bio, page, len, 0);
		pages += 1 << order;
		size -= len;
	}
	pages_count(cc, pages);
	return !size;
}

/**
 * icrypt_pages_limit() - how many pages may a device have in flight?
 *
 * The same for each device.
 *
 * Context: any.
 * Return: the number.
 */
unsigned long icrypt_pages_limit(void)
{
	return READ_ONCE(pages_limit);
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
		if (likely(pages_fill(cc, bio, size, GFP_NOWAIT | __GFP_HIGHMEM | __GFP_NOWARN)))
			return bio;
		pages_free(cc, bio, true);
	}
	if (nowait)
		return NULL;
	mutex_lock(&cc->page_lock);
	bio = bio_alloc_bioset(cc->dev->bdev, vecs, opf, GFP_NOIO, &cc->bs);
	pages_fill(cc, bio, size, GFP_NOIO | __GFP_HIGHMEM);
	mutex_unlock(&cc->page_lock);
	return bio;
}

/**
 * icrypt_pages_init() - allocate the pools of a mapped device
 * @cc: the mapped device
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno; icrypt_pages_exit() cleans up after either.
 */
int icrypt_pages_init(struct icrypt_config *cc)
{
	int err;

	mutex_init(&cc->page_lock);
	err = percpu_counter_init(&cc->pages_in_flight, 0, GFP_KERNEL);
	if (err)
		return err;
	pages_limit_update(1);
	cc->pages_limited = true;
	err = mempool_init(&cc->page_pool, BIO_MAX_VECS, pages_pool_alloc, pages_pool_free, cc);
	if (err)
		return err;
	err = bioset_init(&cc->bs, PAGES_MIN_BIOS, 0, BIOSET_NEED_BVECS);
	if (!err && cc->cipher.tuple_size)
		err = icrypt_bioset_integrity(&cc->bs, PAGES_MIN_BIOS);
	return err;
}

/**
 * icrypt_pages_exit() - free the pools
 * @cc: the mapped device, zeroed or as far as icrypt_pages_init() came
 *
 * Context: process, may sleep.
 */
void icrypt_pages_exit(struct icrypt_config *cc)
{
	bioset_exit(&cc->bs);
	mempool_exit(&cc->page_pool);
	if (cc->pages_limited) {
		WARN_ON_ONCE(percpu_counter_sum(&cc->pages_in_flight));
		percpu_counter_destroy(&cc->pages_in_flight);
		pages_limit_update(-1);
	}
	pages_stash_empty();
}

/**
 * icrypt_pages_module_init() - module init
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int icrypt_pages_module_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(&pages_stashes, cpu)->lock);
	return icrypt_shrinker_register(&pages_shrinker, pages_stash_count, pages_stash_scan);
}

/**
 * icrypt_pages_module_exit() - module exit, when no device is left
 *
 * Context: process, may sleep.
 */
void icrypt_pages_module_exit(void)
{
	icrypt_shrinker_unregister(&pages_shrinker);
}
