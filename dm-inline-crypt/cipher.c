// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cipher: one request of the crypto API for each data unit of a descriptor that
 * engine.c leaves. It waits only if its caller allows that, and only for memory or for
 * an IV that a driver makes. An asynchronous driver gets as many requests as memory and
 * its queue allow, and the last answer continues the descriptor.
 *
 * A request is laid out as
 *
 *	struct skcipher_request or aead_request, and the driver's context
 *	struct icrypt_request
 *	scatterlists of the input and of the output; only one for an AEAD
 *	IV, which the cipher changes
 *	AEAD: associated data, that is sector number and IV
 *	IVs of iv_data.c: memory for a data unit, and for their own request
 */

#include <crypto/authenc.h>
#include <crypto/hash.h>
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/scatterlist.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "icrypt.h"

/* Only asynchronous drivers need more than one request per bio. */
#define ICRYPT_MIN_REQUESTS	16

/* Pause before a driver that found no memory is called again, jiffies. */
#define ICRYPT_NOMEM_PAUSE	max(HZ / 50, 1)

/**
 * struct icrypt_request - the data that the completion of a request needs
 * @c:   the cipher
 * @d:   the descriptor of the data unit
 * @req: the crypto API's request, which precedes this structure
 * @own: the descriptor's first request, which is never freed
 * @tfms: the transforms of the request
 * @iv:  the IV, aligned for the driver
 * @sector: number of the data unit, as the IV generator counts
 * @bad: first sector of the data unit in the mapped device, 512-byte sectors
 * @sg:  input, followed by output; behind it the IV, and behind that associated
 *	 data, then memory for a data unit
 */
struct icrypt_request {
	struct icrypt_cipher	*c;
	struct iodesc		*d;
	void			*req;
	void			*own;
	struct crypto_skcipher	**tfms;
	u8			*iv;
	u64			sector;
	u64			bad;
	struct scatterlist	sg[];
};

/* Added to the requests in flight while the vector is being walked. */
#define ICRYPT_WALKING		((int)BIT(30))

static struct icrypt_request *request_priv(struct icrypt_cipher *c, void *req)
{
	return req + c->desc_off;
}

/* Entries of an AEAD's scatterlist besides the data: associated data and tag. */
#define ICRYPT_AEAD_PIECES	2U

static unsigned int sg_count(const struct icrypt_cipher *c)
{
	return c->aead ? c->pieces + ICRYPT_AEAD_PIECES : 2 * c->pieces;
}

/* The memory after the IV. */
static u8 *request_scratch(const struct icrypt_cipher *c, const struct icrypt_request *r)
{
	return PTR_ALIGN(r->iv + c->iv.size, sizeof(u64));
}

static unsigned int aad_size(const struct icrypt_cipher *c)
{
	return sizeof(__le64) + c->iv.size;
}

static void cipher_callback(icrypt_async_t *arg, int error);

/*
 * The transforms for the current context. If the FPU is usable, as in any task that may
 * reschedule, the simd wrapper is not needed. The wrapper checks this for each data
 * unit, and passes the unit to a cryptd thread if the FPU is not usable or if that
 * thread has other units queued.
 *
 * This decides nothing about the context, which is context.c's to do: the cipher is
 * called here in any case. It leaves out a wrapper whose answer is known.
 */
static struct crypto_skcipher **usable_tfms(struct icrypt_cipher *c, unsigned int may)
{
	return c->simd_tfms && (may || crypto_simd_usable()) ? c->simd_tfms : c->tfms;
}

/* sg_init_table() of one entry, without the call of memset(). */
static void sg_init_entry(struct scatterlist *sg)
{
	*sg = (struct scatterlist){};
	sg_mark_end(sg);
}

/* Sets the parts of a request that are the same for all units. */
static inline void request_init(struct icrypt_cipher *c, struct iodesc *d, void *req, void *own,
				unsigned int may)
{
	struct icrypt_request *r = request_priv(c, req);
	struct scatterlist *out = d->in == d->out ? r->sg : r->sg + c->pieces;

	r->c = c;
	r->d = d;
	r->req = req;
	r->own = own;
	r->iv = PTR_ALIGN((u8 *)r + c->iv_off, c->iv_align);
	if (unlikely(c->aead)) {
		aead_request_set_tfm(req, c->aead);
		aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_BACKLOG, cipher_callback, r);
		aead_request_set_ad(req, aad_size(c));
		return;
	}
	r->tfms = usable_tfms(c, may);
	sg_init_entry(r->sg);
	if (out != r->sg)
		sg_init_entry(out);
	skcipher_request_set_tfm(req, r->tfms[0]);
	skcipher_request_set_callback(req, CRYPTO_TFM_REQ_MAY_BACKLOG, cipher_callback, r);
	skcipher_request_set_crypt(req, r->sg, out, c->sector_size, r->iv);
}

