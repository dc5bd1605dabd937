#include "server/render/offline_renderer.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "server/media/impulse_reader.hpp"
#include "server/media/probe.hpp"
#include "server/media/resample.hpp"
#include "server/media/sample_writer.hpp"
#include "server/render/chunk_crew.hpp"
#include "server/render/engine.hpp"
#include "server/render/inputs.hpp"
#include "server/render/media_scan.hpp"
#include "server/render/output.hpp"
#include "server/render/range.hpp"

namespace continuo::render {
namespace {

constexpr double kDefaultRateHz = 48000.0;
constexpr std::uint32_t kChunkFrames = 4096;  // read, rendered and written in one go, or one larger block

Error out_of_range(std::string field, std::string message) {
  return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", std::move(field), std::move(message));
}

Result<> check_options(const RenderOptions& options, double rate) {
  if (!(rate >= 8000.0 && rate <= 384000.0) || rate != std::floor(rate))
    return out_of_range("rate", "a rate is a whole number from 8000 to 384000 Hz");
  if (options.block_frames < 1 || options.block_frames > 65536)
    return out_of_range("block", "a block has 1 to 65536 frames");
  if (options.threads < 1 || options.threads > Crew::kMaxMembers)
    return out_of_range("threads", "1 to " + std::to_string(Crew::kMaxMembers) + " threads");
  return {};
}

/// Whoever replaces an output on purpose does not mean a file that the session lives from, by whatever name.
Result<> check_output_is_no_input(const RenderOptions& options, const MediaScan& scan) {
  if (options.nowhere || options.pipe || options.into) return {};
  const auto is_output = [&](const std::filesystem::path& file) {
    std::error_code none;
    return !file.empty() && std::filesystem::equivalent(file, options.output, none);  // device and inode: links too
  };
  std::filesystem::path same;
  for (const auto& [name, file] : scan.paths) {
    if (is_output(file)) same = file;
  }
  if (options.given.device_input && is_output(*options.given.device_input)) same = *options.given.device_input;
  if (is_output(options.session)) same = options.session;
  if (same.empty()) return {};
  return make_error(ErrorKind::already_exists, "OUTPUT_IS_INPUT", options.output.string(),
                    options.output.string() + " is " + (same == options.output ? "" : same.string() + ", ") +
                        "a file that this render reads: name another output");
}

Result<std::unique_ptr<media::SampleWriter>> make_writer(const RenderOptions& options,
                                                         const media::WriterRequest& request) {
  if (options.nowhere) return std::unique_ptr<media::SampleWriter>();
  if (options.pipe) return media::make_pipe_writer(*options.pipe, request);
  const auto container = media::container_of(options.output);
  if (!container) {
    return make_error(ErrorKind::invalid_argument, "BAD_FORMAT", options.output.string(),
                      options.output.string() + ": name it .wav, .w64, .aiff or .flac");
  }
  return media::make_sample_writer(options.output, *container, request);
}

/// Of the convolutions.
Result<session::ImpulseTable> read_impulses(const session::Document& document, const MediaScan& scan, double rate,
                                            std::uint32_t in_channels) {
  session::CompileRequest request;
  request.document = &document;
  request.shape.sample_rate_hz = rate;
  request.shape.in_channels = in_channels;
  request.media = &scan.table;
  session::ImpulseTable table;
  for (const session::ImpulseKey& key : session::impulses_of(request)) {
    auto impulse = media::read_impulse({.file = scan.paths.at(key.file),
                                        .rate_hz = key.rate_hz,
                                        .latency_frames = key.latency_frames,
                                        .channels = key.channels,
                                        .most_seconds = session::kMostImpulseSeconds});
    if (!impulse) return impulse.error();
    table[key] = std::move(*impulse);
  }
  return table;
}

}  // namespace

struct OfflineRenderer::Impl {
  RenderOptions options;
  std::uint32_t rate_hz = 0;
  std::uint32_t chunk = 0;
  Range range;
  std::vector<std::string> warnings;  // what is known before it begins
  std::unique_ptr<Inputs> inputs;
  std::unique_ptr<Output> output;
  std::unique_ptr<ChunkCrew> crew;
  std::unique_ptr<Stems> stems;
  std::unique_ptr<Engine> engine;  // goes first: it holds the sources and the sink

