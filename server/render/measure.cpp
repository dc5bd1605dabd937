#include "server/render/measure.hpp"

#include <algorithm>

#include "server/analysis/clips.hpp"
#include "server/analysis/decibel.hpp"
#include "server/analysis/layout.hpp"
#include "server/analysis/peak.hpp"
#include "server/analysis/silence.hpp"
#include "server/media/decode.hpp"

namespace continuo::render {
namespace {

constexpr std::size_t kFrames = 8192;

double largest(const std::vector<double>& db) {
  return db.empty() ? analysis::kSilenceDb : *std::ranges::max_element(db);
}

/// The largest number of the file's samples: "16-bit" has no 1.0.
float full_scale(const media::MediaInfo& info) {
  for (const auto& [name, value] : {std::pair("8-bit", 1.0f - 0x1p-7f), std::pair("16-bit", 1.0f - 0x1p-15f),
                                    std::pair("24-bit", 1.0f - 0x1p-23f)}) {
    if (info.sample_format == name) return value;
  }
  return 1.0f;
}

}  // namespace

double LoudnessReport::true_peak_db() const { return largest(true_peaks_db); }
double FileMeasure::peak_db() const { return largest(peaks_db); }
double FileMeasure::duration_s() const {
  return static_cast<double>(info.frames) / static_cast<double>(info.sample_rate_hz);
}

LoudnessReport LoudnessTap::finish() {
  peak_.finish();
  LoudnessReport report;
  if (const double integrated = loudness_.integrated(); integrated > analysis::kSilenceDb)
    report.integrated_lufs = integrated;
  if (loudness_.whole_windows()) report.range_lu = loudness_.range();
  report.max_momentary_lufs = loudness_.max_momentary();
  report.max_short_term_lufs = loudness_.max_short_term();
  for (std::uint32_t c = 0; c < peak_.channels(); ++c)
    report.true_peaks_db.push_back(analysis::level_db(static_cast<double>(peak_.max(c))));
  return report;
}

Result<FileMeasure> measure_file(const std::filesystem::path& file, const MeasureOptions& options) {
  auto opened = media::Decoder::open(file);
  if (!opened) return opened.error();
  media::Decoder& decoder = **opened;
  FileMeasure measure;
  measure.info = decoder.info();
  measure.layout = options.layout;
  const std::uint32_t channels = measure.info.channels;
  const double rate = measure.info.sample_rate_hz;
  if (measure.layout.empty()) measure.layout = analysis::usual_layout(channels);
  const auto weights = analysis::channel_weights(measure.layout, channels);
  if (!weights) {
    return make_error(ErrorKind::invalid_argument, "LAYOUT", "--channels",
                      file.string() + " has " + std::to_string(channels) + (channels == 1 ? " channel" : " channels") +
                          ": \"" + measure.layout + "\" is not for it");
  }
  if (measure.info.sample_rate_hz < analysis::Loudness::kLowestRate) {
    return make_error(ErrorKind::invalid_argument, "RATE", "",
                      file.string() + " has " + std::to_string(measure.info.sample_rate_hz) +
                          " Hz: loudness is measured from 8000 Hz on");
  }
  LoudnessTap tap(rate, *weights);
  analysis::PeakMeter peak(rate, channels);
  analysis::ClipCounter clips(channels, full_scale(measure.info));
  analysis::SilenceDetector silence(rate, channels, options.silence_db, options.silence_s);
  std::vector<float> block(kFrames * channels);
  for (std::size_t n = 0; (n = decoder.read(block.data(), kFrames)) > 0;) {
    if (options.cancelled != nullptr && options.cancelled->load(std::memory_order_relaxed))
      return make_error(ErrorKind::aborted, "INTERRUPTED", "", "interrupted");
    const auto frames = analysis::Frames::interleaved(block.data(), channels, n);
    tap.feed(frames);
    peak.feed(frames);
    clips.feed(frames);
    silence.feed(frames);
    if (decoder.floating()) measure.non_finite += frames.non_finite(0, n);
  }
  if (!decoder.error().empty()) return make_error(ErrorKind::data_loss, "READ_FAILED", "", decoder.error());
  measure.loudness = tap.finish();
  for (std::uint32_t c = 0; c < channels; ++c)
    measure.peaks_db.push_back(analysis::level_db(static_cast<double>(peak.max(c))));
  measure.clipped_samples = clips.samples();
  measure.clipped_runs = clips.runs();
  const auto seconds = [&](std::uint64_t frames) { return static_cast<double>(frames) / rate; };
  measure.leading_silence_s = seconds(silence.leading_frames());
  measure.trailing_silence_s = seconds(silence.quiet_frames());
  measure.silence_s = seconds(silence.silent_frames());
  measure.silences = silence.silences();
  return measure;
}

}  // namespace continuo::render
