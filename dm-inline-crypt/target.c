// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-inline-crypt: transparent encryption in the context that handles the I/O.
 *
 * This file is the interface to dm. An I/O continues in read.c or write.c, and
 * context.c decides where its cipher runs.
 */

#include <linux/module.h>
#include <linux/slab.h>

#include "icrypt.h"
#include "stats.h"

static bool show_keys;
module_param(show_keys, bool, 0600);
MODULE_PARM_DESC(show_keys, "Print raw keys in \"dmsetup table\", for tools that move a table (default: no)");

static bool takeover;
module_param(takeover, bool, 0444);
MODULE_PARM_DESC(takeover, "Register as the target \"crypt\" in place of dm-crypt (default: no)");

/* Same names and meaning as dm-crypt's parameters. */
static unsigned int max_read_size __read_mostly;
module_param(max_read_size, uint, 0644);
MODULE_PARM_DESC(max_read_size, "Largest read to process at once, bytes (default: 0, no limit)");

static unsigned int max_write_size __read_mostly;
module_param(max_write_size, uint, 0644);
MODULE_PARM_DESC(max_write_size, "Largest write to process at once, bytes (default: 0, no limit)");

/* The alignment that buffers for direct I/O need. */
#define ICRYPT_ALIGN_DEVICE	0
#define ICRYPT_ALIGN_BLOCK	1
#define ICRYPT_ALIGN_SECTOR	2

static unsigned int memory_alignment = ICRYPT_ALIGN_BLOCK;
module_param(memory_alignment, uint, 0644);
MODULE_PARM_DESC(memory_alignment, "How memory is to be aligned: 0 as the device below says, 1 to its block (default), 2 to the sector, as for dm-crypt");

static void icrypt_free(struct dm_target *ti)
{
	struct icrypt_config *cc = ti->private;

	if (cc->wq)
		destroy_workqueue(cc->wq);
	/* The writes of this queue continue in write_wq, so it is destroyed first. */
	if (cc->pages_wq)
		destroy_workqueue(cc->pages_wq);
	if (cc->write_wq)
		destroy_workqueue(cc->write_wq);
	if (cc->spread_wq)
		destroy_workqueue(cc->spread_wq);
	icrypt_spread_exit(cc);
	icrypt_pages_exit(cc);
	icrypt_read_exit(cc);
	icrypt_integrity_exit(cc);
	icrypt_cipher_exit(&cc->cipher);
	icrypt_key_free(cc);
	icrypt_stats_exit(cc);
	if (cc->dev)
		dm_put_device(ti, cc->dev);
	mutex_destroy(&cc->key_lock);
	kfree(cc->cipher_word);
	kfree(cc);
}

static void icrypt_dtr(struct dm_target *ti)
{
	icrypt_free(ti);
	icrypt_audit_target(ti->type->name, "dtr", ti, 1);
}

static int icrypt_alloc_wq(struct icrypt_config *cc, struct dm_target *ti)
{
	unsigned int flags = WQ_MEM_RECLAIM;
	int max_active = num_online_cpus();

	if (icrypt_option_set(&cc->table, ICRYPT_OPT_HIGH_PRIORITY))
		flags |= WQ_HIGHPRI;
	if (icrypt_option_set(&cc->table, ICRYPT_OPT_SAME_CPU_CRYPT)) {
		flags |= WQ_CPU_INTENSIVE | ICRYPT_WQ_PERCPU;
		max_active = 1;
	} else {
		flags |= WQ_UNBOUND;
	}
	cc->wq = alloc_workqueue("icrypt/%s", flags, max_active,
				 dm_table_device_name(ti->table));
	cc->write_wq = alloc_workqueue("icrypt_write/%s", flags, max_active,
				       dm_table_device_name(ti->table));
	cc->pages_wq = alloc_ordered_workqueue("icrypt_pages/%s",
					       flags & (WQ_MEM_RECLAIM | WQ_HIGHPRI),
					       dm_table_device_name(ti->table));
	cc->spread_wq = alloc_workqueue("icrypt_spread/%s", flags, max_active,
					dm_table_device_name(ti->table));
	return cc->wq && cc->write_wq && cc->pages_wq && cc->spread_wq ? 0 : -ENOMEM;
}

/* dm frees the words of the table after ctr, so @cc->table must point to copies. */
static int icrypt_keep_words(struct icrypt_config *cc)
{
	cc->cipher_word = kstrdup(cc->table.cipher, GFP_KERNEL);
	if (!cc->cipher_word)
		return -ENOMEM;
	cc->table.cipher = cc->cipher_word;
	cc->table.device = cc->dev->name;
	return 0;
}

