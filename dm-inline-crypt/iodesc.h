/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The I/O descriptor has everything that the cipher needs to know about an I/O.
 *
 * It is the "iodesc" of the 2007 thread ("[PATCH -mm 0/10][RFC] aio: make struct
 * kiocb private", January 2007): the state of the data's vector, and an opaque
 * completion cookie. cipher.c advances the iterators and returns the cookie. It does
 * not know the submitter of the data, the task that waits for it, or the context of
 * the completion.
 */
#ifndef ICRYPT_IODESC_H
#define ICRYPT_IODESC_H

#include <linux/atomic.h>
#include <linux/bio.h>

/**
 * enum icrypt_progress - how far the cipher came with a descriptor
 * @ICRYPT_DONE:   every data unit is processed, or one failed; see status
 * @ICRYPT_QUEUED: the cipher driver answers later, through done()
 * @ICRYPT_NOMEM:  stopped at a data unit, because memory is short or its IV must be
 *		   waited for; nothing is in flight, run it again where it may
 *		   sleep
 */
enum icrypt_progress {
	ICRYPT_DONE,
	ICRYPT_QUEUED,
	ICRYPT_NOMEM,
};

/* What the context in which the cipher runs allows. */
#define ICRYPT_MAY_RESCHED	1U	/* may reschedule, not wait */
#define ICRYPT_MAY_SLEEP	2U	/* may also wait for memory */

/**
 * struct iodesc - the vector state of one I/O and the cookie of its completion
 * @in:      bio whose pages hold the input
 * @out:     bio whose pages take the output, @in when transformed in place
 * @in_iter: the part of @in that is left to process; a private copy
 * @out_iter: the same for @out, unused when transformed in place
 * @sector:  number of the next data unit's first 512-byte sector for the IV,
 *	     iv_offset included
 * @tags:    integrity metadata of the next data unit: its authentication tag, then its
 *	     IV if that is random; not used if there is neither
 * @bad:     sector that caused BLK_STS_PROTECTION, 512-byte sector in the mapped device
 * @pending: requests in flight, plus a share while the vector is being walked
 * @status:  BLK_STS_OK, or the first error
 * @write:   encrypt, else decrypt
 * @by_api:  the crypto API has processed a part of it
 * @done:    called when an I/O that was ICRYPT_QUEUED comes to its end, in the
 *	     cipher driver's completion context (bottom halves off, no sleeping),
 *	     with ICRYPT_DONE or ICRYPT_NOMEM
 * @cookie:  argument of @done; no other code uses it
 */
struct iodesc {
	struct bio		*in;
	struct bio		*out;
	struct bvec_iter	in_iter;
	struct bvec_iter	out_iter;
	u64			sector;
	u8			*tags;
	u64			bad;
	atomic_t		pending;
	blk_status_t		status;
	bool			write;
	bool			by_api;
	void			(*done)(void *cookie, enum icrypt_progress progress);
	void			*cookie;
};

#endif /* ICRYPT_IODESC_H */
