#include "server/control/stand_ins.hpp"

#include <algorithm>
#include <utility>

namespace continuo::control {

bool operator==(const StreamKey& a, const StreamKey& b) {
  // The same items under other uids sound the same: those that a cue brings get theirs when it is fired.
  const auto same_item = [](session::CompiledItem one, const session::CompiledItem& other) {
    one.uid = other.uid;
    return one == other;
  };
  return a.first_frame == b.first_frame && a.rate_hz == b.rate_hz && a.base == b.base &&
         a.player.queue == b.player.queue && a.player.loop == b.player.loop && a.player.file == b.player.file &&
         std::ranges::equal(a.player.items, b.player.items, same_item) && a.entrance == b.entrance;
}

StandIns::~StandIns() {
  for (const auto& one : all_)
    if (one->stream) pool_.release(one->stream);
}

void StandIns::keep(std::vector<StreamKey> wanted, std::function<void()> changed) {
  changed_ = std::move(changed);
  std::vector<std::shared_ptr<StandIn>> kept;
  for (StreamKey& key : wanted) {
    const auto found = std::ranges::find_if(all_, [&](const auto& one) { return one->key == key && !one->landed; });
    const auto filled = std::ranges::find_if(
        all_, [&](const auto& one) { return one->key == key && one->landed && one->error.empty(); });
    const auto best = filled != all_.end() ? filled : found;
    if (best != all_.end()) {
      kept.push_back(*best);
      all_.erase(best);
      continue;
    }
    auto fresh = std::make_shared<StandIn>();
    fresh->key = std::move(key);
    kept.push_back(std::move(fresh));
  }
  for (const auto& one : all_) {
    one->unwanted = true;
    if (one->stream) pool_.release(std::exchange(one->stream, nullptr));
  }
  all_ = std::move(kept);
  begin();
}

void StandIns::begin() {
  for (std::size_t i = 0; i < all_.size() && under_way_ < most_at_once_; ++i) {
    const std::shared_ptr<StandIn> one = all_[i];
    if (std::exchange(one->begun, true)) continue;
    ++under_way_;
    open_(one->key, [this, one](const auto& stream, const auto& error) { land(one, stream, error); });
  }
}

void StandIns::land(const std::shared_ptr<StandIn>& one, const std::shared_ptr<media::StreamReader>& stream,
                    const std::string& error) {
  --under_way_;
  if (one->taker) {
    one->taker(stream, error);
  } else if (one->unwanted) {
    if (stream) pool_.release(stream);
  } else {
    one->landed = true;
    one->stream = stream;
    one->error = error;
  }
  begin();
  if (changed_) changed_();
}

bool StandIns::take(const StreamKey& key, Landed landed, rt::FrameCount late) {
  const auto fits = [&](StreamKey have) {
    if (have.first_frame <= key.first_frame && key.first_frame - have.first_frame <= late)
      have.first_frame = key.first_frame;
    return have == key;
  };
  auto best = all_.end();
  for (auto one = all_.begin(); one != all_.end(); ++one) {
    if (!fits((*one)->key) || !(*one)->error.empty() || !(*one)->begun) continue;
    best = one;
    if ((*one)->landed) break;
  }
  if (best == all_.end()) return false;
  const std::shared_ptr<StandIn> one = *best;
  all_.erase(best);
  if (one->landed)
    landed(one->stream, "");
  else
    one->taker = std::move(landed);
  return true;
}

bool StandIns::ready() const {
  return std::ranges::all_of(all_, [](const auto& one) { return one->landed && one->error.empty(); });
}

bool StandIns::landed() const {
  return std::ranges::all_of(all_, [](const auto& one) { return one->landed; });
}

std::string StandIns::error() const {
  const auto bad = std::ranges::find_if(all_, [](const auto& one) { return !one->error.empty(); });
  return bad == all_.end() ? std::string() : (*bad)->error;
}

double StandIns::bytes_of(const StreamKey& key) {
  const double samples = std::max(1u, key.player.channels) * key.rate_hz * media::StreamRequest{}.ring_seconds;
  double ring = 1.0;
  while (ring < samples) ring *= 2.0;  // rings are powers of two
  return ring * sizeof(float);
}

}  // namespace continuo::control