/* For the next attempt, after the driver found no memory. */
static void request_may_sleep(struct icrypt_cipher *c, void *req)
{
	const u32 flags = CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP;

	if (c->aead)
		aead_request_set_callback(req, flags, cipher_callback, request_priv(c, req));
	else
		skcipher_request_set_callback(req, flags, cipher_callback, request_priv(c, req));
}

static bool request_is_queued(int err)
{
	return err == -EINPROGRESS || err == -EBUSY;
}

/*
 * The IV of the next data unit. A random IV is stored with the tag. A unit that has to be
 * encrypted a second time gets a new one.
 */
static void unit_iv(struct icrypt_cipher *c, struct iodesc *d, u8 *iv)
{
	u8 *stored = d->tags + c->tag_size;

	if (c->iv_stored && d->write) {
		get_random_bytes(iv, c->iv.size);
		memcpy(stored, iv, c->iv.size);
	} else if (c->iv_stored) {
		memcpy(iv, stored, c->iv.size);
	} else if (c->iv.generate) {
		c->iv.generate(&c->iv, iv, d->sector >> c->iv_shift);
	} else {
		memset(iv, 0, c->iv.size);
	}
}

/* Clears the rest of the metadata, so that no other memory gets onto the disk. */
static void unit_end_tags(struct icrypt_cipher *c, struct iodesc *d)
{
	unsigned int used = c->tag_size + (c->iv_stored ? c->iv.size : 0);

	if (d->write && used < c->tuple_size)
		memset(d->tags + used, 0, c->tuple_size - used);
}

static struct icrypt_unit request_unit(const struct icrypt_cipher *c, struct icrypt_request *r)
{
	struct skcipher_request *req = r->req;

	if (c->aead) {
		struct scatterlist *data = r->sg + 1;

		return (struct icrypt_unit) {
			.src = data,
			.dst = data,
			.iv = request_scratch(c, r) + sizeof(__le64),
			.buf = request_scratch(c, r) + ALIGN(aad_size(c), sizeof(u64)),
			.sector = r->sector,
			.write = r->d->write,
		};
	}
	return (struct icrypt_unit) {
		.src = req->src,
		.dst = req->dst,
		.iv = r->iv,
		.buf = request_scratch(c, r),
		.sector = r->sector,
		.write = r->d->write,
		.may_sleep = req->base.flags & CRYPTO_TFM_REQ_MAY_SLEEP,
	};
}

/* Runs the cipher on one data unit whose IV needs more than its number. */
static noinline_for_stack int request_run_special(struct icrypt_cipher *c, struct iodesc *d,
						  struct skcipher_request *req)
{
	struct icrypt_request *r = request_priv(c, req);
	struct scatterlist *src = req->src;
	struct icrypt_unit unit;
	int err;

	if (c->iv_stored) {
		unit_iv(c, d, r->iv);
		unit_end_tags(c, d);
		return d->write ? crypto_skcipher_encrypt(req) : crypto_skcipher_decrypt(req);
	}

	r->sector = d->sector >> c->iv_shift;
	unit = request_unit(c, r);
	err = icrypt_iv_data_begin(c, &unit);
	if (err < 0)
		return err == -ENOMEM ? ICRYPT_NOMEM_IV : err;
	if (err)
		req->src = req->dst;
	err = d->write ? crypto_skcipher_encrypt(req) : crypto_skcipher_decrypt(req);
	/* A queued request belongs to the driver. */
	if (request_is_queued(err))
		return err;
	req->src = src;
	if (err) {
		icrypt_iv_data_undo(c, &unit);
		return err;
	}
	err = icrypt_iv_data_end(c, &unit);
	/* The data has changed already, so this unit must not be processed again. */
	return err == -ENOMEM ? -ENOBUFS : err;
}

/* Runs the cipher on one data unit, whose scatterlists are filled in. */
static inline int request_run(struct icrypt_cipher *c, struct iodesc *d,
			      struct skcipher_request *req)
{
	struct icrypt_request *r = request_priv(c, req);

	if (unlikely(c->count > 1))
		skcipher_request_set_tfm(req, r->tfms[d->sector & (c->count - 1)]);
	if (unlikely(c->special))
		return request_run_special(c, d, req);
	if (c->iv.generate)
		c->iv.generate(&c->iv, r->iv, d->sector >> c->iv_shift);
	return d->write ? crypto_skcipher_encrypt(req) : crypto_skcipher_decrypt(req);
}

