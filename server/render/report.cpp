#include "server/render/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>

#include "server/render/measure_report.hpp"

namespace continuo::render {
namespace {

std::string number(double value, const char* format = "%.2f") {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string rate_text(const media::MediaInfo& info) {
  return std::to_string(info.frames) + " frames, " + std::to_string(info.sample_rate_hz) + " Hz, " +
         std::to_string(info.channels) + (info.channels == 1 ? " channel" : " channels");
}

std::string side_json(const Comparison::Side& side) {
  return "{\"frames\":" + std::to_string(side.info.frames) +
         ",\"sample_rate_hz\":" + std::to_string(side.info.sample_rate_hz) +
         ",\"channels\":" + std::to_string(side.info.channels) + ",\"format\":" + json_string(side.info.format) +
         ",\"peak_db\":" + number(level_db(side.peak)) + "}";
}

std::string lines_json(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : ",") + json_string(line);
  return "[" + text + "]";
}

std::string files_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " media file" : " media files");
}

/// Bytes of the UTF-8 character that begins at `at`; 0 where there is none.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const std::size_t n = first < 0x80                    ? 1
                        : first >= 0xC2 && first < 0xE0 ? 2
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  if (n == 0 || at + n > text.size()) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  }
  if (n < 3) return n;
  const unsigned char second = byte(at + 1);  // no overlong forms, no surrogates, nothing beyond U+10FFFF
  const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90);
  return wrong ? 0 : n;
}

}  // namespace

double level_db(double linear) {
  if (std::isnan(linear)) return -150.0;
  return std::clamp(20.0 * std::log10(std::max(linear, 1e-10)), -150.0, 800.0);
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = utf8_length(text, i);
    if (n == 0) {
      out += "\xEF\xBF\xBD";
    } else if (text[i] == '"' || text[i] == '\\') {
      out += {'\\', text[i]};
    } else if (static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7F) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(text[i]));
      out += escaped;
    } else {
      out += text.substr(i, n);
    }
    i += std::max<std::size_t>(n, 1);
  }
  return out + "\"";
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return text;
}

std::string error_text(const Error& error) {
  return one_line(error.message + " (" + error.reason + (error.field.empty() ? "" : ", " + error.field) + ")");
}

std::string error_json(const Error& error, int exit_code) {
  return "{\"error\":{\"reason\":" + json_string(error.reason) + ",\"field\":" + json_string(error.field) +
         ",\"message\":" + json_string(error.message) + ",\"exit_code\":" + std::to_string(exit_code) + "}}";
}

std::string render_text(const RenderResult& r) {
  return r.file.string() + ": " + rate_text({r.channels, r.sample_rate_hz, r.frames, ""}) + ", peak " +
         number(level_db(r.peak)) + " dBFS" + (r.loudness ? "; " + loudness_text(*r.loudness) : std::string()) +
         stems_text(r.stems);
}

std::string render_json(const RenderResult& r, const Effort& effort) {
  const double seconds = static_cast<double>(r.frames) / std::max(r.sample_rate_hz, 1u);
  const double peak = std::min(static_cast<double>(r.peak), static_cast<double>(std::numeric_limits<float>::max()));
  return "{\"file\":" + json_string(r.file.string()) + ",\"frames\":" + std::to_string(r.frames) +
         ",\"sample_rate_hz\":" + std::to_string(r.sample_rate_hz) + ",\"channels\":" + std::to_string(r.channels) +
         ",\"tail_frames\":" + std::to_string(r.tail_frames) + ",\"sha256\":" + json_string(r.sha256) +
         ",\"peak\":" + number(peak, "%.9g") + ",\"peak_db\":" + number(level_db(r.peak)) +
         ",\"wall_s\":" + number(effort.wall_s, "%.3f") + ",\"cpu_s\":" + number(effort.cpu_s, "%.3f") +
         ",\"times_real_time\":" + number(seconds / std::max(effort.wall_s, 1e-6), "%.1f") +
         ",\"verified\":" + (effort.verified ? "true" : "false") + ",\"warnings\":" + lines_json(r.warnings) +
         (r.loudness ? ",\"loudness\":{" + loudness_json(*r.loudness) + "}" : std::string()) +
         (r.stems.empty() ? std::string() : ",\"stems\":" + stems_json(r.stems)) +
         ",\"version\":\"" CONTINUO_VERSION "\"}";
}

