// THREAD: any, one at a time - why is there silence: upstream by level, to the first cause
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "rt/play_slot.hpp"
#include "server/control/why_reason.hpp"
#include "server/session/document.hpp"

namespace continuo::control {

/// Up to this a level is silence, dBFS, as METER_KIND_SILENCE has it by default: a shut gate leaves more than nothing.
inline constexpr double kSilentDb = -60.0;

/// What is known of this moment.
struct WhyFacts {
  const session::Document& document;
  /// Of a node that has a meter; channel from 1, 0: its loudest. dBFS.
  std::function<std::optional<double>(const std::string& path, std::uint32_t channel)> level_db = {};
  /// How many channels the node gives; 0: not known.
  std::function<std::uint32_t(const std::string& path)> channels = {};
  std::function<std::optional<rt::PlayReading>(const std::string& path)> player = {};
  /// Why a player cannot play; empty: it can.
  std::function<std::string(const std::string& path)> player_error = {};
  /// Muted right now, because it gave what is no number.
  std::vector<std::string> faulty = {};
  bool rolling = false;  // the timeline
  bool stalled = false;
  bool clock_device = false;
  std::uint32_t inputs = 0;
  std::uint32_t outputs = 0;
};

/// Where it looked, from the asked one upstream.
struct WhyStep {
  std::string path;
  std::string type;
  std::optional<double> level_db;
};

struct WhyAnswer {
  WhyReason reason = WhyReason::sounds;
  std::string path;     // where the cause is; empty: the device
  std::string message;  // for a person: names the thing and the remedy
  std::vector<WhyStep> steps;
};

/// `path` is of a node that is there: "vox", "out". `output`: that channel of "out" alone, from 1; 0: all.
[[nodiscard]] WhyAnswer why_silent(const WhyFacts& facts, const std::string& path, std::uint32_t output = 0);

}  // namespace continuo::control
