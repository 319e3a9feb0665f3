// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cipher driver that is wrong: cbc(aes) that takes another IV than it was given, once
 * the parameter says so. The kernel's own tests of a new driver see it right.
 */

#include <crypto/internal/skcipher.h>
#include <crypto/skcipher.h>
#include <linux/module.h>

static bool wrong;
module_param(wrong, bool, 0644);
MODULE_PARM_DESC(wrong, "Give wrong answers (default: no)");

static int crypt(struct skcipher_request *req, int (*op)(struct skcipher_request *req))
{
	struct crypto_skcipher **child = crypto_skcipher_ctx(crypto_skcipher_reqtfm(req));
	struct skcipher_request *sub = skcipher_request_ctx(req);

	req->iv[0] ^= READ_ONCE(wrong);
	skcipher_request_set_tfm(sub, *child);
	skcipher_request_set_callback(sub, req->base.flags, NULL, NULL);
	skcipher_request_set_crypt(sub, req->src, req->dst, req->cryptlen, req->iv);
	return op(sub);
}

static int wrong_encrypt(struct skcipher_request *req)
{
	return crypt(req, crypto_skcipher_encrypt);
}

static int wrong_decrypt(struct skcipher_request *req)
{
	return crypt(req, crypto_skcipher_decrypt);
}

static int wrong_setkey(struct crypto_skcipher *tfm, const u8 *key, unsigned int len)
{
	struct crypto_skcipher **child = crypto_skcipher_ctx(tfm);

	return crypto_skcipher_setkey(*child, key, len);
}

static int wrong_init(struct crypto_skcipher *tfm)
{
	struct crypto_skcipher **child = crypto_skcipher_ctx(tfm);

	*child = crypto_alloc_skcipher("cbc(aes-generic)", 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(*child)) /* the library's, on newer kernels */
		*child = crypto_alloc_skcipher("cbc(aes-lib)", 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(*child))
		return PTR_ERR(*child);
	crypto_skcipher_set_reqsize(tfm, sizeof(struct skcipher_request) +
				    crypto_skcipher_reqsize(*child));
	return 0;
}

static void wrong_exit(struct crypto_skcipher *tfm)
{
	struct crypto_skcipher **child = crypto_skcipher_ctx(tfm);

	crypto_free_skcipher(*child);
}

static struct skcipher_alg wrong_alg = {
	.base.cra_name		= "cbc(aes)",
	.base.cra_driver_name	= "cbc-aes-wrong",
	.base.cra_priority	= 10000,
	.base.cra_blocksize	= 16,
	.base.cra_ctxsize	= sizeof(struct crypto_skcipher *),
	.base.cra_module	= THIS_MODULE,
	.min_keysize		= 16,
	.max_keysize		= 32,
	.ivsize			= 16,
	.setkey			= wrong_setkey,
	.encrypt		= wrong_encrypt,
	.decrypt		= wrong_decrypt,
	.init			= wrong_init,
	.exit			= wrong_exit,
};

static int __init icrypt_test_wrong_init(void)
{
	return crypto_register_skcipher(&wrong_alg);
}

static void __exit icrypt_test_wrong_exit(void)
{
	crypto_unregister_skcipher(&wrong_alg);
}

module_init(icrypt_test_wrong_init);
module_exit(icrypt_test_wrong_exit);

MODULE_DESCRIPTION("A wrong cipher for the tests of dm-inline-crypt");
MODULE_LICENSE("GPL");
