// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much of a bio map takes: all of it, a part, or nothing. If map takes a part, dm
 * calls it once more with the rest.
 *
 * Map takes a part if max_read_size or max_write_size says so; of polled I/O that is too
 * large for the device below, which must not split it; of a write that is larger than a
 * bio of single pages; of a large write that is shared with workers (icrypt_write_piece()
 * of context.c); and of I/O with integrity metadata when memory is short.
 */

#include "icrypt.h"

/**
 * icrypt_accept_part() - take only a part of a bio
 * @io:    the bio
 * @bytes: size of the part, a multiple of icrypt_block_size()
 *
 * Context: process, in map; does not sleep.
 */
void icrypt_accept_part(struct icrypt_io *io, unsigned int bytes)
{
	dm_accept_partial_bio(io->bio, bytes >> SECTOR_SHIFT);
	io->bytes = bytes;
	io->rest = true;
}

/**
 * icrypt_end_unsent() - end a bio in map before any part of it was sent
 * @io:     the bio; it has no tags
 * @nowait: end it with BLK_STS_AGAIN: its submitter may try again where it can wait
 *
 * Context: process, in map; does not sleep.
 * Return: DM_MAPIO_SUBMITTED.
 */
int icrypt_end_unsent(struct icrypt_io *io, bool nowait)
{
	struct bio *bio = io->bio;

	if (nowait) {
		bio_wouldblock_error(bio);
	} else {
		bio->bi_status = BLK_STS_RESOURCE;
		bio_endio(bio);
	}
	return DM_MAPIO_SUBMITTED;
}

/**
 * icrypt_rest_may_wait() - may a part of this bio be sent before the rest of it?
 * @io: the bio
 *
 * A bio that must not wait is refused as a whole before any part of it is sent. Its
 * submitter then submits it again where it may wait. There are two exceptions: writes
 * to zones wait anyway. Polled I/O never waits wherever it is submitted, so it would be
 * refused forever.
 *
 * Context: process, in map; does not sleep.
 * Return: whether it may be split.
 */
bool icrypt_rest_may_wait(const struct icrypt_io *io)
{
	return (io->bio->bi_opf & (REQ_NOWAIT | REQ_POLLED)) != REQ_NOWAIT ||
	       (io->desc.write && icrypt_is_ordered(io->cc, io->bio));
}

/**
 * icrypt_may_split_write() - may map accept only a part of this write?
 * @bio: the clone in map, not yet remapped
 *
 * It may not if dm itself splits writes to zoned devices and this is one. If dm does not
 * split them, it turns zone appends into writes with REQ_NOMERGE, which must be written
 * whole. An atomic write must never be split.
 *
 * Context: any.
 * Return: whether icrypt_accept_part() is legal.
 */
bool icrypt_may_split_write(const struct bio *bio)
{
	if (bio->bi_opf & ICRYPT_REQ_ATOMIC)
		return false;
	if (!bdev_is_zoned(bio->bi_bdev))
		return true;
	return !ICRYPT_DM_SPLITS_ZONED && !(bio->bi_opf & REQ_NOMERGE);
}

/**
 * icrypt_limit_size() - apply the user's limit, except to writes that must not be split
 * @io:  the bio
 * @max: the limit, bytes; 0 is none
 *
 * Context: process, in map; does not sleep.
 * Return: false if the bio is to be refused, because the rest of it might have to wait.
 */
bool icrypt_limit_size(struct icrypt_io *io, unsigned int max)
{
	unsigned int align = icrypt_block_size(io->cc);

	if (!max || (io->desc.write && !icrypt_may_split_write(io->bio)))
		return true;
	max = max(round_down(max, align), align);
	if (io->bytes <= max)
		return true;
	if (!icrypt_rest_may_wait(io))
		return false;
	icrypt_accept_part(io, max);
	return true;
}

/*
 * How much of a bio the device below accepts unsplit, bytes. This considers the sector
 * and the size of the bio, but not its segments.
 */