static void advance(struct icrypt_cipher *c, struct iodesc *d, unsigned int bytes)
{
	bio_advance_iter(d->in, &d->in_iter, bytes);
	if (d->out != d->in)
		bio_advance_iter(d->out, &d->out_iter, bytes);
}

/* Advances the descriptor past one data unit. */
static void advance_unit(struct icrypt_cipher *c, struct iodesc *d)
{
	d->sector += c->sector_size >> SECTOR_SHIFT;
	d->tags += c->tuple_size;
	advance(c, d, c->sector_size);
}

/*
 * The usual case: all units within one page. Only an offset and the IV change from
 * one unit to the next. Returns the error that ended the run, with the iterators after
 * the last unit that was accepted.
 */
static int cipher_whole_units(struct icrypt_cipher *c, struct iodesc *d,
			      struct skcipher_request *req, struct bio_vec *in,
			      struct bio_vec *out)
{
	unsigned int len = c->sector_size, done = 0;
	unsigned int end = round_down(min(in->bv_len, out->bv_len), len);
	int err;

	sg_set_page(req->src, in->bv_page, len, in->bv_offset);
	if (req->dst != req->src)
		sg_set_page(req->dst, out->bv_page, len, out->bv_offset);

	for (;;) {
		err = request_run(c, d, req);
		if (unlikely(err) && !request_is_queued(err))
			break;
		done += len;
		d->sector += len >> SECTOR_SHIFT;
		d->tags += c->tuple_size;
		if (unlikely(err) || done == end)
			break;
		req->src->offset += len;
		if (req->dst != req->src)
			req->dst->offset += len;
	}
	/* Once a descriptor is done, only the size in its iterator is used. */
	if (done == d->in_iter.bi_size) {
		d->in_iter.bi_size = 0;
		return err;
	}
	bio_advance_iter_single(d->in, &d->in_iter, done);
	if (d->out != d->in)
		bio_advance_iter_single(d->out, &d->out_iter, done);
	return err;
}

/* Maps @bytes of @bio from @iter on to @sg; returns the entries used, 0 if too many. */
static unsigned int map_unit(struct bio *bio, struct bvec_iter iter, struct scatterlist *sg,
			     unsigned int bytes, unsigned int pieces)
{
	unsigned int n = 0;

	if (iter.bi_size < bytes)
		return 0;
	while (bytes && n < pieces) {
		struct bio_vec bv = bio_iter_iovec(bio, iter);
		unsigned int len = min(bv.bv_len, bytes);

		sg_set_page(sg + n++, bv.bv_page, len, bv.bv_offset);
		bio_advance_iter_single(bio, &iter, len);
		bytes -= len;
	}
	return bytes ? 0 : n;
}

/*
 * A driver that runs out of memory on well-aligned data does so before it changes
 * any. With unaligned pieces it can fail halfway, and data that is half decrypted in
 * place must not be decrypted again.
 */
static bool unit_aligned(struct scatterlist *sg, unsigned int pieces)
{
	while (pieces--) {
		if ((sg->offset | sg->length) & (SECTOR_SIZE - 1))
			return false;
		sg++;
	}
	return true;
}

/*
 * The exception: a unit that crosses pages. O_DIRECT requires only the alignment of
 * the device, which is 512 bytes for any sector size.
 */
static int cipher_split_unit(struct icrypt_cipher *c, struct iodesc *d,
			     struct skcipher_request *req)
{
	unsigned int n, m;
	int err;

	sg_init_table(req->src, c->pieces);
	n = map_unit(d->in, d->in_iter, req->src, c->sector_size, c->pieces);
	m = n;
	if (req->dst != req->src) {
		sg_init_table(req->dst, c->pieces);
		m = map_unit(d->out, d->out_iter, req->dst, c->sector_size, c->pieces);
	}
	if (unlikely(!n || !m))
		return -EIO;
	sg_mark_end(req->src + n - 1);
	if (req->dst != req->src)
		sg_mark_end(req->dst + m - 1);

	err = request_run(c, d, req);
	if (likely(!err) || request_is_queued(err))
		advance_unit(c, d);
	/* The table of a queued request is still in use. */
	if (request_is_queued(err))
		return err;
	if (unlikely(err == -ENOMEM) && req->dst == req->src && !unit_aligned(req->src, n))
		err = -ENOBUFS;
	sg_init_table(req->src, 1);
	if (req->dst != req->src)
		sg_init_table(req->dst, 1);
	return err;
}

/* The IV of a data unit of an authenticated cipher, where iv_data.c makes it. */
static noinline_for_stack int aead_begin_special(struct icrypt_cipher *c, struct iodesc *d,
						 struct icrypt_request *r)
{
	struct icrypt_unit unit;

