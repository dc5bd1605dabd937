#include "server/render/inputs.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace continuo::render {

Inputs::Inputs(std::uint32_t rate_hz, std::uint32_t chunk_frames) : rate_hz_(rate_hz), chunk_frames_(chunk_frames) {}
Inputs::~Inputs() = default;

Result<rt::Source*> Inputs::add(media::StreamRequest request) {
  request.engine_rate_hz = rate_hz_;
  request.ring_frames = chunk_frames_;
  auto opened = media::StreamReader::open(request);
  if (!opened) return opened.error();
  streams_.push_back(std::move(*opened));
  names_.push_back(std::move(request.file));
  media::StreamReader* const stream = streams_.back().get();
  (stream->costly() ? costly_ : plain_).push_back(stream);
  return &stream->source();
}

Result<> Inputs::add_device(const std::filesystem::path& file, std::uint32_t block_frames) {
  const auto source = add({.file = file});
  if (!source) return source.error();
  device_ = streams_.back().get();
  const std::uint32_t channels = (*source)->channels;
  interleaved_.resize(std::size_t{block_frames} * channels);
  planar_.resize(std::size_t{block_frames} * channels);
  for (std::uint32_t c = 0; c < channels; ++c) channels_.push_back(planar_.data() + std::size_t{c} * block_frames);
  return {};
}

void Inputs::fill(std::size_t file, std::uint32_t frames) {
  (file < costly_.size() ? costly_[file] : plain_[file - costly_.size()])->fill_to(frames);
}

rt::InputBlock Inputs::device(std::uint32_t frames) {
  if (device_ == nullptr) return {};
  rt::Source& source = device_->source();
  const auto wanted = std::span(interleaved_).first(std::size_t{frames} * source.channels);
  const std::size_t got = source.frames.read(wanted);
  std::fill(wanted.begin() + static_cast<std::ptrdiff_t>(got), wanted.end(), 0.0f);
  const std::size_t stride = planar_.size() / source.channels;
  for (std::uint32_t c = 0; c < source.channels; ++c) {
    float* const to = planar_.data() + c * stride;
    for (std::uint32_t i = 0; i < frames; ++i) to[i] = wanted[std::size_t{i} * source.channels + c];
  }
  return {channels_.data(), source.channels};
}

std::vector<std::string> Inputs::spoiled() const {
  std::map<std::string, std::uint64_t> counts;  // a file may have several players
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (const std::uint64_t count = streams_[i]->non_finite(); count > 0) counts[names_[i].string()] += count;
  }
  std::vector<std::string> lines;
  for (const auto& [name, count] : counts)
    lines.push_back(name + " holds NaN or infinite samples: " + std::to_string(count) + " were taken as silence");
  return lines;
}

std::string Inputs::error() const {
  for (const auto& stream : streams_) {
    if (std::string why = stream->error(); !why.empty()) return why;
  }
  return {};
}

}  // namespace continuo::render