static unsigned int split_max(const struct icrypt_io *io)
{
	struct block_device *bdev = io->cc->dev->bdev;
	const struct queue_limits *lim = &bdev_get_queue(bdev)->limits;
	u64 sector = get_start_sect(bdev) + io->cc->start + io->sector;
	unsigned int block = lim->physical_block_size >> SECTOR_SHIFT;
	/* A device without a limit of its own reports the largest number. */
	unsigned int most = min(lim->max_sectors, UINT_MAX >> (SECTOR_SHIFT + 1));
	unsigned int over, end;

	if (lim->chunk_sectors) {
		div_u64_rem(sector, lim->chunk_sectors, &over);
		most = min(most, lim->chunk_sectors - over);
	}
	/* Prefer to end at the end of a physical block. */
	over = sector & (block - 1);
	end = round_down(over + most, block);
	return to_bytes(end > over ? end - over : most);
}

/**
 * icrypt_unsplit_read_max() - how much of a polled read does the device below accept?
 * @io: the read, of which icrypt_is_unsplit() is true
 *
 * Polled I/O that must not wait keeps both properties wherever it is submitted again, and
 * the device refuses a bio that it would have to split. Segments are counted as the block
 * layer counts them before it merges any.
 *
 * Context: process, in map; does not sleep.
 * Return: bytes, at least a block.
 */
unsigned int icrypt_unsplit_read_max(const struct icrypt_io *io)
{
	const struct queue_limits *lim = &bdev_get_queue(io->cc->dev->bdev)->limits;
	unsigned int block = icrypt_block_size(io->cc), most = split_max(io);
	unsigned int bytes = 0, end = 0, segments = lim->max_segments;
	struct bvec_iter iter;
	struct bio_vec bv;

	bio_for_each_bvec(bv, io->bio, iter) {
		unsigned int done = 0;

		if (bytes >= most || (bytes && ((end | bv.bv_offset) & lim->virt_boundary_mask)))
			break;
		while (done < bv.bv_len && segments) {
			phys_addr_t at = page_to_phys(bv.bv_page) + bv.bv_offset + done;
			u64 len = lim->seg_boundary_mask - (at & lim->seg_boundary_mask);

			done += min3(len, (u64)lim->max_segment_size - 1,
				     (u64)bv.bv_len - done - 1) + 1;
			segments--;
		}
		bytes += done;
		if (done < bv.bv_len)
			break;
		end = bv.bv_offset + bv.bv_len;
	}
	return max(round_down(min(bytes, most), block), block);
}

/**
 * icrypt_unsplit_write_max() - how much of a polled write does the device below accept?
 * @io: the write, of which icrypt_is_unsplit() is true
 *
 * The device would refuse a larger bio instead of splitting it, and submitting it again
 * would not help. Each page may be a segment of its own, because pages are never merged.
 *
 * Context: process, in map; does not sleep.
 * Return: bytes, at least a block and at most ICRYPT_PAGES_MAX.
 */
unsigned int icrypt_unsplit_write_max(const struct icrypt_io *io)
{
	unsigned int most, block = icrypt_block_size(io->cc);

	if (!icrypt_may_split_write(io->bio))
		return ICRYPT_PAGES_MAX;
	most = min((unsigned int)bdev_max_segments(io->cc->dev->bdev) << PAGE_SHIFT,
		   split_max(io));
	return clamp(round_down(most, block), block, ICRYPT_PAGES_MAX);
}

/**
 * icrypt_limit_segments() - keep a write within one bio of our own
 * @limits: the queue limits of the mapped device
 * @zoned: whether the device below is zoned
 *
 * Neither an atomic write nor a zone append that dm turned into a write may be split.
 *
 * Context: process.
 */
void icrypt_limit_segments(struct queue_limits *limits, bool zoned)
{
	icrypt_limit_atomic_writes(limits, ICRYPT_PAGES_MAX);
	if (zoned)
		limits->max_hw_sectors = min_t(unsigned int, limits->max_hw_sectors,
					       ICRYPT_PAGES_MAX >> SECTOR_SHIFT);
	if (ICRYPT_SEGMENTS_MUST_FIT)
		limits->max_segment_size = PAGE_SIZE;
}
