#include "server/session/impulse_table.hpp"

#include <cmath>
#include <set>

#include "rt/nodes/convolver.hpp"
#include "server/session/expand.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::session {
namespace {

constexpr std::string_view kConvolution = "convolution";
constexpr std::uint32_t kMost = rt::dsp::Impulse::kMostChannels;

Result<> check(const std::string& file, const MediaFacts& facts) {
  const auto refuse = [&](std::string reason, const std::string& why) {
    return make_error(ErrorKind::invalid_argument, std::move(reason), "file", file + ": " + why);
  };
  if (facts.channels > kMost) {
    return refuse("TOO_MANY_CHANNELS", "an impulse response has at most " + std::to_string(kMost) +
                                           " channels, this file has " + std::to_string(facts.channels));
  }
  if (static_cast<double>(facts.frames) > kMostImpulseSeconds * facts.sample_rate_hz)
    return refuse("TOO_LONG", "an impulse response lasts at most 10 s");
  return {};
}

template <class Visit>
void for_each_convolution(const Document& document, Visit&& visit) {
  for_each_node(document.nodes, "", [&](const std::string& path, const DocNode& node) {
    if (node.type == kConvolution) visit(path, node);
  });
}

// What fits the meanings of Convolver::accepts(); a stereo pair takes 4 as true stereo.
std::uint32_t used_channels(std::uint32_t file, std::uint32_t ins) {
  if (ins == 1 || (ins == 2 && file == 4)) return file;
  return file >= ins ? ins : 1;
}

}  // namespace

ImpulseKey impulse_key(const DocNode& node, std::uint32_t in_count, double sample_rate_hz, const MediaTable* media) {
  ImpulseKey key;
  key.file = text_of(node, "file");
  key.rate_hz = static_cast<std::uint32_t>(std::lround(sample_rate_hz));
  const auto choice = static_cast<std::uint32_t>(number_of(node, "latency_frames"));
  key.latency_frames = choice == 0 ? 0 : 64u << (choice - 1);
  if (media == nullptr) return key;
  const auto facts = media->find(key.file);
  if (facts == media->end() || facts->second.channels == 0 || !check(key.file, facts->second)) return key;
  key.channels = used_channels(facts->second.channels, in_count);
  return key;
}

std::vector<ImpulseKey> impulses_of(const CompileRequest& request) {
  std::set<ImpulseKey> keys;
  bool any = false;
  for_each_convolution(*request.document, [&](const std::string&, const DocNode&) { any = true; });
  if (!any) return {};
  for (const FlatNode& node : expand(request).nodes) {
    if (node.kind != &rt::convolver_kind()) continue;
    ImpulseKey key = impulse_key(*node.doc, node.main_in_count, request.shape.sample_rate_hz, request.media);
    if (key.channels != 0) keys.insert(std::move(key));
  }
  return {keys.begin(), keys.end()};
}

std::vector<BadImpulse> check_impulses(const Document& document, const MediaTable& media) {
  std::vector<BadImpulse> bad;
  for_each_convolution(document, [&](const std::string& path, const DocNode& node) {
    const std::string file = text_of(node, "file");
    const auto facts = media.find(file);
    if (facts == media.end()) return;
    if (const Result<> fine = check(file, facts->second); !fine) bad.push_back({path, file, fine.error()});
  });
  return bad;
}

}  // namespace continuo::session