std::string compare_text(const Comparison& c, const std::string& a, const std::string& b) {
  std::string text = a + ": " + rate_text(c.a.info) + ", peak " + number(level_db(c.a.peak)) + " dBFS\n" + b + ": " +
                     rate_text(c.b.info) + ", peak " + number(level_db(c.b.peak)) + " dBFS\n";
  if (!c.offset_found)
    text += "no offset within a second makes a part of them the same; compared from their beginnings\n";
  if (c.offset_wanted && c.offset_found) {
    const std::int64_t frames = c.offset < 0 ? -c.offset : c.offset;
    text += "offset " + std::to_string(c.offset) + ": " +
            (frames == 0 ? "they begin together"
                         : (c.offset < 0 ? a : b) + " begins " + std::to_string(frames) + " frames later") +
            "; " + std::to_string(c.compared) + " frames that both have are compared\n";
  }
  if (c.identical) return text + "identical";
  if (c.compared == 0) return text + "different: they have no frame in common";
  if (c.first_frame < 0) return text + "different, though every sample that both have is the same";
  return text + "different: first at frame " + std::to_string(c.first_frame) + " (from 0), channel " +
         std::to_string(c.first_channel) + "; " + std::to_string(c.differing) + " samples differ, by up to " +
         number(level_db(c.greatest_difference)) + " dBFS";
}

std::string compare_json(const Comparison& c) {
  std::string text = std::string("{\"identical\":") + (c.identical ? "true" : "false") + ",\"a\":" + side_json(c.a) +
                     ",\"b\":" + side_json(c.b) + ",\"differing_samples\":" + std::to_string(c.differing);
  if (c.first_frame >= 0) {
    text += ",\"first_frame\":" + std::to_string(c.first_frame) +
            ",\"first_channel\":" + std::to_string(c.first_channel) +
            ",\"greatest_difference_db\":" + number(level_db(c.greatest_difference));
  }
  if (c.offset_wanted) {
    text += ",\"offset_frames\":" + std::to_string(c.offset) +
            ",\"offset_found\":" + (c.offset_found ? "true" : "false") +
            ",\"compared_frames\":" + std::to_string(c.compared);
  }
  return text + "}";
}

std::string check_text(std::size_t nodes, const MediaScan& scan) {
  std::string text;
  std::map<std::string, std::size_t> elsewhere;  // by root, which may well exist where the session is played
  std::size_t bad = 0;
  for (const MissingMedia& m : scan.missing) {
    if (m.error.reason == "UNKNOWN_ROOT") {
      ++elsewhere[m.file.substr(0, m.file.find(':'))];
    } else {
      ++bad;
      text += m.node + ": " + error_text(m.error) + "\n";
    }
  }
  for (const std::string& line : scan.warnings) text += one_line(line) + "\n";
  for (const auto& [root, files] : elsewhere) {
    text += one_line("not looked for: " + files_text(files) + " of the media root \"" + root + "\"; --media-root " +
                     root + "=FOLDER says where it is here (UNKNOWN_ROOT)");
    text += "\n";
  }
  text += "a valid session: " + std::to_string(nodes) + " nodes, " + files_text(scan.table.size()) + " found";
  if (bad > 0) text += ", " + std::to_string(bad) + " that cannot be played";
  return text;
}

std::string check_json(std::size_t nodes, const MediaScan& scan) {
  std::string missing;
  for (const MissingMedia& m : scan.missing) {
    missing += std::string(missing.empty() ? "" : ",") + "{\"node\":" + json_string(m.node) +
               ",\"file\":" + json_string(m.file) + ",\"reason\":" + json_string(m.error.reason) +
               ",\"message\":" + json_string(m.error.message) + "}";
  }
  return "{\"valid\":true,\"nodes\":" + std::to_string(nodes) + ",\"media\":" + std::to_string(scan.table.size()) +
         ",\"missing\":[" + missing + "],\"warnings\":" + lines_json(scan.warnings) +
         ",\"version\":\"" CONTINUO_VERSION "\"}";
}

}  // namespace continuo::render
