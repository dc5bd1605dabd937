// THREAD: any, one at a time - what is allowed in a session and is hardly meant: lines for a person
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "server/session/document.hpp"
#include "server/session/impulse_table.hpp"

namespace continuo::session {

/// Items of queues, and of what cues bring, that begin or end behind the end of their files, as far as `media` knows
/// these. Items that `before` has as they are were told then.
[[nodiscard]] std::vector<std::string> items_beyond_file(const Document& before, const Document& after,
                                                         const MediaTable& media, std::size_t most);

/// Takes of cues that would end before they begin: at a place of the timeline that the cue itself has passed.
[[nodiscard]] std::vector<std::string> backward_takes(const Document& document, std::size_t most);

/// An item that the cue names and that is not there as things stand; empty: all are. Where another cue fills that queue
/// it may be there by then, and is taken to be.
[[nodiscard]] std::string missing_item(const Document& document, const DocCue& cue);

}  // namespace continuo::session
