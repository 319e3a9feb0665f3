// SPDX-License-Identifier: GPL-2.0-only
/*
 * The second half of a read's life: the device has completed it, and it is decrypted in
 * place.
 *
 *	read_endio()		hand the read to its caller, or continue with it
 *	icrypt_read_decrypt()	the cipher
 *	read_finish()		dm's completion
 *
 * A read that no caller owns is decrypted in the context of its completion, in a bottom
 * half on the same CPU, by a helper (spread.c), or by a worker. A worker that gets a
 * large read cuts it into pieces, to share it with other workers.
 */

#include <linux/rcupdate_wait.h>
#include <linux/sched/signal.h>

#include "icrypt.h"
#include "trace.h"

/* A CPU's reads that completed in hardirq context. */
struct read_bh {
	struct llist_head	ios;
	icrypt_bh_t		bh;
};

static DEFINE_PER_CPU(struct read_bh, read_bhs);

/*
 * dm's completion is called directly. For a bio that was sent, bio_endio() has done its
 * work (integrity, rq_qos, cgroup) already and must not do it twice. For a bio that was
 * sent in pieces, bio_endio() has no work to do.
 */
static void read_finish(struct icrypt_io *io, blk_status_t status)
{
	struct bio *bio = io->bio;

	if (unlikely(io->tags))
		icrypt_tags_free(io);
	bio->bi_end_io = io->read.end_io;
	bio->bi_status = status;
	bio->bi_end_io(bio);
}

static void read_piece_end(struct bio *bio)
{
	struct icrypt_io *io = bio->bi_private, *whole = io->read.whole;

	/* If several pieces failed, any of the errors is reported. */
	if (unlikely(bio->bi_status))
		WRITE_ONCE(whole->desc.status, bio->bi_status);
	bio_put(bio);
	if (atomic_dec_and_test(&whole->read.pieces))
		read_finish(whole, whole->desc.status);
}

static struct icrypt_io *read_piece_io(struct icrypt_config *cc, struct bio *piece)
{
	return (void *)piece - icrypt_per_io_size(&cc->cipher);
}

/**
 * icrypt_read_cut() - cut a read into pieces
 * @whole: the read
 * @iter:  its data; the bio's own iterator is used up after the device has completed it
 * @size:  of a piece, bytes
 * @ios:   the pieces are added to this list: clones that share the vector of @whole
 *
 * Context: process, does not sleep.
 * Return: false if there is not enough memory; then no piece was made.
 */
bool icrypt_read_cut(struct icrypt_io *whole, struct bvec_iter iter, unsigned int size,
		     struct list_head *ios)
{
	const gfp_t gfp = GFP_NOWAIT | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
	struct icrypt_config *cc = whole->cc;
	struct icrypt_io *io, *next;
	unsigned int done, n = 0;
	struct bio *bio;
	/* After the read, the payload is used up and must not be cloned. */
	blk_opf_t payload = whole->bio->bi_opf & REQ_INTEGRITY;

	whole->bio->bi_opf &= ~REQ_INTEGRITY;
	for (done = 0; done < whole->bytes; done += size) {
		bio = bio_alloc_clone(cc->dev->bdev, whole->bio, gfp, &cc->read_bs);
		if (!bio)
			goto nomem;
		bio->bi_iter = iter;
		bio_trim(bio, done >> SECTOR_SHIFT,
			 min(size, whole->bytes - done) >> SECTOR_SHIFT);
		bio->bi_end_io = read_piece_end;
		/* Otherwise a plug would merge them into one request again. */
		bio->bi_opf |= REQ_NOMERGE;
		io = read_piece_io(cc, bio);
		icrypt_io_init(io, cc, bio, whole->sector + (done >> SECTOR_SHIFT));
		io->read.whole = whole;
		io->read.iter = bio->bi_iter;
		if (unlikely(whole->tags))
			io->tags = whole->tags + done / cc->cipher.sector_size *
						 cc->cipher.tuple_size;
		io->map_ns = whole->map_ns;
		list_add_tail(&io->read.node, ios);
		n++;
	}
	whole->bio->bi_opf |= payload;
	atomic_set(&whole->read.pieces, n);
	whole->desc.status = BLK_STS_OK;
	return true;
nomem:
	whole->bio->bi_opf |= payload;
	list_for_each_entry_safe(io, next, ios, read.node)
		bio_put(io->bio);
	return false;
}

static void read_queue(struct icrypt_io *io, struct icrypt_decision d);
static inline void read_done(struct icrypt_io *io);

/* The descriptor's done(): an asynchronous driver answered. */
static void read_cipher_done(void *cookie, enum icrypt_progress progress)
{
	struct icrypt_io *io = cookie;
	struct icrypt_decision answered = icrypt_decide_after(io, ICRYPT_DRIVER_ANSWERED), stopped;

	if (progress != ICRYPT_NOMEM) {
		icrypt_fall_back(io, answered);
		read_done(io);
		return;
	}
	/* If both have the same reason, it is counted once. */
	stopped = icrypt_decide_after(io, ICRYPT_CIPHER_STOPPED);
	if (stopped.why != answered.why)
		icrypt_fall_back(io, answered);
	read_queue(io, stopped);
}

