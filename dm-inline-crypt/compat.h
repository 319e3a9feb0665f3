/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between the supported kernels (6.1 to 7.3) is here, so that the other
 * files read as if they were written for one kernel. If there are two branches, that for
 * newer kernels comes first. A kernel tree that includes the target keeps only that one.
 */
#ifndef ICRYPT_COMPAT_H
#define ICRYPT_COMPAT_H

#include <linux/version.h>

/* 5.10 lacks about 30 interfaces; dm_submit_bio_remap() and bio->bi_bdev are two of them. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "dm-inline-crypt needs Linux 6.1 or newer"
#endif

#include <linux/bio.h>
#include <linux/blk-integrity.h>
#include <linux/blkdev.h>
#include <linux/crypto.h>
#include <linux/device-mapper.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

/* The series of kernels on which the tests run; on others there is only the self-test. */
#define ICRYPT_SERIES(major, minor)	\
	(LINUX_VERSION_CODE >> 8 == KERNEL_VERSION(major, minor, 0) >> 8)
#define ICRYPT_KERNEL_IS_TESTED						\
	(ICRYPT_SERIES(6, 1) || ICRYPT_SERIES(6, 12) || ICRYPT_SERIES(6, 18) ||	\
	 ICRYPT_SERIES(7, 2) || ICRYPT_SERIES(7, 3))

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* hex2bin() moved out of <linux/kernel.h>. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#include <linux/hex.h>
#else
#include <linux/kernel.h>
#endif

/*
 * The first argument of a crypto completion callback: the request up to 6.2,
 * the data given to *_request_set_callback() from 6.3 on.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
typedef void icrypt_async_t;
static inline void *icrypt_async_data(icrypt_async_t *arg)
{
	return arg;
}
#else
typedef struct crypto_async_request icrypt_async_t;
static inline void *icrypt_async_data(icrypt_async_t *arg)
{
	return arg->data;
}
#endif

/* Kernel threads, and workers that only share a user task's memory and registers. */
#ifdef PF_USER_WORKER
#define ICRYPT_PF_WORKER	(PF_KTHREAD | PF_WQ_WORKER | PF_IO_WORKER | PF_USER_WORKER)
#else
#define ICRYPT_PF_WORKER	(PF_KTHREAD | PF_WQ_WORKER | PF_IO_WORKER)
#endif

#ifndef kzalloc_obj
#define kmalloc_obj(obj)	kmalloc(sizeof(obj), GFP_KERNEL)
#define kzalloc_obj(obj)	kzalloc(sizeof(obj), GFP_KERNEL)
#endif

/*
 * The state of MD5 before its padding, from which Loop-AES makes an IV. It comes from the
 * exported state of the crypto API, or, since 6.18, from the MD5 library.
 */
#include <crypto/md5.h>

#define ICRYPT_MD5_STATE	MD5_DIGEST_SIZE

struct icrypt_md5_part {
	const void	*data;
	unsigned int	size;
};

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
typedef struct { } icrypt_md5_t;
static inline int icrypt_md5_init(icrypt_md5_t *hash)
{
	return 0;
}

static inline void icrypt_md5_exit(icrypt_md5_t hash)
{
}

static inline int icrypt_md5_state(icrypt_md5_t hash, const struct icrypt_md5_part *parts,
				   unsigned int count, u8 *out)
{
	struct md5_ctx ctx;
	unsigned int i;

	md5_init(&ctx);
	for (i = 0; i < count; i++)
		md5_update(&ctx, parts[i].data, parts[i].size);
	for (i = 0; i < ARRAY_SIZE(ctx.state.h); i++)
		put_unaligned_le32(ctx.state.h[i], out + i * sizeof(u32));
	memzero_explicit(&ctx, sizeof(ctx));
	return 0;
}
#else
#include <crypto/hash.h>
typedef struct crypto_shash *icrypt_md5_t;
static inline int icrypt_md5_init(icrypt_md5_t *hash)
{
	*hash = crypto_alloc_shash("md5", 0, CRYPTO_ALG_ALLOCATES_MEMORY);
	return PTR_ERR_OR_ZERO(*hash);
}

static inline void icrypt_md5_exit(icrypt_md5_t hash)
{
	if (!IS_ERR_OR_NULL(hash))
		crypto_free_shash(hash);
}

