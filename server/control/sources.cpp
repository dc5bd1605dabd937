#include "server/control/sources.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "rt/nodes/player.hpp"
#include "server/base/log.hpp"

namespace continuo::control {

namespace {

/// Of a queue the error itself says which file.
std::string naming(const std::string& file, const std::string& why) { return file.empty() ? why : file + ": " + why; }

}  // namespace

Sources::~Sources() {
  for (auto& [source, lent] : lent_) pool_.release(lent.stream);
}

std::vector<Sources::Need> Sources::needs(const std::vector<session::CompiledPlayer>& players,
                                          const Where& where) const {
  std::vector<Need> result;
  for (const session::CompiledPlayer& player : players) {
    const auto found = playing_.find(player.uid);
    const bool had = found != playing_.end();
    const Queue* const queue = had && found->second.queue ? &*found->second.queue : nullptr;
    const bool same = had && !player.fresh && found->second.ref == player.ref && found->second.file == player.file &&
                      found->second.loop == player.loop && found->second.free == player.free &&
                      found->second.rate_hz == where.rate_hz && player.queue == (queue != nullptr) &&
                      (queue == nullptr || queue->items == player.items) &&
                      (player.free || found->second.start == player.timeline_start);
    const bool restarts = player.free && std::ranges::find(where.restart, player.uid) != where.restart.end();
    const auto skip = std::ranges::find(where.skips, player.uid, &Skip::player);
    const bool skips = player.free && player.queue && skip != where.skips.end();
    if (same && !restarts && !skips && (player.free || !where.relocate)) continue;
    Need need{.player = player, .silent = player.channels == 0 || (player.file.empty() && !player.queue)};
    if (need.silent && !had && !skips) continue;
    if (!player.free) {
      need.first_frame = std::max<rt::FrameCount>(0, where.position - player.timeline_start);
      if (queue != nullptr && player.queue && !player.fresh && !where.relocate)
        need.move = replace_queue(queue->items, player.items, where.rate_hz, need.first_frame);
    } else if (skips || (queue != nullptr && player.queue && !restarts)) {
      need.move = move_queue(queue != nullptr ? queue->items : player.items, player.items, where.rate_hz,
                             where.free_position(player.uid), skips ? &*skip : nullptr);
      if (player.fresh) need.move.joins = false;
      need.first_frame = need.move.frame;
      need.moves = true;
    } else if (!restarts) {
      need.first_frame = where.free_position(player.uid);
    }
    result.push_back(std::move(need));
  }
  return result;
}

void Sources::prepare(std::vector<Need> needs, const std::string& base, double rate_hz,
                      std::function<void(Ready)> done) {
  struct Progress {
    Ready ready;
    std::size_t left = 0;
    bool over = false;
    std::function<void(Ready)> done;
    std::unique_ptr<Timer> patience;
    void end() {
      over = true;
      patience.reset();
      done(std::move(ready));
    }
  };
  auto progress = std::make_shared<Progress>();
  progress->done = std::move(done);
  for (Need& need : needs) {
    if (!need.silent) ++progress->left;
    progress->ready.all.push_back({std::move(need), nullptr, {}});
  }
  if (progress->left == 0) return progress->end();
  progress->patience = std::make_unique<Timer>(strand_);
  progress->patience->after(kPatience, [progress] {
    for (Ready::One& one : progress->ready.all) {
      if (!one.stream && !one.need.silent && one.error.empty()) one.error = "the disk did not answer in time";
    }
    progress->end();
  });
  for (std::size_t i = 0; i < progress->ready.all.size(); ++i) {
    const Need& wanted = progress->ready.all[i].need;
    if (wanted.silent) continue;
    media::StreamRequest request;
    request.engine_rate_hz = rate_hz;
    request.first_frame = wanted.first_frame;
    request.loop = wanted.player.loop;
    request.known_frames = wanted.player.file_frames;
    pool_.post([this, i, request, progress, base, file = wanted.player.file, roots = roots_,
                items = wanted.player.items, queue = wanted.player.queue, post = strand_.poster()]() mutable {
      std::shared_ptr<media::StreamReader> stream;
      std::string error;
      if (queue) {
        request.segments = media::segments_of(items, [&](const session::CompiledItem& item) {
          const auto found = roots.find_file(item.file, base);
          return found ? *found : std::filesystem::path(item.file);  // told when it is reached
        });
      }
      const auto path = queue ? Result<std::filesystem::path>(std::filesystem::path()) : roots.find_file(file, base);
      if (path) {
        request.file = *path;
        auto opened = media::StreamReader::open(request);
        if (opened)
          stream = std::move(*opened);
        else
          error = opened.error().message;
      } else {
        error = path.error().message;
      }
      post([this, i, progress, stream = std::move(stream), error = std::move(error), post] {
        const auto landed = [this, i, progress, stream, error] {
          if (progress->over) {  // too late: nobody waits for it
            if (stream) pool_.release(stream);
            return;
          }
          progress->ready.all[i].stream = stream;
          progress->ready.all[i].error = error;
          if (--progress->left == 0) progress->end();
        };
        if (stream)
          pool_.add(stream, [post, landed] { post(landed); });
        else
          landed();
      });
    });
  }
}

std::vector<rt::Action> Sources::lend(Ready ready, double rate_hz) {
  std::vector<rt::Action> actions;
  for (Ready::One& one : ready.all) {
    const session::CompiledPlayer& player = one.need.player;
    if (one.error.empty()) {
      errors_.erase(player.path);
    } else {
      errors_[player.path] = naming(player.file, one.error);
      log::warning("{} is silent: {}", player.path, errors_[player.path]);
    }
    rt::Action action;
    action.kind = rt::Action::Kind::exchange_source;
    action.node = player.ref;
    action.ramp_frames = session::kEditFadeFrames;
    action.source = one.stream ? &one.stream->source() : nullptr;
    actions.push_back(action);
    const auto before = playing_.find(player.uid);
    std::uint64_t revision = before != playing_.end() && before->second.queue ? before->second.queue->revision : 0;
    if (revision == 0 || before->second.queue->items != player.items) ++revision;
    Playing now{player.ref, player.file,  player.loop,   player.free, player.timeline_start,
                rate_hz,    rt::kEndless, action.source, {}};
    if (player.queue) {
      now.queue = {player.items, rate_hz, revision};
      now.length = 0;  // where nothing of it can be played
    }
    if (one.stream) {
      const QueueMove& move = one.need.move;
      one.stream->source().joins = {move.joins, move.shift, move.same_until};
      now.length = one.stream->source().length;
      lent_[&one.stream->source()] = {one.stream, player.queue ? "the queue of " + player.path : player.file,
                                      player.queue, player.uid, player.path};
    }
    playing_[player.uid] = std::move(now);
  }
  return actions;
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
  pool_.release(found->second.stream);
  lent_.erase(found);
}

void Sources::look() {
  for (auto& [source, lent] : lent_) look_at(lent);
}

void Sources::look_at(Lent& lent) {
  if (std::string why = lent.stream->error(); !why.empty() && !std::exchange(lent.failed, true)) {
    if (!lent.queue) why = naming(lent.file, why);
    log::warning("{} falls silent: {}", lent.path, why);
    const auto now = playing_.find(lent.player);
    // What another stream has replaced is no news any more.
    if (now != playing_.end() && now->second.source == &lent.stream->source()) errors_[lent.path] = std::move(why);
  }
  const std::uint64_t count = lent.stream->non_finite();
  if (count == lent.spoiled) return;
  std::uint64_t& total = spoiled_[lent.file];
  if (total == 0) log::warning("{} holds NaN or infinite samples; they are played as silence", lent.file);
  total += count - std::exchange(lent.spoiled, count);
}

void Sources::forget_others(const std::vector<session::CompiledPlayer>& players) {
  std::unordered_set<rt::Uid> uids;
  std::unordered_set<std::string> paths, files;
  for (const session::CompiledPlayer& player : players) {
    uids.insert(player.uid);
    paths.insert(player.path);
    files.insert(player.file);
  }
  std::erase_if(playing_, [&](const auto& entry) { return !uids.contains(entry.first); });
  std::erase_if(errors_, [&](const auto& entry) { return !paths.contains(entry.first); });
  std::erase_if(spoiled_, [&](const auto& entry) { return !files.contains(entry.first); });
}

const Sources::Queue* Sources::queue(rt::Uid uid) const {
  const auto found = playing_.find(uid);
  return found == playing_.end() || !found->second.queue ? nullptr : &*found->second.queue;
}

rt::FrameCount Sources::length(rt::Uid uid) const {
  const auto found = playing_.find(uid);
  return found == playing_.end() ? rt::kEndless : found->second.length;
}

}  // namespace continuo::control
