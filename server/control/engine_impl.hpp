// THREAD: control - the wiring of the engine: its parts in the order in which they are made and, reversed, destroyed
#pragma once

#include <atomic>
#include <memory>

#include "rt/snapshot.hpp"
#include "server/control/analysis.hpp"
#include "server/control/audio_link.hpp"
#include "server/control/calibrate.hpp"
#include "server/control/cues.hpp"
#include "server/control/delivery.hpp"
#include "server/control/device_manager.hpp"
#include "server/control/engine.hpp"
#include "server/control/event_pump.hpp"
#include "server/control/graph.hpp"
#include "server/control/history.hpp"
#include "server/control/identify.hpp"
#include "server/control/impulses.hpp"
#include "server/control/job_desk.hpp"
#include "server/control/job_queue.hpp"
#include "server/control/leases.hpp"
#include "server/control/loader.hpp"
#include "server/control/loss_watch.hpp"
#include "server/control/lost_media.hpp"
#include "server/control/media_cache.hpp"
#include "server/control/measurements.hpp"
#include "server/control/media_library.hpp"
#include "server/control/meter_poller.hpp"
#include "server/control/meter_taps.hpp"
#include "server/control/missing_media.hpp"
#include "server/control/node_faults.hpp"
#include "server/control/param_streams.hpp"
#include "server/control/prerolls.hpp"
#include "server/control/resume.hpp"
#include "server/control/round_trips.hpp"
#include "server/control/scheduled.hpp"
#include "server/control/session_saver.hpp"
#include "server/control/sources.hpp"
#include "server/control/spectra.hpp"
#include "server/control/status.hpp"
#include "server/control/strand.hpp"
#include "server/control/takes.hpp"
#include "server/control/transactions.hpp"
#include "server/control/transport.hpp"
#include "server/control/uid_source.hpp"
#include "server/control/why_desk.hpp"
#include "server/control/worker.hpp"
#include "server/device/render_workers.hpp"
#include "server/media/disk_pool.hpp"

namespace continuo::control {

struct Engine::Impl final : device::AudioCallback {
  Impl(boost::asio::io_context& io, EngineConfig engine_config, std::unique_ptr<device::DeviceFactory> factory);

  ~Impl() override {
    sounding.store(nullptr, std::memory_order_release);
    link.forget_senders();
  }

  void audio_callback(rt::InputBlock in, rt::OutputBlock out, std::uint32_t frames) noexcept RT_NONBLOCKING override {
    if (workers != nullptr) workers->begin(frames);
    renderer->process(in, out, frames);
    if (workers != nullptr) workers->end();
  }

  /// Any thread.
  [[nodiscard]] v1::Clock clock() const;
  /// The same frame; 0 before there is an engine and behind its end.
  [[nodiscard]] std::int64_t frame_now() const;
  /// Any thread.
  [[nodiscard]] ParamStream::Now stream_clock() const;
  /// The rates and the generation that clock() shows have changed, or the document has.
  void publish_rates();
  /// Of the device that sounds: out and in again.
  [[nodiscard]] double round_trip_frames() const;
  void device_lost();
  /// Before the first device starts.
  void hire_workers();
  void shutdown(Done<std::monostate> done);
  [[nodiscard]] v1::GetInfoResponse info() const;
  [[nodiscard]] MediaLibrary::InUse files_in_use() const;
  /// Now and then from here on: those end whose client has gone quiet.
  void check_transfers();
  void give_back_memory();

  /// Work of a caller: on the strand, or refused because the daemon ends.
  template <class T, class Work>
  void on_strand(Done<T> done, Work work) {
    strand.post([this, done = std::move(done), work = std::move(work)]() mutable {
      if (closing) return done(make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending"));
      work(std::move(done));
    });
  }

  /// The same, of a caller who looks at nodes: once they have meters.
  template <class T, class Work>
  void with_meters(std::vector<std::string> paths, Done<T> done, Work work) {
    on_strand(std::move(done), [this, paths = std::move(paths), work = std::move(work)](Done<T> answer) mutable {
      meter_taps.ready(paths, [work = std::move(work), answer = std::move(answer)](const Result<>& there) {
        if (!there) return answer(there.error());
        answer(work());
      });
    });
  }

  const EngineConfig config;
  std::shared_ptr<device::DeviceFactory> device_factory;
  std::atomic<const rt::Renderer*> sounding{nullptr};  // for the journal's clock
  journal::Journal journal;                            // the last that goes: all the others may add to it
  LossWatch losses{journal};
  Strand strand;
  Worker worker{"continuo-work"};           // parses, prints, saves
  Worker device_worker{"continuo-device"};  // every slow call of a driver
  media::DiskPool pool;
  UidSource uids;
  UidSource transaction_ids;
  Graph graph;
  MediaCache media;
  Impulses impulses;
  Sources sources;
  Takes takes;
  Prerolls prerolls;                               // before the link, which brings home to it what the audio thread had
  std::unique_ptr<device::RenderWorkers> workers;  // null: the audio thread works alone
  AudioLink link;
  rt::Renderer* renderer;  // the link's: what the audio thread enters
  NodeFaults faults;
  Transport transport;
  JobQueue jobs;
  EventPump pump;
  Delivery delivery;
  RoundTrips round_trips;
  SessionSaver saver;
  History history;
  Leases leases;
  Cues cues;
  Scheduled scheduled;
  Transactions transactions;
  ParamStreams params;
  Loader loader;
  DeviceManager devices;
  Analysis analysis;
  MeterTaps meter_taps;
  MeterPoller meters;
  Spectra spectra;
  Measurements measurements;
  StatusReport report;
  WhyDesk why;
  Identify identify;
  Resume resume;
  Calibrate calibrate;
  MediaLibrary library;
  JobDesk desk;
  Timer transfer_check;
  MissingMedia missing;
  LostMedia lost;

  struct Rates {
    std::uint64_t generation = 1;
    double engine_hz = 48000.0;
    double session_hz = 48000.0;
  };
  rt::Snapshot<Rates> rates;  // written by the strand, read by any thread
  std::atomic<std::uint64_t> next_token{1};
  std::size_t kept_bytes = 0;  // the worker's: free and not to be given back, when it was last tried
  bool closing = false;
  bool driver_hangs = false;  // it may still call the audio callback
};

}  // namespace continuo::control
