/* What the programs in process.bpf.c write into the ring buffer; shared with the C++ side. */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

enum process_event_kind {
  PROCESS_FORK = 1,
  PROCESS_EXEC = 2,
  PROCESS_EXIT = 3,
  SOCKET_CALL = 4,   /* a TCP connection is opened, or a UDP socket sends to somebody new */
  SOCKET_LISTEN = 5, /* a TCP socket listens */
  SOCKET_CLOSED = 6, /* no more */
};

enum {
  GROUP_NAME = 96,   /* "cri-containerd-" + 64 digits + ".scope" is 86 with its end */
  GROUP_LEVELS = 3,  /* a cgroup and its two parents: containers may hold sub-groups */
  PATH_BYTES = 1024, /* names of a path, nearest the file first, each with its NUL */
  CWD_BYTES = 512,
  FILE_BYTES = 512,
  TTY_NAME = 16,
  /* Size classes of argument vectors: the ring buffer reserves constant sizes only. */
  ARGS_SMALL = 512,
  ARGS_MEDIUM = 4096,
  ARGS_LARGE = 32768,
};

struct process_event {
  __u32 kind;
  __u32 pid;    /* thread group, as seen by the initial pid namespace */
  __u32 parent; /* real parent's thread group */
  __u32 uid;
  __u64 boot_ns;   /* CLOCK_BOOTTIME */
  __u32 exit_code; /* wait status: low 7 bits signal, bits 8-15 code */
  __u32 unused;
};

struct socket_event {
  struct process_event head; /* pid 0: sent later by the kernel, the sender is not known */
  __u64 cgroup;              /* id of the unified hierarchy's cgroup that the socket was made in, 0 unknown */
  __u32 net;                 /* its network namespace's inode */
  __u16 family;              /* AF_INET, AF_INET6 */
  __u16 local_port, remote_port;
  __u8 protocol;
  __u8 bound; /* the process asked for this local port */
  __u8 unused[4];
  __u8 local[16], remote[16]; /* 4 bytes used for AF_INET */
};

struct exec_event {
  struct process_event head;
  __u64 cgroup;   /* id of the unified hierarchy's cgroup */
  __u64 ctime_ns; /* of the executable, 0 where unknown */
  __u64 magic;    /* its file system's super block magic */
  __u64 inode;
  __u32 nlink;
  __u32 args_length; /* bytes in args */
  __u32 path_length; /* bytes in path */
  __u32 cwd_length;
  __u8 args_cut;
  __u8 memfd;          /* an anonymous memory file */
  __u8 interpreted;    /* "#!": `filename` is the script */
  __u8 parents_mounts; /* shares its parent's mount namespace */
  __u8 path_cut;
  __u8 cwd_cut;
  __u8 unused[2];
  /* Names of the task's cgroup and its parents: [0] unified hierarchy, [1] a legacy one where it is another.
   */
  char group[2][GROUP_LEVELS][GROUP_NAME];
  char tty[TTY_NAME]; /* "pts0"; "" for none */
  char filename[FILE_BYTES];
  char path[PATH_BYTES];
  char cwd[CWD_BYTES];
  char args[];
};