  /// The players' sources go into `batch`.
  Result<> open_inputs(const MediaScan& scan, rt::Batch& batch) {
    inputs = std::make_unique<Inputs>(rate_hz, chunk);
    for (const session::CompiledPlayer& player : engine->compiled().players) {
      const auto path = scan.paths.find(player.file);
      if (player.free || player.channels == 0 || (path == scan.paths.end() && !player.queue)) continue;
      media::StreamRequest request;
      request.first_frame = std::max<std::int64_t>(0, range.from - player.timeline_start);
      request.loop = player.loop;
      if (player.queue) {
        request.segments = media::segments_of(
            player.items, [&](const session::CompiledItem& item) { return scan.paths.at(item.file); });
        if (request.segments.empty()) continue;        // all of them are missing
        request.file = request.segments.front().file;  // for messages
      } else {
        request.file = path->second;
        request.known_frames = scan.table.at(player.file).frames;
      }
      const auto source = inputs->add(std::move(request));
      if (!source) return source.error();
      rt::Action& give = batch.actions.emplace_back();
      give.kind = rt::Action::Kind::exchange_source;
      give.node = player.ref;
      give.source = *source;
    }
    if (options.given.device_input) return inputs->add_device(*options.given.device_input, options.block_frames);
    return {};
  }

  Result<> open_output() {
    OutputRequest request;
    request.format = {engine->out_channels(), rate_hz, options.format};
    request.dither = options.dither;
    request.skip = engine->latency();  // so that the file begins at the timeline's `from` exactly
    request.frames = range.frames();
    request.trimmed_tail = options.tail_auto;
    request.first_frame = range.from;
    request.ring_frames = chunk;
    request.digest = options.digest;
    request.checksums = options.checksums;
    request.loudness = options.loudness;
    auto writer = make_writer(options, {.format = request.format,
                                        .frames = options.tail_auto ? -1 : range.frames(),
                                        .overwrite = options.overwrite,
                                        .into = options.into.value_or(-1)});
    if (!writer) return writer.error();
    output = std::make_unique<Output>(request, std::move(*writer));
    return {};
  }

  /// Of the file, an automatic tail at its longest.
  [[nodiscard]] std::int64_t most_kept() const {
    return range.frames() + (options.tail_auto ? Tail::kMaxSeconds * std::int64_t{rate_hz} : 0);
  }
  /// Of the engine: until the latest sound that is wanted has come through.
  [[nodiscard]] std::int64_t most_frames() const { return std::max(engine->latency(), stems->latency()) + most_kept(); }
  [[nodiscard]] bool complete() const { return output->complete() && stems->heard(output->frames()); }

  /// What came before is written and measured while files are read, where there is somebody to read them meanwhile.
  Result<> render_chunk(std::uint32_t frames) {
    Result<> drained;
    stems->allow(std::max(range.frames(), output->frames()));
    crew->run({.files = inputs->files() + stems->count(),
               .fill = [&, files = inputs->files()](
                           std::size_t i) { i < files ? inputs->fill(i, frames) : stems->measure(i - files); },
               .meanwhile = [&] { drained = output->drain(); },
               .render =
                   [&] {
                     for (std::uint32_t done = 0; done < frames;) {
                       const std::uint32_t n = std::min(frames - done, options.block_frames);
                       engine->process(inputs->device(n), n);
                       stems->drain(n);
                       done += n;
                     }
                   }});
    engine->check_whole();
    return drained;
  }

