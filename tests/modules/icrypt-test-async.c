// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cipher driver that answers later, as hardware does: "test-async" is
 * xts(aes), done by a worker that completes with bottom halves off.
 *
 * The queue is short, so that a full one (-EBUSY, backlog) happens often, and
 * every fail_every'th request fails with fail_errno: in the driver's answer, or
 * at once where fail_sync is set.
 */

#include <crypto/algapi.h>
#include <crypto/internal/skcipher.h>
#include <crypto/skcipher.h>
#include <linux/module.h>
#include <linux/version.h>
#include <linux/workqueue.h>

static unsigned int async_every = 1;
module_param(async_every, uint, 0644);
MODULE_PARM_DESC(async_every, "Answer every n'th request later, the others at once (0: none)");

static unsigned int fail_every;
module_param(fail_every, uint, 0644);
MODULE_PARM_DESC(fail_every, "Fail every n'th request (0: none)");

static int fail_errno = EIO;
module_param(fail_errno, int, 0644);
MODULE_PARM_DESC(fail_errno, "The error, as a positive number");

static unsigned int fail_bytes;
module_param(fail_bytes, uint, 0644);
MODULE_PARM_DESC(fail_bytes, "Count and fail only requests of this size, bytes (0: all)");

static bool fail_sync;
module_param(fail_sync, bool, 0644);
MODULE_PARM_DESC(fail_sync, "Fail when the request comes in, without touching any data");

static unsigned int queue_len = 4;
module_param(queue_len, uint, 0444);
MODULE_PARM_DESC(queue_len, "Requests that the driver's queue takes before it answers -EBUSY");

static bool answer_first;
module_param(answer_first, bool, 0644);
MODULE_PARM_DESC(answer_first, "Where the submitter may sleep, have the answer before it comes back");

static atomic_t busy, inprogress, failed;

static int show(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", atomic_read((atomic_t *)kp->arg));
}

static const struct kernel_param_ops show_ops = { .get = show };

module_param_cb(busy, &show_ops, &busy, 0444);
MODULE_PARM_DESC(busy, "How often the queue was full");
module_param_cb(inprogress, &show_ops, &inprogress, 0444);
MODULE_PARM_DESC(inprogress, "How often the answer was -EINPROGRESS");
module_param_cb(failed, &show_ops, &failed, 0444);
MODULE_PARM_DESC(failed, "How many requests were made to fail");

struct test_ctx {
	struct crypto_skcipher *child;
};

struct test_req {
	bool encrypt;
	bool fail;
	struct skcipher_request child;	/* with its context behind it */
};

static struct crypto_queue queue;
static DEFINE_SPINLOCK(queue_lock);
static struct workqueue_struct *wq;
static atomic_t requests, candidates;

static void work_fn(struct work_struct *work);
static DECLARE_WORK(work, work_fn);

static void complete_request(struct crypto_async_request *req, int err)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	crypto_request_complete(req, err);
#else
	req->complete(req, err);
#endif
}

static int run(struct skcipher_request *req)
{
	struct test_ctx *ctx = crypto_skcipher_ctx(crypto_skcipher_reqtfm(req));
	struct test_req *r = skcipher_request_ctx(req);

	skcipher_request_set_tfm(&r->child, ctx->child);
	skcipher_request_set_callback(&r->child, 0, NULL, NULL);
	skcipher_request_set_crypt(&r->child, req->src, req->dst, req->cryptlen, req->iv);
	return r->encrypt ? crypto_skcipher_encrypt(&r->child) :
			    crypto_skcipher_decrypt(&r->child);
}

