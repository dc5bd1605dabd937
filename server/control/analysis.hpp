// THREAD: control asks, "continuo-meters" listens and measures - what is too heavy for the audio thread
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "rt/meter.hpp"
#include "rt/types.hpp"
#include "server/analysis/frames.hpp"

namespace continuo::control {

/// A piece of a meter's sound.
struct Sound {
  const float* const* channels = nullptr;  // null: silence
  std::uint32_t channel_count = 0;
  std::uint32_t frames = 0;      // at most rt::kBlockFrames
  std::uint32_t lost = 0;        // of them were lost, because we were late: they read as silence
  rt::FrameCount end_frame = 0;  // engine frame just behind it

  [[nodiscard]] analysis::Frames all() const noexcept {
    return channels == nullptr ? analysis::Frames::silence(channel_count, frames)
                               : analysis::Frames::planar(channels, channel_count, frames);
  }
  [[nodiscard]] analysis::Frames one(std::uint32_t channel) const noexcept {
    return channels == nullptr ? analysis::Frames::silence(1, frames)
                               : analysis::Frames::planar(channels + channel, 1, frames);
  }
};

/// What wants the sound of one meter.
class Analyser {
 public:
  virtual ~Analyser() = default;
  /// The analysis thread. In the order of frames, without gaps.
  virtual void feed(const Sound& sound) = 0;
  /// The analysis thread, after all that was there: what was found, to where control reads it, under a short lock.
  virtual void publish() = 0;
};

/// One thread drains the feeds of all meters that somebody wants to hear (one listener a meter, whoever shares it) and
/// gives the sound to their analysers. It is born with the first wish and sleeps while there is none: then no meter
/// feeds anything. Bounds: kMaxListeners meters, kMaxAnalysers; the loser is the newcomer. What the audio thread could
/// not keep for us, because we came too late, is fed as silence of that length, so that time stays right, and counted.
class Analysis {
  struct Core;
  struct Listener;

 public:
  static constexpr std::size_t kMaxListeners = 1024;
  static constexpr std::size_t kMaxAnalysers = 4096;
  /// How late the thread may come: 0.34 s at 48 kHz, and about as long at every rate.
  static constexpr std::size_t kRingFrames = 16'384;
  /// A gap in a meter's sound (it was out of the plan) is fed as silence of at most this length.
  static constexpr rt::FrameCount kLongestGap = rt::FrameCount{1} << 22;

  enum class Runs : std::uint8_t { thread, by_hand };  // by hand: whoever calls pass()
  explicit Analysis(Runs runs = Runs::thread);
  ~Analysis();
  Analysis(const Analysis&) = delete;
  Analysis& operator=(const Analysis&) = delete;

  /// While it lives its analyser is fed.
  class Hearing {
   public:
    Hearing() = default;
    Hearing(Hearing&& other) noexcept = default;
    Hearing& operator=(Hearing&& other) noexcept;
    ~Hearing() { end(); }
    [[nodiscard]] explicit operator bool() const noexcept { return analyser_ != nullptr; }

   private:
    friend class Analysis;
    void end() noexcept;
    std::shared_ptr<Core> core_;
    std::shared_ptr<Listener> listener_;
    std::shared_ptr<Analyser> analyser_;
  };

  /// Control strand. From engine frame `from` on, or from the end of the meter's window on where nobody has listened to
  /// it. Empty where a bound is reached.
  [[nodiscard]] Hearing hear(const std::shared_ptr<rt::MeterSlots>& slots, std::shared_ptr<Analyser> analyser,
                             rt::FrameCount from, double sample_rate_hz);

  /// The thread's work: everything that is there. Who no longer is listened to is let go of.
  void pass();

  [[nodiscard]] std::size_t listeners() const;
  [[nodiscard]] std::size_t analysers() const;

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace continuo::control
