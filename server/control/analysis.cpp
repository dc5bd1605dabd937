#include "server/control/analysis.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace continuo::control {
namespace {

constexpr std::chrono::milliseconds kEvery{20};

std::size_t ring_frames(double sample_rate_hz) {
  std::size_t frames = Analysis::kRingFrames;
  for (double rate = 48'000.0; rate < sample_rate_hz && rate < 400'000.0; rate *= 2.0) frames *= 2;
  return frames;
}

}  // namespace

/// `wishes` are the strand's, under the core's mutex; all else belongs to whoever makes the pass.
struct Analysis::Listener {
  struct Wish {
    std::shared_ptr<Analyser> analyser;
    rt::FrameCount from = 0;
  };

  Listener(std::shared_ptr<rt::MeterSlots> meter, double rate)
      : slots(std::move(meter)),
        listen(slots, ring_frames(rate)),
        samples(std::size_t{listen.feed().channels()} * rt::kBlockFrames),
        channels(listen.feed().channels()) {}

  void drain(const std::vector<Wish>& to) {
    rt::MeterFeed::Piece piece;
    while (listen.feed().try_pop(piece, samples)) {
      if (next && piece.first_frame > *next) skip(to, piece);
      for (std::size_t c = 0; c < channels.size(); ++c) channels[c] = samples.data() + c * piece.frames;
      give(to, {channels.data(), count(), piece.frames, 0, piece.first_frame + piece.frames});
      next = piece.first_frame + piece.frames;
    }
    for (const Wish& wish : to) wish.analyser->publish();
  }

  const std::shared_ptr<rt::MeterSlots> slots;
  std::vector<Wish> wishes;

 private:
  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(channels.size()); }

  /// What is between the last piece and this one.
  void skip(const std::vector<Wish>& to, const rt::MeterFeed::Piece& piece) {
    rt::FrameCount at = std::max(*next, piece.first_frame - kLongestGap);
    auto lost = std::min<rt::FrameCount>(piece.lost, piece.first_frame - at);
    while (at < piece.first_frame) {
      const rt::FrameCount n = std::min<rt::FrameCount>(rt::kBlockFrames, piece.first_frame - at);
      const rt::FrameCount of_them = std::min(lost, n);
      lost -= of_them;
      at += n;
      give(to, {nullptr, count(), static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(of_them), at});
    }
  }

  /// To each from its own first frame on.
  void give(const std::vector<Wish>& to, const Sound& sound) {
    const rt::FrameCount begin = sound.end_frame - sound.frames;
    for (const Wish& wish : to) {
      if (wish.from <= begin) {
        wish.analyser->feed(sound);
      } else if (wish.from < sound.end_frame) {
        const auto late = static_cast<std::uint32_t>(wish.from - begin);
        Sound rest = sound;
        std::vector<const float*> later;  // once in the life of a wish
        if (sound.channels != nullptr) {
          for (std::uint32_t c = 0; c < sound.channel_count; ++c) later.push_back(sound.channels[c] + late);
          rest.channels = later.data();
        }
        rest.frames -= late;
        rest.lost = std::min(rest.lost, rest.frames);
        wish.analyser->feed(rest);
      }
    }
  }

  rt::MeterListen listen;
  std::vector<float> samples;
  std::vector<const float*> channels;
  std::optional<rt::FrameCount> next;
};

struct Analysis::Core {
  void pass() {
    const std::lock_guard one(passing);
    struct Work {
      std::shared_ptr<Listener> listener;
      std::vector<Listener::Wish> wishes;
    };
    std::vector<Work> work;
    {
      const std::lock_guard lock(mutex);
      // Here alone a listener ends: one of the same meter that is made later never drains beside it.
      std::erase_if(listeners, [](const auto& listener) { return listener->wishes.empty(); });
      for (const auto& listener : listeners) work.push_back({listener, listener->wishes});
    }
    for (const Work& each : work) each.listener->drain(each.wishes);
  }

  void run() {
    pthread_setname_np(pthread_self(), "continuo-meters");
    std::unique_lock lock(mutex);
    while (!stopping) {
      wake.wait(lock, [this] { return stopping || !listeners.empty(); });
      wake.wait_for(lock, kEvery, [this] { return stopping; });
      if (stopping) break;
      lock.unlock();
      pass();
      lock.lock();
    }
  }

  std::mutex passing;  // one pass at a time
  std::mutex mutex;    // of what follows
  std::condition_variable wake;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::size_t analysers = 0;
  bool stopping = false;
  bool by_hand = false;
  std::thread thread;
};

Analysis::Analysis(Runs runs) : core_(std::make_shared<Core>()) { core_->by_hand = runs == Runs::by_hand; }

Analysis::~Analysis() {
  {
    const std::lock_guard lock(core_->mutex);
    core_->stopping = true;
  }
  core_->wake.notify_all();
  if (core_->thread.joinable()) core_->thread.join();
}

Analysis::Hearing Analysis::hear(const std::shared_ptr<rt::MeterSlots>& slots, std::shared_ptr<Analyser> analyser,
                                 rt::FrameCount from, double sample_rate_hz) {
  Hearing hearing;
  const std::lock_guard lock(core_->mutex);
  if (core_->stopping || core_->analysers >= kMaxAnalysers) return hearing;
  auto& listeners = core_->listeners;
  auto found = std::ranges::find(listeners, slots, [](const auto& listener) { return listener->slots; });
  if (found == listeners.end()) {
    if (listeners.size() >= kMaxListeners) return hearing;
    listeners.push_back(std::make_shared<Listener>(slots, sample_rate_hz));
    found = std::prev(listeners.end());
  }
  (*found)->wishes.push_back({analyser, from});
  ++core_->analysers;
  hearing.core_ = core_;
  hearing.listener_ = *found;
  hearing.analyser_ = std::move(analyser);
  if (!core_->by_hand && !core_->thread.joinable()) core_->thread = std::thread([core = core_.get()] { core->run(); });
  core_->wake.notify_all();
  return hearing;
}

void Analysis::pass() { core_->pass(); }

std::size_t Analysis::listeners() const {
  const std::lock_guard lock(core_->mutex);
  return core_->listeners.size();
}

std::size_t Analysis::analysers() const {
  const std::lock_guard lock(core_->mutex);
  return core_->analysers;
}

Analysis::Hearing& Analysis::Hearing::operator=(Hearing&& other) noexcept {
  end();
  core_ = std::move(other.core_);
  listener_ = std::move(other.listener_);
  analyser_ = std::move(other.analyser_);
  return *this;
}

void Analysis::Hearing::end() noexcept {
  if (analyser_ == nullptr) return;
  const std::lock_guard lock(core_->mutex);
  std::erase_if(listener_->wishes, [this](const Listener::Wish& wish) { return wish.analyser == analyser_; });
  --core_->analysers;
  // Its listener goes with the next pass.
  listener_.reset();
  analyser_.reset();
}

}  // namespace continuo::control
