#include "server/session/expand_sources.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "rt/nodes/generator.hpp"
#include "rt/nodes/player.hpp"
#include "rt/nodes/sweep.hpp"
#include "server/session/expand.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/queue.hpp"

namespace continuo::session {
namespace {

FlatNode generator(const DocNode& doc) {
  FlatNode node;
  node.key = {doc.uid, FlatRole::generator};
  node.kind = doc.type == "noise" ? &rt::noise_kind() : &rt::oscillator_kind();
  node.out_count = static_cast<std::uint32_t>(number_of(doc, "channels"));
  node.sound = FlatNode::Sound::always;
  return node;
}

// Another pitch, length or rate: another node.
FlatNode sweep(const CompileRequest& request, const DocNode& doc) {
  std::string identity = std::to_string(request.shape.sample_rate_hz);
  for (const char* const param : {"start_hz", "end_hz", "duration_s", "gap_s", "repeat"})
    identity += " " + std::to_string(number_of(doc, param));
  FlatNode node;
  node.key = {doc.uid, FlatRole::generator, stable_hash(identity)};
  node.kind = &rt::sweep_kind();
  node.out_count = static_cast<std::uint32_t>(number_of(doc, "channels"));
  node.sound = FlatNode::Sound::timeline;
  return node;
}

// Another file, place, mode or rate: another node, so that the one before can fade out with its own source.
FlatNode player(const CompileRequest& request, const DocNode& doc) {
  const std::string file = text_of(doc, "file");
  std::uint32_t channels = 0;
  if (request.media != nullptr) {
    const auto facts = request.media->find(file);
    if (facts != request.media->end()) channels = std::min(facts->second.channels, kMaxChannels);
  }
  // The same queue of other items, or in a loop, is the same node: what plays on in it has no seam.
  for (const CompiledItem& item : compile_queue(doc.queue, request.media))
    channels = std::max(channels, item.facts.channels);
  const bool loop = doc.queue.empty() && number_of(doc, "loop") != 0.0;
  const std::string identity = text_of(doc, "mode") + (loop ? " loop " : " once ") + std::to_string(channels) + " " +
                               std::to_string(start_frame(doc, request.shape.sample_rate_hz)) + " " +
                               std::to_string(request.shape.sample_rate_hz) + " " +
                               (doc.queue.empty() ? file : " queue");
  FlatNode node;
  node.key = {doc.uid, FlatRole::player, stable_hash(identity)};
  node.kind = &rt::player_kind();
  node.out_count = std::max(channels, 1u);  // a missing file is one silent channel
  node.sound = text_of(doc, "mode") == "free" ? FlatNode::Sound::own_clock : FlatNode::Sound::timeline;
  return node;
}

}  // namespace

FlatNode make_source(const CompileRequest& request, const DocNode& doc, const std::string& path) {
  FlatNode node = doc.type == "player"  ? player(request, doc)
                  : doc.type == "sweep" ? sweep(request, doc)
                                        : generator(doc);
  node.doc = &doc;
  node.path = path;
  return node;
}

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

rt::FrameCount start_frame(const DocNode& player, double sample_rate_hz) {
  return std::llround(number_of(player, "start_s") * sample_rate_hz);
}

}  // namespace continuo::session
