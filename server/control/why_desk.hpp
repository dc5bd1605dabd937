// THREAD: control - why is there silence: listens for a moment, then looks
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "continuo/v1/system.pb.h"
#include "server/base/result.hpp"
#include "server/control/device_manager.hpp"
#include "server/control/graph.hpp"
#include "server/control/media_cache.hpp"
#include "server/control/meter_taps.hpp"
#include "server/control/node_faults.hpp"
#include "server/control/sources.hpp"
#include "server/control/strand.hpp"
#include "server/control/transport.hpp"
#include "server/control/why.hpp"

namespace continuo::control {

/// Ask: [control] every meter is looked at -> kListen later (at once where the device stands still) their peaks since,
/// with all else that is known -> why_silent(). Where that says that a chain loses the sound, or a source gives none,
/// once more, with a meter at each of its nodes. Bound: kMostAtOnce; the loser is the newcomer.
class WhyDesk {
 public:
  static constexpr std::chrono::milliseconds kListen{100};
  static constexpr std::size_t kMostAtOnce = 64;

  struct Parts {
    Strand& strand;
    const Graph& graph;
    const MediaCache& media;
    const Sources& sources;
    const Transport& transport;
    const DeviceManager& devices;
    NodeFaults& faults;
    MeterTaps& taps;
  };
  explicit WhyDesk(Parts parts);
  ~WhyDesk();

  using Done = std::function<void(Result<v1::WhyResponse>)>;
  void ask(const v1::WhyRequest& request, Done done);
  /// The daemon ends: who waits is told so.
  void close();

 private:
  struct Asking;
  void listen(const std::shared_ptr<Asking>& asking);
  void answer(const std::shared_ptr<Asking>& asking);
  /// False where it has been done, or would not help.
  [[nodiscard]] bool look_closer(const std::shared_ptr<Asking>& asking, const WhyAnswer& found);
  /// All but the levels; `document` is the one of this moment.
  [[nodiscard]] WhyFacts facts_now(const DocumentPtr& document);
  [[nodiscard]] std::string player_error(const session::Document& document, const std::string& path) const;

  Parts parts_;
  std::vector<std::shared_ptr<Asking>> asking_;
};

}  // namespace continuo::control
