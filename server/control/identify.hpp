// THREAD: control - quiet bursts on one output channel alone: which loudspeaker is it?
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "server/control/delivery.hpp"
#include "server/control/engine.hpp"
#include "server/control/uid_source.hpp"

namespace continuo::control {

/// A tone beside the document: connected to one device output, for as long as it lasts. No edit, no revision; all else
/// sounds on, bit for bit. (A take of `out` made meanwhile holds the bursts: they are part of what `out` plays.)
class Identify {
 public:
  static constexpr std::size_t kMaxAtOnce = 16;

  struct Parts {
    Strand& strand;
    JobQueue& jobs;
    Graph& graph;
    Transport& transport;
    AudioLink& link;
    EventPump& pump;
    Delivery& delivery;
    UidSource& uids;
  };
  explicit Identify(Parts parts) : parts_(std::move(parts)) {}

  void begin(std::uint64_t token, const v1::IdentifyRequest& request, Done<v1::IdentifyResponse> done);
  /// Early, or once; a token that is not known has ended already.
  void end(std::uint64_t token);
  void close();

 private:
  struct Tone;
  void sounding(const std::shared_ptr<Tone>& tone, rt::FrameCount frame);
  void turn(const std::shared_ptr<Tone>& tone);

  Parts parts_;
  std::map<std::uint64_t, std::shared_ptr<Tone>> tones_;
};

}  // namespace continuo::control
