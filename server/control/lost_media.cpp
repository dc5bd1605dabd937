#include "server/control/lost_media.hpp"

#include <algorithm>
#include <utility>

#include "server/base/log.hpp"
#include "server/media/resample.hpp"

namespace continuo::control {
namespace {

bool plays(const session::CompiledPlayer& player, const std::string& file) {
  if (!player.queue) return player.file == file;
  return std::ranges::any_of(player.items, [&](const session::CompiledItem& item) { return item.file == file; });
}

}  // namespace

LostMedia::LostMedia(Parts parts, std::chrono::milliseconds every)
    : parts_(std::move(parts)), every_(every), timer_(parts_.strand) {
  wait();
}

void LostMedia::close() {
  closed_ = true;
  timer_.cancel();
}

void LostMedia::wait() {
  if (closed_) return;
  timer_.after(every_, [this] { look(); });
}

/// Where its players stand, and where items of it that are still to come begin.
std::vector<std::int64_t> LostMedia::wanted_of(const std::string& file) const {
  std::vector<std::int64_t> frames;
  const double rate_hz = parts_.graph.shape().sample_rate_hz;
  for (const session::CompiledPlayer& player : parts_.graph.players()) {
    if (!plays(player, file)) continue;
    const rt::FrameCount place =
        std::max<rt::FrameCount>(0, player.free ? parts_.transport.player_position(player.uid)
                                                : parts_.transport.position() - player.timeline_start);
    if (!player.queue) {
      const auto facts = parts_.media.table().find(file);
      if (facts == parts_.media.table().end() || facts->second.frames <= 0) continue;
      const std::int64_t frame = convert_frames(place, rate_hz, facts->second.sample_rate_hz);
      frames.push_back(player.loop ? frame % facts->second.frames : frame);
      continue;
    }
    const QueuePlaces places(player.items, rate_hz, player.loop);
    const rt::PlayTable::Place now = places.table().find(place);
    for (std::size_t i = 0; i < player.items.size() && frames.size() < kAtOnce; ++i) {
      const session::CompiledItem& item = player.items[i];
      if (item.file != file || item.end <= item.begin) continue;
      const bool current = now.row != nullptr && now.row->number == i + 1;
      const std::int64_t into = current ? convert_frames(place - now.begin, rate_hz, item.facts.sample_rate_hz) : 0;
      frames.push_back(item.begin + into % (item.end - item.begin));
    }
  }
  return frames;
}

std::vector<LostMedia::Asked> LostMedia::questions() {
  std::set<std::string> names;
  for (const Sources::Broken& broken : parts_.sources.broken()) names.insert(broken.files.begin(), broken.files.end());
  const std::set<std::string> lost = names;
  std::erase_if(followed_, [&](const auto& one) {
    return std::ranges::none_of(parts_.graph.players(), [&](const auto& player) { return plays(player, one.first); });
  });
  for (const auto& [name, stamp] : followed_) names.insert(name);
  std::erase_if(seen_, [&](const auto& one) { return !names.contains(one.first); });
  std::vector<Asked> questions;
  auto next = names.upper_bound(last_);
  while (questions.size() < std::min(kAtOnce, names.size())) {
    if (next == names.end()) next = names.begin();
    Asked asked{.name = *next++, .at = {}, .before = {}, .known = {}};
    asked.at = wanted_of(asked.name);
    if (const auto before = seen_.find(asked.name); before != seen_.end()) asked.before = before->second;
    if (const auto known = followed_.find(asked.name); known != followed_.end() && !lost.contains(asked.name))
      asked.known = known->second;
    questions.push_back(std::move(asked));
  }
  if (!questions.empty()) last_ = questions.back().name;
  return questions;
}

void LostMedia::look() {
  parts_.sources.look();
  std::vector<Asked> asked = questions();
  if (asked.empty()) return wait();
  parts_.pool.post([this, asked = std::move(asked), base = parts_.media.base(), roots = parts_.media.roots(),
                    post = parts_.strand.poster()] {
    std::vector<Seen> seen;
    for (const Asked& one : asked) {
      Seen& now = seen.emplace_back(Seen{one.name, {}, {}});
      const auto file = roots.find_file(one.name, base);
      if (file) now.stamp = media::stamp_of(*file);
      if (!now.stamp || now.stamp != one.before || now.stamp == one.known) continue;
      if (auto info = media::probe_sound(*file, one.at)) now.info = std::move(*info);
    }
    post([this, seen = std::move(seen), base]() mutable { looked(std::move(seen), base); });
  });
}

void LostMedia::looked(std::vector<Seen> seen, const std::string& base) {
  if (base != parts_.media.base()) return wait();
  for (const Seen& one : seen) {
    if (one.stamp)
      seen_[one.name] = *one.stamp;
    else
      seen_.erase(one.name);
  }
  std::erase_if(seen, [this](const Seen& one) {
    if (!one.info) return true;
    const auto known = parts_.media.table().find(one.name);
    // It is the one that is known, and a part of it is missing: its copy is not whole yet.
    return known != parts_.media.table().end() && one.info->missing_frames > 0 &&
           one.info->frames + one.info->missing_frames == known->second.frames;
  });
  wait();
  if (!seen.empty()) came(std::move(seen), base);
}

void LostMedia::came(std::vector<Seen> here, const std::string& base) {
  parts_.jobs.add([this, here = std::move(here), base](JobQueue::Finish finish) {
    if (base != parts_.media.base()) return finish();
    std::set<std::string> back, others;
    MediaCache::Found found;
    const std::set<std::string> files = files_of(*parts_.graph.document());
    for (const Seen& one : here) {
      if (!files.contains(one.name)) continue;
      back.insert(one.name);
      const session::MediaFacts facts{one.info->channels, one.info->sample_rate_hz, one.info->frames};
      const auto known = parts_.media.table().find(one.name);
      if (const auto followed = followed_.find(one.name); followed != followed_.end()) followed->second = *one.stamp;
      if (known != parts_.media.table().end() && known->second == facts) continue;
      others.insert(one.name);
      found.facts[one.name] = facts;
      if (one.info->missing_frames > 0) found.cut_off[one.name] = one.name + media::cut_off_text(*one.info);
      if (followed_.size() == kMostFollowed && !followed_.contains(one.name)) followed_.erase(followed_.begin());
      followed_[one.name] = *one.stamp;
      log::warning("media: {} is another file now: {} channels, {} Hz, {} frames", one.name, facts.channels,
                   facts.sample_rate_hz, facts.frames);
    }
    std::size_t again = 0;
    for (const Sources::Broken& broken : parts_.sources.broken()) {
      if (std::ranges::none_of(broken.files, [&](const std::string& file) { return back.contains(file); })) continue;
      parts_.sources.try_again(broken.player);
      ++again;
    }
    for (const session::CompiledPlayer& player : parts_.graph.players()) {
      if (std::ranges::none_of(others, [&](const std::string& file) { return plays(player, file); })) continue;
      parts_.sources.try_again(player.uid);
      ++again;
    }
    if (again == 0 && others.empty()) return finish();
    if (!others.empty()) {
      parts_.media.keep(files, found);
      parts_.changed();
    }
    for (const std::string& name : back) log::info("media: {} can be read again", name);
    Delta delta;
    delta.document = parts_.graph.document();
    delta.compile = true;
    delta.keep_players = true;
    parts_.delivery.deliver(std::move(delta), [finish](const auto&) { finish(); }, {});
  });
}

}  // namespace continuo::control