/*
 * Cut a large read that the device has completed as a whole, and queue the pieces to other
 * workers. Returns the first piece, for this worker.
 */
static struct icrypt_io *read_share(struct icrypt_io *whole, unsigned int size)
{
	struct icrypt_io *io, *next, *first;
	LIST_HEAD(ios);

	if (!icrypt_read_cut(whole, whole->desc.in_iter, size, &ios))
		return whole;

	first = list_first_entry(&ios, struct icrypt_io, read.node);
	list_for_each_entry_safe(io, next, &ios, read.node) {
		icrypt_read_start(io);
		if (io != first)
			read_queue(io, icrypt_decide_after(io, ICRYPT_HELPED));
	}
	return first;
}

static void read_work(struct work_struct *work)
{
	struct icrypt_io *io = container_of(work, struct icrypt_io, work);
	unsigned int piece = icrypt_worker_piece(io);

	if (piece)
		io = read_share(io, piece);
	icrypt_read_decrypt(io, ICRYPT_WQ, ICRYPT_MAY_SLEEP);
}

static void read_queue(struct icrypt_io *io, struct icrypt_decision d)
{
	icrypt_fall_back(io, d);
	INIT_WORK(&io->work, read_work);
	queue_work(io->cc->wq, &io->work);
}

/**
 * icrypt_read_decrypt() - decrypt a complete read, and end it
 * @io:      the read; it is gone on return
 * @context: the context that this is called in
 * @may:     what is allowed there: ICRYPT_MAY_RESCHED, ICRYPT_MAY_SLEEP or 0
 *
 * Context: process or softirq, with interrupts on.
 */
void icrypt_read_decrypt(struct icrypt_io *io, enum icrypt_context context, unsigned int may)
{
	blk_status_t status = io->bio->bi_status;
	enum icrypt_progress progress;
	unsigned int bytes = io->desc.in_iter.bi_size;
	u64 start;

	/* Data that the device could not read is not decrypted. */
	if (unlikely(status)) {
		read_finish(io, status);
		return;
	}

	if (context > io->context)
		io->context = context;
	if (trace_decrypt_enabled())
		icrypt_stats_begin(io);
	start = icrypt_run_begin(io);
	progress = icrypt_cipher_run(&io->cc->cipher, &io->desc, icrypt_io_request(io), may);
	switch (progress) {
	case ICRYPT_QUEUED:
		return;
	case ICRYPT_NOMEM:
		read_queue(io, icrypt_decide_after(io, ICRYPT_CIPHER_STOPPED));
		return;
	case ICRYPT_DONE:
		break;
	}
	if (start)
		icrypt_run_end(io, start, bytes - io->desc.in_iter.bi_size);
	read_done(io);
}

/**
 * icrypt_read_helped() - a helper has taken a read
 * @io: the read
 *
 * Context: a worker; may sleep.
 */
void icrypt_read_helped(struct icrypt_io *io)
{
	struct icrypt_decision d = icrypt_decide_after(io, ICRYPT_HELPED);

	icrypt_fall_back(io, d);
	icrypt_read_decrypt(io, d.where, d.may);
}

static void read_again_work(struct work_struct *work)
{
	struct icrypt_io *io = container_of(work, struct icrypt_io, work);

	icrypt_read_again(io);
	icrypt_stats_done(io);
	read_finish(io, io->desc.status);
}

/* The read does not match its tag: read it once more, in a worker, which may wait. */
static noinline void read_again(struct icrypt_io *io)
{
	icrypt_fall_back(io, icrypt_decide_after(io, ICRYPT_TAG_MISMATCH));
	INIT_WORK(&io->work, read_again_work);
	queue_work(io->cc->wq, &io->work);
}

/* The cipher has finished with the whole read. */
static inline void read_done(struct icrypt_io *io)
{
	if (unlikely(io->desc.status == BLK_STS_PROTECTION)) {
		read_again(io);
		return;
	}
	icrypt_stats_done(io);
	read_finish(io, io->desc.status);
}

static ICRYPT_BH_FN(read_bh_run, arg)
{
	struct read_bh *b = container_of(arg, struct read_bh, bh);
	struct llist_node *list = llist_reverse_order(llist_del_all(&b->ios));
	struct icrypt_io *io, *next;
	struct icrypt_decision d;

	llist_for_each_entry_safe(io, next, list, read.bh_node) {
		/* The helper that the first of these reads called may have started by now. */
		if (io->read.backlog && icrypt_spread_again(io))
			continue;
		d = icrypt_decide_bh(io);
		if (unlikely(d.where == ICRYPT_WQ))
			read_queue(io, d);
		else
			icrypt_read_decrypt(io, d.where, d.may);
	}
}

