// THREAD: job - the loudness of parts of a session, heard by the meters that tell their levels live
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "rt/meter.hpp"
#include "rt/types.hpp"
#include "server/base/result.hpp"
#include "server/render/measure.hpp"
#include "server/session/document.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::render {

struct StemWish {
  std::vector<std::string> nodes;  // any whose sound can be metered
  bool all = false;                // every track and every bus
  [[nodiscard]] bool any() const noexcept { return all || !nodes.empty(); }
};

/// Their paths. NOT_FOUND "UNKNOWN_NODE".
[[nodiscard]] Result<std::set<std::string>> find_stems(const session::Document& document, const StemWish& wish);

/// Of the plan's meters those of `paths`, in the plan's order. INVALID_ARGUMENT "NO_SOUND" for a node that has no
/// meter, or none with a channel.
[[nodiscard]] Result<std::vector<session::CompiledMeter>> stem_meters(
    const session::Document& document, const std::set<std::string>& paths,
    const std::vector<session::CompiledMeter>& meters);

/// What each meter hears, freed of its own latency: every stem's first frame is the file's, and so is its last.
///
/// [job] drain() after each process(), into memory -> [any] measure(), each stem on one thread at a time, while no
/// drain() and no allow() -> [job] finish(). No digit depends on who did what, nor on how large the pieces were.
class Stems {
 public:
  /// Before the first process(), so that nothing is missed. `most_frames`: of the file. `block_frames`: of one
  /// process(), the most.
  Stems(std::vector<session::CompiledMeter> meters, std::uint32_t sample_rate_hz, std::int64_t most_frames,
        std::uint32_t block_frames);

  [[nodiscard]] std::size_t count() const noexcept { return stems_.size(); }
  /// How late the latest of them is, in frames.
  [[nodiscard]] std::int64_t latency() const noexcept;

  /// After each process() of `frames` frames. Aborts where a frame was lost: there is always room for a block.
  void drain(std::uint32_t frames);
  /// The file has this many frames or more: what lies beyond waits.
  void allow(std::int64_t frames) noexcept;
  /// What was drained and is allowed.
  void measure(std::size_t stem);
  /// All of them have had that many frames.
  [[nodiscard]] bool heard(std::int64_t frames) const noexcept;
  /// The file has this many frames. Once.
  [[nodiscard]] std::vector<StemReport> finish(std::int64_t frames);

 private:
  struct Stem {
    Stem(const session::CompiledMeter& meter, std::uint32_t sample_rate_hz, std::uint32_t ring_frames);
    std::string node;
    std::uint32_t channels;
    std::int64_t skip;  // frames of the engine before the file's first
    rt::MeterListen listen;
    LoudnessTap tap;
    rt::FrameCount next = 0;                 // engine frame
    std::int64_t drained = 0;                // frames of the file
    std::int64_t measured = 0;               // of those
    std::vector<std::vector<float>> planes;  // the others, by channel
    std::vector<const float*> pointers;
  };
  void take(Stem& stem, const rt::MeterFeed::Piece& piece);

  const std::int64_t most_frames_;
  std::int64_t allowed_ = 0;
  rt::FrameCount engine_frame_ = 0;
  std::vector<float> piece_;
  std::deque<Stem> stems_;
};

}  // namespace continuo::render
