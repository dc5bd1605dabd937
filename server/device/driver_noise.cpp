#include "server/device/driver_noise.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <mutex>

#include "server/base/check.hpp"

namespace continuo::device {
namespace {

constexpr std::size_t kWords = 30;
constexpr std::size_t kLongestLine = kWords * 8 - 1;

// The last lines, in plain memory and without a lock: libjack cancels its threads wherever they are, asynchronously,
// also in the hooks below. A lock would stay locked then, an allocation half done, and unwinding through a noexcept
// frame (glibc 2.36 unwinds even where cancelling is switched off, if the signal was on its way) would end the process.
// So what runs in a hook holds nothing, cleans nothing up and calls no C++ library. A line that was cut off or
// overtaken is shown so.
struct Lines {
  std::array<std::array<std::uint64_t, kWords>, kKeptLines> text;
  std::uint64_t count;      // ever begun
  std::uint64_t forgotten;  // of them
};
Lines lines;

void keep_line(const char* text, std::size_t size) {
  if (size == 0) return;
  auto* const words = lines.text.data()[__atomic_fetch_add(&lines.count, 1, __ATOMIC_RELAXED) % kKeptLines].data();
  for (std::size_t w = 0; w < kWords; ++w) {
    std::uint64_t word = 0;
    for (std::size_t i = w * 8; i < w * 8 + 8 && i < size && i < kLongestLine; ++i) {
      word |= std::uint64_t{static_cast<unsigned char>(text[i])} << (i % 8 * 8);
    }
    __atomic_store_n(words + w, word, __ATOMIC_RELAXED);
  }
}

void keep_text(const char* text, std::size_t size) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= size; ++i) {
    if (i < size && text[i] != '\n') continue;
    keep_line(text + begin, i - begin);
    begin = i + 1;
  }
}

std::size_t length(const char* text) {
  std::size_t n = 0;
  while (n < kLongestLine && text[n] != '\0') ++n;
  return n;
}

ssize_t write_caught(void*, const char* text, std::size_t size) {
  keep_text(text, size);
  return static_cast<ssize_t>(size);
}

void alsa_error(const char* file, int line, const char* function, int, const char* format, ...) {
  char text[kLongestLine + 1];
  const int head =
      std::snprintf(text, sizeof text, "ALSA %s:%d %s: ", file ? file : "", line, function ? function : "");
  if (head >= 0 && static_cast<std::size_t>(head) < sizeof text) {
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text + head, sizeof text - static_cast<std::size_t>(head), format, arguments);
    va_end(arguments);
  }
  keep_line(text, length(text));
}

void jack_info(const char*) {}

// Who is in charge of `stderr`. Only the control side comes here.
struct Redirection {
  std::mutex mutex;
  int quiet = 0;  // how many QuietDrivers live
  FILE* real = nullptr;
  FILE* caught = nullptr;
};
Redirection& redirection() {
  static Redirection& the = *new Redirection;  // drivers' threads may outlive static objects
  return the;
}

template <class Function>
Function* find(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

}  // namespace

void remember_driver_message(const char* line) { keep_line(line, length(line)); }

QuietDrivers::QuietDrivers() {
  Redirection& r = redirection();
  const std::lock_guard lock(r.mutex);
  if (r.quiet++ > 0) return;
  if (r.caught == nullptr) {
    r.caught = fopencookie(nullptr, "w", {.read = nullptr, .write = write_caught, .seek = nullptr, .close = nullptr});
    CONTINUO_CHECK(r.caught != nullptr, "memory for a stream");
    setvbuf(r.caught, nullptr, _IONBF, 0);
  }
  r.real = stderr;
  stderr = r.caught;
}

QuietDrivers::~QuietDrivers() {
  Redirection& r = redirection();
  const std::lock_guard lock(r.mutex);
  if (--r.quiet == 0) stderr = r.real;
}

void catch_driver_messages(void* library) {
  using AlsaHandler = void (*)(const char*, int, const char*, int, const char*, ...);
  using JackHandler = void (*)(const char*);
  if (auto* set = find<int(AlsaHandler)>(library, "snd_lib_error_set_handler")) set(alsa_error);
  if (auto* set = find<void(JackHandler)>(library, "jack_set_error_function")) set(remember_driver_message);
  if (auto* set = find<void(JackHandler)>(library, "jack_set_info_function")) set(jack_info);
}

std::string last_driver_messages(std::size_t wanted) {
  const std::uint64_t end = __atomic_load_n(&lines.count, __ATOMIC_RELAXED);
  const std::uint64_t known =
      std::min<std::uint64_t>(end - __atomic_load_n(&lines.forgotten, __ATOMIC_RELAXED), kKeptLines);
  std::string text;
  for (std::uint64_t n = end - std::min<std::uint64_t>(known, wanted); n < end; ++n) {
    if (!text.empty()) text += "; ";
    for (std::size_t i = 0; i < kLongestLine; ++i) {
      const std::uint64_t word = __atomic_load_n(&lines.text[n % kKeptLines][i / 8], __ATOMIC_RELAXED);
      const char c = static_cast<char>(word >> (i % 8 * 8) & 0xff);
      if (c == '\0') break;
      text += c;
    }
  }
  return text;
}

void forget_driver_messages() {
  __atomic_store_n(&lines.forgotten, __atomic_load_n(&lines.count, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

}  // namespace continuo::device