	r->sector = d->sector >> c->iv_shift;
	unit = request_unit(c, r);
	return icrypt_iv_data_begin(c, &unit);
}

/* The second part of such an IV mode, after the cipher; @err is the cipher's result. */
static noinline_for_stack int aead_end_special(struct icrypt_cipher *c, struct icrypt_request *r,
					       int err)
{
	struct icrypt_unit unit = request_unit(c, r);

	if (!err)
		return icrypt_iv_data_end(c, &unit);
	icrypt_iv_data_undo(c, &unit);
	return err;
}

/*
 * One data unit of an authenticated cipher, always in place. The data must not change
 * while its tag is computed, so a write is copied first. A unit that fails is not
 * processed again, because it may have been encrypted before its tag failed. The
 * sector number is that in the mapped device: in dm-crypt's format the iv_offset
 * affects only the IV.
 */
static int cipher_aead_unit(struct icrypt_cipher *c, struct iodesc *d, struct aead_request *req)
{
	struct icrypt_request *r = request_priv(c, req);
	u8 *more = request_scratch(c, r), *iv = more + sizeof(__le64);
	unsigned int n;
	int err;

	sg_init_table(r->sg, c->pieces + ICRYPT_AEAD_PIECES);
	n = map_unit(d->in, d->in_iter, r->sg + 1, c->sector_size, c->pieces);
	if (unlikely(!n))
		return -EIO;
	sg_set_buf(r->sg, more, aad_size(c));
	sg_set_buf(r->sg + 1 + n, d->tags, c->tag_size);
	sg_mark_end(r->sg + 1 + n);

	r->bad = d->sector - c->iv_offset;
	put_unaligned_le64(r->bad, more);
	if (unlikely(c->iv_data)) {
		err = aead_begin_special(c, d, r);
		if (err)
			return err;
	} else {
		unit_iv(c, d, iv);
	}
	unit_end_tags(c, d);
	memcpy(r->iv, iv, c->iv.size);
	if (d->write) {
		aead_request_set_crypt(req, r->sg, r->sg, c->sector_size, r->iv);
		err = crypto_aead_encrypt(req);
	} else {
		aead_request_set_crypt(req, r->sg, r->sg, c->sector_size + c->tag_size, r->iv);
		err = crypto_aead_decrypt(req);
	}
	if (unlikely(c->iv_data) && !request_is_queued(err))
		err = aead_end_special(c, r, err);
	if (err == -EBADMSG)
		d->bad = r->bad;
	if (likely(!err) || request_is_queued(err))
		advance_unit(c, d);
	else if (err == -ENOMEM && (d->write || !unit_aligned(r->sg + 1, n)))
		err = -ENOBUFS;
	return err;
}

static blk_status_t cipher_status(int err)
{
	switch (err) {
	case -EBADMSG:
		return BLK_STS_PROTECTION;
	case -ENOMEM:
	case -ENOBUFS:
		return BLK_STS_RESOURCE;
	default:
		return BLK_STS_IOERR;
	}
}

static int cipher_units(struct icrypt_cipher *c, struct iodesc *d, void *req)
{
	struct bio_vec in, out;

	if (unlikely(c->aead))
		return cipher_aead_unit(c, d, req);

	in = bio_iter_iovec(d->in, d->in_iter);
	out = in;
	if (d->out != d->in)
		out = bio_iter_iovec(d->out, d->out_iter);
	if (likely(in.bv_len >= c->sector_size && out.bv_len >= c->sector_size))
		return cipher_whole_units(c, d, req, &in, &out);
	return cipher_split_unit(c, d, req);
}

/* One pass over the data units that a descriptor has left. */
struct cipher_walk {
	struct icrypt_cipher	*c;
	struct iodesc		*d;
	void			*own;		/* the descriptor's first request */
	void			*req;		/* for the next unit, or NULL */
	unsigned int		may;
	unsigned int		queued;		/* requests that drivers have */
	unsigned int		noio;		/* to restore, if patient */
	bool			bh_off;
	bool			patient;	/* has waited for memory */
	bool			stalled;	/* no request, or the queue is full */
	bool			nomem;		/* to be run again where it may sleep */
};

/* Returns false if there is none now. An answer to a request in flight then continues. */
static noinline_for_stack bool walk_get_request(struct cipher_walk *w)
{
	w->req = mempool_alloc(&w->c->req_pool,
			       w->may & ICRYPT_MAY_SLEEP ? GFP_NOIO : GFP_NOWAIT);
	if (!w->req)
		return false;
	request_init(w->c, w->d, w->req, w->own, w->may);
	return true;
}

/*
 * Wait a little for memory, like mempool_alloc(), if the driver found none. From now on
 * the driver may sleep: it may wait for memory, and iv_data.c for an IV.
 */
