// THREAD: test - files for a queue whose samples tell which they are, and operations on it
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/server/control/queue_rig.hpp"

namespace continuo::control::test {

/// Its first channel. No two of them share a sample.
inline std::vector<float> write_signal(Rig& rig, const std::string& name, std::size_t frames, float scale) {
  std::vector<float> samples = ramp_signal(2, frames);
  for (float& sample : samples) sample *= scale;
  rig.write_wav(name, 2, 48'000, samples);
  std::vector<float> first;
  for (std::size_t i = 0; i < frames; ++i) first.push_back(samples[2 * i]);
  return first;
}

/// Onto the end of `to`, by hand.
inline void crossfade(std::vector<float>& to, const std::vector<float>& next, std::size_t overlap) {
  const std::size_t join = to.size() - overlap;
  for (std::size_t i = 0; i < overlap; ++i)
    to[join + i] = static_cast<float>(
        static_cast<double>(to[join + i]) * (static_cast<double>(overlap - i) / static_cast<double>(overlap)) +
        static_cast<double>(next[i]) * (static_cast<double>(i) / static_cast<double>(overlap)));
  to.insert(to.end(), next.begin() + static_cast<std::ptrdiff_t>(overlap), next.end());
}

/// From the frame on at which it was played.
inline void check_heard(const Heard& heard, std::int64_t played, const std::vector<float>& expected,
                        std::size_t from = 0, std::size_t until = SIZE_MAX) {
  const auto known = heard.rig.hardware->recording(0).size() + static_cast<std::size_t>(heard.from - played);
  for (std::size_t i = from; i < std::min({known, until, expected.size()}); ++i) {
    CAPTURE(i);
    REQUIRE(heard.at(played + static_cast<std::int64_t>(i)) == expected[i]);
  }
}

inline std::string loop(bool on) {
  return "{'setParams':{'path':'a/p','values':{'loop':" + std::string(on ? "true" : "false") + "}}}";
}
inline std::string skip(int by) { return "{'skip':{'path':'a/p','by':" + std::to_string(by) + "}}"; }
inline std::string ops(const std::string& operations) { return "{'operations':[" + operations + "]}"; }

}  // namespace continuo::control::test
