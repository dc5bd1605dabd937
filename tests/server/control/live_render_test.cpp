// Live equals offline: what a recording of "out" takes on a device is what a render of the session has, bit for bit.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "server/media/decode.hpp"
#include "server/render/offline_renderer.hpp"
#include "server/render/session_text.hpp"
#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

namespace {

constexpr std::size_t kFrames = 12'000;
constexpr std::size_t kLatency = 34 + 48 + 55;  // two lookaheads, and the filter of the limiter

/// Sources that begin with the timeline, and every processor that remembers anything.
const std::vector<std::string> kNodes = {
    R"({"id": "vox", "type": "track", "params": {"pan": -0.3}, "automation": {"gain_db": {"points": [
         {"frame": 500, "value": -20}, {"frame": 7777, "value": 0}]}}, "children": [
       {"id": "p", "type": "player", "params": {"file": "media:vox.wav"}},
       {"id": "e", "type": "eq", "params": {"band1.type": "low_shelf", "band1.gain_db": 3, "band3.type": "peak", "band3.gain_db": -4}},
       {"id": "c", "type": "compressor", "params": {"threshold_db": -30}},
       {"id": "n", "type": "gate", "params": {"threshold_db": -20}}]})",
    R"({"id": "band", "type": "track", "params": {"gain_db": -3}, "children": [
       {"id": "p", "type": "player", "params": {"file": "media:band.wav"}},
       {"id": "m", "type": "matrix", "params": {"gain.1_2": 0.3}},
       {"id": "duck", "type": "compressor", "params": {"threshold_db": -24, "lookahead_ms": 0.7}},
       {"id": "d", "type": "delay", "params": {"time_ms": 31, "feedback": 0.4}}]})",
    R"({"id": "tone", "type": "track", "children": [{"id": "s", "type": "sweep", "params": {"duration_s": 0.2}},
       {"id": "g", "type": "gain", "params": {"gain_db": -6}}, {"id": "b", "type": "pan", "params": {"pan": 0.4}}]})",
    R"({"id": "hall", "type": "bus", "children": [{"id": "r", "type": "reverb"}]})",
    R"({"id": "room", "type": "bus", "children": [{"id": "c", "type": "convolution", "params": {"file": "media:room.wav"}}]})",
    R"({"id": "loop", "type": "feedback", "params": {"time_ms": 11}})",
    R"({"id": "master", "type": "bus", "children": [
       {"id": "l", "type": "limiter", "params": {"lookahead_ms": 1, "ceiling_db": -6}}]})"};
const std::vector<std::string> kConnections = {
    R"({"from": "vox", "to": "master"})",  R"({"from": "band", "to": "master"})",
    R"({"from": "tone", "to": "master"})", R"({"from": "vox:pre", "to": "hall", "gain_db": -6})",
    R"({"from": "hall", "to": "master"})", R"({"from": "band", "to": "room", "gain_db": -9})",
    R"({"from": "room", "to": "master"})", R"({"from": "room", "to": "loop", "gain_db": -12})",
    R"({"from": "loop", "to": "hall"})",   R"({"from": "vox", "to": "band/duck:sidechain"})",
    R"({"from": "master", "to": "out"})"};

std::string joined(const std::vector<std::string>& parts, const std::string& before, const std::string& behind) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + before + part + behind;
  return text;
}
std::string session_of(const std::vector<std::string>& nodes, const std::vector<std::string>& connections) {
  return R"({"format": 1, "sample_rate_hz": 48000, "nodes": [)" + joined(nodes, "", "") + R"(], "connections": [)" +
         joined(connections, "", "") + "]}";
}
std::string whole_session() { return session_of(kNodes, kConnections); }
/// What begins with silence and ends in it: no generator, no endless tail.
std::string session_of_files() {
  const auto without = [](std::vector<std::string> parts) {
    std::erase_if(parts, [](const std::string& part) {
      return part.find("\"tone\"") != std::string::npos || part.find("\"hall\"") != std::string::npos ||
             part.find("\"loop\"") != std::string::npos;
    });
    return parts;
  };
  return session_of(without(kNodes), without(kConnections));
}
/// The whole session comes, plays and is recorded from one frame on: what sounded before has a past that no render has.
std::string transaction() {
  return "{'operations':[" + joined(kNodes, "{'addNode':{'node':", "}}") + ", " +
         joined(kConnections, "{'connect':", "}") + ", {'recordStart':{'nodes':['out'],'frames':'" +
         std::to_string(kFrames + kLatency) + "'}},{'play':{}}]}";
}