static void walk_pause(struct cipher_walk *w, bool nomem)
{
	if (!w->patient)
		w->noio = memalloc_noio_save();
	w->patient = true;
	w->bh_off = false;
	request_may_sleep(w->c, w->req);
	if (nomem) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		io_schedule_timeout(ICRYPT_NOMEM_PAUSE);
	}
}

/* The driver did not complete the unit at once. Returns false if this ends the walk. */
static noinline_for_stack bool walk_goes_on(struct cipher_walk *w, int err)
{
	switch (err) {
	case -EINPROGRESS:
	case -EBUSY:
		w->queued++;
		w->req = NULL;
		/* Accepted, but the driver's queue is full: stop here. */
		w->stalled = err == -EBUSY;
		return !w->stalled;
	case -ENOMEM:
	case ICRYPT_NOMEM_IV:
	case ICRYPT_MUST_SLEEP:
		w->nomem = !(w->may & ICRYPT_MAY_SLEEP);
		if (!w->nomem)
			walk_pause(w, err != ICRYPT_MUST_SLEEP);
		return !w->nomem;
	default:
		WRITE_ONCE(w->d->status, cipher_status(err));
		return false;
	}
}

static __always_inline void cipher_walk(struct cipher_walk *w)
{
	struct iodesc *d = w->d;
	int err;

	w->req = w->own;
	w->queued = 0;
	w->stalled = false;
	w->nomem = false;
	atomic_set(&d->pending, ICRYPT_WALKING);
	request_init(w->c, d, w->req, w->own, w->may);

	do {
		if (unlikely(!w->req) && !walk_get_request(w)) {
			w->stalled = true;
			break;
		}
		if (w->bh_off)
			local_bh_disable();
		err = cipher_units(w->c, d, w->req);
		if (w->bh_off)
			local_bh_enable();
		if (unlikely(err)) {
			if (!walk_goes_on(w, err))
				break;
		} else if (d->in_iter.bi_size) {
			if (w->may)
				cond_resched();
			/* The engine continues after the units that it could not process. */
			if (w->c->engine.on)
				icrypt_engine_run(w->c, d, w->may);
		}
	} while (d->in_iter.bi_size && likely(!READ_ONCE(d->status)));

	if (unlikely(w->req != w->own) && w->req)
		mempool_free(w->req, &w->c->req_pool);
}

/*
 * Drops the share of the walk. If this returns false, the last answer may complete the
 * bio and free the descriptor at any time, so the caller must touch neither.
 */
static bool walk_is_last(struct cipher_walk *w)
{
	return likely(!w->queued) ||
	       atomic_sub_and_test(ICRYPT_WALKING - w->queued, &w->d->pending);
}

/**
 * icrypt_cipher_run() - process the rest of a non-empty descriptor
 * @c:     the cipher
 * @d:     the descriptor
 * @own:   memory of @c->req_size bytes for the first request, which must stay
 *	   valid until the descriptor is done
 * @may:   ICRYPT_MAY_RESCHED, ICRYPT_MAY_SLEEP or 0
 *
 * A bottom half that interrupts an FPU section of a task cannot use the FPU, and its
 * reads would have to go to the thread of cryptd. So bottom halves are kept off while a
 * page is processed, as newer kernels do in kernel_fpu_begin(). On PREEMPT_RT they are
 * threads, which cannot interrupt an FPU section of a task.
 *
 * Context: process or softirq. skcipher has no hardirq mode, so the caller
 * makes sure of that. Sleeps only as @may says.
 * Return: ICRYPT_DONE with the outcome in @d->status, ICRYPT_QUEUED if @d->done
 * will be called, or ICRYPT_NOMEM to be run again with ICRYPT_MAY_SLEEP, for want
 * of memory or because a driver must be waited for.
 */
enum icrypt_progress icrypt_cipher_run(struct icrypt_cipher *c, struct iodesc *d, void *own,
				       unsigned int may)
{
	struct cipher_walk w = {
		.c = c, .d = d, .own = own, .may = may,
		.bh_off = may && c->simd_tfms && !IS_ENABLED(CONFIG_PREEMPT_RT),
	};
	enum icrypt_progress progress;

	if (c->engine.on && icrypt_engine_run(c, d, may))
		return ICRYPT_DONE;
	d->by_api = true;
	do {
		cipher_walk(&w);
		if (!walk_is_last(&w)) {
			progress = ICRYPT_QUEUED;
			break;
		}
		progress = w.nomem && !d->status ? ICRYPT_NOMEM : ICRYPT_DONE;
		/* The full queue may have accepted the last unit, and all answers have arrived. */
	} while (unlikely(w.stalled) && d->in_iter.bi_size && !d->status);

	if (unlikely(w.patient))
		memalloc_noio_restore(w.noio);
	return progress;
}

