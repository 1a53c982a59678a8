#pragma once
#include <caf/io/scribe.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace iris {

/// Where a scribe's bytes go. Called on CAF's multiplexer thread.
class ScribeSink {
public:
  virtual ~ScribeSink() = default;
  virtual void from_caf(std::vector<char> frames) = 0; ///< whole frames
  virtual void caf_took(std::size_t bytes) = 0;        ///< of what deliver() brought
  virtual void caf_closed() = 0;
};

/// A connection of CAF's broker that has no file descriptor. Everything but the three functions below runs on
/// the multiplexer's thread only.
class Scribe final : public caf::io::scribe {
public:
  Scribe(caf::io::network::multiplexer& multiplexer, std::shared_ptr<ScribeSink> sink);

  /// From any thread: frames from the peer, in order.
  void deliver(std::string frames);
  /// From any thread: the peer is gone.
  void end();

  void configure_read(caf::io::receive_policy::config config) override;
  void ack_writes(bool) override;
  std::vector<char>& wr_buf() override { return outwards_; }
  std::vector<char>& rd_buf() override { return piece_; }
  void flush() override;
  void graceful_shutdown() override;
  void add_to_loop() override;
  void remove_from_loop() override;
  std::string addr() const override { return "iris-link"; }
  std::uint16_t port() const override { return 0; }

private:
  void pump();

  caf::io::network::multiplexer& multiplexer_;
  std::shared_ptr<ScribeSink> sink_;
  std::size_t wanted_ = 0; ///< bytes that the broker wants next, exactly
  std::vector<char> outwards_, piece_;
  std::string inwards_;
  std::size_t offset_ = 0;
  bool pumping_ = false;
};
using ScribePtr = caf::intrusive_ptr<Scribe>;

} // namespace iris
