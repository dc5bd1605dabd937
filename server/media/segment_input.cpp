#include "server/media/segment_input.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "rt/dsp/finite.hpp"
#include "server/media/decode.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kShortLoopFrames = 16384;  // a loop up to this long is kept in memory: no seek a round
constexpr std::int64_t kLastFade = 512;           // of the last sample of a file that breaks off

}  // namespace

double fade_factor(FadeCurve curve, std::int64_t at, std::int64_t of) {
  const double line = static_cast<double>(at) / static_cast<double>(of);
  return curve == FadeCurve::linear ? line : std::sqrt(line);  // IEEE: the same on every machine
}

struct SegmentInput::Impl {
  std::vector<Segment> segments;
  std::vector<std::int64_t> begins;  // of each, and the end of all
  std::uint32_t channels = 0;
  bool loop = false;
  std::vector<float> round;  // all of it, where a loop is short

  std::int64_t at = 0;    // of a round
  std::size_t index = 0;  // of the segment that `at` is in
  std::unique_ptr<Decoder> decoder;
  std::filesystem::path opened;   // what `decoder` reads
  std::vector<float> short_loop;  // all of the segment `looped`
  std::size_t looped = SIZE_MAX;
  std::size_t failed = SIZE_MAX;  // this segment is silence
  std::int64_t broke_off_at = 0;  // where it became so
  std::vector<float> last;        // frame before that
  std::vector<float> narrow;
  std::uint64_t non_finite = 0;
  std::string error;
  std::vector<std::size_t> broken;

  void fail(std::string why) {
    if (std::ranges::find(broken, index) == broken.end()) broken.push_back(index);
    failed = index;
    broke_off_at = at;
    if (error.empty()) error = std::move(why);
  }

  bool open(const Segment& segment) {
    if (decoder && opened == segment.file) return true;
    decoder.reset();
    auto found = Decoder::open(segment.file, segment.file_frames);
    if (!found) {
      fail(found.error().message);
      return false;
    }
    const MediaInfo& info = (*found)->info();
    if (info.channels != segment.channels || info.sample_rate_hz != segment.sample_rate_hz ||
        info.frames < segment.end) {
      fail(segment.file.string() + ": not the file that it was when it was looked at");
      return false;
    }
    decoder = std::move(*found);
    opened = segment.file;
    return true;
  }

  /// From the decoder, spread on the channels. 0: it failed.
  std::int64_t decode(const Segment& segment, std::int64_t from, float* out, std::int64_t frames) {
    if (!open(segment)) return 0;
    if (!decoder->seek(from)) return fail(decoder->error()), 0;
    const bool wide = segment.channels == channels;
    if (!wide) {
      frames = std::min<std::int64_t>(frames, 4096);
      narrow.resize(static_cast<std::size_t>(frames) * segment.channels);
    }
    const auto n =
        static_cast<std::int64_t>(decoder->read(wide ? out : narrow.data(), static_cast<std::size_t>(frames)));
    if (n == 0) return fail(decoder->error()), 0;
    if (!wide) {
      for (std::int64_t i = 0; i < n; ++i) {
        const float* const given = narrow.data() + i * segment.channels;
        for (std::uint32_t c = 0; c < channels; ++c)
          out[i * channels + c] = c < segment.channels ? given[c] : segment.channels == 1 && c == 1 ? given[0] : 0.0f;
      }
    }
    if (decoder->floating()) non_finite += rt::dsp::make_finite(out, static_cast<std::uint32_t>(n * channels));
    return n;
  }

  /// All of the segment into memory, where it is a short loop.
  bool keep_loop(const Segment& segment) {
    const std::int64_t length = segment.end - segment.begin;
    if (segment.loops == 1 || length > kShortLoopFrames) return false;
    if (looped == index) return true;
    short_loop.assign(static_cast<std::size_t>(length) * channels, 0.0f);
    looped = index;
    for (std::int64_t done = 0; done < length;) {
      const std::int64_t n = decode(segment, segment.begin + done, short_loop.data() + done * channels, length - done);
      if (n == 0) return false;
      done += n;
    }
    return true;
  }

  void shape_samples(const Segment& segment, std::int64_t within, float* samples, std::int64_t frames) const {
    const std::int64_t length = segment.frames();
    const std::int64_t out_from =
        segment.fade_out == 0 || segment.loops == 0 ? rt::kEndless : length - segment.fade_out;
    if (segment.gain == 1.0 && within >= segment.fade_in && within + frames <= out_from) return;
    for (std::int64_t i = 0; i < frames; ++i) {
      double factor = segment.gain;
      const std::int64_t frame = within + i;
      if (frame < segment.fade_in) factor *= fade_factor(segment.fade_in_curve, frame, segment.fade_in);
      if (frame >= out_from) factor *= fade_factor(segment.fade_out_curve, length - frame, segment.fade_out);
      if (factor == 1.0) continue;
      for (std::uint32_t c = 0; c < channels; ++c) {
        float& sample = samples[i * channels + c];
        sample = static_cast<float>(static_cast<double>(sample) * factor);
      }
    }
  }

