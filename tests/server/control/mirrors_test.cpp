// Many clients that edit, read as they like, drop and come again, over loads and restarts of the daemon: each ends with
// the daemon's document, by nothing but what its watch told it.
#include <rapidcheck.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "server/control/history.hpp"
#include "server/session/session_file.hpp"
#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

/// What a client makes of its watch. It trusts nothing but the messages.
class Mirror {
 public:
  void connect(Rig& rig, bool by_sequence) {
    v1::WatchRequest request;
    if (document_) *request.mutable_from_revision() = revision_;
    if (document_ && by_sequence) request.set_from_sequence(sequence_);
    feed_ = rig.watch(request);
    wants_anew_ = !document_;
    pieces_.reset();
    if (!by_sequence) counted_ = false;  // by its revision: what changed no document is not told again
  }
  void drop() { feed_.reset(); }
  [[nodiscard]] bool connected() const { return feed_ != nullptr; }
  /// At most so many messages.
  void read(int count) {
    while (feed_ && count-- > 0) {
      const auto message = feed_->next(nullptr);
      if (!message) return;
      take(*message);
    }
  }
  [[nodiscard]] std::string text() const { return document_ ? session::print_session(*document_) : "nothing"; }
  [[nodiscard]] const v1::Revision& revision() const { return revision_; }
  int resyncs = 0, changes = 0;

 private:
  void take(const v1::WatchResponse& message) {
    if (message.has_snapshot_begin()) {
      pieces_.emplace();
      return;
    }
    if (message.has_snapshot()) {
      RC_ASSERT(pieces_.has_value());
      *pieces_ += message.snapshot();
      return;
    }
    if (message.has_snapshot_end()) return begin_anew(message);
    if (counted_ && !message.has_heartbeat()) RC_ASSERT(message.sequence() == sequence_ + 1);
    sequence_ = message.sequence();
    counted_ = true;
    if (message.has_change()) follow(message.change());
  }
  void begin_anew(const v1::WatchResponse& message) {
    RC_ASSERT(pieces_.has_value());
    auto parsed = session::parse_session(*pieces_, [this] { return ++uid_; });
    RC_ASSERT(static_cast<bool>(parsed));
    RC_ASSERT(wants_anew_ || message.snapshot_end().resync());
    resyncs += message.snapshot_end().resync() ? 1 : 0;
    wants_anew_ = false;
    document_ = std::move(*parsed);
    pieces_.reset();
    revision_ = message.snapshot_end().revision();
    sequence_ = message.sequence();
    counted_ = true;
  }
  void follow(const v1::Change& change) {
    RC_ASSERT(document_.has_value());
    RC_ASSERT(change.revision().epoch() == revision_.epoch());
    RC_ASSERT(change.revision().number() - revision_.number() <= 1);
    const auto done = session::apply_operations(*document_, change.operations(), [this] { return ++uid_; });
    RC_ASSERT(static_cast<bool>(done));
    RC_ASSERT(done->changed == (change.revision().number() != revision_.number()));
    revision_ = change.revision();
    ++changes;
  }

  std::shared_ptr<control::Feed<v1::WatchResponse>> feed_;
  std::optional<session::Document> document_;
  std::optional<std::string> pieces_;  // of a snapshot that has begun
  v1::Revision revision_;
  std::uint64_t sequence_ = 0;
  bool counted_ = false;    // it knows which message comes next
  bool wants_anew_ = true;  // it asked for nothing of before
  rt::Uid uid_ = 0;
};

std::string some_path() { return *rc::gen::element<std::string>("a", "b", "c", "a/e", "b/e", "d"); }

