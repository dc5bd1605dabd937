// THREAD: any, one at a time - what the compiler must know of files: what they are, and impulse responses cut to size
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rt/dsp/convolution_plan.hpp"
#include "rt/types.hpp"
#include "server/base/result.hpp"
#include "server/session/document.hpp"

namespace continuo::session {

/// What is known of a media file, by the text of the parameter that names it. A file that is not in the table, or has 0
/// channels, is missing: its player is silent.
struct MediaFacts {
  std::uint32_t channels = 0;
  std::uint32_t sample_rate_hz = 0;
  rt::FrameCount frames = 0;  // of the file's own rate
  friend bool operator==(const MediaFacts&, const MediaFacts&) = default;
};
using MediaTable = std::map<std::string, MediaFacts, std::less<>>;

/// An impulse response as one convolution wants it.
struct ImpulseKey {
  std::string file;  // as the parameter names it
  std::uint32_t rate_hz = 0;
  std::uint32_t latency_frames = 0;
  std::uint32_t channels = 0;  // the file's first so many
  friend auto operator<=>(const ImpulseKey&, const ImpulseKey&) = default;
};
/// One that is not in the table, or is null there, is missing: its convolution has no wet sound.
using ImpulseTable = std::map<ImpulseKey, std::shared_ptr<const rt::dsp::Impulse>>;

struct ProcessorFiles {
  const MediaTable* media = nullptr;
  const ImpulseTable* impulses = nullptr;
};

inline constexpr double kMostImpulseSeconds = 10.0;

struct CompileRequest;
/// What its compile would look for in the table of impulses: whoever compiles prepares them first, where that may take
/// its time (media/impulse_reader.hpp). In order, once each; none of files that the media table has not, or that
/// check_impulses() refuses.
[[nodiscard]] std::vector<ImpulseKey> impulses_of(const CompileRequest& request);

/// What cannot be an impulse response, though it is a file that can be played: too long, too many channels.
struct BadImpulse {
  std::string node;  // path
  std::string file;
  Error error;  // its field is the parameter
};
[[nodiscard]] std::vector<BadImpulse> check_impulses(const Document& document, const MediaTable& media);

/// Of one convolution; nothing to prepare where `channels` is 0.
[[nodiscard]] ImpulseKey impulse_key(const DocNode& node, std::uint32_t in_count, double sample_rate_hz,
                                     const MediaTable* media);

}  // namespace continuo::session