void write_media(Rig& rig) {
  const auto noise = [](std::uint32_t channels, std::size_t frames, double decay) {
    std::vector<float> samples(channels * frames);
    std::uint32_t x = 1;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      x = x * 1664525u + 1013904223u;
      samples[i] = static_cast<float>((static_cast<double>(x) / 4294967296.0 - 0.5) *
                                      std::exp(-decay * static_cast<double>(i / channels)));
    }
    return samples;
  };
  rig.write_wav("vox.wav", 1, 48'000, noise(1, 11'000, 0.0001));
  rig.write_wav("band.wav", 2, 48'000, noise(2, 20'000, 0.0));
  rig.write_wav("room.wav", 2, 48'000, noise(2, 3'000, 0.002));
}

std::vector<float> rendered(Rig& rig, const std::string& text, std::uint32_t block, std::uint32_t threads) {
  const std::filesystem::path file = rig.folder.path() / "session.json";
  std::ofstream(file) << text;
  const auto document = render::read_session(file);
  REQUIRE_MESSAGE(document, (document ? "" : document.error().message));
  render::RenderOptions options;
  options.roots = media::Roots({{"media", rig.folder.path() / "media"}});
  options.output = rig.folder.path() / "render.wav";
  options.overwrite = true;
  options.block_frames = block;
  options.threads = threads;
  options.to = render::TimeText{true, static_cast<std::int64_t>(kFrames), 0.0};
  auto prepared = render::OfflineRenderer::prepare(*document, options);
  REQUIRE_MESSAGE(prepared, (prepared ? "" : prepared.error().message));
  const auto result = (*prepared)->run();
  REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
  std::uint32_t channels = 0;
  return rig.read_wav(options.output, channels);
}

/// `buffers`: one after the other, again and again. `meanwhile`: now and then.
std::vector<float> taken(Rig& rig, const std::string& transaction, const std::vector<std::uint32_t>& buffers,
                         const std::function<void()>& meanwhile = {}) {
  rig.buffer = buffers.front();
  const auto response = rig.applied(transaction);
  REQUIRE(response.takes_size() == 1);
  v1::GetStatusResponse::Take take;
  rig.stepping = false;
  std::size_t next = 0;
  REQUIRE(rig.until([&] {
    for (std::uint32_t frames = 0; frames < (meanwhile ? 128 : 512); frames += buffers[next++ % buffers.size()])
      rig.hardware->step(buffers[next % buffers.size()]);
    if (meanwhile) meanwhile();
    const auto status = rig.status();
    for (const auto& each : status.takes())
      if (each.file() == response.takes(0)) take = each;
    return take.file() == response.takes(0) && !take.recording();
  }));
  rig.stepping = true;
  CHECK(take.lost_frames() == 0);
  CHECK(rig.status().counters().starved_frames() == 0);
  std::uint32_t channels = 0;
  return rig.read_wav(rig.take_file(take.file()), channels);
}

}  // namespace

