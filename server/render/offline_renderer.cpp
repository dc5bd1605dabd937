#include "server/render/offline_renderer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "rt/renderer.hpp"
#include "server/base/check.hpp"
#include "server/media/resample.hpp"
#include "server/media/stream_reader.hpp"
#include "server/media/take_writer.hpp"
#include "server/render/media_scan.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::render {
namespace {

constexpr double kDefaultRateHz = 48000.0;
constexpr std::int64_t kDrainFrames = 16384;     // written to the disk in one go
constexpr double kStreamSlackFrames = 3 * 4096;  // a StreamReader fills in whole blocks of 4096

rt::Action action(rt::Action::Kind kind, rt::NodeRef node = {}) {
  rt::Action made;
  made.kind = kind;
  made.node = node;
  return made;
}

Error bad(std::string reason, std::string field, std::string message) {
  return make_error(ErrorKind::invalid_argument, std::move(reason), std::move(field), std::move(message));
}

struct Range {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

/// One frame after the last timeline player that is no loop; 0 where there is none.
std::int64_t end_of_players(const session::Compiled& compiled, const session::MediaTable& table,
                            std::uint32_t rate_hz) {
  std::int64_t end = 0;
  for (const session::CompiledPlayer& player : compiled.players) {
    const auto facts = table.find(player.file);
    if (player.free || player.loop || facts == table.end()) continue;
    end = std::max(
        end, player.timeline_start + media::scale_frames(facts->second.frames, facts->second.sample_rate_hz, rate_hz));
  }
  return end;
}

Result<Range> find_range(const RenderOptions& options, double rate_hz, double session_rate_hz,
                         std::int64_t players_end) {
  Range range;
  range.from = options.from.to_frames(rate_hz, session_rate_hz);
  if (options.length) {
    range.to = range.from + options.length->to_frames(rate_hz, session_rate_hz);
  } else if (options.to) {
    range.to = options.to->to_frames(rate_hz, session_rate_hz);
  } else if (players_end > 0) {
    range.to = players_end;
  } else {
    return bad("NO_END", "to", "the session has no player that ends by itself; say where the render ends");
  }
  if (range.to <= range.from)
    return bad("EMPTY_RANGE", "to",
               "the render ends before it begins (frame " + std::to_string(range.from) + " to " +
                   std::to_string(range.to) + ")");
  return range;
}

}  // namespace

struct OfflineRenderer::Impl {
  RenderOptions options;
  std::uint32_t rate_hz = 0;
  Range range;
  std::uint32_t channels = 2;
  std::vector<std::unique_ptr<media::StreamReader>> streams;
  std::unique_ptr<media::TakeWriter> take;
  session::PlanCompiler compiler;
  session::Compiled compiled;
  rt::RingWriter<rt::Command> commands;
  rt::RingReader<rt::Event> events;
  std::unique_ptr<rt::Renderer> renderer;

  ~Impl() {
    // The renderer first: until it is taken apart it may hold the sources and the sink.
    if (!renderer) return;
    const rt::Renderer::Remains remains = renderer->dismantle();
    for (rt::Batch* batch : remains.batches) free_batch(batch);
    take_events();
    delete remains.plan;
  }

  static void free_batch(rt::Batch* batch) {
    delete batch->plan;
    delete batch;
  }
  void take_events() {
    rt::Event event;
    while (events.try_pop(event)) {
      if (event.batch != nullptr) free_batch(event.batch);
    }
  }

  Result<> open_streams(const MediaScan& scan, rt::Batch& batch) {
    const double ring_frames = 2.0 * options.block_frames + kStreamSlackFrames;
    for (const session::CompiledPlayer& player : compiled.players) {
      const auto path = scan.paths.find(player.file);
      if (player.free || path == scan.paths.end()) continue;
      auto opened =
          media::StreamReader::open({.file = path->second,
                                     .engine_rate_hz = static_cast<double>(rate_hz),
                                     .first_frame = std::max<std::int64_t>(0, range.from - player.timeline_start),
                                     .loop = player.loop,
                                     .ring_seconds = ring_frames / rate_hz,
                                     .known_frames = scan.table.at(player.file).frames});
      if (!opened) return opened.error();
      rt::Action give = action(rt::Action::Kind::exchange_source, player.ref);
      give.source = &(*opened)->source();
      batch.actions.push_back(give);
      streams.push_back(std::move(*opened));
    }
    return {};
  }

  Result<> open_take() {
    auto opened = media::TakeWriter::open(
        {.file = options.output,
         .channels = channels,
         .sample_rate_hz = static_cast<double>(rate_hz),
         .format = options.format,
         .limit = range.to - range.from,
         .ring_seconds = (static_cast<double>(kDrainFrames) + 2.0 * options.block_frames) / rate_hz,
         .all_or_nothing = true,
         .overwrite = options.overwrite});
    if (!opened) return opened.error();
    take = std::move(*opened);
    return {};
  }

