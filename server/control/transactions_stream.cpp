// Values of a stream: they were judged one by one, so nothing is left that could refuse them.
#include <map>
#include <optional>
#include <utility>

#include "server/base/check.hpp"
#include "server/control/transaction.hpp"

namespace continuo::control {
namespace {

/// The last value of each parameter, as operations.
class Newest {
 public:
  void add(const v1::SetParams& set) {
    for (const auto& [name, value] : set.values())
      values_[set.path()][name] = {value, set.has_ramp_ms() ? std::optional(set.ramp_ms()) : std::nullopt};
  }
  [[nodiscard]] std::vector<v1::Operation> operations() const {
    std::vector<v1::Operation> result;
    for (const auto& [path, params] : values_) {
      std::map<std::optional<double>, v1::SetParams> by_ramp;
      for (const auto& [name, one] : params) (*by_ramp[one.ramp_ms].mutable_values())[name] = one.value;
      for (auto& [ramp_ms, set] : by_ramp) {
        set.set_path(path);
        if (ramp_ms) set.set_ramp_ms(*ramp_ms);
        *result.emplace_back().mutable_set_params() = std::move(set);
      }
    }
    return result;
  }

 private:
  struct One {
    google::protobuf::Value value;
    std::optional<double> ramp_ms;
  };
  std::map<std::string, std::map<std::string, One>> values_;
};

}  // namespace

v1::Revision Transactions::stream(Streamed streamed) {
  auto tx = std::make_shared<Transaction>();
  tx->outcome = std::make_shared<Outcome>();
  tx->outcome->identity = std::move(streamed.identity);
  tx->request.set_client(std::move(streamed.client));
  tx->finish = [] {};
  tx->urgent = true;
  tx->streamed = true;
  tx->gesture = streamed.gesture;
  tx->id = parts_.ids.next();
  tx->before = parts_.graph.document();
  auto document = std::make_shared<session::Document>(*tx->before);
  tx->delta.apart = streamed.apart;
  Newest newest;
  for (const Streamed::Step& step : streamed.steps) {
    auto edited = session::apply_operations(*document, step.operations, [this] { return parts_.uids.next(); });
    CONTINUO_CHECK(edited && !edited->structural, "a stream's values are judged before they come here");
    tx->edit.changed = tx->edit.changed || edited->changed;
    if (streamed.steps.size() == 1) {
      tx->edit.accepted = std::move(edited->accepted);
    } else {
      for (const v1::Operation& operation : edited->accepted) newest.add(operation.set_params());
    }
    tx->delta.steps.push_back({step.frame, std::move(edited->params)});
  }
  if (streamed.steps.size() > 1) tx->edit.accepted = newest.operations();
  tx->document = std::move(document);
  open_.insert(tx);
  parts_.delivery.deliver(
      std::move(tx->delta), [this, tx](std::vector<Takes::Ref> stopped) { commit(tx, stopped); },
      [this, tx, then = std::move(streamed.applied)](AudioLink::Fate fate, rt::FrameCount frame) {
        applied(tx, fate, frame);
        if (then) then(fate, frame);
      });
  CONTINUO_CHECK(tx->outcome->known, "values alone wait for nothing");
  return tx->outcome->response.revision();
}

}  // namespace continuo::control
