#include "server/media/impulse_reader.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/base/check.hpp"
#include "server/media/decode.hpp"
#include "server/media/resample.hpp"

namespace continuo::media {
namespace {

constexpr std::size_t kChunkFrames = 16384;

/// Interleaved, as many channels as the file has.
std::vector<float> read_all(Decoder& decoder, std::uint32_t rate_hz) {
  const MediaInfo& info = decoder.info();
  const std::size_t channels = info.channels;
  std::vector<float> samples(static_cast<std::size_t>(info.frames) * channels);
  const std::size_t frames = decoder.read(samples.data(), static_cast<std::size_t>(info.frames));
  samples.resize(frames * channels);
  if (info.sample_rate_hz == rate_hz) return samples;

  Resampler resampler(info.sample_rate_hz, rate_hz, info.channels);
  const auto wanted = static_cast<std::size_t>(
      std::max<std::int64_t>(1, scale_frames(static_cast<std::int64_t>(frames), info.sample_rate_hz, rate_hz)));
  std::vector<float> converted(wanted * channels);
  std::size_t done = 0;
  const auto take = [&] { done += resampler.read(converted.data() + done * channels, wanted - done); };
  CONTINUO_CHECK(resampler.start(0) == 0, "there is nothing before the first frame");
  for (std::size_t at = 0; at < frames; at += kChunkFrames) {
    const std::size_t n = std::min(kChunkFrames, frames - at);
    resampler.push({samples.data() + at * channels, n * channels});
    take();
  }
  resampler.end();
  take();
  const auto ratio = static_cast<float>(static_cast<double>(info.sample_rate_hz) / rate_hz);
  for (float& sample : converted) sample *= ratio;
  return converted;
}

const char* text_of(rt::dsp::ImpulseFault fault) {
  using enum rt::dsp::ImpulseFault;
  switch (fault) {
    case not_finite:
      return "holds a sample that is not a number";
    case too_long:
      return "is too long for an impulse response";
    case none:
    case no_channels:
    case too_many_channels:
    case empty:
      break;
  }
  return "is no impulse response";
}

}  // namespace

Result<std::shared_ptr<const rt::dsp::Impulse>> read_impulse(const ImpulseRequest& request) {
  const std::string name = request.file.string();
  const auto refuse = [&](const char* reason, const std::string& why) {
    return make_error(ErrorKind::invalid_argument, reason, "", name + ": " + why);
  };
  auto opened = Decoder::open(request.file);
  if (!opened) return opened.error();
  Decoder& decoder = **opened;
  const MediaInfo& info = decoder.info();
  if (static_cast<double>(info.frames) > request.most_seconds * info.sample_rate_hz)
    return refuse("TOO_LONG", "lasts longer than an impulse response may");
  if (info.channels < request.channels) return refuse("TOO_FEW_CHANNELS", "has fewer channels than it had");

  const std::vector<float> samples = read_all(decoder, request.rate_hz);
  if (!decoder.error().empty())
    return make_error(ErrorKind::data_loss, "READ_FAILED", "", name + ": " + decoder.error());
  const std::size_t frames = samples.size() / info.channels;
  std::vector<std::vector<float>> planar(request.channels, std::vector<float>(frames));
  std::vector<const float*> pointers;
  for (std::uint32_t c = 0; c < request.channels; ++c) {
    for (std::size_t i = 0; i < frames; ++i) planar[c][i] = samples[i * info.channels + c];
    pointers.push_back(planar[c].data());
  }
  auto fault = rt::dsp::ImpulseFault::empty;
  auto plan = rt::dsp::ConvolutionPlan::make(
      request.latency_frames,
      static_cast<std::uint32_t>(std::min<std::size_t>(frames, rt::dsp::ConvolutionPlan::kMostFrames)));
  std::unique_ptr<const rt::dsp::Impulse> impulse;
  if (plan != nullptr) impulse = rt::dsp::Impulse::make(std::move(plan), pointers, frames, &fault);
  if (impulse == nullptr) {
    return refuse(fault == rt::dsp::ImpulseFault::not_finite ? "NOT_FINITE" : "TOO_LONG", text_of(fault));
  }
  return std::shared_ptr<const rt::dsp::Impulse>(std::move(impulse));
}

}  // namespace continuo::media