/// Many of them are refused as things stand: then nobody may hear of them.
std::string some_operation() {
  const std::string path = some_path();
  const std::string id = *rc::gen::element<std::string>("a", "b", "c", "d");
  const std::string number = std::to_string(*rc::gen::inRange(-40, 7));
  switch (*rc::gen::inRange(0, 10)) {
    case 0:
    case 1:
      return "{'addNode':{'node':{'id':'" + id + "','type':'track','params':{'gain_db':" + number +
             "},'children':[{'id':'e','type':'eq'}]}" +
             (*rc::gen::arbitrary<bool>() ? ",'before':'" + some_path().substr(0, 1) + "'" : "") + "}}";
    case 2:
      return "{'removeNode':{'path':'" + path + "'}}";
    case 3:
      return "{'moveNode':{'path':'" + path + "','parent':'" + *rc::gen::element<std::string>("", "a", "b") + "'}}";
    case 4:
      return "{'connect':{'from':'" + id + "','to':'" + *rc::gen::element<std::string>("out", "a", "b", "c") +
             "','gainDb':" + number + "}}";
    case 5:
      return "{'disconnect':{'from':'" + id + "','to':'out'}}";
    case 6:
      return "{'setLabel':{'path':'" + path + "','label':'" + number + "'}}";
    case 7:
      return "{'setAutomation':{'path':'" + id + "','param':'gain_db','points':[{'frame':'5','value':" + number +
             "}]}}";
    case 8:
      return "{'locate':{'timelineFrame':'" + std::to_string(*rc::gen::inRange(0, 100)) + "'}}";
    default:
      return "{'setParams':{'path':'" + id + "','values':{'gain_db':" + number + "}}}";
  }
}

void edit(Rig& rig, int operations) {
  std::string text;
  for (int i = 0; i < operations; ++i) text += (i > 0 ? "," : "") + some_operation();
  static_cast<void>(rig.apply("{'operations':[" + text + "],'wait':'WAIT_COMMITTED'}"));
}

}  // namespace

TEST_CASE("clients that edit, drop and come again at random, over loads and restarts, end with the daemon's document") {
  RigOptions options;
  options.adjust = [](EngineConfig& config) { config.restore_session = true; };
  Rig rig(options);
  int resyncs = 0, followed = 0, restarts = 0;
  CHECK(rc::check([&] {
    std::array<Mirror, 4> mirrors;
    for (int steps = *rc::gen::inRange(1, 40); steps > 0; --steps) {
      Mirror& mirror = mirrors[static_cast<std::size_t>(*rc::gen::inRange(0, 4))];
      switch (*rc::gen::inRange(0, 40)) {
        case 0:
          rig.restart();
          ++restarts;
          for (Mirror& each : mirrors) each.drop();
          break;
        case 1:
          static_cast<void>(rig.load("{'format':1,'nodes':[{'id':'a','type':'bus'}]}"));
          break;
        case 2:  // more than a feed holds
          for (std::size_t i = 0; i < History::kFeedBound; ++i)
            static_cast<void>(rig.apply("{'operations':[{'setLabel':{'path':'out','label':'" + std::to_string(i) +
                                        "'}}],'wait':'WAIT_COMMITTED'}"));
          break;
        case 3:
        case 4:
        case 5:
        case 6:
          mirror.drop();
          break;
        case 7:
        case 8:
        case 9:
        case 10:
        case 11:
        case 12:
          if (!mirror.connected()) mirror.connect(rig, *rc::gen::arbitrary<bool>());
          break;
        case 13:
        case 14:
        case 15:
        case 16:
        case 17:
        case 18:
          mirror.read(*rc::gen::inRange(1, 20));
          break;
        default:
          edit(rig, *rc::gen::inRange(1, 4));
      }
    }
    rig.turns(5);
    for (Mirror& mirror : mirrors) {
      if (!mirror.connected()) mirror.connect(rig, *rc::gen::arbitrary<bool>());
      mirror.read(1'000'000);
      RC_ASSERT(mirror.text() == rig.session());
      const v1::Revision now = rig.status().revision();
      RC_ASSERT(mirror.revision().epoch() == now.epoch());
      RC_ASSERT(mirror.revision().number() == now.number());
      resyncs += mirror.resyncs;
      followed += mirror.changes;
    }
  }));
  // The random ones met what this is about.
  CHECK(resyncs > 0);
  CHECK(followed > 0);
  CHECK(restarts > 0);
}