/* dm-crypt accepts these silently, but they are most likely mistakes. */
static void icrypt_warn(struct dm_target *ti, const struct icrypt_table *t)
{
	const char *name = dm_table_device_name(ti->table);

	if (t->key_odd)
		DMWARN("%s: odd number of hex digits, the last one of the key is ignored", name);
	if (t->ignored)
		DMWARN("%s: %u words after the counted options are ignored", name, t->ignored);
}

static int icrypt_setup(struct icrypt_config *cc, struct dm_target *ti)
{
	struct icrypt_table *t = &cc->table;
	int err;

	if (ti->len & ((t->sector_size >> SECTOR_SHIFT) - 1)) {
		ti->error = "Device size is not multiple of sector_size feature";
		return -EINVAL;
	}
	if (t->start != (sector_t)t->start) {
		ti->error = "Invalid device sector";
		return -EINVAL;
	}
	cc->start = t->start;
	cc->name = ti->type->name;
	cc->devt = disk_devt(dm_disk(dm_table_get_md(ti->table)));

	/* The user chooses the size, so a failure is no reason for a warning. */
	cc->key = kzalloc(max(t->key_size, 1U), GFP_KERNEL | __GFP_NOWARN);
	if (!cc->key) {
		ti->error = "Cannot allocate key";
		return -ENOMEM;
	}
	err = icrypt_cipher_init(&cc->cipher, t, (const char **)&ti->error);
	if (err)
		return err;
	err = icrypt_key_set(cc, t, (const char **)&ti->error);
	if (err)
		return err;

	err = dm_get_device(ti, t->device, dm_table_get_mode(ti->table), &cc->dev);
	if (err) {
		ti->error = "Device lookup failed";
		return err;
	}
	err = icrypt_integrity_init(cc, (const char **)&ti->error);
	if (err)
		return err;
	err = icrypt_keep_words(cc);
	if (!err)
		err = icrypt_stats_init(cc);
	if (!err)
		err = icrypt_read_init(cc);
	if (!err)
		err = icrypt_pages_init(cc);
	if (!err)
		err = icrypt_spread_init(cc, icrypt_read_helped, icrypt_write_helped);
	if (!err)
		err = icrypt_alloc_wq(cc, ti);
	if (err) {
		ti->error = "Cannot allocate memory pools";
		return err;
	}

	icrypt_engine_choose(&cc->cipher, t, dm_table_device_name(ti->table));
	cc->ns_per_kib[READ] = ICRYPT_NS_PER_KIB_GUESS;
	cc->ns_per_kib[WRITE] = ICRYPT_NS_PER_KIB_GUESS;
	ti->per_io_data_size = icrypt_per_io_size(&cc->cipher);
	ti->num_flush_bios = 1;
	ti->num_discard_bios = icrypt_option_set(t, ICRYPT_OPT_ALLOW_DISCARDS);
	ti->limit_swap_bios = true;
	ti->accounts_remapped_io = true;

	cc->zoned = bdev_is_zoned(cc->dev->bdev);
	if (cc->zoned) /* no effect here, but dm-crypt prints it */
		t->options |= BIT(ICRYPT_OPT_NO_WRITE_WORKQUEUE);
	cc->rotational = icrypt_bdev_rotational(cc->dev->bdev);
	/*
	 * The sector of an append is known only when it is done, which is too late
	 * for an IV that is made from it. So dm has to turn appends into writes.
	 */
	ti->emulate_zone_append = cc->zoned;
	return 0;
}

/*
 * Overwrites all words, because dm frees them without doing so. If the words of a line or
 * message are in the wrong order, any of them may be the key, even an ignored one.
 */
static void icrypt_wipe_words(unsigned int argc, char **argv)
{
	while (argc--)
		memset(argv[argc], '0', strlen(argv[argc]));
}

/*
 * <cipher> <key> <iv_offset> <device> <start> [<#opts> <opts>...], see table.c
 */
static int icrypt_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct icrypt_config *cc;
	int err = -ENOMEM;

	cc = kzalloc_obj(*cc);
	if (!cc) {
		ti->error = "Cannot allocate encryption context";
		goto wipe;
	}
	ti->private = cc;
	mutex_init(&cc->key_lock);

	err = icrypt_table_parse(&cc->table, argc, argv);
	if (err) {
		ti->error = (char *)cc->table.error;
		if (cc->table.word)
			DMERR("%s: word %u after \"%s\": %s", dm_table_device_name(ti->table),
			      cc->table.word, ti->type->name, cc->table.error);
	} else {
		icrypt_warn(ti, &cc->table);
		err = icrypt_setup(cc, ti);
	}
	icrypt_audit_target(ti->type->name, "ctr", ti, !err);
	if (err)
		icrypt_free(ti);
