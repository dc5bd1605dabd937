// THREAD: rpc puts values in, control takes the newest out, under its mutex - the parameters of one StreamParams call
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "continuo/v1/param.pb.h"
#include "rt/types.hpp"
#include "server/base/result.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::control {

/// Handles, and the newest value of each parameter: [rpc] take() a message -> [control] collect() what is dirty, at
/// most once in a while -> one transaction. A value that was not collected when a newer one comes is passed over, and
/// counted; so is one that is refused. What it holds is bounded by its handles and by kMaxWaiting values with a frame
/// to come, where the newcomer loses.
class ParamStream {
 public:
  static constexpr std::size_t kMaxHandles = 4096;
  static constexpr std::size_t kMaxWaiting = 4096;
  static constexpr double kMaxAheadSeconds = 2.0;
  static constexpr double kMaxRampMs = 600'000.0;

  /// The engine's clock, for values that name a frame.
  struct Now {
    rt::FrameCount frame = 0;
    double rate_hz = 0.0;
  };
  /// `now`: any thread. `wake`: on the caller's thread, when there is something to do, once until rest().
  ParamStream(std::function<Now()> now, std::function<void()> wake) : now_(std::move(now)), wake_(std::move(wake)) {}

  // rpc

  /// INVALID_ARGUMENT for what makes no sense as a whole: none of it was taken.
  [[nodiscard]] Result<> take(const v1::StreamParamsRequest::Changes& changes);

  // control

  /// A handle more; two of one parameter share its place.
  [[nodiscard]] bool full(std::size_t more) const;
  std::uint32_t bind(rt::Uid node, const session::ParamSpec& spec);

  struct Value {
    std::uint32_t place = 0;  // see uid_of() and spec_of()
    double value = 0.0;
    std::optional<double> ramp_ms;
  };
  struct Step {
    rt::FrameCount frame = rt::kNow;
    std::uint64_t gesture = 0;
    std::vector<Value> values;
  };
  /// The newest value of each parameter that got one since the last time; and the sequence of the message up to which
  /// that is all.
  struct Dirty {
    std::vector<Value> values;
    std::uint64_t sequence = 0;
  };
  [[nodiscard]] Dirty collect();
  /// Of those with a frame: up to `until`, at most `most` steps, in order of frames.
  [[nodiscard]] std::vector<Step> collect_due(rt::FrameCount until, std::size_t most);
  [[nodiscard]] std::optional<rt::FrameCount> first_frame() const;
  [[nodiscard]] bool dirty() const;
  /// Of the newest message, where nothing is dirty: what it brought has a frame to come, or was refused.
  [[nodiscard]] std::optional<std::uint64_t> settled_sequence() const;
  /// Nothing is dirty, and nothing new is to be told: the next message calls `wake`. False: there is more to do.
  [[nodiscard]] bool rest();

  /// What was collected and is not to be.
  void passed_over(std::uint64_t count);
  void refuse(std::uint64_t count, const Error& why);
  /// What waits for its frame is given up.
  void drop_waiting(const Error& why);
  /// What comes from here on belongs to the next one.
  void next_gesture();
  [[nodiscard]] std::uint64_t gesture() const;

  struct Counts {
    std::uint64_t received = 0;
    std::uint64_t coalesced = 0;
    std::uint64_t refused = 0;
    std::string reason;
    std::string message;
  };
  [[nodiscard]] Counts counts() const;
  /// Rises with each refusal.
  [[nodiscard]] std::uint64_t refusals() const;

  [[nodiscard]] std::size_t places() const;
  [[nodiscard]] rt::Uid uid_of(std::uint32_t place) const;
  [[nodiscard]] const session::ParamSpec& spec_of(std::uint32_t place) const;

 private:
  struct Place {
    double min = 0.0;
    double max = 0.0;
    double value = 0.0;
    double ramp_ms = -1.0;  // below 0: its own smoothing
    bool whole = false;
    bool dirty = false;
    const session::ParamSpec* spec = nullptr;
    rt::Uid uid = 0;
  };
  struct Later {
    double value = 0.0;
    double ramp_ms = -1.0;
    std::uint64_t gesture = 0;
  };
  void take_one(std::uint32_t place, double value, double ramp_ms);
  void take_later(std::uint32_t place, double value, double ramp_ms, rt::FrameCount frame, const Now& now);
  void refuse_value(std::uint32_t place, double value);

  const std::function<Now()> now_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> handles_;  // their places
  std::map<std::pair<rt::Uid, const session::ParamSpec*>, std::uint32_t> place_of_;
  std::vector<std::uint32_t> dirty_;                                   // places
  std::map<std::pair<rt::FrameCount, std::uint32_t>, Later> waiting_;  // by frame and place
  std::uint64_t sequence_ = 0;
  std::uint64_t gesture_ = 0;
  std::uint64_t received_ = 0, coalesced_ = 0, refused_ = 0;
  std::uint64_t rested_refused_ = 0;  // when it last came to rest
  bool awake_ = false;
  /// Why the last refused one was: as text only where somebody asks.
  struct Refusal {
    std::optional<Error> error;
    std::uint32_t place = 0;
    double value = 0.0;
  };
  Refusal last_;
};

/// The value as the document has it; `value` was found good.
[[nodiscard]] session::Value document_value(const session::ParamSpec& spec, double value);

/// Its kind can be streamed: a value of the audio thread, and no text.
[[nodiscard]] bool can_stream(const session::ParamSpec& spec);

}  // namespace continuo::control