static inline int icrypt_md5_state(icrypt_md5_t hash, const struct icrypt_md5_part *parts,
				   unsigned int count, u8 *out)
{
	SHASH_DESC_ON_STACK(desc, hash);
	/* Since 6.16, drivers export a block and its length after the state. */
	struct {
		struct md5_state state;
		u8 block[MD5_HMAC_BLOCK_SIZE + 1];
	} export;
	unsigned int i;
	int err;

	desc->tfm = hash;
	err = crypto_shash_init(desc);
	for (i = 0; i < count && !err; i++)
		err = crypto_shash_update(desc, parts[i].data, parts[i].size);
	if (!err)
		err = crypto_shash_export(desc, &export);
	for (i = 0; i < MD5_HASH_WORDS && !err; i++)
		put_unaligned_le32(export.state.hash[i], out + i * sizeof(u32));
	memzero_explicit(&export, sizeof(export));
	shash_desc_zero(desc);
	return err;
}
#endif

/*
 * Integrity metadata: which devices have room for ours, and how its length is set in a
 * bio. Up to 6.10 only dm-integrity's profile is accepted, by its name and exact size.
 * After 6.10, all metadata is accepted that has no checksum of the block layer.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
static inline bool icrypt_profile_fits(const struct blk_integrity *bi, unsigned int size)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return bi->csum_type == BLK_INTEGRITY_CSUM_NONE && bi->metadata_size >= size;
#else
	return bi->csum_type == BLK_INTEGRITY_CSUM_NONE && bi->tuple_size >= size;
#endif
}
#else
static inline bool icrypt_profile_fits(const struct blk_integrity *bi, unsigned int size)
{
	return !strcasecmp(bi->profile->name, "DM-DIF-EXT-TAG") && bi->tag_size == size &&
	       bi->tuple_size == size;
}
#endif

static inline unsigned int icrypt_profile_size(const struct blk_integrity *bi)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return bi->metadata_size;
#else
	return bi->tuple_size;
#endif
}

static inline void icrypt_bip_set_size(struct bio_integrity_payload *bip, unsigned int size)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	bip->bip_iter.bi_size = size;
#endif
}

static inline int icrypt_bioset_integrity(struct bio_set *bs, int count)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return 0;
#else
	return bioset_integrity_create(bs, count);
#endif
}

/* Audit records of a target. drivers/md/dm-audit.h is not installed with the headers. */
#ifdef CONFIG_DM_AUDIT
#include <linux/audit.h>
void dm_audit_log_bio(const char *dm_msg_prefix, const char *op, struct bio *bio,
		      sector_t sector, int result);
void dm_audit_log_ti(int audit_type, const char *dm_msg_prefix, const char *op,
		     struct dm_target *ti, int result);
#define icrypt_audit_bio(name, op, bio, sector, result)	\
	dm_audit_log_bio(name, op, bio, sector, result)
#define icrypt_audit_target(name, op, ti, result)	\
	dm_audit_log_ti(AUDIT_DM_CTRL, name, op, ti, result)
#else
static inline void icrypt_audit_bio(const char *name, const char *op, struct bio *bio,
				    sector_t sector, int result)
{
}

static inline void icrypt_audit_target(const char *name, const char *op, struct dm_target *ti,
				       int result)
{
}
#endif

/* The attributes of dm-crypt that IMA measures; since 6.10 they include high_priority. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define ICRYPT_PRINT_IMA_HERE	ICRYPT_PRINT_IMA
#else
#define ICRYPT_PRINT_IMA_HERE	ICRYPT_PRINT_IMA_1_24
#endif

/* dm-crypt supports atomic writes, which must not be split, since 7.0. */
#ifdef DM_TARGET_ATOMIC_WRITES
#define ICRYPT_DM_ATOMIC_WRITES	DM_TARGET_ATOMIC_WRITES
#else
#define ICRYPT_DM_ATOMIC_WRITES	0
#endif

/* Limits their size, where there are any. */
static inline void icrypt_limit_atomic_writes(struct queue_limits *limits, unsigned int bytes)
{
#ifdef DM_TARGET_ATOMIC_WRITES
	limits->atomic_write_hw_unit_max = min(limits->atomic_write_hw_unit_max, bytes);
	limits->atomic_write_hw_max = min(limits->atomic_write_hw_max, bytes);
#endif
}

