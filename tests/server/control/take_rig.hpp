// THREAD: test - an engine that records its inputs, and what its watchers are told of takes
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tests/server/control/rig.hpp"

namespace continuo::control::test {

struct TakeRig : Rig {
  using Event = v1::WatchResponse::TakeEvent;

  explicit TakeRig(RigOptions options) : Rig(std::move(options)), feed(watch()) {}
  v1::ApplyResponse start(const std::string& more = "") {
    return applied("{'operations':[{'recordStart':{'nodes':['in']" + more + "}}]}");
  }
  v1::ApplyResponse stop() { return applied("{'operations':[{'recordStop':{}}]}"); }
  /// The next event of this kind.
  Event event(Event::Kind kind) {
    Event found;
    REQUIRE(until([&] {
      while (const auto message = feed->next([] {})) {
        if (!message->has_take() || message->take().kind() != kind) continue;
        found = message->take();
        return true;
      }
      return false;
    }));
    return found;
  }
  std::shared_ptr<control::Feed<v1::WatchResponse>> feed;
};

}  // namespace continuo::control::test
