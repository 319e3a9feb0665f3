/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lockstep.c uses of QEMU's TCG plugin interface, version 4 (QEMU 9.2 to 10.0).
 * Declared here because Debian ships no header of it.
 */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLUGIN_VERSION	4

typedef uint64_t plugin_id_t;

struct plugin_info {
	const char	*target;
	struct {
		int	min, cur;
	} version;
	bool		system;		/* a machine, not one process */
	int		vcpus, max_vcpus;
};

/* A 64-bit number that each vCPU has of its own. */
struct qemu_plugin_scoreboard;

typedef struct {
	struct qemu_plugin_scoreboard	*score;
	size_t				offset;
} plugin_u64;

struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum { PLUGIN_NO_REGS = 0 };		/* what a callback sees of the registers */
enum { PLUGIN_MEM_W = 2 };
enum { PLUGIN_COND_GE = 7 };
enum { PLUGIN_ADD_U64 = 0 };

typedef void (*plugin_vcpu_fn)(plugin_id_t id, unsigned int vcpu);
typedef void (*plugin_tb_fn)(unsigned int vcpu, void *data);

struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *score, unsigned int vcpu);

void qemu_plugin_register_vcpu_init_cb(plugin_id_t id, plugin_vcpu_fn fn);
void qemu_plugin_register_vcpu_idle_cb(plugin_id_t id, plugin_vcpu_fn fn);
void qemu_plugin_register_vcpu_resume_cb(plugin_id_t id, plugin_vcpu_fn fn);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id_t id,
					   void (*fn)(plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_atexit_cb(plugin_id_t id, void (*fn)(plugin_id_t id, void *data),
				    void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t size);

void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *tb, int op,
						       plugin_u64 entry, uint64_t value);
void qemu_plugin_register_vcpu_tb_exec_cond_cb(struct qemu_plugin_tb *tb, plugin_tb_fn fn,
					       int regs, int cond, plugin_u64 entry,
					       uint64_t value, void *data);
void qemu_plugin_register_vcpu_mem_inline_per_vcpu(struct qemu_plugin_insn *insn, int rw, int op,
						   plugin_u64 entry, uint64_t value);

#endif /* PLUGIN_H */
