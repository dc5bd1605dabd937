// THREAD: control, which asks workers - another session in place of this one: all of it or nothing
#pragma once

#include <memory>
#include <set>
#include <string>

#include "server/control/delivery.hpp"
#include "server/control/engine.hpp"
#include "server/control/history.hpp"
#include "server/control/leases.hpp"
#include "server/control/scheduled.hpp"
#include "server/control/uid_source.hpp"
#include "server/control/worker.hpp"

namespace continuo::control {

/// LoadSession: [worker] parse, validate -> [control] wait in line -> [disk] probe -> [control] compile -> [disk] prime
/// -> [control] fade the output out, send plan, transport and streams as one batch with the fade in; a new epoch ->
/// [audio] apply -> [control] answer.
class Loader {
 public:
  struct Parts {
    Worker& worker;
    Strand& strand;
    JobQueue& jobs;
    Graph& graph;
    MediaCache& media;
    Sources& sources;
    Takes& takes;
    Transport& transport;
    AudioLink& link;
    EventPump& pump;
    Delivery& delivery;
    History& history;
    UidSource& uids;
    Scheduled& scheduled;
    Leases& leases;
    std::function<void()> changed;
  };
  explicit Loader(Parts parts) : parts_(parts) {}

  using Answer = Done<v1::LoadSessionResponse>;
  void load(LoadRequest request, Answer done);

 private:
  struct Load;
  using Ptr = std::shared_ptr<Load>;
  void parsed(const Ptr& load);
  void probed(const Ptr& load, MediaCache::Found found);
  void put_in_place(const Ptr& load);
  [[nodiscard]] std::vector<std::string> warnings(const Load& load) const;

  Parts parts_;
};

}  // namespace continuo::control
