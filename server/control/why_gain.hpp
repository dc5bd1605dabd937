// THREAD: any, one at a time - which of the gains on a sound's way leaves too little of it, and whether any comes there
#pragma once

#include <optional>
#include <set>
#include <string>

#include "server/control/why.hpp"

namespace continuo::control {

/// Of `path`, to which sound comes and out of which none does: its own gain takes what else would be heard. Names the
/// gain that takes most on the way of the loudest. Nothing: its gain does not explain it.
[[nodiscard]] std::optional<WhyAnswer> faded_cause(const WhyFacts& facts, const std::string& path);

/// A source is among the first `count` of the chain.
[[nodiscard]] bool has_source(const session::DocNode& node, std::size_t count);

/// Those that a connection, or several in a row, brings a source or an input of the device: all others are fed by none.
[[nodiscard]] std::set<std::string> fed_by_connections(const session::Document& document);

}  // namespace continuo::control