TEST_CASE("a take of a session on a device, in buffers of any size, is its render, on any number of threads") {
  std::vector<float> wanted;
  using Buffers = std::vector<std::uint32_t>;
  for (const Buffers& buffers : {Buffers{1}, {17}, {64}, {65}, {256}, {512}, {1000}, {64, 3, 200, 1, 999, 33}}) {
    CAPTURE(buffers.front());
    Rig rig;
    write_media(rig);
    if (wanted.empty()) {
      wanted = rendered(rig, whole_session(), 1024, 1);
      REQUIRE(wanted.size() == 2 * kFrames);
      CHECK(*std::max_element(wanted.begin(), wanted.end()) > 0.1f);
      CHECK(rendered(rig, whole_session(), 1000, 2) == wanted);
    }
    const std::vector<float> live = taken(rig, transaction(), buffers);
    REQUIRE(live.size() == 2 * (kFrames + kLatency));
    CHECK(std::equal(wanted.begin(), wanted.end(), live.begin() + 2 * kLatency));
  }
}

TEST_CASE("who looks at the meters of sources and processors, and looks away, changes no sample") {
  std::vector<float> wanted;
  for (const std::vector<std::uint32_t>& buffers : {std::vector<std::uint32_t>{64}, {17}, {64, 3, 200, 1, 999, 33}}) {
    CAPTURE(buffers.front());
    Rig rig;
    write_media(rig);
    if (wanted.empty()) wanted = rendered(rig, whole_session(), 1024, 1);
    const std::vector<std::string> nodes = {"vox/p",     "vox/e",  "vox/c",  "vox/n",    "band/p", "band/m",
                                            "band/duck", "band/d", "tone/s", "tone/g",   "tone/b", "hall/r",
                                            "room/c",    "loop",   "master", "master/l", "out"};
    std::vector<std::shared_ptr<control::Feed<v1::MeterFrame>>> feeds;
    std::size_t turn = 0;
    std::uint64_t came = 0;
    const auto look = [&] {
      for (const auto& feed : feeds) came += feed->next({}) != nullptr ? 1 : 0;
      if (feeds.size() >= 5) feeds.erase(feeds.begin(), feeds.begin() + 3);
      v1::WatchMetersRequest request;
      for (std::size_t k = 0; k < 3; ++k) request.add_nodes(nodes[(turn * 5 + k * 7) % nodes.size()]);
      request.set_rate_hz(100);
      if (turn % 3 == 0) request.add_kinds(v1::METER_KIND_TRUE_PEAK);
      ++turn;
      feeds.push_back(rig.meters(request));
    };
    const std::vector<float> live = taken(rig, transaction(), buffers, look);
    CHECK(turn > 3);  // the rest went by while the transaction was applied
    CHECK(rig.until([&] {
      for (const auto& feed : feeds) came += feed->next({}) != nullptr ? 1 : 0;
      return came > 0;
    }));
    REQUIRE(live.size() == 2 * (kFrames + kLatency));
    CHECK(std::equal(wanted.begin(), wanted.end(), live.begin() + 2 * kLatency));
  }
}

TEST_CASE("a session that has been there for any time is played and recorded as it is rendered, again and again") {
  const std::string text = session_of_files();
  std::vector<float> wanted;
  using Buffers = std::vector<std::uint32_t>;
  for (const Buffers& buffers : {Buffers{64}, {17}, {512}, {64, 3, 200, 1, 999, 33}}) {
    CAPTURE(buffers.front());
    Rig rig;
    write_media(rig);
    if (wanted.empty()) wanted = rendered(rig, text, 1024, 1);
    REQUIRE(rig.load(text));
    rig.hardware->run(5'000 + buffers.front(), buffers.front());  // a place in no grid
    for (int round = 0; round < 3; ++round) {
      CAPTURE(round);
      const std::vector<float> live = taken(rig,
                                            "{'operations':[{'play':{}},{'recordStart':{'nodes':['out'],'frames':'" +
                                                std::to_string(kFrames + kLatency) + "'}}]}",
                                            buffers);
      REQUIRE(live.size() == 2 * (kFrames + kLatency));
      CHECK(std::equal(wanted.begin(), wanted.end(), live.begin() + 2 * kLatency));
      rig.applied("{'operations':[{'stop':{}},{'locate':{'timelineFrame':'0'}}]}");
      rig.hardware->run(576'011,
                        buffers.front());  // until the last release and the last echo are below the smallest number
    }
  }
}
