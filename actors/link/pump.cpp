#include "actors/link/pump.hpp"

#include "actors/link/connection.hpp"

#include <boost/asio/post.hpp>

#include <csignal>
#include <future>

namespace iris {

namespace {

constexpr std::chrono::milliseconds sweep_interval{250};

} // namespace

PumpThread::PumpThread() {
  sweep();
  thread_ = std::thread{[this] {
    // A peer that is gone must not end the process, and signals belong to the main thread.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    pthread_setname_np(pthread_self(), "iris-pump");
    io_.run();
  }};
}

PumpThread::~PumpThread() { stop(); }

void PumpThread::run_and_wait(std::function<void()> task) {
  if (io_.get_executor().running_in_this_thread()) return task();
  std::promise<void> done;
  boost::asio::post(io_, [&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void PumpThread::stop() {
  if (!thread_.joinable()) return;
  io_.stop();
  thread_.join();
}

void PumpThread::sweep() {
  timer_.expires_after(sweep_interval);
  timer_.async_wait([this](const boost::system::error_code& failure) {
    if (failure) return;
    auto now = std::chrono::steady_clock::now();
    // A copy: connections that end remove themselves.
    for (const auto& connection : connections())
      connection->tick(now);
    sweep();
  });
}

} // namespace iris