/* The driver's answer. */
static void cipher_callback(icrypt_async_t *arg, int error)
{
	struct icrypt_request *r = icrypt_async_data(arg);
	enum icrypt_progress progress = ICRYPT_DONE;
	struct icrypt_cipher *c = r->c;
	struct iodesc *d = r->d;
	void *own = r->own;

	/* A backlogged request was passed to the driver. Its answer will follow. */
	if (error == -EINPROGRESS)
		return;

	if (c->iv_data) {
		struct icrypt_unit unit = request_unit(c, r);

		if (error)
			icrypt_iv_data_undo(c, &unit);
		else
			error = icrypt_iv_data_end(c, &unit);
	}
	if (unlikely(error)) {
		if (error == -EBADMSG)
			d->bad = r->bad;
		WRITE_ONCE(d->status, cipher_status(error));
	}
	if (r->req != own)
		mempool_free(r->req, &c->req_pool);
	if (!atomic_dec_and_test(&d->pending))
		return;

	if (d->in_iter.bi_size && !d->status)
		progress = icrypt_cipher_run(c, d, own, 0);
	if (progress != ICRYPT_QUEUED)
		d->done(d->cookie, progress);
}

/*
 * authenc() takes both keys in one buffer: a netlink attribute with the size of the
 * cipher's key, the MAC's key, the cipher's key. The table line has the cipher's first.
 */
static int setkey_authenc(struct icrypt_cipher *c, const u8 *key, unsigned int size)
{
	struct crypto_authenc_key_param *param;
	unsigned int head = RTA_SPACE(sizeof(*param)), enc = size - c->key_mac;
	struct rtattr *rta;
	int err;

	if (size < c->key_mac)
		return -EINVAL;
	rta = kzalloc(head + size, GFP_KERNEL);
	if (!rta)
		return -ENOMEM;
	rta->rta_len = RTA_LENGTH(sizeof(*param));
	rta->rta_type = CRYPTO_AUTHENC_KEYA_PARAM;
	param = RTA_DATA(rta);
	param->enckeylen = cpu_to_be32(enc);
	memcpy((u8 *)rta + head, key + enc, c->key_mac);
	memcpy((u8 *)rta + head + c->key_mac, key, enc);
	err = crypto_aead_setkey(c->aead, (u8 *)rta, head + size);
	kfree_sensitive(rta);
	return err;
}

/**
 * icrypt_cipher_setkey() - give the transforms their keys
 * @c:    the cipher
 * @key:  the keys one after the other, then the part of the IV generator
 * @size: size of @key, bytes
 *
 * Context: process, may sleep.
 * Return: 0, or the error of the first transform that refused its key.
 */
int icrypt_cipher_setkey(struct icrypt_cipher *c, const u8 *key, unsigned int size)
{
	unsigned int i, part = (size - c->key_extra) / c->count;
	int err = 0, r;

	if (c->aead)
		err = c->key_mac ? setkey_authenc(c, key, part) :
				   crypto_aead_setkey(c->aead, key, part);
	for (i = 0; i < c->count && !c->aead; i++) {
		r = crypto_skcipher_setkey(c->tfms[i], key + i * part, part);
		err = err ?: r;
		/* Even if the first call failed; otherwise an old key could survive a wipe. */
		if (c->simd_tfms)
			r = crypto_skcipher_setkey(c->simd_tfms[i], key + i * part, part);
		err = err ?: r;
	}
	if (c->iv_data) {
		r = icrypt_iv_data_setkey(c, key, size);
		err = err ?: r;
	}
	r = icrypt_engine_setkey(c, key, size);
	return err ?: r;
}

static void free_tfms(struct crypto_skcipher **tfms, unsigned int count)
{
	while (count)
		crypto_free_skcipher(tfms[--count]);
	kfree(tfms);
}

/* Is @tfm the transform that the simd wrapper @outer wraps? Its name alone is no proof. */
static bool is_wrapped(struct crypto_skcipher *outer, struct crypto_skcipher *tfm)
{
	const char *name = crypto_tfm_alg_name(crypto_skcipher_tfm(tfm));

	return !strncmp(name, "__", 2) &&
	       !strcmp(name + 2, crypto_tfm_alg_name(crypto_skcipher_tfm(outer))) &&
	       crypto_skcipher_ivsize(tfm) == crypto_skcipher_ivsize(outer) &&
	       crypto_skcipher_alignmask(tfm) == crypto_skcipher_alignmask(outer);
}

