#include "server/render/inputs.hpp"

#include <algorithm>
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

void Inputs::fill(std::uint32_t frames, Crew& crew) {
  const auto part = [&](std::uint32_t member) {
    for (std::size_t i = member; i < costly_.size(); i += crew.members()) costly_[i]->fill_to(frames);
  };
  for (media::StreamReader* stream : plain_) stream->fill_to(frames);
  if (crew.members() == 1 || costly_.empty()) return part(0);
  crew.run(part);
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

std::string Inputs::error() const {
  for (const auto& stream : streams_) {
    if (std::string why = stream->error(); !why.empty()) return why;
  }
  return {};
}

}  // namespace continuo::render