static void read_bh_queue(struct icrypt_io *io)
{
	struct read_bh *b;
	unsigned long flags;

	/* Does not rely on interrupts being off already. */
	local_irq_save(flags);
	b = this_cpu_ptr(&read_bhs);
	if (llist_add(&io->read.bh_node, &b->ios))
		icrypt_bh_schedule(&b->bh);
	local_irq_restore(flags);
}

static bool read_is_handed_over(struct icrypt_io *io)
{
	return atomic_cmpxchg(&io->read.owner, ICRYPT_OWNER_DEVICE, ICRYPT_OWNER_CALLER) ==
	       ICRYPT_OWNER_DEVICE;
}

/*
 * If the caller still comes back for the read, hand the read to it. From then on the
 * caller may end the read, return to user space and exit. Therefore the wake-up is in an
 * RCU section.
 */
static bool read_hand_to_caller(struct icrypt_io *io)
{
	struct task_struct *task = io->read.submitter;
	bool handed;

	/* Completed inside submit: the task neither sleeps nor is about to sleep. */
	if (task == current && in_task() && task_is_running(task))
		return read_is_handed_over(io);

	rcu_read_lock();
	handed = read_is_handed_over(io);
	if (handed)
		wake_up_process(task);
	rcu_read_unlock();
	return handed;
}

/* No caller owns the read: decrypt it here, or pass it on. */
static noinline void read_complete_unowned(struct icrypt_io *io)
{
	struct icrypt_decision d;
	struct icrypt_lane *lane;

	if (unlikely(io->bio->bi_status)) {
		read_finish(io, io->bio->bi_status);
		return;
	}
	lane = icrypt_read_backlog(io);
	if (lane) {
		io->read.backlog = true;
		if (icrypt_spread(lane, io))
			return;
	}
	d = icrypt_decide_read(io);
	switch (d.where) {
	case ICRYPT_WQ:
		read_queue(io, d);
		break;
	case ICRYPT_BH:
		read_bh_queue(io);
		break;
	default:
		icrypt_read_decrypt(io, d.where, d.may);
		break;
	}
}

static void read_endio(struct bio *bio)
{
	struct icrypt_io *io = bio->bi_private;

	if (unlikely(io->read.timed_ns))
		icrypt_seek_clock_stop(io);

	if (io->read.plan == ICRYPT_PLAN_ENDIO || !read_hand_to_caller(io))
		read_complete_unowned(io);
}

/**
 * icrypt_read_start() - put our completion in place of a read's own, prepare the cipher
 * @io: the read, about to be sent; or a piece of a complete read
 *
 * Context: any.
 */
void icrypt_read_start(struct icrypt_io *io)
{
	struct bio *bio = io->bio;

	io->desc.done = read_cipher_done;
	icrypt_cipher_start(&io->cc->cipher, &io->desc, bio, bio, io->sector, io->tags);
	io->read.end_io = bio->bi_end_io;
	bio->bi_end_io = read_endio;
	bio->bi_private = io;
}

/**
 * icrypt_read_give_back() - the caller will not come back for a read
 * @io: the read, of the plan WAIT or PLUG, not yet taken by its caller; may be gone on return
 *
 * Context: any.
 */
void icrypt_read_give_back(struct icrypt_io *io)
{
	if (atomic_cmpxchg(&io->read.owner, ICRYPT_OWNER_DEVICE, ICRYPT_OWNER_ENDIO) !=
	    ICRYPT_OWNER_DEVICE)
		read_queue(io, icrypt_decide_after(io, ICRYPT_GIVEN_BACK));
}

/**
 * icrypt_read_init() - allocate the pool of a mapped device
 * @cc: the mapped device, its cipher set up
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno; icrypt_read_exit() cleans up after either.
 */
int icrypt_read_init(struct icrypt_config *cc)
{
	/* Pieces need no reserve, but bioset_init() requires a pool. */
	return bioset_init(&cc->read_bs, 1, icrypt_per_io_size(&cc->cipher), 0);
}

/**
 * icrypt_read_exit() - free the pool
 * @cc: the mapped device, zeroed or as far as icrypt_read_init() came
 *
 * Context: process, may sleep.
 */
void icrypt_read_exit(struct icrypt_config *cc)
{
	bioset_exit(&cc->read_bs);
}

/**
 * icrypt_read_module_init() - module init
 *
 * Context: process.
 */
void icrypt_read_module_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct read_bh *b = per_cpu_ptr(&read_bhs, cpu);

		init_llist_head(&b->ios);
		icrypt_bh_init(&b->bh, read_bh_run);
	}
}

/**
 * icrypt_read_module_exit() - module exit, when no device is left
 *
 * The last read has ended, but the bottom half or the unplug callback that ended it
 * may still be executing code of this module.
 *
 * Context: process, sleeps.
 */
void icrypt_read_module_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		icrypt_bh_kill(&per_cpu_ptr(&read_bhs, cpu)->bh);
	synchronize_rcu_tasks();
}
