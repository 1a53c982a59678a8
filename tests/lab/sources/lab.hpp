#pragma once
#include "node/sources/docker_source.hpp"
#include "node/sources/process_source.hpp"
#include "node/sources/usage_source.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace iris::lab {

/// Counts what failed and says so with its line.
extern int failures;
void check(bool good, const char* what, const char* file, int line, const std::string& detail = "");
#define LAB_CHECK(condition) ::iris::lab::check((condition), #condition, __FILE__, __LINE__)
#define LAB_CHECK_SAY(condition, detail)                                                                     \
  ::iris::lab::check((condition), #condition, __FILE__, __LINE__, (detail))

/// Runs a command by the shell; its standard output without the last line's end.
std::string shell(const std::string& command);

/// A container that is removed at the end, also when a check failed.
class Container {
public:
  /// `docker run -d` with these options and command.
  Container(const std::string& options, const std::string& command);
  ~Container();
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  const std::string& id() const { return id_; }
  void wait() const;

private:
  std::string id_;
};

/// Everything that the sources told, for looking at from the test's thread.
template <class T>
class Heard {
public:
  void add(std::vector<T> batch) {
    std::lock_guard guard{lock_};
    for (auto& item : batch)
      all_.push_back(std::move(item));
    changed_.notify_all();
  }
  void add(T one) {
    std::vector<T> batch;
    batch.push_back(std::move(one));
    add(std::move(batch));
  }
  std::vector<T> all() const {
    std::lock_guard guard{lock_};
    return all_;
  }
  /// Waits until `enough` items satisfy the test.
  bool wait(const std::function<bool(const T&)>& test, std::size_t enough = 1, int seconds = 15) {
    std::unique_lock guard{lock_};
    return changed_.wait_for(guard, std::chrono::seconds{seconds}, [&] {
      std::size_t count = 0;
      for (const auto& item : all_)
        count += test(item);
      return count >= enough;
    });
  }

private:
  mutable std::mutex lock_;
  std::condition_variable changed_;
  std::vector<T> all_;
};

void test_processes(ProcessSensorChoice choice);
void test_one_shots(ProcessSensorChoice choice);
void test_origins();
void test_health_check(ProcessSensorChoice choice);
void test_sockets();
void test_socket_looks();
void test_polling();
void test_check();
void test_engine();
void test_usage();

} // namespace iris::lab
