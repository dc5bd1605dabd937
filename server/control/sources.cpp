#include "server/control/sources.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>


namespace continuo::control {

Sources::~Sources() {
  for (auto& [source, lent] : lent_) {
    if (lent.stream) pool_.release(lent.stream);
  }
}

std::vector<Sources::Need> Sources::needs(const std::vector<session::CompiledPlayer>& players,
                                          const Where& where) const {
  std::vector<Need> result;
  for (const session::CompiledPlayer& player : players) {
    const auto found = playing_.find(player.uid);
    const bool had = found != playing_.end();
    const Queue* const queue = had && found->second.queue ? &*found->second.queue : nullptr;
    const bool same = had && !player.fresh && found->second.ref == player.ref && found->second.file == player.file &&
                      found->second.loop == player.loop && found->second.free == player.free && !found->second.again &&
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
        need.move = replace_queue(*queue, {player.items, player.loop}, where.rate_hz, need.first_frame);
    } else if (skips || (queue != nullptr && player.queue && !restarts)) {
      const PlayedQueue after{player.items, player.loop};
      need.move = move_queue(queue != nullptr ? *queue : after, after, where.rate_hz, where.free_position(player.uid),
                             skips ? &*skip : nullptr);
      if (player.fresh) need.move.joins = false;
      need.first_frame = need.move.frame;
      need.moves = true;
    } else if (!restarts) {
      need.first_frame = where.free_position(player.uid);
    }
    if (had && found->second.again && !restarts && !skips) {  // what it has is silent: nothing of it is worth keeping
      need.move.same_until = rt::kNow;
      if (player.free && queue == nullptr) {
        need.move.joins = !player.fresh;
        need.move.frame = need.first_frame;
        need.moves = player.fresh;
      }
    }
    result.push_back(std::move(need));
  }
  return result;
}

void Sources::prepare(std::vector<Need> needs, const std::string& base, double rate_hz,
                      std::chrono::milliseconds patience, std::function<void(Ready)> done) {
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
  progress->patience->after(patience, [progress] {
    for (Ready::One& one : progress->ready.all) {
      if (!one.stream && !one.need.silent && one.error.empty()) one.error = "the disk did not answer in time";
    }
    progress->end();
  });
  for (std::size_t i = 0; i < progress->ready.all.size(); ++i) {
    const Need& wanted = progress->ready.all[i].need;
    if (wanted.silent) continue;
    const auto landed = [this, i, progress](const std::shared_ptr<media::StreamReader>& stream,
                                            const std::string& error) {
      if (progress->over) {  // too late: nobody waits for it
        if (stream) pool_.release(stream);
        return;
      }
      progress->ready.all[i].stream = stream;
      progress->ready.all[i].error = error;
      if (--progress->left == 0) progress->end();
    };
    const StreamKey key = wanted.key(rate_hz, base);
    // Where the audio thread says the place, a stream that was opened a little while ago catches up.
    const bool catches_up = !wanted.player.free || wanted.move.joins;
    const auto late = static_cast<rt::FrameCount>(catches_up ? rate_hz : 0.0);
    if (!ahead_.take(key, landed, late) && !stand_ins_.take(key, landed)) open(key, landed);
  }
}

void Sources::open(const StreamKey& wanted, StandIns::Landed landed) {
  media::StreamRequest request;
  request.engine_rate_hz = wanted.rate_hz;
  request.first_frame = wanted.first_frame;
  request.loop = wanted.player.loop;
  request.known_frames = wanted.player.file_frames;
  pool_.post([this, request, landed = std::move(landed), base = wanted.base, file = wanted.player.file, roots = roots_,
              items = wanted.player.items, queue = wanted.player.queue, entrance = wanted.entrance,
              post = strand_.poster()]() mutable {
    std::shared_ptr<media::StreamReader> stream;
    std::string error;
    if (queue) {
      const auto file_of = [&](const session::CompiledItem& item) {
        const auto found = roots.find_file(item.file, base);
        return found ? *found : std::filesystem::path(item.file);  // told when it is reached
      };
      request.segments = media::segments_of(items, file_of);
      if (entrance) {
        request.entrance = media::Entrance{.overlap = entrance->overlap, .leaving = {}};
        if (entrance->leaving) request.entrance->leaving = media::segment_of(*entrance->leaving, file_of(*entrance->leaving));
      }
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
    post([this, landed = std::move(landed), stream = std::move(stream), error = std::move(error), post] {
      if (stream)
        pool_.add(stream, [post, landed, stream, error] { post([landed, stream, error] { landed(stream, error); }); });
      else
        landed(stream, error);
    });
  });
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
