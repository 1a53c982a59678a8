#include "node/sources/process_connector.hpp"

#include "node/sources/process_files.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace iris {
namespace {

// Numbers of linux/cn_proc.h; their enum moved in Linux 6.6, so they are spelt out.
constexpr std::uint32_t event_fork = 0x00000001, event_exec = 0x00000002, event_exit = 0x80000000;
constexpr std::size_t event_at = NLMSG_HDRLEN + sizeof(cn_msg); ///< where proc_event starts in a datagram
constexpr std::size_t data_at = event_at + 16;                  ///< what, cpu, timestamp come first
constexpr std::size_t drain_limit = 256;                        ///< events of one drain

/// Lets forks, execs and exits of whole processes pass, so that threads do not cost us a wake-up each.
/// Classic BPF loads words in network order: equality of two loaded words is unaffected, constants are
/// swapped.
Result<void> install_filter(int fd) {
  const auto word = [](std::size_t offset) { return std::uint32_t(offset); };
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, word(event_at)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(event_exec), 9, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(event_fork), 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(event_exit), 3, 6),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, word(data_at + 8)), // fork: child_pid
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_JMP | BPF_JA, 5),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, word(data_at)), // exit: process_pid
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_JMP | BPF_JA, 4),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, word(data_at + 12)), // fork: child_tgid
      BPF_STMT(BPF_JMP | BPF_JA, 1),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, word(data_at + 4)), // exit: process_tgid
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
  };
  sock_fprog program{sizeof code / sizeof code[0], code};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
    return Error{Errc::io, std::string{"cannot filter process events: "} + std::strerror(errno)};
  return {};
}

std::int64_t clock_now(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t(now.tv_sec) * second + now.tv_nsec;
}

class ProcessConnector final : public ProcessSensor {
public:
  ~ProcessConnector() override {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<void> open() {
    fd_ = ::socket(PF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
    if (fd_ < 0) return failed("open");
    const int room = 8 << 20;
    if (::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
      (void)::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (auto filtered = install_filter(fd_); !filtered) return filtered;
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = CN_IDX_PROC;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      return failed("subscribe to");
    // Asked by an old-style message, which every kernel takes.
    nlmsghdr header{};
    cn_msg message{};
    const std::uint32_t operation = PROC_CN_MCAST_LISTEN;
    char ask[event_at + sizeof operation]{};
    header.nlmsg_len = sizeof ask;
    header.nlmsg_type = NLMSG_DONE;
    message.id.idx = CN_IDX_PROC;
    message.id.val = CN_VAL_PROC;
    message.len = sizeof operation;
    std::memcpy(ask, &header, sizeof header);
    std::memcpy(ask + NLMSG_HDRLEN, &message, sizeof message);
    std::memcpy(ask + event_at, &operation, sizeof operation);
    if (::send(fd_, ask, sizeof ask, 0) < 0) return failed("ask for");
    return {};
  }

  const char* name() const override { return "connector"; }
  int descriptor() const override { return fd_; }
  bool urgent() const override { return true; }
  const std::string& without_sockets() const override {
    static const std::string why = "the process connector tells of processes only";
    return why;
  }
  std::uint64_t take_lost() override { return std::exchange(lost_, 0); }
  std::uint64_t take_unread() override { return std::exchange(unread_, 0); }

  std::size_t drain(ProcessSink& sink) override {
    if (!hurried_) { // whoever reads /proc late finds nothing: this thread goes before others (CAP_SYS_NICE)
      sched_param lowest{};
      lowest.sched_priority = 1;
      if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) != 0)
        (void)::setpriority(PRIO_PROCESS, id_t(::syscall(SYS_gettid)), -15);
      hurried_ = true;
    }
    std::size_t count = 0;
    alignas(nlmsghdr) char buffer[1024];
    while (count < drain_limit) {
      const auto size = ::recv(fd_, buffer, sizeof buffer, 0);
      if (size < 0) {
        if (errno == EINTR) continue;
        if (errno != ENOBUFS) break;
        ++lost_; // the kernel does not say how many
        continue;
      }
      if (std::size_t(size) >= data_at + 16) handle(buffer, sink);
      ++count;
    }
    return count;
  }

private:
  static Error failed(const char* step) {
    const int error = errno;
    return {error == EPERM || error == EACCES ? Errc::refused : Errc::unavailable,
            "cannot " + std::string{step} + " the kernel's process connector: " + std::strerror(error) +
                "; it needs CONFIG_PROC_EVENTS, CAP_NET_ADMIN and the host's user and pid namespace"};
  }

  void handle(const char* datagram, ProcessSink& sink) {
    std::uint32_t what = 0, data[4];
    std::uint64_t monotonic = 0;
    std::memcpy(&what, datagram + event_at, 4);
    std::memcpy(&monotonic, datagram + event_at + 8, 8);
    std::memcpy(data, datagram + data_at, sizeof data);
    // Events carry CLOCK_MONOTONIC; boot time differs by the time asleep.
    const auto boot_at = std::int64_t(monotonic) + clock_now(CLOCK_BOOTTIME) - clock_now(CLOCK_MONOTONIC);
    if (what == event_fork) sink.on_fork(data[1], data[3], boot_at);
    if (what == event_exit) sink.on_exit(data[1], data[2], boot_at);
    if (what != event_exec) return;
    SensedExec out;
    auto files = read_process(data[1]);
    out.unread = !files.complete;
    if (out.unread) {
      ++unread_;
      files.facts.container.reset(); // of what ended already the kernel says "/"; the fork knows better
    }
    files.facts.pid = data[1];
    out.facts = std::move(files.facts);
    out.file = files.file;
    out.boot_at = boot_at;
    sink.on_exec(std::move(out));
  }

  int fd_ = -1;
  std::uint64_t lost_ = 0, unread_ = 0;
  bool hurried_ = false;
};

} // namespace

Result<std::unique_ptr<ProcessSensor>> open_process_connector() {
  auto sensor = std::make_unique<ProcessConnector>();
  if (auto opened = sensor->open(); !opened) return opened.error();
  return std::unique_ptr<ProcessSensor>{std::move(sensor)};
}

} // namespace iris
