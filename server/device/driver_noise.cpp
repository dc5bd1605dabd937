#include "server/device/driver_noise.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <deque>
#include <mutex>
#include <string_view>

#include "server/base/check.hpp"

namespace continuo::device {
namespace {

constexpr std::size_t kLongestLine = 240;

struct Memory {
  std::mutex mutex;
  std::deque<std::string> lines;
  std::string open;  // a line that has not ended yet
  int quiet = 0;     // how many QuietDrivers live
  FILE* real = nullptr;
  FILE* caught = nullptr;

  void add(std::string_view text) {  // mutex held
    for (const char c : text) {
      if (c == '\n') {
        end_line();
      } else if (open.size() < kLongestLine) {
        open += c;
      }
    }
  }
  void end_line() {
    if (!open.empty()) lines.push_back(open);
    open.clear();
    if (lines.size() > kKeptLines) lines.pop_front();
  }
};

Memory& memory() {
  static Memory& the = *new Memory;  // drivers' threads may outlive static objects
  return the;
}

ssize_t write_caught(void*, const char* text, std::size_t size) {
  const std::lock_guard lock(memory().mutex);
  memory().add({text, size});
  return static_cast<ssize_t>(size);
}

void alsa_error(const char* file, int line, const char* function, int error, const char* format, ...) {
  char text[kLongestLine];
  const int head = std::snprintf(text, sizeof text, "ALSA %s:%d %s: ", file ? file : "", line, function ? function : "");
  if (head >= 0 && static_cast<std::size_t>(head) < sizeof text) {
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text + head, sizeof text - static_cast<std::size_t>(head), format, arguments);
    va_end(arguments);
  }
  (void)error;  // its text is in the message where ALSA thinks that it matters
  remember_driver_message(text);
}

void jack_error(const char* text) { remember_driver_message(text); }
void jack_info(const char*) {}

template <class Function>
Function* find(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

}  // namespace

QuietDrivers::QuietDrivers() {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  if (m.quiet++ > 0) return;
  if (m.caught == nullptr) {
    m.caught = fopencookie(nullptr, "w", {.read = nullptr, .write = write_caught, .seek = nullptr, .close = nullptr});
    CONTINUO_CHECK(m.caught != nullptr, "memory for a stream");
    setvbuf(m.caught, nullptr, _IONBF, 0);
  }
  m.real = stderr;
  stderr = m.caught;
}

QuietDrivers::~QuietDrivers() {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  if (--m.quiet == 0) stderr = m.real;
}

void catch_driver_messages(void* library) {
  using AlsaHandler = void (*)(const char*, int, const char*, int, const char*, ...);
  using JackHandler = void (*)(const char*);
  if (auto* set = find<int(AlsaHandler)>(library, "snd_lib_error_set_handler")) set(alsa_error);
  if (auto* set = find<void(JackHandler)>(library, "jack_set_error_function")) set(jack_error);
  if (auto* set = find<void(JackHandler)>(library, "jack_set_info_function")) set(jack_info);
}

std::string last_driver_messages(std::size_t count) {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  std::string text;
  for (std::size_t i = m.lines.size() - std::min(count, m.lines.size()); i < m.lines.size(); ++i) {
    text += (text.empty() ? "" : "; ") + m.lines[i];
  }
  return text;
}

void remember_driver_message(const char* text) {
  const std::lock_guard lock(memory().mutex);
  memory().end_line();
  memory().add(text);
  memory().end_line();
}

void forget_driver_messages() {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  m.lines.clear();
  m.open.clear();
}

}  // namespace continuo::device