/*
 * The driver inside a simd wrapper has the name of the wrapper with two leading
 * underscores. Newer kernels have no such wrappers, and other drivers never had one.
 * Then there is nothing to bypass.
 */
static void alloc_simd_tfms(struct icrypt_cipher *c)
{
	const char *driver = crypto_skcipher_driver_name(c->tfms[0]);
	struct crypto_skcipher **tfms, *tfm;
	char name[CRYPTO_MAX_ALG_NAME];
	unsigned int n;

	/* A wrapper is asynchronous, and is not a template. */
	if (!(crypto_skcipher_tfm(c->tfms[0])->__crt_alg->cra_flags & CRYPTO_ALG_ASYNC) ||
	    strchr(driver, '(') || snprintf(name, sizeof(name), "__%s", driver) >= sizeof(name))
		return;
	tfms = kcalloc(c->count, sizeof(*tfms), GFP_KERNEL | __GFP_NOWARN);
	if (!tfms)
		return;
	for (n = 0; n < c->count; n++) {
		/* The module of the wrapper has registered it, so there is no module to load. */
		tfm = crypto_alloc_skcipher(name, CRYPTO_ALG_INTERNAL,
					    CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC |
					    CRYPTO_ALG_ALLOCATES_MEMORY | CRYPTO_NOLOAD);
		if (IS_ERR(tfm))
			goto without;
		tfms[n] = tfm;
		if (!is_wrapped(c->tfms[n], tfm)) {
			n++;
			goto without;
		}
	}
	c->simd_tfms = tfms;
	return;
without:
	free_tfms(tfms, n);
}

/* A name that the crypto API does not have may be the key, see icrypt_alg_print(). */
static noinline_for_stack int no_algorithm(const char *alg, long err)
{
	char name[CRYPTO_MAX_ALG_NAME];

	icrypt_alg_print(alg, name, sizeof(name));
	DMERR("crypto API: no %s (%pe), is its module there?", name, ERR_PTR(err));
	return err;
}

static int alloc_skciphers(struct icrypt_cipher *c, const struct icrypt_table *t,
			   const char **error)
{
	struct crypto_skcipher *tfm;
	unsigned int i;

	/* Checked before a huge number of transforms is allocated. */
	if (t->key_size && t->key_count > t->key_size) {
		*error = "Wrong key size, need at least one byte for each key";
		return -EINVAL;
	}
	c->tfms = kcalloc(t->key_count, sizeof(*c->tfms), GFP_KERNEL | __GFP_NOWARN);
	if (!c->tfms) {
		*error = "Cannot allocate crypto transforms";
		return -ENOMEM;
	}
	for (i = 0; i < t->key_count; i++) {
		/* A driver that allocates for each request could not make progress. */
		tfm = crypto_alloc_skcipher(t->alg, 0, CRYPTO_ALG_ALLOCATES_MEMORY);
		if (IS_ERR(tfm)) {
			*error = "Error allocating crypto tfm";
			return no_algorithm(t->alg, PTR_ERR(tfm));
		}
		c->tfms[c->count++] = tfm;
	}
	alloc_simd_tfms(c);
	DMDEBUG_LIMIT("%s is %s", crypto_tfm_alg_name(crypto_skcipher_tfm(c->tfms[0])),
		      crypto_skcipher_driver_name(c->tfms[0]));
	return 0;
}

/* The key of a MAC is as long as its digest, unless the table line says otherwise. */
static int mac_key_size(struct icrypt_table *t, const char **error)
{
	struct crypto_ahash *mac;

	if (!t->mac[0])
		return 0;
	mac = crypto_alloc_ahash(t->mac, 0, CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(mac)) {
		*error = "Invalid AEAD cipher spec";
		return no_algorithm(t->mac, PTR_ERR(mac));
	}
	if (!t->key_mac_set)
		t->key_mac = crypto_ahash_digestsize(mac);
	crypto_free_ahash(mac);
	return 0;
}

static int alloc_aead(struct icrypt_cipher *c, struct icrypt_table *t, const char **error)
{
	struct crypto_aead *tfm;
	int err = mac_key_size(t, error);

	if (err)
		return err;
	tfm = crypto_alloc_aead(t->alg, 0, CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(tfm)) {
		*error = "Error allocating crypto tfm";
		return no_algorithm(t->alg, PTR_ERR(tfm));
	}
	c->aead = tfm;
	c->count = 1;
	DMDEBUG_LIMIT("%s is %s", crypto_tfm_alg_name(crypto_aead_tfm(tfm)),
		      crypto_aead_driver_name(tfm));
	return 0;
}