wipe:
	icrypt_wipe_words(argc, argv);
	return err;
}

static int icrypt_map(struct dm_target *ti, struct bio *bio)
{
	struct icrypt_config *cc = ti->private;
	unsigned int mask = cc->cipher.sector_size - 1;
	struct icrypt_io *io;

	switch (bio_op(bio)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		/* dm sends flushes as separate bios, without data. */
		if (likely(bio->bi_iter.bi_size))
			break;
		fallthrough;
	default:
		bio_set_dev(bio, cc->dev->bdev);
		if (bio_sectors(bio) || op_is_zone_mgmt(bio_op(bio)))
			bio->bi_iter.bi_sector = cc->start +
				dm_target_offset(ti, bio->bi_iter.bi_sector);
		return DM_MAPIO_REMAPPED;
	case REQ_OP_ZONE_APPEND:
		return DM_MAPIO_KILL;
	}

	/* io_hints rules this out, and the format does not define it. */
	if (unlikely((to_bytes(bio->bi_iter.bi_sector) | bio->bi_iter.bi_size) & mask))
		return DM_MAPIO_KILL;

	io = icrypt_io_of(cc, bio);
	icrypt_io_init(io, cc, bio, dm_target_offset(ti, bio->bi_iter.bi_sector));
	if (unlikely(READ_ONCE(max_read_size) | READ_ONCE(max_write_size)) &&
	    !icrypt_limit_size(io, READ_ONCE(*(io->desc.write ? &max_write_size : &max_read_size))))
		return icrypt_end_unsent(io, true);
	icrypt_stats_map(io);
	return io->desc.write ? icrypt_write_map(io) : icrypt_read_map(io);
}

static void icrypt_status(struct dm_target *ti, status_type_t type, unsigned int status_flags,
			  char *result, unsigned int maxlen)
{
	struct icrypt_config *cc = ti->private;
	unsigned int sz = 0;

	switch (type) {
	case STATUSTYPE_INFO:
		sz = icrypt_stats_print(cc, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		mutex_lock(&cc->key_lock);
		/* dmsetup hides the key itself for the name "crypt". */
		sz = icrypt_table_print(&cc->table, ICRYPT_PRINT_TABLE,
					takeover || READ_ONCE(show_keys) ? cc->key : NULL,
					result, maxlen);
		mutex_unlock(&cc->key_lock);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		sz += icrypt_table_print(&cc->table, ICRYPT_PRINT_IMA_HERE, NULL, result + sz,
					 maxlen - sz);
		DMEMIT(";");
		break;
	}
}

static void icrypt_postsuspend(struct dm_target *ti)
{
	struct icrypt_config *cc = ti->private;

	WRITE_ONCE(cc->suspended, true);
}

static int icrypt_preresume(struct dm_target *ti)
{
	struct icrypt_config *cc = ti->private;

	if (!cc->key_valid) {
		DMERR("%s: no key, set one with \"key set\" before resuming",
		      dm_table_device_name(ti->table));
		return -EAGAIN;
	}
	return 0;
}

static void icrypt_resume(struct dm_target *ti)
{
	struct icrypt_config *cc = ti->private;

	WRITE_ONCE(cc->suspended, false);
}

static int icrypt_message_key_set(struct dm_target *ti, char *word)
{
	struct icrypt_config *cc = ti->private;
	struct icrypt_table t = {};
	const char *error = NULL;
	int err;

	err = icrypt_key_parse(&t, word);
	if (err) {
		error = t.error;
	} else if (t.key_size != cc->table.key_size) {
		error = "The key size may not be changed";
		err = -EINVAL;
	} else {
		icrypt_warn(ti, &t);
		err = icrypt_key_set(cc, &t, &error);
	}
	if (err) {
		DMERR("key set: %s", error ?: "Cannot allocate key");
		return err;
	}
	return 0;
}

/*
 * key set <key>, key wipe: as dm-crypt's, only while suspended
 * stats [on|off|reset]: the histogram of latencies, see stats.c
 */
static int icrypt_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
			  unsigned int maxlen)
{
	struct icrypt_config *cc = ti->private;
	bool key = argc > 1 && !strcasecmp(argv[0], "key");
	bool set = key && argc == 3 && !strcasecmp(argv[1], "set");
	bool wipe = key && argc == 2 && !strcasecmp(argv[1], "wipe");
	int err = -EINVAL;

	if (!strcasecmp(argv[0], "stats")) {
		err = icrypt_stats_message(cc, argc, argv, result, maxlen);
	} else if (!set && !wipe) {
		DMERR("unknown message, use \"key set <key>\", \"key wipe\" or \"stats\"");
	} else if (!READ_ONCE(cc->suspended)) {
		DMERR("keys can be changed only while the device is suspended");
	} else {
		mutex_lock(&cc->key_lock);
		err = set ? icrypt_message_key_set(ti, argv[2]) : icrypt_key_wipe(cc);
		mutex_unlock(&cc->key_lock);
	}
	/* dm writes the result to the memory of the words; only "stats" has a result. */
	if (err != 1)
		icrypt_wipe_words(argc, argv);
	return err;
}

