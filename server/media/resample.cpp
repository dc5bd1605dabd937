#include "server/media/resample.hpp"

#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <vector>

#include "rt/scale_frames.hpp"
#include "server/base/check.hpp"

namespace continuo::media {
namespace {

// Frames, at the lower of the two rates. soxr's longest answer to what came before was measured at 710.
constexpr std::int64_t kRunIn = 4000;

struct DeleteSoxr {
  void operator()(soxr_t s) const noexcept { soxr_delete(s); }
};
using SoxrPtr = std::unique_ptr<std::remove_pointer_t<soxr_t>, DeleteSoxr>;

SoxrPtr make_soxr(std::uint32_t in_hz, std::uint32_t out_hz, std::uint32_t channels) {
  soxr_error_t error = nullptr;
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  SoxrPtr made(soxr_create(in_hz, out_hz, channels, &error, &io, &quality, &runtime));
  CONTINUO_CHECK(made && !error, "rates and channels were checked when the file was opened");
  return made;
}

/// One chunk in the making.
struct Stage {
  SoxrPtr soxr;
  std::int64_t skip = 0;   // output frames that belong to the run-in
  std::int64_t left = 0;   // output frames still to come
  std::vector<float> out;  // what came while the chunk before was not done
};

}  // namespace

std::uint32_t rounded_rate(double hz) { return static_cast<std::uint32_t>(std::clamp(std::round(hz), 1.0, 4e6)); }

std::int64_t scale_frames(std::int64_t frames, std::uint32_t from_hz, std::uint32_t to_hz) {
  return rt::scale_frames(frames, from_hz, to_hz);
}

std::int64_t converter_reach(std::uint32_t in_hz, std::uint32_t out_hz) {
  return std::max(kRunIn, scale_frames(kRunIn, in_hz, out_hz));
}

struct Resampler::Impl {
  std::uint32_t in_hz;
  std::uint32_t out_hz;
  std::uint32_t channels;
  std::int64_t ratio_in;  // in lowest terms
  std::int64_t ratio_out;
  std::int64_t run_in;     // input frames; a multiple of ratio_in
  std::int64_t in_at = 0;  // input frame that push() brings next
  std::int64_t next_chunk = 0;
  std::deque<Stage> stages;  // in order of their chunks
  std::vector<float> ready;
  std::size_t ready_from = 0;  // samples of `ready` that were read
  std::vector<float> scratch;

  [[nodiscard]] std::int64_t chunk_in() const { return kChunkSeconds * in_hz; }
  [[nodiscard]] std::int64_t chunk_out() const { return kChunkSeconds * out_hz; }
  [[nodiscard]] std::int64_t begin_of(std::int64_t chunk) const {
    return std::max<std::int64_t>(0, chunk * chunk_in() - run_in);
  }

  void add_stage(std::int64_t chunk, std::int64_t skip_in_chunk) {
    Stage stage;
    stage.soxr = make_soxr(in_hz, out_hz, channels);
    stage.skip = (chunk * chunk_in() - begin_of(chunk)) / ratio_in * ratio_out + skip_in_chunk;
    stage.left = chunk_out() - skip_in_chunk;
    stages.push_back(std::move(stage));
    next_chunk = chunk + 1;
  }

  void keep(Stage& stage, const float* samples, std::int64_t frames) {
    const std::int64_t skipped = std::min(frames, stage.skip);
    const std::int64_t taken = std::min(frames - skipped, stage.left);
    stage.skip -= skipped;
    stage.left -= taken;
    auto& to = &stage == &stages.front() ? ready : stage.out;
    to.insert(to.end(), samples + skipped * channels, samples + (skipped + taken) * channels);
  }

