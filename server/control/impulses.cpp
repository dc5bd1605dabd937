#include "server/control/impulses.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/base/log.hpp"
#include "server/control/timer.hpp"
#include "server/media/impulse_reader.hpp"

namespace continuo::control {

struct Impulses::Round {
  std::size_t left = 0;
  bool over = false;
  std::function<void()> done;
  std::unique_ptr<Timer> patience;

  void end() {
    over = true;
    patience.reset();
    std::exchange(done, nullptr)();
  }
};

void Impulses::prepare(const std::vector<session::ImpulseKey>& wanted, const std::string& base, bool fresh,
                       std::function<void()> done) {
  if (fresh || base != base_) {
    table_.clear();
    under_way_.clear();
  }
  base_ = base;
  const auto unwanted = [&](const auto& entry) { return !std::ranges::binary_search(wanted, entry.first); };
  std::erase_if(table_, unwanted);
  std::erase_if(under_way_, unwanted);
  std::erase_if(errors_, [&](const auto& error) {
    return fresh || std::ranges::none_of(wanted, [&](const auto& key) { return key.file == error.first; });
  });
  std::vector<session::ImpulseKey> missing;
  for (const session::ImpulseKey& key : wanted) {
    // What a round before has given up waiting for comes when it comes.
    if (!table_.contains(key) && !under_way_.contains(key)) missing.push_back(key);
  }
  if (missing.empty()) return done();
  auto round = std::make_shared<Round>();
  round->left = missing.size();
  round->done = std::move(done);
  round->patience = std::make_unique<Timer>(strand_);
  round->patience->after(kPatience, [this, round, missing] {
    for (const session::ImpulseKey& key : missing) {
      if (!table_.contains(key)) errors_[key.file] = "the disk did not answer in time";
    }
    round->end();
  });
  for (const session::ImpulseKey& key : missing) read(key, base, round);
}

// [disk] find, read, transform -> [control] into the table.
void Impulses::read(const session::ImpulseKey& key, const std::string& base, const std::shared_ptr<Round>& round) {
  under_way_[key] = round;
  pool_.post([this, key, base, round, roots = roots_, post = strand_.poster()] {
    auto impulse = [&]() -> Result<std::shared_ptr<const rt::dsp::Impulse>> {
      const auto path = roots.find_file(key.file, base);
      if (!path) return path.error();
      return media::read_impulse({.file = *path,
                                  .rate_hz = key.rate_hz,
                                  .latency_frames = key.latency_frames,
                                  .channels = key.channels,
                                  .most_seconds = session::kMostImpulseSeconds});
    }();
    post([this, key, round, impulse = std::move(impulse)] {
      const auto found = under_way_.find(key);
      const bool awaited = found != under_way_.end() && found->second.lock() == round;
      if (awaited) {
        under_way_.erase(found);
        table_[key] = impulse ? *impulse : nullptr;
        if (impulse) {
          errors_.erase(key.file);
        } else {
          errors_[key.file] = impulse.error().message;
          log::warning("impulse response {}: {}", key.file, impulse.error().message);
        }
      }
      if (!round->over) {
        if (--round->left == 0) round->end();
      } else if (awaited && impulse) {
        came_();
      }
    });
  });
}

}  // namespace continuo::control
