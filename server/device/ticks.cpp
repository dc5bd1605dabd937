#include "server/device/ticks.hpp"

#include <chrono>
#include <thread>

namespace continuo::device {
namespace {
struct Anchor {
  std::chrono::steady_clock::time_point time = std::chrono::steady_clock::now();
  std::uint64_t ticks = read_ticks();
};
}  // namespace

double ticks_per_second() {
  static const Anchor anchor;
  constexpr auto kShortest = std::chrono::milliseconds(20);  // 1 us of jitter is then 50 ppm
  const auto age = std::chrono::steady_clock::now() - anchor.time;
  if (age < kShortest) std::this_thread::sleep_for(kShortest - age);
  const Anchor now;
  return static_cast<double>(now.ticks - anchor.ticks) / std::chrono::duration<double>(now.time - anchor.time).count();
}

}  // namespace continuo::device
