#include "server/control/engine_impl.hpp"

#include <malloc.h>

#include <thread>
#include <utility>

#include "rt/dsp/math.hpp"
#include "server/base/log.hpp"
#include "server/control/journal_lines.hpp"
#include "server/control/placement.hpp"
#include "server/device/ticks.hpp"
#include "server/journal/utc.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/session_file.hpp"

namespace continuo::control {
namespace {

constexpr double kFirstRateHz = 48000.0;  // until a device says otherwise

std::map<std::string, std::filesystem::path> roots_of(const EngineConfig& config) {
  auto roots = config.media_roots;
  roots["takes"] = config.take_folder;
  if (!config.second_take_folder.empty()) roots["takes2"] = config.second_take_folder;
  return roots;
}

}  // namespace

Engine::Impl::Impl(boost::asio::io_context& io, EngineConfig engine_config,
                   std::unique_ptr<device::DeviceFactory> factory)
    : config(std::move(engine_config)),
      device_factory(std::move(factory)),
      journal(config.state_folder, {config.utc_ns, [this] { return frame_now(); }}),
      strand(io),
      pool(config.before_disk),
      uids(config.state_folder, worker),
      transaction_ids(config.state_folder, worker, "transaction-ids"),
      media(strand, pool, media::Roots(roots_of(config))),
      impulses(strand, pool, media.roots(),
               [this] {
                 if (!closing) delivery.compile_again();
               }),
      sources(strand, pool, media.roots()),
      takes(strand, pool, media.roots(), config.take_template,
            {[this] {
               // Recorders that were made for a take go with it.
               const std::set<std::string> recording = takes.recording();
               const auto gone =
                   std::erase_if(graph.taps, [&](const std::string& path) { return !recording.contains(path); });
               if (gone > 0 && !closing) delivery.compile_again();
               if (!closing) prerolls.look();
             },
             [this](const rt::Action& action) {
               link.send_value(action);
               pump.wake();
             },
             [this](v1::WatchResponse::TakeEvent event) {
               if (event.has_take()) {
                 auto& take = *event.mutable_take();
                 take.set_start_timeline_frame(graph.to_session(take.start_timeline_frame()));
               }
               if (!closing) history.take(std::move(event));
             }},
            config.take_file),
      prerolls({strand, pool, graph, jobs, config.take_folder,
                [this](const std::string& path) { return takes.sink_of(path); },
                [this](Delta delta, AudioLink::Then then) { delivery.deliver(std::move(delta), {}, std::move(then)); },
                [this](const rt::Action& action) {
                  link.send_value(action);
                  pump.wake();
                },
                [this](const std::string&, std::string problem) {
                  v1::WatchResponse::TakeEvent event;
                  event.set_kind(v1::WatchResponse::TakeEvent::KIND_PRE_RECORD_FAILED);
                  event.set_message(std::move(problem));
                  if (!closing) history.take(std::move(event));
                }}),
      link(kFirstRateHz,
           [this](const auto& actions, const auto& dropped) {
             sources.home(actions, dropped);
             takes.home(actions, dropped);
           }),
      renderer(&link.renderer()),
      faults(graph, *renderer),
      transport(renderer->counters()),
      jobs(strand),
      pump(strand, {[this] {
                      link.poll();
                      scheduled.look();
                    },
                    [this] { return link.outstanding(); }, [this] { return transport.reading().engine_frame; },
                    [this] { return graph.shape().sample_rate_hz; }}),
      delivery({strand, graph, media, sources, takes, link, pump, transport, jobs, impulses,
                [this] {
                  if (!closing) measurements.follow();
                }}),
      round_trips(strand, worker, config.state_folder),
      saver(
          strand, worker, graph, media, config.state_folder,
          [this](std::string problem) { report.save_problem = std::move(problem); },
          [this] { return transactions.request_ids(); }),
      history(
          strand, [this] { return std::make_shared<const std::string>(session::print_session(*graph.document())); },
          [this](const v1::WatchResponse& message) {
            if (auto event = event_of(message))
              journal.add(*std::move(event), message.has_change() && values_only(message.change().operations()));
          }),
      leases({strand, jobs, graph, history, config.lease_clock ? config.lease_clock : Leases::Clock::now,
              config.utc_ns ? config.utc_ns : journal::utc_now_ns}),
      cues({strand, graph, media, sources, transport, history}),
      scheduled({jobs, graph, transport, pump, history, [this] { return devices.generation(); },
                 [this] {
                   const device::Device* device = devices.current();
                   return device == nullptr ? 0u : device->info().buffer_frames;
                 },
                 config.utc_ns ? config.utc_ns : journal::utc_now_ns, [this] { return link.room(); },
                 [this](const v1::Go& go) { return cues.cue_of(go); }}),
      transactions({strand, jobs, graph, media, sources, takes, transport, link, delivery, history, uids,
                    transaction_ids, scheduled, cues, leases,
                    [this] {
                      saver.touch();
                      prerolls.look();
                    },
                    [this] { saver.touch_ids(); }, config.utc_ns}),
      params({strand, jobs, graph, transport, link, pump, history, leases, transactions,
              [this] { return stream_clock(); },
              [this] {
                const device::Device* device = devices.current();
                return device == nullptr ? 0u : device->info().buffer_frames;
              }}),
      loader({worker, strand, jobs, graph, media, sources, takes, transport, link, pump, delivery, history, uids,
              scheduled, leases,
              [this] {
                cues.reset();
                params.session_loaded();
                measurements.session_loaded();
                publish_rates();
                saver.touch();
                prerolls.look();
              }}),
      devices({strand, device_worker, jobs, graph, takes, transport, link, pump, delivery, *this, config.device,
               config.device_retry, device_factory,
               [this] {
                 publish_rates();
                 prerolls.look();
               },
               [this] { device_lost(); },
               [this] {
                 faults.look();
                 sources.look();
                 losses.look(report.look(), std::chrono::steady_clock::now());
               }}),
      analysis(config.analysis_by_hand ? Analysis::Runs::by_hand : Analysis::Runs::thread),
      meter_taps(graph, jobs,
                 {[this] {
                    if (!closing) delivery.compile_again();
                  },
                  [this] {
                    strand.post([this] {
                      if (!closing) delivery.compile_again();
                    });
                  }}),
      meters(strand, graph, meter_taps, analysis,
             {[this] { return clock(); }, [this] { return transport.reading().engine_frame; }}),
      spectra(strand, graph, meter_taps, analysis, [this] { return transport.reading().engine_frame; }),
      measurements({strand, graph, meter_taps, analysis, [this] { return transport.reading().engine_frame; },
                    [this](v1::Event event) { journal.add(std::move(event)); }}),
      report({graph, media, sources, takes, devices, link, history, uids, [this] { return clock(); }, impulses, faults,
              workers, transport, round_trips}),
      why({strand, graph, media, sources, transport, devices, faults, meter_taps}),
      identify({strand, jobs, graph, transport, link, pump, delivery, uids}),
      resume({strand, worker, graph, takes, transport, config.state_folder, config.restore_session,
              config.resume_playback, config.resume_recording,
              [this](std::string problem) { report.notices["at_start"] = std::move(problem); },
              [this](const std::string& sha256) { transactions.restore_request_ids(saver.restored(sha256)); },
              [this](LoadRequest request, Done<v1::LoadSessionResponse> done) {
                request.own = true;
                loader.load(std::move(request), std::move(done));
              },
              [this](v1::ApplyRequest request, Done<v1::ApplyResponse> done) {
                transactions.apply(std::move(request), std::move(done), {}, true);
              }}),
      calibrate({strand, worker, jobs, graph, takes, transport, link, pump, delivery, uids, devices, round_trips}),
      library(
          media.roots(), config.state_folder,
          [this](MediaLibrary::Done<MediaLibrary::InUse> done) {
            on_strand(std::move(done),
                      [this](const MediaLibrary::Done<MediaLibrary::InUse>& answer) { answer(files_in_use()); });
          },
          config.transfer_clock ? config.transfer_clock : IdleTransfers::Clock::now),
      desk({.strand = strand,
            .graph = graph,
            .library = library,
            .roots = media.roots(),
            .base = [this] { return media.base(); },
            .journal = [this](v1::Event event) { journal.add(std::move(event)); },
            .utc_ns = config.utc_ns ? config.utc_ns : journal::utc_now_ns,
            .state_folder = config.state_folder,
            .render_program = config.render_program}),
      transfer_check(strand),
      missing({strand, pool, jobs, graph, media, delivery}, config.media_retry),
      lost({strand, pool, jobs, graph, media, sources, transport, delivery, [this] { cues.touch(); }},
           config.media_retry) {
  sources.on_news([this](v1::WatchResponse::MediaEvent event) {
    if (!closing) history.media(std::move(event));
  });
  sounding.store(renderer, std::memory_order_release);
  takes.use(&prerolls);
  takes.use([placement = Placement({graph, transport, [this] { return round_trip_frames(); },
                                    config.utc_ns ? config.utc_ns : journal::utc_now_ns})](
                const session::CompiledRecorder& recorder) { return placement.of(recorder); });
  renderer->set_ceiling(rt::dsp::db_to_gain(config.ceiling_db));
  hire_workers();
  publish_rates();
  std::error_code error;
  std::filesystem::create_directories(config.take_folder, error);
  if (error) log::warning("the take folder {} cannot be made: {}", config.take_folder.string(), error.message());
  if (!config.second_take_problem.empty()) takes.without_second(config.second_take_problem);
  // Takes may be in any root; those of the take folder are told first.
  const auto& folders = media.roots().folders();
  takes.repair(folders.at("takes"));
  for (const auto& [name, folder] : folders) {
    if (name != "takes" && !name.empty()) takes.repair(folder);
  }
  worker.post([] { static_cast<void>(device::ticks_per_second()); });  // the first call takes a while
}

double Engine::Impl::round_trip_frames() const {
  const device::Device* device = devices.current();
  return device == nullptr ? 0.0 : round_trips.frames(device->info());
}

void Engine::Impl::device_lost() {
  v1::ApplyRequest request;
  request.set_client("at_device_loss");
  request.set_wait(v1::WAIT_COMMITTED);
  if (config.loss_stops_playback) {
    request.add_operations()->mutable_stop();
    v1::Stop free;
    for (const auto& player : graph.players()) {
      if (player.free && transport.player_rolls(player.uid)) free.add_players(player.path);
    }
    if (free.players_size() > 0) *request.add_operations()->mutable_stop() = free;
  }
  if (config.loss_stops_recording) request.add_operations()->mutable_record_stop();
  if (request.operations().empty()) return;
  const auto told = [](const Result<v1::ApplyResponse>& stopped) {
    if (!stopped) log::warning("what at_device_loss asks for is not done: {}", stopped.error().message);
  };
  transactions.apply(request, told, {}, true);
}

void Engine::Impl::hire_workers() {
  const std::uint32_t cores = device::RenderWorkers::usable_cores();
  const std::uint32_t count = device::RenderWorkers::bearable(config.render_workers, cores);
  if (count < config.render_workers)
    log::warning("audio.render_workers: {} of {}: there are {} cores to run on", count, config.render_workers, cores);
  if (count == 0) return;
  workers = std::make_unique<device::RenderWorkers>(count, config.device.priority);
  if (!workers->warning().empty()) log::warning("{}", workers->warning());
  renderer->use_team(&workers->team());
  graph.set_threads(count + 1);
}

void Engine::Impl::publish_rates() {
  if (workers) workers->set_sample_rate(graph.shape().sample_rate_hz);
  rates.write({devices.generation(), graph.shape().sample_rate_hz, graph.session_rate_hz()});
  cues.touch();
}

std::int64_t Engine::Impl::frame_now() const {
  const rt::Renderer* const now = sounding.load(std::memory_order_acquire);
  if (now == nullptr) return 0;
  rt::ClockReading reading;
  while (!now->counters().clock.try_read(reading)) {
  }
  return reading.engine_frame;
}

ParamStream::Now Engine::Impl::stream_clock() const {
  Rates now;
  while (!rates.try_read(now)) {
  }
  return {frame_now(), now.engine_hz};
}

v1::Clock Engine::Impl::clock() const {
  // Both are written seldom or shortly: a reader that lost 16 times in a row tries again.
  Rates now;
  while (!rates.try_read(now)) {
  }
  rt::ClockReading reading;
  while (!renderer->counters().clock.try_read(reading)) {
  }
  v1::Clock out;
  out.set_engine_frame(reading.engine_frame);
  out.set_generation(now.generation);
  out.set_engine_rate_hz(now.engine_hz);
  out.set_timeline_frame(convert_frames(reading.timeline_frame, now.engine_hz, now.session_hz));
  out.set_timeline_rate_hz(now.session_hz);
  out.set_rolling(reading.rolling != 0);
  out.set_utc(utc_now());
  return out;
}

v1::GetInfoResponse Engine::Impl::info() const {
  v1::GetInfoResponse out;
  out.set_version(CONTINUO_VERSION);
  out.set_api_level(1);
  out.set_epoch(history.revision().epoch());
  out.set_max_message_bytes(kMaxMessageBytes);
  out.set_max_operations(Transactions::kMaxOperations);
  out.set_max_nodes(static_cast<std::uint32_t>(session::kMaxNodes));
  for (const auto& [name, path] : media.roots().folders()) {
    auto* root = out.add_media_roots();
    root->set_name(name);
    root->set_path(path.string());
  }
  out.set_take_folder("takes:");
  out.set_max_scheduled(static_cast<std::uint32_t>(Scheduled::kMaxHeld));
  out.set_max_session_bytes(session::kMaxSessionBytes);
  out.set_max_undo(static_cast<std::uint32_t>(UndoLog::kMax));
  out.set_max_stream_handles(static_cast<std::uint32_t>(ParamStream::kMaxHandles));
  out.set_max_stream_waiting(static_cast<std::uint32_t>(ParamStream::kMaxWaiting));
  out.set_max_jobs(static_cast<std::uint32_t>(Jobs::kMaxJobs));
  out.set_max_leases(static_cast<std::uint32_t>(Leases::kMaxHeld));
  return out;
}

/// After a large session, or whatever clients sent that was too much, the allocator keeps what is free between what is
/// in use, unless it is asked.
void Engine::Impl::give_back_memory() {
  worker.post([this] {  // to look takes a walk through all that is free
    constexpr std::size_t kMuch = 64u << 20;
    if (mallinfo2().fordblks < kept_bytes + kMuch) return;
    malloc_trim(0);
    kept_bytes = mallinfo2().fordblks;  // of this no more can be given back: not tried again until there is more
  });
}

void Engine::Impl::check_transfers() {
  library.idle().check();
  give_back_memory();
  transfer_check.after(config.transfer_check, [this] { check_transfers(); });
}

MediaLibrary::InUse Engine::Impl::files_in_use() const {
  MediaLibrary::InUse in_use{{}, media.base()};
  const session::Document& document = *graph.document();
  std::set<std::string> all = files_of(document);
  session::for_each_node(document.nodes, "", [&](const std::string& path, const session::DocNode& node) {
    const session::TypeSpec* type = session::find_type(node.type);
    if (type == nullptr) return;
    for (const session::ParamSpec& spec : type->params) {
      if (spec.kind != session::ParamKind::file) continue;
      std::string file = session::text_of(node, spec.name);
      if (all.contains(file)) in_use.all.push_back({std::move(file), path});
    }
    for (const session::QueueItem& item : node.queue) in_use.all.push_back({item.file, path});
  });
  for (const session::DocCue& cue : document.cues)
    session::for_each_cue_file(cue, [&](const std::string& file) { in_use.all.push_back({file, "cue " + cue.name}); });
  for (const auto& one : in_use.all) all.erase(one.file);
  for (const std::string& file : all) in_use.all.push_back({file, "the session"});
  google::protobuf::RepeatedPtrField<v1::GetStatusResponse::Take> running;
  takes.report(running);
  for (const auto& take : running) {
    if (!take.recording()) continue;
    std::set<std::string> files(take.files().begin(), take.files().end());
    files.insert(take.file());
    for (const auto& destination : take.destinations()) files.insert(destination.file());
    const std::string user = "the take " + take.file() + " of " + take.node();
    for (const std::string& file : files) {
      for (const char* ending : {"", ".part"}) in_use.all.push_back({file + ending, user, true});
    }
  }
  return in_use;
}

}  // namespace continuo::control
