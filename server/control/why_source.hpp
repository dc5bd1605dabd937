// THREAD: any, one at a time - why a source, an input of the device or a fader gives silence
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/control/why.hpp"

namespace continuo::control {

/// "-42.0 dB"
[[nodiscard]] std::string why_decibels(double db);
/// "the connection from vox to out:3"
[[nodiscard]] std::string why_name(const session::DocConnection& connection);

/// A track or a bus: it has a chain and a fader.
[[nodiscard]] bool is_strip(const session::DocNode& node);

[[nodiscard]] inline bool is_loud(const std::optional<double>& level_db) { return level_db && *level_db > kSilentDb; }

/// The lane of `gain_db` is on: the parameter's own value says nothing.
[[nodiscard]] bool gain_is_automated(const session::DocNode& node);

// The cause; nothing: it is not silent, as far as its own meter or what it is set to tells.
[[nodiscard]] std::optional<WhyAnswer> gain_cause(const std::string& path, const session::DocNode& node);
[[nodiscard]] std::optional<WhyAnswer> source_cause(const WhyFacts& facts, const std::string& path,
                                                    const session::DocNode& node);
/// `channel`: from 1; 0: all of them.
[[nodiscard]] std::optional<WhyAnswer> input_cause(const WhyFacts& facts, std::uint32_t channel);

}  // namespace continuo::control
