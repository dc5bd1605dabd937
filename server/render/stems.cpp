#include "server/render/stems.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "server/analysis/frames.hpp"
#include "server/analysis/layout.hpp"
#include "server/base/check.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::render {
namespace {

constexpr std::uint32_t kLeastRingFrames =
    1024;  // small blocks come in small pieces, for which there must be room, too

Error no_sound(const std::string& path, const std::string& why) {
  return make_error(ErrorKind::invalid_argument, "NO_SOUND", path, path + why);
}

}  // namespace

Result<std::set<std::string>> find_stems(const session::Document& document, const StemWish& wish) {
  std::set<std::string> paths;
  for (const std::string& path : wish.nodes) {
    if (session::find_node(document, path) == nullptr)
      return make_error(ErrorKind::not_found, "UNKNOWN_NODE", path, "no node \"" + path + "\" in the session");
    paths.insert(path);
  }
  if (!wish.all) return paths;
  session::for_each_node(document.nodes, "", [&](const std::string& path, const session::DocNode& node) {
    const session::TypeSpec* type = session::find_type(node.type);
    if (type != nullptr && session::is_strip(type->role)) paths.insert(path);
  });
  return paths;
}

Result<std::vector<session::CompiledMeter>> stem_meters(const session::Document& document,
                                                        const std::set<std::string>& paths,
                                                        const std::vector<session::CompiledMeter>& meters) {
  std::vector<session::CompiledMeter> found;
  for (const session::CompiledMeter& meter : meters) {
    if (!paths.contains(meter.path)) continue;
    if (meter.channels == 0) {
      return no_sound(meter.path,
                      meter.path == "in" ? " has no channels: --input in=FILE gives it some" : " has no channels");
    }
    found.push_back(meter);
  }
  for (const std::string& path : paths) {
    if (std::ranges::find(found, path, &session::CompiledMeter::path) == found.end())
      return no_sound(path, " is a " + session::find_node(document, path)->type + ": no sound comes out of it");
  }
  return found;
}

Stems::Stem::Stem(const session::CompiledMeter& meter, std::uint32_t sample_rate_hz, std::uint32_t ring_frames)
    : node(meter.path),
      channels(meter.channels),
      skip(meter.arrival_frames),
      listen(meter.slots, ring_frames),
      tap(sample_rate_hz, analysis::usual_weights(meter.channels)),
      planes(meter.channels),
      pointers(meter.channels) {}

Stems::Stems(std::vector<session::CompiledMeter> meters, std::uint32_t sample_rate_hz, std::int64_t most_frames,
             std::uint32_t block_frames)
    : most_frames_(most_frames) {
  std::size_t widest = 0;
  for (const session::CompiledMeter& meter : meters) {
    stems_.emplace_back(meter, sample_rate_hz, std::max(block_frames, kLeastRingFrames));
    widest = std::max<std::size_t>(widest, meter.channels);
  }
  piece_.resize(widest * rt::kBlockFrames);
}

std::int64_t Stems::latency() const noexcept {
  std::int64_t latest = 0;
  for (const Stem& stem : stems_) latest = std::max(latest, stem.skip);
  return latest;
}

void Stems::drain(std::uint32_t frames) {
  engine_frame_ += frames;
  for (Stem& stem : stems_) {
    rt::MeterFeed::Piece piece;
    while (stem.listen.feed().try_pop(piece, piece_)) {
      CONTINUO_CHECK(piece.lost == 0 && piece.first_frame == stem.next, "the feed was drained before it could be full");
      take(stem, piece);
    }
    CONTINUO_CHECK(stem.next == engine_frame_, "a meter hears every frame that its plan runs for");
  }
}

void Stems::take(Stem& stem, const rt::MeterFeed::Piece& piece) {
  const auto begin = static_cast<std::int64_t>(stem.next) - stem.skip;  // of the file
  stem.next += piece.frames;
  const std::int64_t from = std::max<std::int64_t>(begin, 0);
  const std::int64_t to = std::min<std::int64_t>(begin + piece.frames, most_frames_);
  if (to <= from) return;
  for (std::uint32_t c = 0; c < stem.channels; ++c) {
    const float* samples = piece_.data() + std::size_t{c} * piece.frames;
    stem.planes[c].insert(stem.planes[c].end(), samples + (from - begin), samples + (to - begin));
  }
  stem.drained = to;
}

void Stems::allow(std::int64_t frames) noexcept { allowed_ = std::max(allowed_, frames); }

void Stems::measure(std::size_t index) {
  Stem& stem = stems_[index];
  const std::int64_t frames = std::min(stem.drained, allowed_) - stem.measured;
  if (frames <= 0) return;
  for (std::uint32_t c = 0; c < stem.channels; ++c) stem.pointers[c] = stem.planes[c].data();
  stem.tap.feed(analysis::Frames::planar(stem.pointers.data(), stem.channels, static_cast<std::size_t>(frames)));
  for (std::vector<float>& plane : stem.planes) plane.erase(plane.begin(), plane.begin() + frames);
  stem.measured += frames;
}

bool Stems::heard(std::int64_t frames) const noexcept {
  return std::ranges::all_of(stems_, [&](const Stem& stem) { return stem.drained >= frames; });
}

std::vector<StemReport> Stems::finish(std::int64_t frames) {
  CONTINUO_CHECK(heard(frames), "the engine ran until the latest of them was there");
  CONTINUO_CHECK(allowed_ <= frames, "nothing beyond the file was measured");
  allowed_ = frames;
  std::vector<StemReport> reports;
  for (std::size_t i = 0; i < stems_.size(); ++i) {
    measure(i);
    reports.push_back({stems_[i].node, stems_[i].channels, stems_[i].tap.finish()});
  }
  return reports;
}

}  // namespace continuo::render
