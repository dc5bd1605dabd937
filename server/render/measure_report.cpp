#include "server/render/measure_report.hpp"

#include <cstdio>
#include <optional>

#include "server/render/report.hpp"

namespace continuo::render {
namespace {

template <class... Values>
std::string print(const char* format, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}
std::string decimals(double value) { return print("%.2f", value); }

std::string column(const std::optional<double>& value, int width) {
  return value ? print("%*.1f", width, *value) : print("%*s", width, "-");
}

/// "1:02:03.4", "2:03.4"
std::string duration_text(double seconds) {
  auto tenths = static_cast<long long>(seconds * 10.0 + 0.5);
  const long long hours = tenths / 36000, minutes = tenths / 600 % 60;
  tenths %= 600;
  return hours > 0 ? print("%lld:%02lld:%02lld.%lld", hours, minutes, tenths / 10, tenths % 10)
                   : print("%lld:%02lld.%lld", minutes, tenths / 10, tenths % 10);
}

std::string list_json(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : ",") + decimals(value);
  return "[" + text + "]";
}

}  // namespace

std::string measure_heading() {
  return "  length  ch  integrated  range  max mom.  max short  true peak   peak    clips  silence  file\n"
         "                    LUFS     LU      LUFS       LUFS       dBTP   dBFS  samples        s";
}

std::string measure_row(const std::string& file, const FileMeasure& m) {
  const LoudnessReport& l = m.loudness;
  return print("%8s  %2u  ", duration_text(m.duration_s()).c_str(), m.info.channels) + column(l.integrated_lufs, 10) +
         "  " + column(l.range_lu, 5) + "  " + column(l.max_momentary_lufs, 8) + "  " +
         column(l.max_short_term_lufs, 9) + "  " + column(l.true_peak_db(), 9) + "  " + column(m.peak_db(), 5) +
         print("  %7llu  ", static_cast<unsigned long long>(m.clipped_samples)) + column(m.silence_s, 7) + "  " +
         one_line(file);
}

std::string measure_json(const std::string& file, const FileMeasure& m) {
  return "{\"file\":" + json_string(file) + ",\"format\":" + json_string(m.info.format) +
         ",\"frames\":" + std::to_string(m.info.frames) +
         ",\"sample_rate_hz\":" + std::to_string(m.info.sample_rate_hz) +
         ",\"channels\":" + std::to_string(m.info.channels) + ",\"layout\":" + json_string(m.layout) +
         ",\"duration_s\":" + print("%.3f", m.duration_s()) + "," + loudness_json(m.loudness) +
         ",\"peak_dbfs\":" + decimals(m.peak_db()) + ",\"peaks_dbfs\":" + list_json(m.peaks_db) +
         ",\"clipped_samples\":" + std::to_string(m.clipped_samples) +
         ",\"clipped_runs\":" + std::to_string(m.clipped_runs) + ",\"silence_s\":" + print("%.3f", m.silence_s) +
         ",\"silences\":" + std::to_string(m.silences) +
         ",\"leading_silence_s\":" + print("%.3f", m.leading_silence_s) +
         ",\"trailing_silence_s\":" + print("%.3f", m.trailing_silence_s) +
         ",\"missing_frames\":" + std::to_string(m.info.missing_frames) +
         ",\"non_finite_samples\":" + std::to_string(m.non_finite) + "}";
}

std::string measure_error_json(const std::string& file, const Error& error, int exit_code) {
  std::string text = error_json(error, exit_code);
  return "{\"file\":" + json_string(file) + "," + text.substr(1);
}

std::string loudness_text(const LoudnessReport& l) {
  return (l.integrated_lufs ? print("%.1f LUFS", *l.integrated_lufs)
                            : std::string("too short or too quiet for a loudness")) +
         (l.range_lu ? print(", range %.1f LU", *l.range_lu) : std::string()) +
         print(", true peak %.1f dBTP", l.true_peak_db());
}

std::string stems_text(const std::vector<StemReport>& stems) {
  std::string text;
  for (const StemReport& stem : stems) text += "\n  " + one_line(stem.node) + ": " + loudness_text(stem.loudness);
  return text;
}

std::string stems_json(const std::vector<StemReport>& stems) {
  std::string text;
  for (const StemReport& stem : stems) {
    text += (text.empty() ? "" : ",") + ("{\"node\":" + json_string(stem.node)) +
            ",\"channels\":" + std::to_string(stem.channels) + "," + loudness_json(stem.loudness) + "}";
  }
  return "[" + text + "]";
}

std::string loudness_json(const LoudnessReport& l) {
  return (l.integrated_lufs ? "\"integrated_lufs\":" + decimals(*l.integrated_lufs) + "," : std::string()) +
         (l.range_lu ? "\"range_lu\":" + decimals(*l.range_lu) + "," : std::string()) +
         "\"max_momentary_lufs\":" + decimals(l.max_momentary_lufs) +
         ",\"max_short_term_lufs\":" + decimals(l.max_short_term_lufs) +
         ",\"true_peak_dbtp\":" + decimals(l.true_peak_db()) + ",\"true_peaks_dbtp\":" + list_json(l.true_peaks_db);
}

}  // namespace continuo::render