static void work_fn(struct work_struct *w)
{
	for (;;) {
		struct crypto_async_request *req, *backlog;
		struct skcipher_request *sk;
		struct test_req *r;
		int err;

		spin_lock_bh(&queue_lock);
		backlog = crypto_get_backlog(&queue);
		req = crypto_dequeue_request(&queue);
		spin_unlock_bh(&queue_lock);
		if (!req)
			return;

		if (backlog) {
			local_bh_disable();
			complete_request(backlog, -EINPROGRESS);
			local_bh_enable();
		}
		sk = skcipher_request_cast(req);
		r = skcipher_request_ctx(sk);
		/* Failed half way, as hardware can: the data is garbage by then. */
		err = run(sk);
		if (r->fail)
			err = -fail_errno;
		local_bh_disable();
		complete_request(req, err);
		local_bh_enable();
	}
}

static int take(struct skcipher_request *req, bool encrypt)
{
	struct test_req *r = skcipher_request_ctx(req);
	unsigned int n = atomic_inc_return(&requests);
	int err;

	r->encrypt = encrypt;
	r->fail = fail_every && (!fail_bytes || req->cryptlen == fail_bytes) &&
		  atomic_inc_return(&candidates) % fail_every == 0;
	if (r->fail) {
		atomic_inc(&failed);
		if (fail_sync)
			return -fail_errno;
	}
	if (!async_every || n % async_every)
		return r->fail ? -fail_errno : run(req);

	spin_lock_bh(&queue_lock);
	err = crypto_enqueue_request(&queue, &req->base);
	spin_unlock_bh(&queue_lock);
	if (err == -EBUSY)
		atomic_inc(&busy);
	else if (err == -EINPROGRESS)
		atomic_inc(&inprogress);
	queue_work(wq, &work);
	if (answer_first && preemptible())
		flush_work(&work);
	return err;
}

static int test_encrypt(struct skcipher_request *req)
{
	return take(req, true);
}

static int test_decrypt(struct skcipher_request *req)
{
	return take(req, false);
}

static int test_setkey(struct crypto_skcipher *tfm, const u8 *key, unsigned int len)
{
	struct test_ctx *ctx = crypto_skcipher_ctx(tfm);

	return crypto_skcipher_setkey(ctx->child, key, len);
}

static int test_init(struct crypto_skcipher *tfm)
{
	struct test_ctx *ctx = crypto_skcipher_ctx(tfm);

	ctx->child = crypto_alloc_skcipher("xts(aes)", 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(ctx->child))
		return PTR_ERR(ctx->child);
	crypto_skcipher_set_reqsize(tfm, sizeof(struct test_req) +
				    crypto_skcipher_reqsize(ctx->child));
	return 0;
}

static void test_exit(struct crypto_skcipher *tfm)
{
	struct test_ctx *ctx = crypto_skcipher_ctx(tfm);

	crypto_free_skcipher(ctx->child);
}

static struct skcipher_alg test_alg = {
	.base.cra_name		= "test-async",
	.base.cra_driver_name	= "test-async-lab",
	.base.cra_priority	= 1,
	.base.cra_flags		= CRYPTO_ALG_ASYNC,
	.base.cra_blocksize	= 16,
	.base.cra_ctxsize	= sizeof(struct test_ctx),
	.base.cra_module	= THIS_MODULE,
	.min_keysize		= 32,
	.max_keysize		= 64,
	.ivsize			= 16,
	.setkey			= test_setkey,
	.encrypt		= test_encrypt,
	.decrypt		= test_decrypt,
	.init			= test_init,
	.exit			= test_exit,
};

static int __init icrypt_test_async_init(void)
{
	int err;

	wq = alloc_workqueue("icrypt_test_async", WQ_MEM_RECLAIM | WQ_UNBOUND, 1);
	if (!wq)
		return -ENOMEM;
	crypto_init_queue(&queue, queue_len);
	err = crypto_register_skcipher(&test_alg);
	if (err)
		destroy_workqueue(wq);
	return err;
}

static void __exit icrypt_test_async_exit(void)
{
	crypto_unregister_skcipher(&test_alg);
	destroy_workqueue(wq);
}

module_init(icrypt_test_async_init);
module_exit(icrypt_test_async_exit);

MODULE_DESCRIPTION("An asynchronous cipher for the tests of dm-inline-crypt");
MODULE_LICENSE("GPL");