  /// Behind where a file broke off: its last sample goes to silence, without an edge.
  void silence(float* out, std::int64_t frames) const {
    for (std::int64_t i = 0; i < frames; ++i) {
      const std::int64_t behind = at + i - broke_off_at;
      const bool fades = behind >= 0 && behind < kLastFade;
      const float factor = fades ? static_cast<float>(kLastFade - behind) / static_cast<float>(kLastFade) : 0.0f;
      for (std::uint32_t c = 0; c < channels; ++c) out[i * channels + c] = factor * last[c];
    }
  }

  /// Some of the segment that `at` is in: at least one frame.
  std::int64_t read_some(float* out, std::int64_t frames) {
    const Segment& segment = segments[index];
    const std::int64_t within = at - begins[index];
    const std::int64_t length = segment.end - segment.begin;
    const std::int64_t offset = within % length;
    std::int64_t n = std::min(frames, length - offset);
    if (failed != index) {
      if (keep_loop(segment)) {
        std::copy_n(short_loop.data() + offset * channels, n * channels, out);
      } else if (failed != index) {
        n = decode(segment, segment.begin + offset, out, n);
      }
      if (failed != index) {
        shape_samples(segment, within, out, n);
        std::copy_n(out + (n - 1) * channels, channels, last.data());
        return n;
      }
      n = std::min(frames, length - offset);
    }
    silence(out, n);
    return n;
  }

  void seek(std::int64_t frame) {
    at = frame;
    const auto behind = std::upper_bound(begins.begin(), begins.end() - 1, at);
    index = static_cast<std::size_t>(behind - begins.begin()) - 1;
  }

  /// Of this round: all of `frames`, but at its end.
  std::int64_t read_on(float* out, std::int64_t frames) {
    std::int64_t done = 0;
    while (done < frames && at < begins.back()) {
      while (at >= begins[index + 1]) ++index;
      const std::int64_t n = read_some(out + done * channels, std::min(frames - done, begins[index + 1] - at));
      done += n;
      at += n;
    }
    return done;
  }

  std::int64_t read_loop(float* out, std::int64_t frames) {
    const std::int64_t length = begins.back();
    if (length <= kShortLoopFrames && round.empty()) {
      const std::int64_t from = at;
      round.resize(static_cast<std::size_t>(length) * channels);
      seek(0);
      read_on(round.data(), length);
      seek(from);
    }
    std::int64_t done = 0;
    while (done < frames) {
      if (at == length) {
        seek(0);
        broke_off_at -= length;
      }
      std::int64_t n = std::min(frames - done, length - at);
      if (round.empty()) {
        n = read_on(out + done * channels, n);
      } else {
        std::copy_n(round.data() + at * channels, n * channels, out + done * channels);
        at += n;
      }
      done += n;
    }
    return done;
  }
};

SegmentInput::SegmentInput(std::vector<Segment> segments, std::uint32_t channels, bool loop)
    : impl_(std::make_unique<Impl>()) {
  Impl& s = *impl_;
  s.segments = std::move(segments);
  s.channels = channels;
  s.loop = loop;
  s.last.resize(channels);
  s.begins.push_back(0);
  for (const Segment& segment : s.segments) s.begins.push_back(s.begins.back() + segment.frames());
}

SegmentInput::~SegmentInput() = default;
SegmentInput::SegmentInput(SegmentInput&&) noexcept = default;
SegmentInput& SegmentInput::operator=(SegmentInput&&) noexcept = default;

void SegmentInput::adopt(std::unique_ptr<Decoder> decoder) {
  impl_->decoder = std::move(decoder);
  impl_->opened = impl_->segments.front().file;
}

void SegmentInput::seek(std::int64_t frame) {
  Impl& s = *impl_;
  const std::int64_t length = s.begins.back();
  s.seek(s.loop ? frame % length : std::clamp<std::int64_t>(frame, 0, length));
  std::fill(s.last.begin(), s.last.end(), 0.0f);
}

std::int64_t SegmentInput::read(float* out, std::int64_t frames) {
  return impl_->loop ? impl_->read_loop(out, frames) : impl_->read_on(out, frames);
}

bool SegmentInput::plain() const noexcept { return impl_->decoder && impl_->decoder->plain(); }
const std::string& SegmentInput::error() const noexcept { return impl_->error; }
const std::vector<std::size_t>& SegmentInput::broken() const noexcept { return impl_->broken; }
std::uint64_t SegmentInput::non_finite() const noexcept { return impl_->non_finite; }

}  // namespace continuo::media