  /// `samples` null: the end.
  void feed(Stage& stage, const float* samples, std::size_t frames) {
    const std::size_t room = 1024 + (samples == nullptr ? 8192 : frames * ratio_out / ratio_in);
    scratch.resize(std::max(scratch.size(), room * channels));
    while (stage.left > 0) {
      std::size_t in_done = 0;
      std::size_t out_done = 0;
      const soxr_error_t error =
          soxr_process(stage.soxr.get(), samples, frames, &in_done, scratch.data(), room, &out_done);
      CONTINUO_CHECK(error == nullptr, "soxr fails on wrong arguments alone");
      keep(stage, scratch.data(), static_cast<std::int64_t>(out_done));
      if (samples == nullptr) {
        if (out_done == 0) break;
        continue;
      }
      samples += in_done * channels;
      frames -= in_done;
      if (frames == 0 && out_done < room) break;
      CONTINUO_CHECK(in_done > 0 || out_done > 0, "soxr goes on or fails");
    }
  }

  void drop_done_stages() {
    while (!stages.empty() && stages.front().left == 0) {
      stages.pop_front();
      if (!stages.empty()) {
        ready.insert(ready.end(), stages.front().out.begin(), stages.front().out.end());
        stages.front().out = {};
      }
    }
  }
};

Resampler::Resampler(std::uint32_t in_hz, std::uint32_t out_hz, std::uint32_t channels)
    : impl_(std::make_unique<Impl>()) {
  const std::int64_t common = std::gcd(in_hz, out_hz);
  impl_->in_hz = in_hz;
  impl_->out_hz = out_hz;
  impl_->channels = channels;
  impl_->ratio_in = in_hz / common;
  impl_->ratio_out = out_hz / common;
  const std::int64_t wanted = std::max(kRunIn, kRunIn * in_hz / out_hz);
  impl_->run_in = (wanted + impl_->ratio_in - 1) / impl_->ratio_in * impl_->ratio_in;
}

Resampler::~Resampler() = default;

std::int64_t Resampler::start(std::int64_t out_frame) {
  Impl& r = *impl_;
  r.stages.clear();
  r.ready.clear();
  r.ready_from = 0;
  const std::int64_t chunk = out_frame / r.chunk_out();
  r.add_stage(chunk, out_frame % r.chunk_out());
  r.in_at = r.begin_of(chunk);
  return r.in_at;
}

void Resampler::push(std::span<const float> samples) {
  Impl& r = *impl_;
  if (r.ready_from > 0) {  // keeps `ready` small
    r.ready.erase(r.ready.begin(), r.ready.begin() + static_cast<std::ptrdiff_t>(r.ready_from));
    r.ready_from = 0;
  }
  const float* at = samples.data();
  auto left = static_cast<std::int64_t>(samples.size() / r.channels);
  while (left > 0) {
    while (r.in_at >= r.begin_of(r.next_chunk)) r.add_stage(r.next_chunk, 0);
    const std::int64_t n = std::min(left, r.begin_of(r.next_chunk) - r.in_at);
    for (Stage& stage : r.stages) r.feed(stage, at, static_cast<std::size_t>(n));
    r.drop_done_stages();
    r.in_at += n;
    at += n * r.channels;
    left -= n;
  }
}

void Resampler::end() {
  Impl& r = *impl_;
  // Each in its turn: a chunk that the end cuts short is the last one that is heard.
  for (bool more = !r.stages.empty(); more;) {
    r.feed(r.stages.front(), nullptr, 0);
    more = r.stages.front().left == 0 && r.stages.size() > 1;
    r.drop_done_stages();
  }
  r.stages.clear();
}

std::size_t Resampler::available() const noexcept {
  return (impl_->ready.size() - impl_->ready_from) / impl_->channels;
}

std::size_t Resampler::read(float* out, std::size_t frames) {
  Impl& r = *impl_;
  const std::size_t n = std::min(frames, available());
  std::copy_n(r.ready.data() + r.ready_from, n * r.channels, out);
  r.ready_from += n * r.channels;
  return n;
}

}  // namespace continuo::media
