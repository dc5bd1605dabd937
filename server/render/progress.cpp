#include "server/render/progress.hpp"

#include <utility>

namespace continuo::render {

Progress::Progress(std::FILE* to, bool terminal, std::function<Clock::time_point()> now)
    : to_(to), terminal_(terminal), now_(std::move(now)), began_(now_()), shown_(began_) {}

void Progress::show(std::int64_t done, std::int64_t frames, double rate_hz) {
  constexpr std::chrono::milliseconds kRewrite{100};
  constexpr std::chrono::milliseconds kNewLine{1000};
  const Clock::time_point now = now_();
  if (whole_ || (done < frames && now - shown_ < (terminal_ ? kRewrite : kNewLine))) return;
  whole_ = done >= frames;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const double percent = frames > 0 ? 100.0 * static_cast<double>(done) / static_cast<double>(frames) : 100.0;
  const double speed = seconds > 0.0 ? static_cast<double>(done) / rate_hz / seconds : 0.0;
  std::fprintf(to_, "%s%.0f %%, %.1f times real time%s", terminal_ ? "\r\x1b[K" : "", percent, speed,
               terminal_ ? "" : "\n");
  std::fflush(to_);
  open_ = terminal_;
}

void Progress::end() {
  if (open_) std::fputc('\n', to_);
  open_ = false;
}

bool ProgressLines::show(std::int64_t done, std::int64_t frames) {
  constexpr std::chrono::milliseconds kEvery{100};
  const Clock::time_point now = now_();
  if (shown_ && now - *shown_ < kEvery) return true;
  shown_ = now;
  const double part = frames > 0 ? static_cast<double>(done) / static_cast<double>(frames) : 1.0;
  return std::fprintf(to_, "{\"progress\":%.4f}\n", part) > 0 && std::fflush(to_) == 0;
}

}  // namespace continuo::render
