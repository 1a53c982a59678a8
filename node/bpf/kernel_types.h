/* The few kernel structures that the programs read. The loader relocates every field by name against the
 * running kernel's BTF (CO-RE), so neither offsets nor missing fields matter here and no vmlinux.h is needed
 * to build. */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u16 __le16;
typedef __u32 __le32;
typedef __u64 __le64;
typedef __u32 __wsum;
typedef __u16 __sum16;
typedef _Bool bool;
enum { false = 0, true = 1 };

/* uapi/linux/bpf.h */
enum { BPF_MAP_TYPE_LRU_HASH = 9, BPF_MAP_TYPE_RINGBUF = 27 };
enum { BPF_ANY = 0 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2, BPF_RB_AVAIL_DATA = 0 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
  int counter;
} atomic_t;

struct qstr {
  const unsigned char* name;
};

struct super_block {
  unsigned long s_magic;
};

struct timespec64 {
  __s64 tv_sec;
  long tv_nsec;
};

/* The change time was renamed twice; names behind ___ are ignored when relocating. */
struct inode { /* since 6.11 */
  const unsigned int i_nlink;
  unsigned long i_ino;
  struct super_block* i_sb;
  __s64 i_ctime_sec;
  __u32 i_ctime_nsec;
};
struct inode___before611 { /* 6.6 to 6.10 */
  struct timespec64 __i_ctime;
};
struct inode___before66 {
  struct timespec64 i_ctime;
};

struct dentry {
  struct dentry* d_parent;
  struct qstr d_name;
  struct inode* d_inode;
};

struct vfsmount {
  struct dentry* mnt_root;
};

struct mount {
  struct mount* mnt_parent;
  struct dentry* mnt_mountpoint;
  struct vfsmount mnt;
};

struct path {
  struct vfsmount* mnt;
  struct dentry* dentry;
};

struct cred;
struct file {
  struct path f_path;
  struct inode* f_inode;
  const struct cred* f_cred;
};

struct mm_struct {
  unsigned long arg_start, arg_end;
  struct file* exe_file;
};

struct fs_struct {
  struct path pwd;
};

struct ns_common {
  unsigned int inum;
};
struct mnt_namespace {
  struct ns_common ns;
};
struct net {
  struct ns_common ns;
};
struct nsproxy {
  struct mnt_namespace* mnt_ns;
  struct net* net_ns;
};

struct kernfs_node {
  struct kernfs_node* parent;
  const char* name;
  __u64 id;
};
struct kernfs_node___since615 {
  struct kernfs_node* __parent;
};

struct cgroup {
  int level;
  struct kernfs_node* kn;
};
struct cgroup_subsys_state {
  struct cgroup* cgroup;
};
enum cgroup_subsys_id { devices_cgrp_id = 5, memory_cgrp_id = 4, pids_cgrp_id = 11 };
struct css_set {
  struct cgroup_subsys_state* subsys[16];
  struct cgroup* dfl_cgrp;
};

struct tty_struct {
  char name[64];
};
struct signal_struct {
  struct tty_struct* tty;
  atomic_t live;
  int group_exit_code;
};

typedef struct {
  struct net* net;
} possible_net_t;

struct in6_addr {
  union {
    __u8 u6_addr8[16];
  } in6_u;
};

struct sock_common {
  __be32 skc_daddr, skc_rcv_saddr;
  __be16 skc_dport;
  __u16 skc_num;
  unsigned short skc_family;
  volatile unsigned char skc_state;
  possible_net_t skc_net;
  struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock_cgroup_data {
  struct cgroup* cgroup; /* since 5.15 */
};
struct socket {
  struct file* file;
};
struct sock {
  struct sock_common __sk_common;
  unsigned char sk_userlocks : 4;
  __u16 sk_protocol;
  struct sock_cgroup_data sk_cgrp_data;
  struct socket* sk_socket;
};

struct inet_sock {
  __be16 inet_sport;
};

struct sk_buff {
  struct sock* sk;
  unsigned char* head;
  __u16 network_header;
  __be16 protocol;
};

struct task_struct {
  int pid, tgid;
  int exit_code;
  struct task_struct* real_parent;
  const struct cred* cred;
  struct mm_struct* mm;
  struct fs_struct* fs;
  struct nsproxy* nsproxy;
  struct css_set* cgroups;
  struct signal_struct* signal;
};

struct linux_binprm {
  const char* filename;
  const char* interp;
};

#pragma clang attribute pop
