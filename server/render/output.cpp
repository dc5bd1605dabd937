#include "server/render/output.hpp"

#include <cmath>
#include <utility>

#include "server/analysis/layout.hpp"
#include "server/base/check.hpp"

namespace continuo::render {
namespace {

constexpr std::size_t kWriteBytes = 128 * 1024;  // at once

float peak_of(std::span<const float> samples, float peak) {
  for (const float sample : samples) {
    const float size = std::abs(sample);
    peak = size > peak ? size : peak;  // no number is no peak
  }
  return peak;
}

}  // namespace

Output::Output(const OutputRequest& request, std::unique_ptr<media::SampleWriter> writer)
    : request_(request), channels_(request.format.channels), writer_(std::move(writer)) {
  auto [frame_writer, frame_reader] = rt::make_ring<float>(static_cast<std::size_t>(request.ring_frames) * channels_);
  auto [gap_writer, gap_reader] = rt::make_ring<rt::Gap>(1);  // none will come: the ring is drained in time
  sink_.frames = std::move(frame_writer);
  sink_.gaps = std::move(gap_writer);
  sink_.channels = channels_;
  ring_ = std::move(frame_reader);
  gaps_ = std::move(gap_reader);
  if (request.trimmed_tail) tail_.emplace(channels_, request.format.sample_rate_hz);
  if (request.digest) sha256_.emplace();
  if (request.checksums) checksums_.emplace(channels_);
  if (request.loudness) loudness_.emplace(request.format.sample_rate_hz, analysis::usual_weights(channels_));
}

Output::~Output() = default;

Result<> Output::drain() {
  CONTINUO_CHECK(gaps_.peek() == nullptr, "the ring was drained before it could be full");
  const std::size_t samples = ring_.available() / channels_ * channels_;
  const auto parts = ring_.view(samples);
  if (parts.first.size() % channels_ == 0) {
    if (auto ok = take(parts.first); !ok) return ok;
    if (auto ok = take(parts.second); !ok) return ok;
  } else {  // the ring's end divides a frame
    std::vector<float> joined(parts.first.begin(), parts.first.end());
    joined.insert(joined.end(), parts.second.begin(), parts.second.end());
    if (auto ok = take(joined); !ok) return ok;
  }
  (void)ring_.skip(samples);
  return {};
}

/// Of the recording: first what is not yet heard, then the render, then its tail.
Result<> Output::take(std::span<const float> samples) {
  const auto next = [&](std::int64_t frames) {
    const auto n = std::min<std::int64_t>(std::max<std::int64_t>(frames, 0), std::ssize(samples) / channels_);
    const auto part = samples.first(static_cast<std::size_t>(n) * channels_);
    samples = samples.subspan(part.size());
    at_ += n;
    return part;
  };
  (void)next(request_.skip - at_);
  if (auto ok = keep(next(request_.skip + request_.frames - at_)); !ok) return ok;
  if (tail_ && !samples.empty()) return keep(tail_->push(samples));
  return {};
}

Result<> Output::keep(std::span<const float> samples) {
  if (samples.empty()) return {};
  peak_ = peak_of(samples, peak_);
  if (checksums_) checksums_->add(samples);
  if (loudness_) loudness_->feed(analysis::Frames::interleaved(samples.data(), channels_, samples.size() / channels_));
  const std::size_t before = bytes_.size();
  if (request_.dither == media::Dither::tpdf) {
    encode_dithered(request_.format.format, channels_, request_.first_frame + kept_, samples, bytes_);
  } else {
    encode_samples(request_.format.format, samples, bytes_);
  }
  if (sha256_) sha256_->add(std::span(bytes_).subspan(before));
  kept_ += std::ssize(samples) / channels_;
  return bytes_.size() < kWriteBytes ? Result<>() : flush();
}

Result<> Output::flush() {
  Result<> written;
  if (writer_ && !bytes_.empty()) written = writer_->write(bytes_);
  bytes_.clear();
  return written;
}

bool Output::complete() const noexcept {
  if (at_ < request_.skip + request_.frames) return false;
  return !tail_ || tail_->over();
}

Result<> Output::write_rest() {
  if (auto ok = drain(); !ok) return ok;
  return flush();
}

Result<> Output::publish() { return writer_ ? writer_->finish() : Result<>(); }

std::optional<LoudnessReport> Output::loudness() {
  return loudness_ ? std::optional(loudness_->finish()) : std::nullopt;
}

std::vector<std::uint64_t> Output::checksums() const {
  return checksums_ ? checksums_->all() : std::vector<std::uint64_t>();
}

}  // namespace continuo::render