  void start(std::unique_ptr<rt::Batch> batch, rt::NodeRef recorder) {
    using Kind = rt::Action::Kind;
    batch->plan = compiled.plan.release();
    batch->actions.insert(batch->actions.begin(), compiled.actions.begin(), compiled.actions.end());
    rt::Action locate = action(Kind::transport_locate);
    locate.position = range.from;
    rt::Action record = action(Kind::record_start, recorder);
    record.sink = &take->sink();
    batch->actions.push_back(locate);
    batch->actions.push_back(action(Kind::transport_start));
    batch->actions.push_back(record);

    auto [command_writer, command_reader] = rt::make_ring<rt::Command>(1);
    auto [event_writer, event_reader] = rt::make_ring<rt::Event>(rt::Renderer::kScheduleCapacity + 1);
    commands = std::move(command_writer);
    events = std::move(event_reader);
    renderer = std::make_unique<rt::Renderer>(std::move(command_reader), std::move(event_writer),
                                              static_cast<double>(rate_hz));
    rt::Command first;
    first.sequence = 1;
    first.batch = batch.release();
    const bool pushed = commands.try_push(first);
    CONTINUO_CHECK(pushed, "the ring is empty");
  }

  /// Nothing may be lost here: the engine waits for the disk, not the other way round.
  Result<> check_whole() const {
    const rt::Counters& counters = renderer->counters();
    CONTINUO_CHECK(counters.starved_frames.load() == 0, "every stream was filled before every buffer");
    CONTINUO_CHECK(counters.lost_record_frames.load() == 0, "the take was drained before its ring could fill");
    CONTINUO_CHECK(counters.commands_orphaned.load() == 0 && counters.buffers_without_plan.load() == 0,
                   "the first batch brings it all");
    for (const auto& stream : streams) {
      if (std::string why = stream->error(); !why.empty())
        return make_error(ErrorKind::data_loss, "READ_FAILED", "", std::move(why));
    }
    if (std::string why = take->error(); !why.empty()) {
      return make_error(ErrorKind::data_loss, "WRITE_FAILED", options.output.string(), std::move(why));
    }
    return {};
  }
};

OfflineRenderer::OfflineRenderer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OfflineRenderer::~OfflineRenderer() = default;
std::int64_t OfflineRenderer::frames() const noexcept { return impl_->range.to - impl_->range.from; }

Result<std::unique_ptr<OfflineRenderer>> OfflineRenderer::prepare(const session::Document& document,
                                                                  const RenderOptions& options) {
  const double rate = options.sample_rate_hz != 0.0  ? options.sample_rate_hz
                      : document.sample_rate_hz != 0 ? document.sample_rate_hz
                                                     : kDefaultRateHz;
  if (!(rate >= 8000.0 && rate <= 384000.0) || rate != std::floor(rate))
    return bad("OUT_OF_RANGE", "rate", "a rate is a whole number from 8000 to 384000 Hz");
  if (options.block_frames < 1 || options.block_frames > 65536)
    return bad("OUT_OF_RANGE", "block", "a block has 1 to 65536 frames");

  const MediaScan scan = scan_media(document, options.roots, options.base);
  if (!scan.missing.empty()) return missing_media_error(scan.missing);

  auto impl = std::make_unique<Impl>();
  Impl& r = *impl;
  r.options = options;
  r.rate_hz = media::rounded_rate(rate);
  session::CompileRequest request;
  request.document = &document;
  request.shape.sample_rate_hz = rate;
  request.media = &scan.table;
  request.record_taps = {"out"};
  request.fade_edits = false;
  r.compiled = r.compiler.compile(request);

  const double session_rate = document.sample_rate_hz != 0 ? document.sample_rate_hz : rate;
  auto range = find_range(options, rate, session_rate, end_of_players(r.compiled, scan.table, r.rate_hz));
  if (!range) return range.error();
  r.range = *range;

  const auto recorder = std::find_if(r.compiled.recorders.begin(), r.compiled.recorders.end(),
                                     [](const auto& x) { return x.path == "out"; });
  CONTINUO_CHECK(recorder != r.compiled.recorders.end(), "the tap that was asked for is there");
  r.channels = std::max(recorder->channels, 2u);

  auto batch = std::make_unique<rt::Batch>();
  if (auto ok = r.open_streams(scan, *batch); !ok) return ok.error();
  if (auto ok = r.open_take(); !ok) return ok.error();
  r.start(std::move(batch), recorder->ref);
  return std::unique_ptr<OfflineRenderer>(new OfflineRenderer(std::move(impl)));
}

Result<RenderResult> OfflineRenderer::run() {
  Impl& r = *impl_;
  std::int64_t since_drain = 0;
  for (std::int64_t left = frames(); left > 0;) {
    if (r.options.cancelled != nullptr && r.options.cancelled->load(std::memory_order_relaxed)) {
      return make_error(ErrorKind::aborted, "CANCELLED", r.options.output.string(), "the render was cancelled");
    }
    for (const auto& stream : r.streams) {
      while (stream->fill(SIZE_MAX) > 0) {
      }
    }
    const auto n = static_cast<std::uint32_t>(std::min<std::int64_t>(left, r.options.block_frames));
    r.renderer->process({}, {}, n);
    left -= n;
    since_drain += n;
    if (since_drain < kDrainFrames) continue;
    since_drain = 0;
    (void)r.take->drain(false);
    if (auto ok = r.check_whole(); !ok) return ok.error();
  }
  CONTINUO_CHECK(r.take->sink().finished.load(), "the recorder stops at its limit, which is the render's length");
  if (auto ok = r.check_whole(); !ok) return ok.error();
  while (!r.take->drain(false)) {
  }
  if (auto ok = r.check_whole(); !ok) return ok.error();
  const media::TakeResult result = r.take->result();
  return RenderResult{result.file, result.frames, r.rate_hz, r.channels, result.peak};
}

}  // namespace continuo::render
