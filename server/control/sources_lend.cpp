// Streams that the audio thread has: lent, looked at for what went wrong with them, and home again.
#include <algorithm>
#include <utility>

#include "rt/nodes/player.hpp"
#include "server/base/log.hpp"
#include "server/control/sources.hpp"

namespace continuo::control {
namespace {

constexpr std::size_t kMaxFilesTold = 16;

/// Of a queue the error itself says which file.
std::string naming(const std::string& file, const std::string& why) { return file.empty() ? why : file + ": " + why; }

/// The file of a stream's segment: items without frames have none.
std::string file_of(const QueueItems& items, std::size_t segment) {
  for (const session::CompiledItem& item : items)
    if (item.end > item.begin && segment-- == 0) return item.file;
  return {};
}

std::set<std::string> files_of(const session::CompiledPlayer& player) {
  if (!player.queue) return {player.file};
  std::set<std::string> files;
  for (const session::CompiledItem& item : player.items)
    if (item.end > item.begin) files.insert(item.file);
  return files;
}

}  // namespace

std::vector<Sources::Broken> Sources::broken() const {
  std::vector<Broken> result;
  for (const auto& [uid, player] : playing_)
    if (!player.broken.empty()) result.push_back({uid, player.broken});
  std::ranges::sort(result, {}, &Broken::player);
  return result;
}

void Sources::try_again(rt::Uid player) {
  if (const auto found = playing_.find(player); found != playing_.end()) found->second.again = true;
}

void Sources::tell(v1::WatchResponse::MediaEvent::Kind kind, const std::string& path,
                   const std::set<std::string>& files, std::string message) const {
  if (!news_) return;
  v1::WatchResponse::MediaEvent event;
  event.set_kind(kind);
  event.set_player(path);
  for (const std::string& file : files)
    if (static_cast<std::size_t>(event.files_size()) < kMaxFilesTold) event.add_files(file);
  event.set_message(std::move(message));
  news_(std::move(event));
}

std::vector<rt::Action> Sources::lend(Ready ready, double rate_hz) {
  std::vector<rt::Action> actions;
  for (Ready::One& one : ready.all) {
    const session::CompiledPlayer& player = one.need.player;
    const auto before = playing_.find(player.uid);
    const bool was_silent = errors_.contains(player.path);
    if (one.error.empty()) {
      errors_.erase(player.path);
      if (was_silent && one.stream) {
        log::info("{} is heard again", player.path);
        tell(v1::WatchResponse::MediaEvent::KIND_RETURNED, player.path,
             before == playing_.end() ? files_of(player) : before->second.broken, player.path + " is heard again");
      }
    } else {
      const std::string why = errors_[player.path] = naming(player.file, one.error);
      log::warning("{} is silent: {}", player.path, why);
      if (!was_silent)
        tell(v1::WatchResponse::MediaEvent::KIND_LOST, player.path, files_of(player),
             player.path + " is silent: " + why);
    }
    rt::Action action;
    action.kind = rt::Action::Kind::exchange_source;
    action.node = player.ref;
    action.ramp_frames = session::kEditFadeFrames;
    const Queue* const queue = before != playing_.end() && before->second.queue ? &*before->second.queue : nullptr;
    const bool other = queue == nullptr || queue->items != player.items || queue->loop != player.loop;
    Playing now{player.ref, player.file,  player.loop, player.free, player.timeline_start,
                rate_hz,    rt::kEndless, nullptr,     {}};
    now.queues = before == playing_.end() ? 0 : before->second.queues;
    if (player.queue) {
      now.queues += other ? 1 : 0;
      now.queue = {{player.items, player.loop, one.need.move.entrance}, rate_hz, now.queues};
      now.length = 0;  // where nothing of it can be played
    }
    action.source = lend(one, now.queue ? &*now.queue : nullptr);
    actions.push_back(action);
    now.source = action.source;
    if (one.stream) now.length = action.source->length;
    if (!one.error.empty()) now.broken = files_of(player);
    playing_[player.uid] = std::move(now);
  }
  return actions;
}

/// Null: the player has nothing, and no queue.
rt::Source* Sources::lend(Ready::One& one, const Queue* queue) {
  if (!one.stream && queue == nullptr) return nullptr;
  const session::CompiledPlayer& player = one.need.player;
  Lent lent{.stream = one.stream,
            .nothing = {},
            .table = {},
            .file = queue != nullptr ? "the queue of " + player.path : player.file,
            .queue = queue != nullptr,
            .player = player.uid,
            .path = player.path};
  if (!one.stream) {
    lent.nothing = std::make_unique<rt::Source>();
    lent.nothing->length = 0;
  }
  rt::Source& source = one.stream ? one.stream->source() : *lent.nothing;
  const QueueMove& move = one.need.move;
  source.joins = {move.joins, move.shift, move.same_until};
  source.told = true;
  if (queue != nullptr) {
    rt::PlayTable table = QueuePlaces(queue->items, queue->rate_hz, queue->loop).table();
    table.revision = queue->revision;
    lent.table = std::make_unique<const rt::PlayTable>(std::move(table));
    source.table = lent.table.get();
  }
  lent_[&source] = std::move(lent);
  return &source;
}

void Sources::home(const std::vector<rt::Action>& actions, const std::vector<std::unique_ptr<rt::Node>>& dropped) {
  for (const rt::Action& action : actions) {
    if (action.kind == rt::Action::Kind::exchange_source) collect(action.source);
  }
  for (const auto& node : dropped) {
    if (const auto* player = dynamic_cast<const rt::PlayerNode*>(node.get())) collect(player->audio_.source);
  }
}

void Sources::collect(rt::Source* source) {
  const auto found = lent_.find(source);
  if (found == lent_.end()) return;
  look_at(found->second);
  const std::string& file = found->second.file;
  if (std::ranges::none_of(playing_, [&](const auto& entry) { return entry.second.file == file; }))
    spoiled_.erase(file);
  if (found->second.stream) pool_.release(found->second.stream);
  lent_.erase(found);
}

void Sources::look() {
  for (auto& [source, lent] : lent_) look_at(lent);
}

void Sources::look_at(Lent& lent) {
  if (!lent.stream) return;
  if (std::string why = lent.stream->error(); !why.empty()) {
    const auto now = playing_.find(lent.player);
    // What another stream has replaced is no news any more.
    const bool heard = now != playing_.end() && now->second.source == &lent.stream->source();
    if (heard) {
      for (const std::size_t segment : lent.stream->broken())
        now->second.broken.insert(lent.queue ? file_of(now->second.queue->items, segment) : now->second.file);
    }
    if (!std::exchange(lent.failed, true)) {
      if (!lent.queue) why = naming(lent.file, why);
      log::warning("{} falls silent: {}", lent.path, why);
      if (heard) {
        tell(v1::WatchResponse::MediaEvent::KIND_LOST, lent.path, now->second.broken,
             lent.path + " falls silent: " + why);
        errors_[lent.path] = std::move(why);
      }
    }
  }
  const std::uint64_t count = lent.stream->non_finite();
  if (count == lent.spoiled) return;
  std::uint64_t& total = spoiled_[lent.file];
  if (total == 0) log::warning("{} holds NaN or infinite samples; they are played as silence", lent.file);
  total += count - std::exchange(lent.spoiled, count);
}

}  // namespace continuo::control