static int icrypt_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn, void *data)
{
	struct icrypt_config *cc = ti->private;

	return fn(ti, cc->dev, cc->start, ti->len, data);
}

static void icrypt_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	struct icrypt_config *cc = ti->private;
	unsigned int size = cc->cipher.sector_size, align = SECTOR_SIZE;

	limits->logical_block_size = max_t(unsigned int, limits->logical_block_size, size);
	limits->physical_block_size = max_t(unsigned int, limits->physical_block_size, size);
	limits->io_min = max_t(unsigned int, limits->io_min, size);

	/*
	 * A data unit may cross pages, so user buffers need not be aligned to
	 * it. But no segment may be smaller than 512 bytes, for which the
	 * scatterlists are sized. By default it must not be smaller than a block
	 * of the device below either: some drivers report that they accept less
	 * but handle it wrongly, which dm-crypt hides because it requires more.
	 */
	if (READ_ONCE(memory_alignment) >= ICRYPT_ALIGN_BLOCK)
		align = max_t(unsigned int, align, bdev_logical_block_size(cc->dev->bdev));
	if (READ_ONCE(memory_alignment) >= ICRYPT_ALIGN_SECTOR)
		align = max_t(unsigned int, align, limits->logical_block_size);
	limits->dma_alignment = max_t(unsigned int, limits->dma_alignment, align - 1);
	icrypt_limit_segments(limits, cc->zoned);
}

#ifdef CONFIG_BLK_DEV_ZONED
static int icrypt_report_zones(struct dm_target *ti, struct dm_report_zones_args *args,
			       unsigned int nr_zones)
{
	struct icrypt_config *cc = ti->private;

	return dm_report_zones(cc->dev->bdev, cc->start,
			       cc->start + dm_target_offset(ti, args->next_sector), args,
			       nr_zones);
}
#else
#define icrypt_report_zones NULL
#endif

static struct target_type icrypt_target = {
	.name		 = "inline-crypt",
	.version	 = {1, 0, 0},
	.features	 = DM_TARGET_NOWAIT | DM_TARGET_ZONED_HM | ICRYPT_DM_ATOMIC_WRITES,
	.module		 = THIS_MODULE,
	.ctr		 = icrypt_ctr,
	.dtr		 = icrypt_dtr,
	.map		 = icrypt_map,
	.status		 = icrypt_status,
	.postsuspend	 = icrypt_postsuspend,
	.preresume	 = icrypt_preresume,
	.resume		 = icrypt_resume,
	.message	 = icrypt_message,
	.iterate_devices = icrypt_iterate_devices,
	.io_hints	 = icrypt_io_hints,
	.report_zones	 = icrypt_report_zones,
};

static int __init icrypt_init(void)
{
	int err;

	if (takeover) {
		/*
		 * Only one name is registered: cryptsetup derives the features of
		 * "crypt" from the version of that target, so the version has to
		 * be that of dm-crypt.
		 */
		icrypt_target.name = "crypt";
		icrypt_target.version[0] = 1;
		icrypt_target.version[1] = ICRYPT_DM_CRYPT_MINOR;
		icrypt_target.version[2] = 0;
	}
	icrypt_engine_module_init();
	err = icrypt_selftest();
	if (err)
		goto engine;
	icrypt_read_module_init();
	err = icrypt_pages_module_init();
	if (err)
		goto engine;
	err = dm_register_target(&icrypt_target);
	if (!err)
		return 0;
	icrypt_pages_module_exit();

	/* 6.1 prints no message itself. */
	DMERR("cannot register the target \"%s\": another module provides it", icrypt_target.name);
	if (takeover)
		DMERR("takeover: run \"rmmod dm-crypt\" first, or load without takeover=1");
	/* modprobe would take -EEXIST as "this module is loaded already". */
	if (err == -EEXIST)
		err = -EBUSY;
engine:
	icrypt_engine_module_exit();
	return err;
}

static void __exit icrypt_exit(void)
{
	dm_unregister_target(&icrypt_target);
	icrypt_pages_module_exit();
	icrypt_read_module_exit();
	icrypt_engine_module_exit();
}

module_init(icrypt_init);
module_exit(icrypt_exit);

MODULE_DESCRIPTION("device-mapper target for encryption that completes in one context");
MODULE_LICENSE("GPL");
