#include "server/control/resume.hpp"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "server/base/log.hpp"
#include "server/control/player_report.hpp"
#include "server/control/request_ids.hpp"
#include "server/control/state_file.hpp"
#include "server/control/uid_source.hpp"

namespace continuo::control {
namespace {

constexpr const char* kFile = "last-place.json";
constexpr const char* kLast = "last-session";        // SessionSaver's
constexpr const char* kStarted = "started-session";  // the last one that was loaded at a start
constexpr const char* kClient = "at_start";

constexpr std::size_t kMostBytes = 65u << 20;  // of a session as text

/// Empty where there is none, or nothing that can be read.
std::string read_text(const std::filesystem::path& file) {
  auto text = read_state(file, kMostBytes);
  if (text) return *text ? std::move(**text) : std::string();
  log::warning("{}", text.error().message);
  return {};
}

/// What was good at this start, for one that finds what comes after it broken.
void keep(const std::string& json, const std::string& base, const std::filesystem::path& folder) {
  std::string error;
  const std::string name = kStarted;
  if (!write_whole(folder / (name + ".base"), base + "\n", error) ||
      !write_whole(folder / (name + ".json"), json, error))
    log::warning("the session is not kept: {}", error);
}

v1::ApplyRequest only(const v1::ApplyRequest& all, bool recording) {
  v1::ApplyRequest some;
  some.set_client(all.client());
  for (const v1::Operation& operation : all.operations()) {
    if (operation.has_record_start() == recording) *some.add_operations() = operation;
  }
  return some;
}

}  // namespace

v1::ApplyRequest Resume::place() const {
  v1::ApplyRequest all;
  all.set_client(kClient);
  const rt::ClockReading reading = parts_.transport.reading();
  all.add_operations()->mutable_locate()->set_timeline_frame(
      std::max<std::int64_t>(0, parts_.graph.to_session(reading.timeline_frame)));
  if (parts_.playback) {
    if (reading.rolling != 0) all.add_operations()->mutable_play();
    v1::GetStatusResponse players;
    report_players(parts_.graph, parts_.transport, players);
    for (const auto& player : players.players()) {
      const session::CompiledPlayer* compiled = parts_.graph.player(player.path());
      if (!player.rolling() || compiled == nullptr || !compiled->free) continue;
      if (player.item_index() > 0) {
        v1::Skip& skip = *all.add_operations()->mutable_skip();
        skip.set_path(player.path());
        skip.mutable_item()->set_number(player.item_index());
      }
      all.add_operations()->mutable_play()->add_players(player.path());
    }
  }
  if (parts_.recording) parts_.takes.again(*all.mutable_operations());
  return all;
}

void Resume::begin(std::function<void()> then) {
  if (!parts_.session && !parts_.playback && !parts_.recording) {
    parts_.restored("");
    return then();
  }
  parts_.worker.post([this, then = std::move(then), folder = parts_.folder, post = parts_.strand.poster()] {
    std::vector<Kept> kept;
    for (const char* name : {kLast, kStarted}) {
      Kept one{read_text(folder / (std::string(name) + ".json")), read_text(folder / (std::string(name) + ".base")), "",
               name == kLast};
      one.sha256 = sha256_of(one.json);
      if (!one.base.empty() && one.base.back() == '\n') one.base.pop_back();
      if (!one.json.empty()) kept.push_back(std::move(one));
    }
    v1::ApplyRequest place;
    const std::string text = read_text(folder / kFile);
    if (!text.empty() && !google::protobuf::util::JsonStringToMessage(text, &place).ok()) {
      log::warning("{} cannot be read: nothing is taken up", (folder / kFile).string());
      place.Clear();
    }
    post([this, kept = std::move(kept), place = std::move(place), then]() mutable {
      auto wait = std::make_shared<std::function<void()>>(std::move(then));
      auto patience = std::make_shared<Timer>(parts_.strand);
      const auto done = [wait, patience] {
        patience->cancel();
        if (*wait) std::exchange(*wait, nullptr)();
      };
      patience->after(kPatience, [wait] {
        if (*wait) std::exchange(*wait, nullptr)();
      });
      load(std::move(kept), std::move(place), done);
    });
  });
}

void Resume::load(std::vector<Kept> kept, v1::ApplyRequest place, const std::function<void()>& then) {
  if (kept.empty()) {
    parts_.restored("");
    look();
    return then();
  }
  LoadRequest request;
  request.json = kept.front().json;
  request.base = kept.front().base;
  request.client = kClient;
  parts_.load(std::move(request), [this, kept = std::move(kept), place = std::move(place), then](const auto& load) {
    if (load) {
      parts_.restored(kept.front().sha256);
      parts_.worker.post([one = kept.front(), folder = parts_.folder] { keep(one.json, one.base, folder); });
      return loaded(place, then);
    }
    std::string problem = "the last session cannot be taken up: " + load.error().message;
    if (kept.front().newest) {
      problem += "; it is kept as " + set_aside(parts_.folder, kLast, ".json");  // the saver would write over it
      parts_.problem(problem);
    }
    log::error("{}", problem);
    this->load({kept.begin() + 1, kept.end()}, kept.front().newest ? v1::ApplyRequest() : place, then);
  });
}

void Resume::loaded(v1::ApplyRequest place, const std::function<void()>& then) {
  // The policy of now, not of when it was written.
  if (!parts_.playback && !parts_.recording) return then();  // stopped, at the beginning
  if (!parts_.playback) {
    v1::ApplyRequest some = only(place, true);
    for (const v1::Operation& operation : place.operations()) {
      if (operation.has_locate()) *some.add_operations() = operation;
    }
    place = std::move(some);
  }
  if (!parts_.recording) place = only(place, false);
  place.set_client(kClient);
  const auto looking = [this, then] {
    look();
    then();
  };
  if (place.operations().empty()) return looking();
  apply(std::move(place), looking);
}

void Resume::apply(v1::ApplyRequest all, const std::function<void()>& then) {
  parts_.apply(all, [this, all, then](const Result<v1::ApplyResponse>& applied) {
    if (applied) {
      log::info("taken up where the last session stood: {} operations", all.operations_size());
      return then();
    }
    log::warning("the last session is not taken up as it was: {}", applied.error().message);
    const v1::ApplyRequest playback = only(all, false);
    const v1::ApplyRequest recording = only(all, true);
    if (playback.operations().empty() || recording.operations().empty()) return then();
    apply(playback, [this, recording, then] { apply(recording, then); });
  });
}

void Resume::look() {
  if (closed_ || (!parts_.playback && !parts_.recording)) return;
  timer_.after(kEvery, [this] { look(); });
  save();
}

void Resume::save() {
  if (writing_) return;  // a slow disk: the next look has the newest
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  if (!google::protobuf::util::MessageToJsonString(place(), &text, options).ok() || text == saved_) return;
  writing_ = true;
  parts_.worker.post([this, text, file = parts_.folder / kFile, post = parts_.strand.poster()] {
    std::string error;
    const bool written = write_whole(file, text, error);
    if (!written) log::warning("where things stand is not saved: {}", error);
    post([this, text, written] {
      writing_ = false;
      if (written) saved_ = text;
    });
  });
}

void Resume::close() {
  if (std::exchange(closed_, true)) return;
  timer_.cancel();
  if (!parts_.playback && !parts_.recording) return;
  writing_ = false;  // behind what is under way
  save();
}

}  // namespace continuo::control
