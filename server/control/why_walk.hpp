// THREAD: any, one at a time - upstream through a session, from what is silent to the first cause
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rt/types.hpp"
#include "server/control/why.hpp"
#include "server/control/why_source.hpp"

namespace continuo::control {

/// Nothing: what was looked at is not silent.
using WhyFound = std::optional<WhyAnswer>;

/// "the device has 2 outputs"
[[nodiscard]] std::string has_outputs(std::uint32_t count);

class WhyWalk {
 public:
  WhyWalk(const WhyFacts& facts, std::vector<WhyStep>& steps);

  WhyFound unit(const std::string& path);
  /// A node in a chain.
  WhyFound child(const std::string& strip, const session::DocNode& node, std::size_t index);
  /// The sound that arrives at `path` by connections, or at one channel of the device.
  WhyFound arrives(const std::string& path, std::uint32_t output, bool& any);
  /// A connection to a channel that the device does not have.
  [[nodiscard]] WhyFound beyond() const;

 private:
  /// Who may have lost the sound, where sound there was.
  struct Suspects {
    std::string gate;  // the first one that it would have had to pass
    std::string lost;  // the first one in a chain out of which, by its own meter, nothing comes
  };

  /// What a chain, or a part of it, was found to do.
  struct Chain {
    WhyFound blocked;  // by one of its nodes, whatever comes in
    WhyFound source;   // why its last source gives nothing
    bool sounds = false;
  };

  static WhyAnswer answer(WhyReason reason, std::string path, std::string message) {
    return {reason, std::move(path), std::move(message), {}};
  }
  void step(const std::string& path, const session::DocNode& node) {
    steps_.push_back({path, node.type, facts_.level_db(path, 0)});
  }
  /// By another's solo, mute or not.
  [[nodiscard]] bool is_silenced(const session::DocNode& node) const;
  [[nodiscard]] WhyAnswer silenced(const std::string& path) const;
  /// Something can come in above the first `count` of the chain: else no gain there takes anything.
  [[nodiscard]] bool is_fed(const std::string& path, const session::DocNode& node, std::size_t count);
  [[nodiscard]] bool is_fed(const std::string& path);
  WhyFound here(const std::string& path, const session::DocNode& node, Suspects& suspects) const;
  Chain chain(const std::string& path, const session::DocNode& node, std::size_t count, Suspects& suspects);
  /// What comes through the first `count` children of `path`, which comes to nothing behind them.
  WhyFound upstream(const std::string& path, const session::DocNode& node, std::size_t count, Suspects suspects);
  [[nodiscard]] WhyAnswer lost(const std::string& path) const;
  WhyFound fed_by(const session::DocConnection& connection, std::uint32_t output);
  [[nodiscard]] bool reaches(const session::DocConnection& connection, std::uint32_t output) const;
  [[nodiscard]] bool loud(const std::string& path, std::uint32_t channel = 0) const {
    return is_loud(facts_.level_db(path, channel));
  }

  const WhyFacts& facts_;
  std::vector<WhyStep>& steps_;
  const std::unordered_map<rt::Uid, double> unsilenced_;
  std::optional<std::set<std::string>> fed_;  // once somebody asks
  std::set<std::string> seen_;
};

}  // namespace continuo::control
