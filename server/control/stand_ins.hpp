// THREAD: control - streams that are opened and filled ahead, for what will be needed without the disk
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/control/queue_place.hpp"
#include "server/media/disk_pool.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::control {

/// What a player would play from a frame on: as much of it as its stream depends on.
struct StreamKey {
  session::CompiledPlayer player;
  rt::FrameCount first_frame = 0;  // item frame
  double rate_hz = 0.0;
  std::string base;
  std::optional<QueueEntrance> entrance{};
  friend bool operator==(const StreamKey& a, const StreamKey& b);
};

/// keep(): what is wanted and not there is opened, a few at a time, so that others' streams need not wait long; what is
/// there and not wanted goes back to the disk threads. The bound is the caller's: bytes_of().
class StandIns {
 public:
  using Landed = std::function<void(const std::shared_ptr<media::StreamReader>& stream, const std::string& error)>;
  using Open = std::function<void(const StreamKey&, Landed)>;
  static constexpr std::size_t kMostAtOnce = 4;

  StandIns(media::DiskPool& pool, Open open, std::size_t most_at_once = kMostAtOnce)
      : pool_(pool), open_(std::move(open)), most_at_once_(most_at_once) {}
  ~StandIns();

  /// Twice the same key: two streams. `changed`, until the next keep(): whenever one more is ready, or failed.
  void keep(std::vector<StreamKey> wanted, std::function<void()> changed);
  /// One of them, if there is one that has not failed: `landed` as Open has it, now or once it is filled. `late`: one
  /// that begins up to so many frames before the key's will do.
  [[nodiscard]] bool take(const StreamKey& key, Landed landed, rt::FrameCount late = 0);

  [[nodiscard]] bool ready() const;
  /// None is on its way any more, whatever came of it.
  [[nodiscard]] bool landed() const;
  /// Of the first that failed; empty where none did.
  [[nodiscard]] std::string error() const;
  [[nodiscard]] std::size_t count() const noexcept { return all_.size(); }
  /// What its ring holds.
  [[nodiscard]] static double bytes_of(const StreamKey& key);

 private:
  struct StandIn {
    StreamKey key;
    bool begun = false;
    bool landed = false;
    std::shared_ptr<media::StreamReader> stream;
    std::string error;
    bool unwanted = false;  // goes when it has landed
    Landed taker;
  };
  void begin();
  void land(const std::shared_ptr<StandIn>& one, const std::shared_ptr<media::StreamReader>& stream,
            const std::string& error);

  media::DiskPool& pool_;
  Open open_;
  const std::size_t most_at_once_;
  std::vector<std::shared_ptr<StandIn>> all_;
  std::size_t under_way_ = 0;
  std::function<void()> changed_;
};

}  // namespace continuo::control
