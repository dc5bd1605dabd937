// THREAD: test - a client of a parameter stream without gRPC, over an engine whose every level can be heard
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/control/param_streams.hpp"
#include "server/session/session_file.hpp"
#include "tests/server/control/rig.hpp"

namespace continuo::control::test {

using Changes = v1::StreamParamsRequest::Changes;
using Report = v1::StreamParamsResponse::Report;

/// What a stream's client hears, kept.
class StreamClient {
 public:
  explicit StreamClient(Rig& rig, std::string identity = "user test") : rig_(rig) {
    call = rig.engine->params().open(std::move(identity),
                                     {[heard = heard_](Report report) { heard->reports.push_back(std::move(report)); },
                                      [heard = heard_](std::optional<Error> error) {
                                        CHECK(!heard->ended);  // once
                                        heard->ended = true;
                                        heard->error = std::move(error);
                                      }});
  }

  Result<v1::StreamParamsResponse::Bound> try_bind(const v1::StreamParamsRequest::Bind& bind) {
    return rig_.answer<v1::StreamParamsResponse::Bound>([&](auto done) { call->bind(bind, std::move(done)); });
  }
  std::vector<std::uint32_t> bind(const std::vector<std::string>& names, const std::string& lease = "") {
    v1::StreamParamsRequest::Bind bind;
    for (const std::string& name : names) bind.add_params(name);
    bind.set_client("fader");
    if (!lease.empty()) bind.add_leases(lease);
    const auto bound = try_bind(bind);
    REQUIRE_MESSAGE(bound, bound.error().message);
    return {bound->handles().begin(), bound->handles().end()};
  }
  using Value = std::pair<std::uint32_t, double>;
  void set(std::initializer_list<Value> values, std::optional<double> ramp_ms = 0.0) { send(values, nullptr, ramp_ms); }
  void set_at(std::int64_t frame, std::initializer_list<Value> values) { send(values, &frame, 0.0); }
  /// The device goes on until a report says that all of it is in the sound.
  const Report& wait() {
    REQUIRE(rig_.until([&] { return last().applied_sequence() == sequence; }));
    return last();
  }
  void gesture() {
    bool marked = false;
    call->gesture([&marked] { marked = true; });
    REQUIRE(rig_.until([&] { return marked; }));
  }
  [[nodiscard]] const Report& last() const {
    return heard_->reports.empty() ? Report::default_instance() : heard_->reports.back();
  }
  [[nodiscard]] std::size_t reports() const { return heard_->reports.size(); }
  [[nodiscard]] bool ended() const { return heard_->ended; }
  [[nodiscard]] const std::optional<Error>& error() const { return heard_->error; }

  std::shared_ptr<ParamStreams::Call> call;
  std::uint64_t sequence = 0;

 private:
  void send(std::initializer_list<Value> values, const std::int64_t* frame, std::optional<double> ramp_ms) {
    Changes changes;
    for (const auto& [handle, value] : values) {
      changes.add_handles(handle);
      changes.add_values(value);
      if (frame != nullptr) changes.add_engine_frames(*frame);
    }
    if (ramp_ms) changes.set_ramp_ms(*ramp_ms);
    changes.set_sequence(++sequence);
    const Result<> taken = call->take(changes);
    REQUIRE_MESSAGE(taken, taken.error().message);
  }

  struct Heard {
    std::vector<Report> reports;
    bool ended = false;
    std::optional<Error> error;
  };
  Rig& rig_;
  std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
};

/// Input channels that are constant, each on a track of its own ("t0" hears "in:1" and goes to "out:1").
class ParamRig : public Rig {
 public:
  explicit ParamRig(std::uint32_t tracks = 2) : Rig(options(tracks)) {
    hardware->set_input([](std::uint32_t, rt::FrameCount) { return 0.5f; });
    std::string operations;
    for (std::uint32_t i = 0; i < tracks; ++i) {
      const std::string id = "t" + std::to_string(i);
      const std::string channel = std::to_string(i + 1);
      operations += "{'addNode':{'node':{'id':'" + id + "','type':'track','params':{'channels':1}}}}," +
                    "{'connect':{'from':'in:" + channel + "','to':'" + id + "'}},{'connect':{'from':'" + id +
                    "','to':'out:" + channel + "','channels':[{'from':1,'to':1}]}},";
    }
    operations.pop_back();
    applied("{'operations':[" + operations + "]}");
    hardware->run(9600);  // the fades are over
    turns(3);
  }
  /// In dB, of what track `i` plays now; -1000: nothing.
  [[nodiscard]] double level(std::uint32_t i) const {
    const float sample = hardware->last_output(i).back();
    return sample == 0.0f ? -1000.0 : 20.0 * std::log10(std::abs(sample) / kUnity);
  }
  [[nodiscard]] std::int64_t now() const { return static_cast<std::int64_t>(hardware->frames()); }
  void stand_still_until(const std::function<bool()>& ready) {
    stepping = false;
    REQUIRE(until(ready));
    stepping = true;
  }
  static constexpr double kUnity = 0.35355339059327373;  // 0.5 by the pan's law: the left of a centred mono track

 private:
  static RigOptions options(std::uint32_t tracks) {
    RigOptions options;
    options.in = options.out = tracks;
    return options;
  }
};

/// A watcher's copy of the document.
class Mirror {
 public:
  explicit Mirror(Rig& rig) : feed_(rig.watch()) { read(); }
  std::string text() {
    read();
    return session::print_session(document_);
  }
  std::vector<v1::Change> changes;

 private:
  void read() {
    while (const auto message = feed_->next({})) {
      if (message->has_snapshot_end()) {
        auto parsed = session::parse_session(text_, [] { return rt::Uid{1}; });
        REQUIRE_MESSAGE(parsed, parsed.error().message);
        document_ = *std::move(parsed);
        session::ensure_device_nodes(document_);
        text_.clear();
      } else if (message->has_change()) {
        const auto& change = message->change();
        const auto edited = session::apply_operations(document_, change.operations(), [] { return rt::Uid{1}; });
        REQUIRE_MESSAGE(edited, edited.error().message);
        changes.push_back(change);
      } else if (message->kind_case() == v1::WatchResponse::kSnapshot) {
        text_ += message->snapshot();
      }
    }
  }
  std::shared_ptr<Feed<v1::WatchResponse>> feed_;
  std::string text_;
  session::Document document_;
};

inline bool holds(const std::string& session, const std::string& text) {
  return session.find(text) != std::string::npos;
}

}  // namespace continuo::control::test
