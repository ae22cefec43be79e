/* SPDX-License-Identifier: Apache-2.0 */
/* dump_confine: the worker of `dump filter` reads the memory of a crashed process, which an attacker may have written.  So it has
 * no user, no groups, no way to open, connect or execute: its files are opened before. */
#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/dump_filter.h"

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

/* Everything else is refused with EPERM: a library that wants more must do without. */
static bool seccomp(void)
{
#ifdef THIS_ARCH
	static const int allowed[] = {
		SYS_read, SYS_write, SYS_pread64, SYS_readv, SYS_writev, SYS_close, SYS_fstat, SYS_lseek, SYS_mmap, SYS_munmap, SYS_mprotect,
		SYS_mremap, SYS_madvise, SYS_mlock, SYS_munlock, SYS_brk, SYS_futex, SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_rt_sigaction,
		SYS_rt_sigprocmask, SYS_clock_gettime, SYS_clock_nanosleep, SYS_gettimeofday, SYS_getrandom, SYS_sched_yield, SYS_getpid, SYS_gettid,
		SYS_tgkill, SYS_clone, SYS_set_robust_list, SYS_sched_getaffinity, SYS_poll, SYS_ppoll,
#ifdef SYS_clone3
		SYS_clone3,
#endif
#ifdef SYS_rseq
		SYS_rseq,
#endif
	};
	enum { N = sizeof(allowed) / sizeof(allowed[0]) };
	struct sock_filter code[N + 8];
	struct sock_fprog program = { 0, code };
	unsigned n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < N; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed[i], (uint8_t)(N - i), 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
#else
	return false;
#endif
}

bool filter_confine(const char *user, bool *ret_seccomp, const char **ret_why)
{
	/* 1: the kernel calls no handler if the handler crashes; 0 would not prevent that */
	const struct rlimit none = { 0, 0 }, one = { 1, 1 }, all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)setrlimit(RLIMIT_MEMLOCK, &all); /* secrets are locked; only root may ask for so much */
	(void)setrlimit(RLIMIT_CORE, &one);
	(void)setrlimit(RLIMIT_FSIZE, &none); /* a pipe is no file */
	if (geteuid() == 0) {
		const struct passwd *pw = getpwnam(user);

		*ret_why = "the worker's user does not exist";
		if (!pw || pw->pw_uid == 0)
			return false;
		*ret_why = "the worker's rights cannot be given up";
		if (setgroups(0, NULL) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 || setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0 ||
		    setuid(0) == 0)
			return false;
	}
	(void)prctl(PR_SET_DUMPABLE, 0);
	*ret_why = "no_new_privs is refused";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return false;
	/* kernels without seccomp: the worker still runs without the user's rights; this is logged */
	*ret_seccomp = seccomp();
	*ret_why = "";
	return true;
}
