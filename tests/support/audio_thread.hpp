// THREAD: test - a thread that renders without a pause, in buffers of every size
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

#include "rt/renderer.hpp"

namespace continuo::test {

/// Renders until it is destroyed; everything else of the rig belongs to the control side meanwhile.
class AudioThread {
 public:
  explicit AudioThread(rt::Renderer& renderer)
      : thread_([this, &renderer] {
          std::array<std::array<float, 512>, 2> buffers{};
          float* out[2] = {buffers[0].data(), buffers[1].data()};
          for (std::uint32_t n = 1; !stop_.load(std::memory_order_acquire); n = n * 5 % 509 + 1)
            renderer.process({}, {out, 2}, n);
        }) {}
  ~AudioThread() {
    stop_.store(true, std::memory_order_release);
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace continuo::test
