/* Every fork, exec and exit of the machine, with what is needed to attribute them without looking at /proc
 * later: the whole argument vector, the path and the change time of the file that runs, and the names of its
 * cgroups. */
#include "kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "process_events.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4 * 1024 * 1024);
} events SEC(".maps");

/* Events that found the ring buffer full; read by the C++ side. */
__u64 dropped_forks, dropped_execs, dropped_exits, dropped_sockets;
/* Set by the reader before it sleeps; whoever writes first then wakes it. While it is awake it gathers in
 * short windows, so that a storm of events costs a few hundred wake-ups a second and an idle machine none. */
__u32 reader_asleep;

static __always_inline __u64 wake_flag(void) {
  if (*(volatile __u32*)&reader_asleep == 0) return BPF_RB_NO_WAKEUP;
  *(volatile __u32*)&reader_asleep = 0;
  return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void group_names(struct cgroup* group, char names[GROUP_LEVELS][GROUP_NAME]) {
  struct kernfs_node* node = BPF_CORE_READ(group, kn);
#pragma unroll
  for (int level = 0; level < GROUP_LEVELS; ++level) {
    names[level][0] = 0;
    if (!node) continue;
    bpf_probe_read_kernel_str(names[level], GROUP_NAME, BPF_CORE_READ(node, name));
    if (bpf_core_field_exists(((struct kernfs_node___since615*)0)->__parent))
      node = BPF_CORE_READ((struct kernfs_node___since615*)node, __parent);
    else
      node = BPF_CORE_READ(node, parent);
  }
}

static __always_inline struct cgroup* legacy_group(struct css_set* set) {
  struct cgroup_subsys_state* state = 0;
  if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
    bpf_core_read(&state, sizeof(state),
                  &set->subsys[bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)]);
  else if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
    bpf_core_read(&state, sizeof(state),
                  &set->subsys[bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id)]);
  else if (bpf_core_enum_value_exists(enum cgroup_subsys_id, devices_cgrp_id))
    bpf_core_read(&state, sizeof(state),
                  &set->subsys[bpf_core_enum_value(enum cgroup_subsys_id, devices_cgrp_id)]);
  return state ? BPF_CORE_READ(state, cgroup) : 0;
}

/* Writes the names of a path, the last one first, crossing mounts upwards; the reader turns them round.
 * The count of used bytes lives in the event: the verifier knows nothing of what it reads back from there, so
 * that all steps of the loop look alike to it and it need not try every length of every name. */
static __always_inline void path_names(struct dentry* entry, struct vfsmount* mounted, char* out,
                                       const __u32 size, volatile __u32* used, volatile __u8* cut) {
  struct mount* mount = (void*)mounted - bpf_core_field_offset(struct mount, mnt);
  *used = 0;
  *cut = 1;
  for (int step = 0; step < 40; ++step) {
    struct dentry* root = BPF_CORE_READ(mount, mnt.mnt_root);
    struct dentry* parent = BPF_CORE_READ(entry, d_parent);
    if (entry == root) {
      struct mount* above = BPF_CORE_READ(mount, mnt_parent);
      if (above == mount) { /* the namespace's root */
        *cut = 0;
        return;
      }
      entry = BPF_CORE_READ(mount, mnt_mountpoint);
      mount = above;
      continue;
    }
    __u32 at = *used;
    if (at > size - 256) return;
    long length = bpf_probe_read_kernel_str(out + at, 256, BPF_CORE_READ(entry, d_name.name));
    if (length <= 0) return;
    *used = at + length;
    if (entry == parent) { /* a file without a place: memfd, or a lazily unmounted tree */
      *cut = 0;
      return;
    }
    entry = parent;
  }
}

static __always_inline __u64 change_time(struct inode* inode) {
  if (bpf_core_field_exists(inode->i_ctime_sec))
    return (__u64)BPF_CORE_READ(inode, i_ctime_sec) * 1000000000ULL + BPF_CORE_READ(inode, i_ctime_nsec);
  struct inode___before611* middle = (void*)inode;
  if (bpf_core_field_exists(middle->__i_ctime))
    return (__u64)BPF_CORE_READ(middle, __i_ctime.tv_sec) * 1000000000ULL +
           BPF_CORE_READ(middle, __i_ctime.tv_nsec);
  struct inode___before66* old = (void*)inode;
  if (bpf_core_field_exists(old->i_ctime))
    return (__u64)BPF_CORE_READ(old, i_ctime.tv_sec) * 1000000000ULL + BPF_CORE_READ(old, i_ctime.tv_nsec);
  return 0;
}