/* The metadata of the table line consist of the tag and, if it is random, the IV. */
static int set_tag_size(struct icrypt_cipher *c, const struct icrypt_table *t,
			const char **error)
{
	unsigned int iv = c->iv_stored ? c->iv.size : 0;

	if (t->tag_size <= iv) {
		*error = "Not enough space for integrity tag and IV";
		return -EINVAL;
	}
	c->tag_size = t->tag_size - iv;
	if (crypto_aead_setauthsize(c->aead, c->tag_size)) {
		*error = "Integrity AEAD auth tag size is not supported, check integrity:<bytes>";
		return -EINVAL;
	}
	return 0;
}

/**
 * icrypt_cipher_init() - allocate the transforms of a table line
 * @c:     the cipher
 * @t:     the table line; its key_parts, key_extra and key_mac are filled in
 * @error: set when it fails
 *
 * Context: process, may sleep; loads crypto modules.
 * Return: 0 or a negative errno; icrypt_cipher_exit() cleans up after either.
 */
int icrypt_cipher_init(struct icrypt_cipher *c, struct icrypt_table *t, const char **error)
{
	unsigned int reqsize, ivsize, blocksize;
	int err;

	c->sector_size = t->sector_size;
	c->pieces = t->sector_size / SECTOR_SIZE + 1;
	c->iv_offset = t->iv_offset;
	if (icrypt_option_set(t, ICRYPT_OPT_IV_LARGE_SECTORS))
		c->iv_shift = ilog2(t->sector_size / SECTOR_SIZE);

	err = t->aead ? alloc_aead(c, t, error) : alloc_skciphers(c, t, error);
	if (err)
		return err;
	if (c->aead) {
		ivsize = crypto_aead_ivsize(c->aead);
		blocksize = crypto_aead_blocksize(c->aead);
		c->iv_align = crypto_aead_alignmask(c->aead) + 1;
		reqsize = sizeof(struct aead_request) + crypto_aead_reqsize(c->aead);
	} else {
		ivsize = crypto_skcipher_ivsize(c->tfms[0]);
		blocksize = crypto_skcipher_blocksize(c->tfms[0]);
		c->iv_align = crypto_skcipher_alignmask(c->tfms[0]) + 1;
		reqsize = crypto_skcipher_reqsize(c->tfms[0]);
		if (c->simd_tfms)
			reqsize = max(reqsize, crypto_skcipher_reqsize(c->simd_tfms[0]));
		reqsize += sizeof(struct skcipher_request);
	}
	c->iv_align = max_t(unsigned int, c->iv_align, sizeof(u64));

	if (t->iv_mode[0] && !ivsize)
		DMWARN("%s takes no IV, %s ignored",
		       crypto_tfm_alg_name(c->aead ? crypto_aead_tfm(c->aead) :
						     crypto_skcipher_tfm(c->tfms[0])),
		       t->iv_mode);
	err = icrypt_iv_init(&c->iv, t->iv_mode, ivsize, blocksize, error);
	if (err)
		return err;
	c->iv_stored = c->iv.ops && c->iv.ops->stored;
	t->key_parts = t->key_count;
	err = icrypt_iv_data_init(c, t, error);
	if (err)
		return err;
	c->special = c->iv_stored || c->iv_data;
	c->key_extra = t->key_extra;
	c->key_mac = t->key_mac;
	if (c->aead) {
		err = set_tag_size(c, t, error);
		if (err)
			return err;
	}

	c->desc_off = ALIGN(reqsize, __alignof__(struct icrypt_request));
	c->iv_off = sizeof(struct icrypt_request) + sg_count(c) * sizeof(struct scatterlist);
	c->req_size = c->desc_off + c->iv_off + c->iv_align + c->iv.size;
	if (c->aead)
		c->req_size += sizeof(u64) + aad_size(c);
	if (c->iv_data)
		c->req_size += sizeof(u64) + icrypt_iv_data_scratch(c);

	err = mempool_init_kmalloc_pool(&c->req_pool, ICRYPT_MIN_REQUESTS, c->req_size);
	if (err)
		*error = "Cannot allocate crypt request mempool";
	else
		icrypt_engine_init(c, t);
	return err;
}

/**
 * icrypt_cipher_exit() - free the transforms; the crypto API wipes their keys
 * @c: the cipher, zeroed or as far as icrypt_cipher_init() came
 *
 * Context: process, may sleep.
 */
void icrypt_cipher_exit(struct icrypt_cipher *c)
{
	mempool_exit(&c->req_pool);
	icrypt_engine_exit(c);
	icrypt_iv_data_exit(c);
	if (c->aead)
		crypto_free_aead(c->aead);
	if (c->simd_tfms)
		free_tfms(c->simd_tfms, c->count);
	if (c->tfms)
		free_tfms(c->tfms, c->count);
}