/* From 6.12 on dm itself splits writes to a zoned mapped device, and BUGs if a target does. */
#define ICRYPT_DM_SPLITS_ZONED	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))

/* Before 6.12 the segments of a bio that is submitted must fit the device as they are. */
#define ICRYPT_SEGMENTS_MUST_FIT	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0))

/*
 * The minor version of the dm-crypt 1.x that has the features of this target on this
 * kernel, because tools derive features from it. 1.24 has all features of 6.1. 1.26 added
 * high_priority and 1.28 integrity_key_size, both in 6.12. 1.29 added atomic writes in
 * 7.0; other targets had them before.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define ICRYPT_DM_CRYPT_MINOR	29
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define ICRYPT_DM_CRYPT_MINOR	28
#else
#define ICRYPT_DM_CRYPT_MINOR	24
#endif

/* A write that must not be split, since 6.11. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define ICRYPT_REQ_ATOMIC	REQ_ATOMIC
#else
#define ICRYPT_REQ_ATOMIC	((__force blk_opf_t)0)
#endif

/* Since 6.18, a per-CPU workqueue needs an explicit flag. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define ICRYPT_WQ_PERCPU	WQ_PERCPU
#else
#define ICRYPT_WQ_PERCPU	0
#endif

/*
 * A bottom half on the CPU that asks for it: the BH workqueue, or the tasklet
 * that it replaced in 6.9. Either may be scheduled from hardirq context.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
typedef struct work_struct icrypt_bh_t;
#define ICRYPT_BH_FN(name, arg)		void name(struct work_struct *arg)
#define icrypt_bh_init(bh, fn)		INIT_WORK(bh, fn)
#define icrypt_bh_schedule(bh)		queue_work(system_bh_wq, bh)
#define icrypt_bh_kill(bh)		cancel_work_sync(bh)
#else
#include <linux/interrupt.h>
typedef struct tasklet_struct icrypt_bh_t;
#define ICRYPT_BH_FN(name, arg)		void name(struct tasklet_struct *arg)
#define icrypt_bh_init(bh, fn)		tasklet_setup(bh, fn)
#define icrypt_bh_schedule(bh)		tasklet_hi_schedule(bh)
#define icrypt_bh_kill(bh)		tasklet_kill(bh)
#endif

/* A shrinker. Since 6.7 the kernel allocates it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
struct icrypt_shrinker {
	struct shrinker *own;
};
#else
struct icrypt_shrinker {
	struct shrinker own;
};
#endif

typedef unsigned long icrypt_shrink_fn(struct shrinker *shrinker, struct shrink_control *sc);

static inline int icrypt_shrinker_register(struct icrypt_shrinker *s, icrypt_shrink_fn *count,
					   icrypt_shrink_fn *scan)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	s->own = shrinker_alloc(0, "dm-inline-crypt");
	if (!s->own)
		return -ENOMEM;
	s->own->count_objects = count;
	s->own->scan_objects = scan;
	s->own->seeks = DEFAULT_SEEKS;
	shrinker_register(s->own);
	return 0;
#else
	s->own.count_objects = count;
	s->own.scan_objects = scan;
	s->own.seeks = DEFAULT_SEEKS;
	return register_shrinker(&s->own, "dm-inline-crypt");
#endif
}

static inline void icrypt_shrinker_unregister(struct icrypt_shrinker *s)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_free(s->own);
#else
	unregister_shrinker(&s->own);
#endif
}

/* The first header has no include guard in 6.1, so it is included only here. */
#include <asm/simd.h>
#include <crypto/internal/simd.h>

#ifdef ICRYPT_UNITS
/*
 * A task's FPU section can be interrupted by a bottom half, which then finds the FPU
 * in use. Since 6.15, kernel_fpu_begin() keeps bottom halves off until the end of the
 * section. On PREEMPT_RT they are threads, and the section is not preempted.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define ICRYPT_FPU_BH_OFF	false
#else
#define ICRYPT_FPU_BH_OFF	(!IS_ENABLED(CONFIG_PREEMPT_RT))
#endif

/**
 * icrypt_fpu_begin() - begin to use vector registers
 * @task: the caller is a task that may reschedule
 *
 * The rules of 6.1 to 7.3 are: the FPU cannot be used in a hardirq that interrupted a
 * bottom half, nor in a hardirq or bottom half that interrupted another FPU section. It
 * can be used anywhere else, with preemption off until the end. So sections have to be
 * short.
 *
 * Context: any but NMI; with @task interrupts are on.
 * Return: whether it may be used; if so, icrypt_fpu_end() has to follow.
 */