static __always_inline int emit_exec(struct task_struct* task, struct linux_binprm* program,
                                     unsigned long from, unsigned long length, const __u32 room) {
  struct exec_event* event = bpf_ringbuf_reserve(&events, sizeof(*event) + room, 0);
  if (!event) {
    __sync_fetch_and_add(&dropped_execs, 1);
    return 0;
  }
  struct task_struct* parent = BPF_CORE_READ(task, real_parent);
  event->head.kind = PROCESS_EXEC;
  event->head.pid = bpf_get_current_pid_tgid() >> 32;
  event->head.parent = BPF_CORE_READ(parent, tgid);
  event->head.uid = (__u32)bpf_get_current_uid_gid();
  event->head.boot_ns = bpf_ktime_get_boot_ns();
  event->head.exit_code = event->head.unused = 0;

  struct css_set* set = BPF_CORE_READ(task, cgroups);
  struct cgroup* unified = BPF_CORE_READ(set, dfl_cgrp);
  event->cgroup = BPF_CORE_READ(unified, kn, id);
  group_names(unified, event->group[0]);
  struct cgroup* legacy = legacy_group(set);
  event->group[1][0][0] = event->group[1][1][0] = event->group[1][2][0] = 0;
  if (legacy && legacy != unified) group_names(legacy, event->group[1]);
  struct mnt_namespace* mounts = BPF_CORE_READ(task, nsproxy, mnt_ns);
  event->parents_mounts = mounts == BPF_CORE_READ(parent, nsproxy, mnt_ns);

  struct file* file = BPF_CORE_READ(task, mm, exe_file);
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  event->ctime_ns = change_time(inode);
  event->nlink = BPF_CORE_READ(inode, i_nlink);
  event->magic = BPF_CORE_READ(inode, i_sb, s_magic);
  event->inode = BPF_CORE_READ(inode, i_ino);
  event->tty[0] = 0;
  struct tty_struct* tty = BPF_CORE_READ(task, signal, tty);
  if (tty) bpf_probe_read_kernel_str(event->tty, TTY_NAME, &tty->name);
  struct dentry* entry = BPF_CORE_READ(file, f_path.dentry);
  struct vfsmount* mounted = BPF_CORE_READ(file, f_path.mnt);
  path_names(entry, mounted, event->path, PATH_BYTES, &event->path_length, &event->path_cut);
  if (event->path_length ==
      0) { /* mounted by itself and unmounted meanwhile, as runtimes do with their own binary */
    long length = bpf_probe_read_kernel_str(event->path, 256, BPF_CORE_READ(entry, d_name.name));
    event->path_length = length > 0 ? length : 0;
  }
  char start[8] = {};
  bpf_probe_read_kernel_str(start, sizeof(start), BPF_CORE_READ(entry, d_name.name));
  /* A memfd has no parent directory and is not the root of its mount. */
  event->memfd = BPF_CORE_READ(entry, d_parent) == entry && start[0] == 'm' && start[1] == 'e' &&
                 start[2] == 'm' && start[3] == 'f' && start[4] == 'd' && start[5] == ':';
  path_names(BPF_CORE_READ(task, fs, pwd.dentry), BPF_CORE_READ(task, fs, pwd.mnt), event->cwd, CWD_BYTES,
             &event->cwd_length, &event->cwd_cut);

  const char* name = BPF_CORE_READ(program, filename);
  event->interpreted = name != BPF_CORE_READ(program, interp);
  event->filename[0] = 0;
  bpf_probe_read_kernel_str(event->filename, FILE_BYTES, name);

  event->args_cut = length > room;
  asm volatile("" : "+r"(length)); /* keeps the compiler from folding the bound away from the verifier */
  if (length > room) length = room;
  event->args_length = length;
  if (bpf_probe_read_user(event->args, length, (const void*)from) != 0) {
    event->args_length = 0;
    event->args_cut = 1;
  }
  bpf_ringbuf_submit(event, wake_flag());
  return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct* task, int old_pid, struct linux_binprm* program) {
  unsigned long from = BPF_CORE_READ(task, mm, arg_start);
  unsigned long length = BPF_CORE_READ(task, mm, arg_end) - from;
  if (length <= ARGS_SMALL) return emit_exec(task, program, from, length, ARGS_SMALL);
  if (length <= ARGS_MEDIUM) return emit_exec(task, program, from, length, ARGS_MEDIUM);
  return emit_exec(task, program, from, length, ARGS_LARGE);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct* parent, struct task_struct* child) {
  __u32 pid = BPF_CORE_READ(child, tgid);
  if (pid != (__u32)BPF_CORE_READ(child, pid)) return 0; /* a thread */
  struct process_event* event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) {
    __sync_fetch_and_add(&dropped_forks, 1);
    return 0;
  }
  event->kind = PROCESS_FORK;
  event->pid = pid;
  event->parent = BPF_CORE_READ(child, real_parent, tgid);
  event->uid = (__u32)bpf_get_current_uid_gid();
  event->boot_ns = bpf_ktime_get_boot_ns();
  event->exit_code = event->unused = 0;
  bpf_ringbuf_submit(event, wake_flag());
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct* task) {
  /* The thread that brings the count of living threads to zero ends the process, whichever it is. */
  if (BPF_CORE_READ(task, signal, live.counter) != 0) return 0;
  struct process_event* event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) {
    __sync_fetch_and_add(&dropped_exits, 1);
    return 0;
  }
  int group_code = BPF_CORE_READ(task, signal, group_exit_code);
  event->kind = PROCESS_EXIT;
  event->pid = BPF_CORE_READ(task, tgid);
  event->parent = 0;
  event->uid = (__u32)bpf_get_current_uid_gid();
  event->boot_ns = bpf_ktime_get_boot_ns();
  event->exit_code = group_code ? group_code : BPF_CORE_READ(task, exit_code);
  event->unused = 0;
  bpf_ringbuf_submit(event, wake_flag());
  return 0;
}

#include "sockets.bpf.h"
