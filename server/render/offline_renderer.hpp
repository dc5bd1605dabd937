// THREAD: job - a document rendered to a file, faster than real time, by the engine that plays it
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/base/result.hpp"
#include "server/media/roots.hpp"
#include "server/media/wav_format.hpp"
#include "server/render/measure.hpp"
#include "server/render/patch.hpp"
#include "server/render/stems.hpp"
#include "server/render/time_text.hpp"
#include "server/session/document.hpp"

namespace continuo::render {

struct RenderOptions {
  media::Roots roots;
  std::string base;                      // where relative media start: see Roots::find_file
  GivenFiles given;                      // go before what the roots have
  TimeText from;                         // on the timeline; frames of the session's rate
  std::optional<TimeText> to;            // absent: the end of the last timeline player that is no loop
  std::optional<TimeText> length;        // instead of `to`
  std::optional<TimeText> tail;          // so much longer; the timeline rolls on
  bool tail_auto = false;                // instead: until it has faded away, see Tail
  std::optional<double> sample_rate_hz;  // 8000 to 384000; absent: the session's, else 48000
  std::uint32_t block_frames =
      1024;  // 1 to 65536: the size of the device buffers that the engine is given. No sample depends on it
  std::uint32_t threads = 1;     // 1 to Crew::kMaxMembers, the caller among them. No sample depends on it
  std::filesystem::path output;  // its ending says the container, see media::container_of
  std::optional<int> pipe;       // instead of `output`: a descriptor, as a WAV stream
  std::optional<int> into;       // a descriptor for the file, whose name is not ours to give; `output` still names it
  bool nowhere = false;          // instead of `output`: only what RenderResult says is kept
  media::SampleFormat format = media::SampleFormat::float32;
  media::Dither dither = media::Dither::none;
  bool overwrite = false;
  std::filesystem::path session;                 // where the document came from, which is not overwritten; may be empty
  bool silent_missing = false;                   // media that cannot be played are warnings, not an error
  bool digest = false;                           // RenderResult::sha256 is wanted
  bool checksums = false;                        // RenderResult::checksums are
  bool loudness = false;                         // RenderResult::loudness is
  StemWish stems;                                // RenderResult::stems are
  const std::atomic<bool>* cancelled = nullptr;  // set by anybody: run() ends soon with ABORTED
  /// Called after every few thousand frames; an automatic tail is not counted.
  std::function<void(std::int64_t done, std::int64_t frames, double rate_hz)> progress;
};

struct RenderResult {
  std::filesystem::path file;  // "-" for a pipe
  std::int64_t frames = 0;
  std::int64_t tail_frames = 0;  // of them: of an automatic tail
  bool tail_cut = false;         // an automatic tail was still sounding after its longest time
  std::uint32_t sample_rate_hz = 0;
  std::uint32_t channels = 0;
  float peak = 0.0f;   // largest absolute sample, before it was made an integer
  std::string sha256;  // of the interleaved samples, first frame first, each as a WAV file of this format holds it
                       // (little-endian): the same for every container
  std::vector<std::uint64_t> checksums;
  std::optional<LoudnessReport> loudness;  // of the samples before they were made integers
  std::vector<StemReport> stems;           // of the same stretch of the timeline; in the document's order
  std::vector<std::string> warnings;  // a tail and files that are cut off, nodes and files that gave what is no number:
                                      // lines for a person
};

/// What is rendered is what a recording of "out" takes: the same tap, the same recorder, the same encoding; so a live
/// take and a render of one session are the same samples. It has as many channels as the document connects to "out", 2
/// at least. Timeline players play; free ones stand still, for nobody starts them; recorder nodes take nothing. The
/// device's inputs are silent, or bring a given file from the render's first frame on.
///
/// Stems are listened to on the way: no sample depends on whether they are.
///
/// The file appears whole or not at all: on an error nothing is left.
class OfflineRenderer {
 public:
  /// Probes and opens every file, compiles the plan, makes the output under a temporary name. `document` must be valid;
  /// it is not kept. A stem that is not there is an error before any file is touched.
  [[nodiscard]] static Result<std::unique_ptr<OfflineRenderer>> prepare(const session::Document& document,
                                                                        const RenderOptions& options);
  ~OfflineRenderer();

  /// To the end; an automatic tail not counted.
  [[nodiscard]] std::int64_t frames() const noexcept;

  /// Once. Everything is written, and has no name yet.
  [[nodiscard]] Result<RenderResult> render();
  /// After render(): it gets its name.
  [[nodiscard]] Result<> publish();
  /// Both.
  [[nodiscard]] Result<RenderResult> run();

 private:
  struct Impl;
  explicit OfflineRenderer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::render