static inline bool icrypt_fpu_begin(bool task)
{
	bool bh_off = ICRYPT_FPU_BH_OFF && task;

	if (bh_off)
		local_bh_disable();
	if (likely(crypto_simd_usable())) {
		kernel_fpu_begin();
		return true;
	}
	if (bh_off)
		local_bh_enable();
	return false;
}

/**
 * icrypt_fpu_end() - vector registers are not used any more
 * @task: as it was for icrypt_fpu_begin()
 *
 * Context: as icrypt_fpu_begin().
 */
static inline void icrypt_fpu_end(bool task)
{
	kernel_fpu_end();
	if (ICRYPT_FPU_BH_OFF && task)
		local_bh_enable();
}
#endif /* ICRYPT_UNITS */

/**
 * icrypt_io_schedule() - sleep in a loop that tests for the end of an I/O
 *
 * Like blk_io_schedule(), which 7.2 does not export: wakes up from time to time, so
 * that the hung task detector does not report a slow device.
 *
 * Context: process; sleeps.
 */
static inline void icrypt_io_schedule(void)
{
	io_schedule_timeout(30 * HZ);
}

/**
 * icrypt_plug_forget_time() - prepare to set current->plug aside
 *
 * From 6.9 on, a plug caches the time, and PF_BLOCK_TS says that it does. A switch to
 * another task clears this time, on some kernels without testing whether there is a plug.
 * blk_plug_invalidate_ts() does the same as this function, but its arguments differ between
 * stable releases.
 *
 * Context: process.
 */
static inline void icrypt_plug_forget_time(void)
{
#ifdef PF_BLOCK_TS
	if (unlikely(current->flags & PF_BLOCK_TS)) {
		if (current->plug)
			current->plug->cur_ktime = 0;
		current->flags &= ~PF_BLOCK_TS;
	}
#endif
}

/**
 * icrypt_bdev_rotational() - does a device report that it rotates?
 * @bdev: the device
 *
 * Drivers that do not know report this as well.
 *
 * Context: any.
 * Return: whether it does.
 */
static inline bool icrypt_bdev_rotational(struct block_device *bdev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
	return bdev_rot(bdev);
#else
	return !bdev_nonrot(bdev);
#endif
}

/**
 * icrypt_partial_stripes_expensive() - does a device read before it writes less than a stripe?
 * @bdev: the device
 *
 * RAID 4, 5 and 6 of md report this, and devices that are stacked on them. dm-raid and
 * controllers do not.
 *
 * Context: any.
 * Return: whether it does.
 */
static inline bool icrypt_partial_stripes_expensive(struct block_device *bdev)
{
#ifdef BLK_FEAT_RAID_PARTIAL_STRIPES_EXPENSIVE
	return bdev_get_queue(bdev)->limits.features & BLK_FEAT_RAID_PARTIAL_STRIPES_EXPENSIVE;
#else
	return bdev_get_queue(bdev)->limits.raid_partial_stripes_expensive;
#endif
}

/**
 * icrypt_need_resched() - does another task wait for this CPU?
 *
 * Context: any.
 * Return: also true for a fair task, whose wake-up is lazy in newer kernels.
 */
static inline bool icrypt_need_resched(void)
{
#ifdef TIF_NEED_RESCHED_LAZY
	if (test_thread_flag(TIF_NEED_RESCHED_LAZY))
		return true;
#endif
	return need_resched();
}

/**
 * icrypt_bio_copy_hints() - copy the data lifetime hints, as cloning a bio does
 * @dst: the bio that carries the ciphertext
 * @src: the bio that carries the plaintext
 *
 * Context: any. Bios carry no write hint before 6.9.
 */
static inline void icrypt_bio_copy_hints(struct bio *dst, const struct bio *src)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	dst->bi_write_hint = src->bi_write_hint;
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	dst->bi_write_stream = src->bi_write_stream;
#endif
}

#endif /* ICRYPT_COMPAT_H */
