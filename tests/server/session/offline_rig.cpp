#include "tests/server/session/offline_rig.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "server/session/expand.hpp"

namespace continuo::session::test {
namespace {

constexpr rt::FrameCount kSourceFrames = 8192;

}  // namespace

float test_sample(const std::string& name, std::uint32_t channel, rt::FrameCount frame) {
  std::uint64_t x =
      stable_hash(name) + channel * 0x9e3779b97f4a7c15u + static_cast<std::uint64_t>(frame) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 31)) * 0x94d049bb133111ebu;
  return static_cast<float>(static_cast<std::int32_t>(x >> 32)) * 0x1p-33f;
}

Rig::Rig(std::uint32_t in_channels, std::uint32_t out_channels) {
  request.shape = {.sample_rate_hz = 48000.0, .in_channels = in_channels, .out_channels = out_channels};
  request.media = &media;
  auto [command_writer, command_reader] = rt::make_ring<rt::Command>(1024);
  auto [event_writer, event_reader] = rt::make_ring<rt::Event>(2 * rt::Renderer::kScheduleCapacity);
  commands_ = std::move(command_writer);
  events_ = std::move(event_reader);
  renderer_ = std::make_unique<rt::Renderer>(std::move(command_reader), std::move(event_writer), 48000.0);
  input = [](std::uint32_t channel, rt::FrameCount frame) { return test_sample("in", channel, frame); };
}

Rig::~Rig() { (void)renderer_->dismantle(); }

void Rig::give_source(const CompiledPlayer& player, std::vector<rt::Action>& actions) {
  if (!player.fresh || player.channels == 0) return;
  auto source = std::make_unique<rt::Source>();
  auto [writer, reader] = rt::make_ring<float>(static_cast<std::size_t>(kSourceFrames) * player.channels);
  std::vector<float> frames;
  for (rt::FrameCount frame = 0; frame < kSourceFrames; ++frame) {
    for (std::uint32_t c = 0; c < player.channels; ++c) frames.push_back(test_sample(player.file, c, frame));
  }
  writer.write(frames);
  source->frames = std::move(reader);
  source->channels = player.channels;
  source->length = kSourceFrames;
  rt::Action& action = actions.emplace_back();
  action.kind = rt::Action::Kind::exchange_source;
  action.node = player.ref;
  action.source = source.get();
  sources_.push_back(std::move(source));
}

void Rig::give_sink(const CompiledRecorder& recorder, std::vector<rt::Action>& actions) {
  if (recorder.channels == 0 || takes_.contains(recorder.path)) return;
  Take& take = takes_[recorder.path];
  take.sink = std::make_unique<rt::Sink>();
  auto [writer, reader] = rt::make_ring<float>(std::size_t{65536} * recorder.channels);
  auto [gap_writer, gap_reader] = rt::make_ring<rt::Gap>(16);
  take.sink->frames = std::move(writer);
  take.sink->gaps = std::move(gap_writer);
  take.sink->channels = recorder.channels;
  take.frames = std::move(reader);
  rt::Action& action = actions.emplace_back();
  action.kind = rt::Action::Kind::record_start;
  action.node = recorder.ref;
  action.sink = take.sink.get();
}

void Rig::take(const Document& document) {
  request.document = &document;
  last = compiler.compile(request);
  plan = last.plan.get();
  auto flight = std::make_unique<Flight>();
  flight->plan = std::move(last.plan);
  flight->dropped = std::move(last.dropped);
  flight->batch.plan = flight->plan.get();
  flight->batch.actions = last.actions;
  for (const CompiledPlayer& player : last.players) give_source(player, flight->batch.actions);
  for (const CompiledRecorder& recorder : last.recorders) give_sink(recorder, flight->batch.actions);
  flight->batch.actions.insert(flight->batch.actions.end(), also.begin(), also.end());
  also.clear();
  REQUIRE(commands_.try_push({.sequence = ++sequence_, .frame = rt::kNow, .batch = &flight->batch, .value = {}}));
  flights_.push_back(std::move(flight));
}

void Rig::start_timeline() {
  rt::Action start;
  start.kind = rt::Action::Kind::transport_start;
  also.push_back(start);
}

void Rig::use_team(rt::Team& team) {
  request.threads = team.workers() + 1;
  renderer_->use_team(&team);
}

Sound Rig::render(std::uint32_t frames, std::uint32_t buffer) {
  Sound out(request.shape.out_channels, std::vector<float>(frames));
  for (std::uint32_t done = 0; done < frames;) {
    const std::uint32_t n = std::min(buffer, frames - done);
    Sound in(request.shape.in_channels, std::vector<float>(n));
    std::vector<const float*> ins;
    std::vector<float*> outs;
    for (std::uint32_t c = 0; c < in.size(); ++c) {
      for (std::uint32_t i = 0; i < n; ++i) in[c][i] = input(c, rendered_ + i);
      ins.push_back(in[c].data());
    }
    for (auto& channel : out) outs.push_back(channel.data() + done);
    renderer_->process({ins.data(), static_cast<std::uint32_t>(ins.size())},
                       {outs.data(), static_cast<std::uint32_t>(outs.size())}, n);
    done += n;
    rendered_ += n;
  }
  come_home();
  CHECK(counters().commands_orphaned == 0);
  CHECK(counters().non_finite_samples == 0);
  return out;
}

void Rig::come_home() {
  rt::Event event;
  while (events_.try_pop(event)) {
    CHECK(event.kind == rt::Event::Kind::applied);
    const auto flight =
        std::find_if(flights_.begin(), flights_.end(), [&](const auto& f) { return &f->batch == event.batch; });
    REQUIRE(flight != flights_.end());
    CHECK((*flight)->batch.plan == current_.get());  // the one before comes back
    current_ = std::move((*flight)->plan);
    destroyed += (*flight)->dropped.size();
    flights_.erase(flight);
  }
}

Sound Rig::recorded(const std::string& path) {
  Take& take = takes_.at(path);
  CHECK(take.sink->lost_frames == 0);
  const std::uint32_t channels = take.sink->channels;
  std::vector<float> samples(take.frames.available());
  take.frames.read(samples);
  Sound sound(channels);
  for (std::size_t i = 0; i < samples.size(); ++i) sound[i % channels].push_back(samples[i]);
  return sound;
}

}  // namespace continuo::session::test