  Result<> render_all() {
    const std::int64_t most = most_frames();
    const std::int64_t frames = range.frames();
    for (std::int64_t done = 0; done < most && !complete();) {
      if (options.cancelled != nullptr && options.cancelled->load(std::memory_order_relaxed))
        return make_error(ErrorKind::aborted, "CANCELLED", options.output.string(), "the render was cancelled");
      const auto n = static_cast<std::uint32_t>(std::min<std::int64_t>(most - done, chunk));
      if (auto ok = render_chunk(n); !ok) return ok;
      done += n;
      if (std::string why = inputs->error(); !why.empty())
        return make_error(ErrorKind::data_loss, "READ_FAILED", "", std::move(why));
      if (crew->threads() == 1) {
        if (auto ok = output->drain(); !ok) return ok;
      }
      if (options.progress) options.progress(std::min(done, frames), frames, rate_hz);
    }
    return output->write_rest();
  }
};

OfflineRenderer::OfflineRenderer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OfflineRenderer::~OfflineRenderer() = default;
std::int64_t OfflineRenderer::frames() const noexcept { return impl_->range.frames(); }

Result<std::unique_ptr<OfflineRenderer>> OfflineRenderer::prepare(const session::Document& document,
                                                                  const RenderOptions& options) {
  const double rate =
      options.sample_rate_hz.value_or(document.sample_rate_hz != 0 ? document.sample_rate_hz : kDefaultRateHz);
  if (auto ok = check_options(options, rate); !ok) return ok.error();
  const auto stems = find_stems(document, options.stems);
  if (!stems) return stems.error();

  const MediaScan scan = scan_media(document, options.roots, options.base, options.given.media);
  if (!scan.missing.empty() && !options.silent_missing) return missing_media_error(scan.missing);
  if (auto ok = check_output_is_no_input(options, scan); !ok) return ok.error();
  media::MediaInfo device;
  if (options.given.device_input) {
    auto info = media::probe(*options.given.device_input);
    if (!info) return info.error();
    device = std::move(*info);
  }

  auto impl = std::make_unique<Impl>();
  Impl& r = *impl;
  r.warnings = missing_media_lines(scan.missing);
  r.warnings.insert(r.warnings.end(), scan.warnings.begin(), scan.warnings.end());
  if (device.missing_frames > 0)
    r.warnings.push_back(options.given.device_input->string() + media::cut_off_text(device));
  r.options = options;
  r.rate_hz = media::rounded_rate(rate);
  r.chunk = options.block_frames * std::max(1u, kChunkFrames / options.block_frames);
  const auto impulses = read_impulses(document, scan, rate, device.channels);
  if (!impulses) return impulses.error();
  r.engine = std::make_unique<Engine>(document, session::ProcessorFiles{&scan.table, &*impulses}, rate, device.channels,
                                      options.threads, *stems);
  auto meters = stem_meters(document, *stems, r.engine->compiled().meters);
  if (!meters) return meters.error();

  const double session_rate = document.sample_rate_hz != 0 ? document.sample_rate_hz : rate;
  auto range = find_range({options.from, options.to, options.length, options.tail}, rate, session_rate,
                          end_of_players(r.engine->compiled(), scan.table, r.rate_hz),
                          device.channels > 0 ? media::frames_at_rate(device, rate) : 0);
  if (!range) return range.error();
  r.range = *range;

  auto batch = std::make_unique<rt::Batch>();
  r.stems = std::make_unique<Stems>(*std::move(meters), r.rate_hz, r.most_kept(), options.block_frames);
  if (auto ok = r.open_inputs(scan, *batch); !ok) return ok.error();
  if (auto ok = r.open_output(); !ok) return ok.error();
  // To share plain files alone would cost more than they do.
  const auto costly = static_cast<std::uint32_t>(std::max<std::size_t>(1, r.inputs->costly() + r.stems->count()));
  r.crew = std::make_unique<ChunkCrew>(r.engine->parallel() ? options.threads : std::min(options.threads, costly),
                                       r.engine->parallel());
  r.engine->start(r.range.from, r.output->sink(), std::move(batch), r.crew->team());
  return std::unique_ptr<OfflineRenderer>(new OfflineRenderer(std::move(impl)));
}

Result<RenderResult> OfflineRenderer::render() {
  Impl& r = *impl_;
  if (auto ok = r.render_all(); !ok) {
    r.output->discard();
    return ok.error();
  }
  RenderResult result;
  result.file = r.options.pipe ? "-" : r.options.output;
  result.frames = r.output->frames();
  result.tail_frames = r.output->tail_frames();
  result.tail_cut = r.output->tail_cut();
  result.sample_rate_hz = r.rate_hz;
  result.channels = r.engine->out_channels();
  result.peak = r.output->peak();
  result.loudness = r.output->loudness();
  result.stems = r.stems->finish(r.output->frames());
  result.sha256 = r.output->sha256();
  result.checksums = r.output->checksums();
  // First: those who show a few of many shall show the one that is about all of the file.
  if (result.tail_cut)
    result.warnings.push_back("the tail had not faded away after " + std::to_string(Tail::kMaxSeconds) +
                              " s and was cut");
  result.warnings.insert(result.warnings.end(), r.warnings.begin(), r.warnings.end());
  std::ranges::move(r.engine->faults(), std::back_inserter(result.warnings));
  std::ranges::move(r.inputs->spoiled(), std::back_inserter(result.warnings));
  return result;
}

Result<> OfflineRenderer::publish() {
  auto published = impl_->output->publish();
  if (!published) impl_->output->discard();
  return published;
}

Result<RenderResult> OfflineRenderer::run() {
  auto result = render();
  if (!result) return result;
  if (auto ok = publish(); !ok) return ok.error();
  return result;
}

}  // namespace continuo::render
