#include "server/control/sources.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "rt/nodes/player.hpp"
#include "server/base/log.hpp"

namespace continuo::control {

Sources::~Sources() {
  for (auto& [source, lent] : lent_) pool_.release(lent.stream);
}

std::vector<Sources::Need> Sources::needs(const std::vector<session::CompiledPlayer>& players,
                                          const Where& where) const {
  std::vector<Need> result;
  for (const session::CompiledPlayer& player : players) {
    const auto found = playing_.find(player.uid);
    const bool had = found != playing_.end();
    const bool same = had && !player.fresh && found->second.ref == player.ref && found->second.file == player.file &&
                      found->second.loop == player.loop && found->second.free == player.free &&
                      found->second.rate_hz == where.rate_hz &&
                      (player.free || found->second.start == player.timeline_start);
    const bool restarts = player.free && std::ranges::find(where.restart, player.uid) != where.restart.end();
    if (same && !restarts && (player.free || !where.relocate)) continue;
    Need need{player, player.channels == 0 || player.file.empty(), 0};
    if (need.silent && !had) continue;
    if (!player.free)
      need.first_frame = std::max<rt::FrameCount>(0, where.position - player.timeline_start);
    else if (!restarts)
      need.first_frame = where.free_position(player.uid);
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
    pool_.post([this, i, request, progress, base, file = wanted.player.file, roots = roots_,
                post = strand_.poster()]() mutable {
      std::shared_ptr<media::StreamReader> stream;
      std::string error;
      const auto path = roots.find_file(file, base);
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
      log::warning("{} is silent: {}: {}", player.path, player.file, one.error);
      errors_[player.path] = player.file + ": " + one.error;
    }
    rt::Action action;
    action.kind = rt::Action::Kind::exchange_source;
    action.node = player.ref;
    action.source = one.stream ? &one.stream->source() : nullptr;
    actions.push_back(action);
    Playing now{player.ref, player.file, player.loop, player.free, player.timeline_start, rate_hz, rt::kEndless};
    if (one.stream) {
      now.length = one.stream->source().length;
      lent_[&one.stream->source()] = {one.stream, player.file};
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

rt::FrameCount Sources::length(rt::Uid uid) const {
  const auto found = playing_.find(uid);
  return found == playing_.end() ? rt::kEndless : found->second.length;
}

}  // namespace continuo::control
