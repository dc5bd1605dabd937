#include "server/control/engine_impl.hpp"

#include <thread>
#include <utility>

#include "rt/dsp/math.hpp"
#include "server/base/log.hpp"
#include "server/device/ticks.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/session_file.hpp"

namespace continuo::control {
namespace {

constexpr double kFirstRateHz = 48000.0;  // until a device says otherwise

std::map<std::string, std::filesystem::path> roots_of(const EngineConfig& config) {
  auto roots = config.media_roots;
  roots["takes"] = config.take_folder;
  return roots;
}

std::int64_t system_utc_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace

Engine::Impl::Impl(boost::asio::io_context& io, EngineConfig engine_config,
                   std::unique_ptr<device::DeviceFactory> factory)
    : config(std::move(engine_config)),
      device_factory(std::move(factory)),
      strand(io),
      uids(config.state_folder, worker),
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
      delivery({strand, graph, media, sources, takes, link, pump, transport, jobs, impulses}),
      saver(strand, worker, graph, media, config.state_folder,
            [this](std::string problem) { report.save_problem = std::move(problem); }),
      history(strand,
              [this] { return std::make_shared<const std::string>(session::print_session(*graph.document())); }),
      scheduled({jobs, graph, transport, pump, history, [this] { return devices.generation(); },
                 [this] {
                   const device::Device* device = devices.current();
                   return device == nullptr ? 0u : device->info().buffer_frames;
                 },
                 config.utc_ns ? config.utc_ns : system_utc_ns, [this] { return link.room(); }}),
      transactions({strand, jobs, graph, media, sources, takes, transport, link, delivery, history, uids, scheduled,
                    [this] { saver.touch(); }}),
      loader({worker, strand, jobs, graph, media, sources, takes, transport, link, pump, delivery, history, uids,
              scheduled,
              [this] {
                publish_rates();
                saver.touch();
              }}),
      devices({strand, device_worker, jobs, graph, takes, transport, link, pump, delivery, *this, config.device,
               config.device_retry, device_factory, [this] { publish_rates(); },
               [this] {
                 faults.look();
                 sources.look();
                 report.look();
               }}),
      meters(strand, graph, {[this] { return clock(); }, [this] { return transport.reading().engine_frame; }}),
      report({graph, media, sources, takes, devices, link, history, uids, [this] { return clock(); }, impulses, faults,
              workers, transport}),
      identify({strand, jobs, graph, transport, link, pump, delivery, uids}),
      library(media.roots(), config.state_folder, [this](MediaLibrary::Done<MediaLibrary::InUse> done) {
        on_strand(std::move(done),
                  [this](const MediaLibrary::Done<MediaLibrary::InUse>& answer) { answer(files_in_use()); });
      }),
      missing({strand, pool, jobs, graph, media, delivery}, config.media_retry) {
  renderer->set_ceiling(rt::dsp::db_to_gain(config.ceiling_db));
  hire_workers();
  publish_rates();
  std::error_code error;
  std::filesystem::create_directories(config.take_folder, error);
  if (error) log::warning("the take folder {} cannot be made: {}", config.take_folder.string(), error.message());
  takes.repair(media.roots().folders().at("takes"));
  worker.post([] { static_cast<void>(device::ticks_per_second()); });  // the first call takes a while
}

void Engine::Impl::hire_workers() {
  const std::uint32_t cores = std::thread::hardware_concurrency();
  const std::uint32_t count = device::RenderWorkers::bearable(config.render_workers, cores);
  if (count < config.render_workers)
    log::warning("audio.render_workers: {} of {}: this machine has {} cores", count, config.render_workers, cores);
  if (count == 0) return;
  workers = std::make_unique<device::RenderWorkers>(count, config.device.priority);
  if (!workers->warning().empty()) log::warning("{}", workers->warning());
  renderer->use_team(&workers->team());
  graph.set_threads(count + 1);
}

void Engine::Impl::publish_rates() {
  if (workers) workers->set_sample_rate(graph.shape().sample_rate_hz);
  rates.write({devices.generation(), graph.shape().sample_rate_hz, graph.session_rate_hz()});
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
  return out;
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
  for (const auto& one : in_use.all) all.erase(one.file);
  for (const std::string& file : all) in_use.all.push_back({file, "the session"});
  google::protobuf::RepeatedPtrField<v1::GetStatusResponse::Take> running;
  takes.report(running);
  for (const auto& take : running) {
    if (!take.recording()) continue;
    for (const char* ending : {"", ".part"}) in_use.all.push_back({take.file() + ending, "a take of " + take.node()});
  }
  return in_use;
}

}  // namespace continuo::control
