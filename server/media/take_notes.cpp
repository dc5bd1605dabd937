#include "server/media/take_notes.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "server/base/check.hpp"

namespace continuo::media {
namespace {

constexpr std::size_t kDescription = 256, kOriginator = 32, kReference = 32, kDate = 10, kTime = 8;
constexpr std::size_t kUmid = 64, kLoudness = 5, kReserved = 180;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

void put(std::vector<std::byte>& to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}
/// Cut or filled with zeros.
void put(std::vector<std::byte>& to, std::string_view text, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(i < text.size() ? text[i] : '\0'));
}

struct WhenText {
  std::string date, time, utc;  // "2026-11-20", "13:00:00", "2026-11-20T12:00:00.000Z"; all empty: not known
};
WhenText when_text(std::int64_t utc_ns) {
  if (utc_ns <= 0) return {};
  const std::time_t seconds = utc_ns / kNsPerSecond;
  std::tm local{}, utc{};
  localtime_r(&seconds, &local);
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  WhenText when;
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &local);
  when.date = text.data();
  std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  when.time = text.data();
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  when.utc = text.data();
  std::snprintf(text.data(), text.size(), ".%03dZ", static_cast<int>(utc_ns % kNsPerSecond / 1'000'000));
  when.utc += text.data();
  return when;
}

std::string description_of(const TakeNotes& notes, const WhenText& when) {
  std::string tail;
  if (!when.utc.empty()) tail += ", began " + when.utc;
  if (notes.time_reference < 0)
    tail += ", " + std::to_string(-notes.time_reference) + " frames before the timeline's start";
  std::string text = notes.description.substr(0, kDescription - std::min(kDescription, tail.size()));
  // Not inside a character of UTF-8.
  while (text.size() < notes.description.size() && !text.empty() &&
         (static_cast<unsigned char>(notes.description[text.size()]) & 0xC0) == 0x80)
    text.pop_back();
  text += tail;
  return text;
}

std::string coding_history(const WavFormat& format, Dither dither, const char* algorithm) {
  std::string text = std::string("A=") + algorithm + ",F=" + std::to_string(format.sample_rate_hz) +
                     ",W=" + std::to_string(8 * bytes_per_sample(format.format));
  if (format.channels <= 2) text += format.channels == 1 ? ",M=mono" : ",M=stereo";
  text += ",T=" + originator();
  if (format.format == SampleFormat::float32) text += " float";
  if (dither == Dither::tpdf && format.format != SampleFormat::float32) text += " TPDF dither";
  return text;
}

}  // namespace

std::string originator() { return std::string("Continuo ") + CONTINUO_VERSION; }

std::string new_take_reference() {
  std::array<unsigned char, 9> random{};
  CONTINUO_CHECK(::getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size()),
                 "the kernel gives so few bytes at once");
  std::string text;
  for (const unsigned char byte : random) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", byte);
    text += digits.data();
  }
  return text;
}

std::string file_reference(const std::string& take, std::uint32_t part, std::uint32_t channel) {
  if (take.empty()) return {};
  std::array<char, 16> text{};
  std::string all = take;
  if (part > 0) {
    std::snprintf(text.data(), text.size(), "-p%03u", part);
    all += text.data();
  }
  if (channel > 0) {
    std::snprintf(text.data(), text.size(), "-c%02u", channel);
    all += text.data();
  }
  return all;
}

std::vector<std::byte> bext_chunk(const TakeNotes& notes, const WavFormat& format, Dither dither) {
  const WhenText when = when_text(notes.began_utc_ns);
  std::vector<std::byte> body;
  put(body, description_of(notes, when), kDescription);
  put(body, originator(), kOriginator);
  put(body, notes.reference, kReference);
  put(body, when.date, kDate);
  put(body, when.time, kTime);
  put(body, static_cast<std::uint64_t>(std::max<std::int64_t>(0, notes.time_reference)), 8);
  put(body, 2, 2);
  put(body, "", kUmid);
  for (std::size_t i = 0; i < kLoudness; ++i) put(body, 0x7FFF, 2);
  put(body, "", kReserved);
  const std::string history = coding_history(format, dither, "PCM") + "\r\n";
  put(body, history, history.size() + history.size() % 2);
  std::vector<std::byte> chunk;
  put(chunk, "bext", 4);
  put(chunk, body.size(), 4);
  chunk.insert(chunk.end(), body.begin(), body.end());
  return chunk;
}

std::vector<std::string> vorbis_comments(const TakeNotes& notes, const WavFormat& format, Dither dither) {
  const WhenText when = when_text(notes.began_utc_ns);
  std::vector<std::string> comments{"DESCRIPTION=" + description_of(notes, when), "ORIGINATOR=" + originator()};
  if (!notes.reference.empty()) comments.push_back("ORIGINATOR_REFERENCE=" + notes.reference);
  if (!when.date.empty()) comments.push_back("ORIGINATION_DATE=" + when.date);
  if (!when.time.empty()) comments.push_back("ORIGINATION_TIME=" + when.time);
  comments.push_back("TIME_REFERENCE=" + std::to_string(std::max<std::int64_t>(0, notes.time_reference)));
  comments.push_back("CODING_HISTORY=" + coding_history(format, dither, "FLAC"));
  return comments;
}

}  // namespace continuo::media
