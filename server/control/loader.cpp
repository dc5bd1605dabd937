#include "server/control/loader.hpp"

#include <utility>

#include "server/base/log.hpp"
#include "server/control/missing_channels.hpp"
#include "server/control/output_fade.hpp"
#include "server/session/cue.hpp"
#include "server/session/session_file.hpp"
#include "server/session/warnings.hpp"

namespace continuo::control {
namespace {

constexpr std::size_t kMaxBytes = 64u << 20;
constexpr std::size_t kMaxWarnings = 200;
constexpr std::chrono::seconds kSoundPatience{2};

double rate_of(const session::Document& document, const session::EngineShape& shape) {
  return document.sample_rate_hz == 0 ? shape.sample_rate_hz : document.sample_rate_hz;
}

}  // namespace

struct Loader::Load {
  LoadRequest request;
  Answer done;
  JobQueue::Finish finish;
  std::shared_ptr<session::Document> document;
  std::set<std::string> files;
  MediaCache::Found found;
  v1::LoadSessionResponse response;
  std::unique_ptr<Timer> patience;
};

void Loader::load(LoadRequest request, Answer done) {
  if (request.json.size() > kMaxBytes) {
    return done(make_error(ErrorKind::invalid_argument, "TOO_LARGE", "json", "a session has at most 64 MiB of text"));
  }
  auto load = std::make_shared<Load>();
  load->request = std::move(request);
  load->done = std::move(done);
  parts_.worker.post([this, load, post = parts_.strand.poster()] {
    rt::Uid provisional = 0;
    auto document = session::parse_session(load->request.json, [&] { return ++provisional; });
    load->request.json = {};
    if (document) {
      session::ensure_device_nodes(*document);
      if (const Result<> valid = session::validate(*document); !valid) document = valid.error();
    }
    post([this, load, document = std::move(document)]() mutable {
      if (!document) return load->done(document.error());
      if (load->request.job.cancelled()) return load->done(cancelled_error());
      load->request.job.progress(0.3);
      load->document = std::make_shared<session::Document>(std::move(*document));
      // Uids are the strand's to give: the worker parsed with numbers of its own.
      give_uids(*load->document, [this] { return parts_.uids.next(); });
      const bool taken = parts_.jobs.try_add(
          [this, load](JobQueue::Finish finish) {
            load->finish = std::move(finish);
            parsed(load);
          },
          [load] { load->done(make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending")); });
      if (!taken) {
        load->done(make_error(ErrorKind::resource_exhausted, "TOO_MANY_TRANSACTIONS", "",
                              "too many transactions wait in line: try again"));
      }
    });
  });
}

void Loader::parsed(const Ptr& load) {
  load->files = files_of(*load->document);
  // Nothing of it rests on the session before.
  parts_.jobs.stand_aside();
  parts_.media.probe(load->files, load->request.base, [this, load](MediaCache::Found found) {
    parts_.jobs.go_on([this, load, found = std::move(found)](bool) mutable { probed(load, std::move(found)); });
  });
}

std::vector<std::string> Loader::warnings(const Load& load) const {
  std::vector<std::string> result;
  for (const auto& [file, error] : load.found.errors) {
    if (result.size() == kMaxWarnings) {
      result.push_back("... and " + std::to_string(load.found.errors.size() - kMaxWarnings) + " more files");
      break;
    }
    result.push_back(file + ": " + error.message + "; its player is silent");
  }
  for (const auto& [file, line] : load.found.cut_off) {
    if (result.size() > kMaxWarnings) break;
    result.push_back(line);
  }
  for (const session::BadImpulse& bad : session::check_impulses(*load.document, load.found.facts)) {
    if (result.size() > kMaxWarnings) break;
    result.push_back(bad.node + ": " + bad.error.message);
  }
  for (std::string& line : session::broken_cues({}, *load.document, kMaxWarnings)) {
    if (result.size() > kMaxWarnings) break;
    result.push_back(std::move(line));
  }
  for (auto& lines : {session::items_beyond_file({}, *load.document, load.found.facts, kMaxWarnings),
                      session::backward_takes(*load.document, kMaxWarnings)}) {
    for (const std::string& line : lines)
      if (result.size() <= kMaxWarnings) result.push_back(line);
  }
  for (std::string& line : missing_channels(*load.document, parts_.graph.shape())) {
    if (result.size() > kMaxWarnings) break;
    result.push_back(std::move(line));
  }
  return result;
}

void Loader::probed(const Ptr& load, MediaCache::Found found) {
  load->found = std::move(found);
  load->request.job.progress(0.8);
  for (std::string& warning : warnings(*load)) load->response.add_warnings(std::move(warning));
  const Result<> free = load->request.own ? Result<>() : parts_.leases.check_all(load->request.leases);
  if (load->request.dry_run || !free || !parts_.link.room()) {
    load->finish();
    if (!free) return load->done(free.error());
    if (load->request.dry_run) {
      *load->response.mutable_revision() = parts_.history.revision();
      return load->done(std::move(load->response));
    }
    return load->done(make_error(ErrorKind::resource_exhausted, "SOUND_STANDS_STILL", "",
                                 "the sound device does not take transactions: try again when it runs"));
  }
  if (!load->request.job.try_commit()) {
    load->finish();
    return load->done(cancelled_error());
  }
  // Nothing can fail from here on. Takes end with the session that they recorded.
  std::vector<Takes::Ref> stopped;
  parts_.link.send_together(parts_.takes.stop(parts_.takes.recording(), stopped));
  for (const Takes::Ref& take : stopped)
    for (const std::string& file : take.files) load->response.add_ended_takes(file);
  load->response.set_dropped_scheduled(static_cast<std::uint32_t>(parts_.scheduled.held()));
  parts_.graph.taps.clear();
  parts_.scheduled.drop(
      [this, load] { fade_out(parts_.graph, parts_.link, parts_.pump, [this, load] { put_in_place(load); }); });
  parts_.pump.wake();
}

void Loader::put_in_place(const Ptr& load) {
  const session::EngineShape& shape = parts_.graph.shape();
  const double rate = rate_of(*load->document, shape);
  parts_.media.set_base(load->request.base);
  parts_.media.keep(load->files, load->found);
  Delta delta;
  delta.document = load->document;
  delta.compile = true;
  delta.fade_edits = false;
  delta.locate = 0;
  if (load->request.keep_transport) {
    // The same second; as a frame of the new session's rate, so that a later locate to it comes out here.
    const std::int64_t there = convert_frames(parts_.transport.position(), shape.sample_rate_hz, rate);
    delta.locate = convert_frames(there, rate, shape.sample_rate_hz);
  } else {
    delta.roll = false;
  }
  parts_.transport.forget_players();
  delta.last.push_back(output_level(1.0, parts_.graph.ramp_frames(kFadeInMs)));
  const auto answer = [load](bool patient) {
    static_cast<void>(patient);
    load->patience.reset();
    if (load->done) std::exchange(load->done, nullptr)(load->response);
  };
  parts_.delivery.deliver(
      std::move(delta),
      [this, load, answer](const auto&) {
        parts_.graph.set_document(load->document);
        parts_.history.reset();
        parts_.scheduled.tell_dropped();
        parts_.leases.session_loaded();
        *load->response.mutable_revision() = parts_.history.revision();
        log::info("session \"{}\" loaded for {}: {} warnings", load->document->name, load->request.client,
                  load->response.warnings_size());
        parts_.changed();
        load->patience = std::make_unique<Timer>(parts_.strand);
        load->patience->after(kSoundPatience, [answer] { answer(false); });
        load->finish();
      },
      [load, answer](AudioLink::Fate fate, rt::FrameCount frame) {
        if (fate == AudioLink::Fate::applied) load->response.set_engine_frame(frame);
        answer(true);
      });
}

}  // namespace continuo::control
