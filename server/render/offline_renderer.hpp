// THREAD: job - a document rendered to a file, faster than real time, by the engine that plays it
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "server/base/result.hpp"
#include "server/media/roots.hpp"
#include "server/media/wav_format.hpp"
#include "server/render/time_text.hpp"
#include "server/session/document.hpp"

namespace continuo::render {

struct RenderOptions {
  media::Roots roots;
  std::string base;                // where relative media start: see Roots::find_file
  TimeText from;                   // on the timeline; frames of the session's rate
  std::optional<TimeText> to;      // absent: the end of the last timeline player that is no loop
  std::optional<TimeText> length;  // instead of `to`
  double sample_rate_hz = 0.0;     // 8000 to 384000; 0: the session's, else 48000
  std::uint32_t block_frames =
      1024;  // 1 to 65536: the size of the device buffers that the engine is given. No sample depends on it
  std::filesystem::path output;
  media::SampleFormat format = media::SampleFormat::float32;
  bool overwrite = false;
  const std::atomic<bool>* cancelled = nullptr;  // set by anybody: run() ends soon with ABORTED
};

struct RenderResult {
  std::filesystem::path file;
  std::int64_t frames = 0;
  std::uint32_t sample_rate_hz = 0;
  std::uint32_t channels = 0;
  float peak = 0.0f;  // largest absolute sample, before it was made an integer
};

/// What is rendered is what a recording of "out" takes: the same tap, the same recorder, the same writer; so a live
/// take and a render of one session are the same samples. It has as many channels as the document connects to "out", 2
/// at least. The device's inputs are silent. Timeline players play; free ones stand still, for nobody starts them;
/// recorder nodes take nothing.
///
/// The file appears whole or not at all: on an error nothing is left.
class OfflineRenderer {
 public:
  /// Probes and opens every file, compiles the plan, makes the output under a temporary name. `document` must be valid;
  /// it is not kept.
  [[nodiscard]] static Result<std::unique_ptr<OfflineRenderer>> prepare(const session::Document& document,
                                                                        const RenderOptions& options);
  ~OfflineRenderer();

  [[nodiscard]] std::int64_t frames() const noexcept;
  /// Once.
  [[nodiscard]] Result<RenderResult> run();

 private:
  struct Impl;
  explicit OfflineRenderer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::render
