#include "server/media/queue_reader.hpp"

#include <algorithm>
#include <utility>

namespace continuo::media {
namespace {

constexpr std::int64_t kMixFrames = 1024;
constexpr std::int64_t kShortCycleSamples = 1 << 18;  // kept in memory: no file is opened a round

}  // namespace

QueueReader::QueueReader(std::vector<Segment> segments, std::uint32_t engine_rate_hz, std::uint32_t channels, bool loop,
                         std::optional<Entrance> entrance)
    : segments_(std::move(segments)),
      layout_(segments_, engine_rate_hz, loop),
      rate_hz_(engine_rate_hz),
      channels_(channels),
      entrance_(std::move(entrance)) {
  if (layout_.period() > 0 && layout_.period() * channels <= kShortCycleSamples)
    cycle_.resize(static_cast<std::size_t>(layout_.period()) * channels);
}

std::vector<Segment> QueueReader::segments_of_run(const Run& run) const {
  std::vector<Segment> of_run;
  for (std::size_t i = 0; i < run.count; ++i) of_run.push_back(segments_[(run.first + i) % segments_.size()]);
  return of_run;
}

QueueReader::Voice QueueReader::voice(std::size_t number) const {
  const Run run = layout_.run(number);
  return {.reader = std::make_unique<RunReader>(segments_of_run(run), run.endless, rate_hz_, channels_),
          .first = run.first,
          .begin = run.begin,
          .in_frames = run.overlap,
          .in_curve = segments_[run.first].crossfade_curve};
}

void QueueReader::seek(rt::FrameCount frame, std::unique_ptr<Decoder> decoder) {
  for (const Voice& voice : voices_) note(voice);
  voices_.clear();
  kept_ = 0;
  at_ = frame;
  run_ = layout_.run_at(frame);
  const Run run = layout_.run(run_);
  const rt::FrameCount within = frame - run.begin;
  // Only a segment that begins a run can have come in otherwise.
  const bool enters = entrance_ && within < layout_.frames()[run.first];
  Voice now = voice(run_);
  if (enters) now.in_frames = entrance_->overlap;
  if (within < now.in_frames) {
    if (enters && entrance_->leaving) {
      const Segment& gone = *entrance_->leaving;
      Voice& leaving = voices_.emplace_back();
      leaving.reader = std::make_unique<RunReader>(std::vector{gone}, false, rate_hz_, channels_);
      leaving.reader->seek(std::max<rt::FrameCount>(
          0, scale_frames(gone.frames(), gone.sample_rate_hz, rate_hz_) - now.in_frames + within));
    } else if (!enters && run_ > 0) {
      voices_.push_back(voice(run_ - 1));
      voices_.back().reader->seek(frame - voices_.back().begin);
    }
    if (!voices_.empty()) {
      voices_.back().out_from = run.begin;
      voices_.back().out_frames = now.in_frames;
      voices_.back().out_curve = now.in_curve;
    } else {
      now.in_frames = 0;
    }
  }
  if (decoder) now.reader->adopt(std::move(decoder));
  now.reader->seek(within);
  voices_.push_back(std::move(now));
  next_begin_ = layout_.has_run(run_ + 1) ? layout_.run(run_ + 1).begin : rt::kEndless;
  // Whatever began before is over by then: from there on it is what it will be for ever.
  if (!cycle_.empty())
    keep_from_ = std::max(layout_.cycle_begin() + layout_.period(), run.begin + voices_.back().in_frames);
}

void QueueReader::enter_next() {
  ++run_;
  Voice next = voice(run_);
  Voice& before = voices_.back();
  before.out_from = next.begin;
  before.out_frames = next.in_frames;
  before.out_curve = next.in_curve;
  next.reader->seek(0);
  voices_.push_back(std::move(next));
  next_begin_ = layout_.has_run(run_ + 1) ? layout_.run(run_ + 1).begin : rt::kEndless;
}

void QueueReader::note(const Voice& voice) {
  note_broken(voice);
  non_finite_ += voice.reader->non_finite();
}

void QueueReader::note_broken(const Voice& voice) {
  if (voice.reader->broken().empty()) return;
  if (error_.empty()) error_ = voice.reader->error();
  if (voice.first == SIZE_MAX) return;
  for (const std::size_t index : voice.reader->broken()) {
    const std::size_t segment = (voice.first + index) % segments_.size();
    if (std::ranges::find(broken_, segment) == broken_.end()) broken_.push_back(segment);
  }
}

void QueueReader::drop_what_is_over() {
  std::erase_if(voices_, [this](const Voice& voice) {
    const bool over = voice.out_from != rt::kEndless && at_ >= voice.out_from + voice.out_frames;
    if (over) note(voice);
    return over;
  });
}

void QueueReader::mix(float* out, std::int64_t frames) {
  const auto samples = static_cast<std::size_t>(frames) * channels_;
  one_.resize(std::max(one_.size(), samples));
  sum_.assign(samples, 0.0);
  for (const Voice& voice : voices_) {
    voice.reader->read(one_.data(), frames);
    for (std::int64_t i = 0; i < frames; ++i) {
      const rt::FrameCount in = at_ + i - voice.begin;
      const rt::FrameCount out_at = at_ + i - voice.out_from;
      double factor = in < voice.in_frames ? fade_factor(voice.in_curve, in, voice.in_frames) : 1.0;
      if (voice.out_frames > 0 && out_at >= 0)
        factor *= fade_factor(voice.out_curve, voice.out_frames - out_at, voice.out_frames);
      for (std::uint32_t c = 0; c < channels_; ++c)
        sum_[static_cast<std::size_t>(i) * channels_ + c] +=
            static_cast<double>(one_[static_cast<std::size_t>(i) * channels_ + c]) * factor;
    }
  }
  for (std::size_t i = 0; i < samples; ++i) out[i] = static_cast<float>(sum_[i]);
}

void QueueReader::read_voices(float* out, std::int64_t frames) {
  while (frames > 0) {
    while (at_ >= next_begin_) {
      enter_next();
      drop_what_is_over();
    }
    std::int64_t n = std::min(frames, next_begin_ - at_);
    const bool one = voices_.size() == 1;
    if (!one) n = std::min(n, kMixFrames);
    for (const Voice& voice : voices_)
      if (voice.out_from != rt::kEndless) n = std::min(n, voice.out_from + voice.out_frames - at_);
    if (one)
      voices_.front().reader->read(out, n);
    else
      mix(out, n);
    at_ += n;
    out += n * channels_;
    frames -= n;
    drop_what_is_over();
    for (const Voice& voice : voices_) note_broken(voice);
  }
}

void QueueReader::read(float* out, std::int64_t frames) {
  const rt::FrameCount period = layout_.period();
  while (frames > 0) {
    std::int64_t n = frames;
    if (!cycle_.empty() && at_ >= keep_from_) {
      const rt::FrameCount place = (at_ - layout_.cycle_begin()) % period;
      n = std::min(frames, period - place);
      float* const kept = cycle_.data() + place * channels_;
      if (kept_ >= period) {
        std::copy_n(kept, n * channels_, out);
        at_ += n;
      } else {
        n = std::min(n, period - kept_);
        read_voices(out, n);
        std::copy_n(out, n * channels_, kept);
        kept_ += n;
        if (kept_ == period) {
          for (const Voice& voice : voices_) note(voice);
          voices_.clear();
        }
      }
    } else {
      if (!cycle_.empty()) n = std::min(n, keep_from_ - at_);
      read_voices(out, n);
    }
    out += n * channels_;
    frames -= n;
  }
}

bool QueueReader::costly() const noexcept {
  for (const Segment& segment : segments_)
    if (segment.sample_rate_hz != rate_hz_) return true;
  return voices_.size() != 1 || !voices_.front().reader->plain();
}

std::uint64_t QueueReader::non_finite() const noexcept {
  std::uint64_t count = non_finite_;
  for (const Voice& voice : voices_) count += voice.reader->non_finite();
  return count;
}

}  // namespace continuo::media
