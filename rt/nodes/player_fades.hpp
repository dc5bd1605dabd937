// THREAD: audio - the edges of a player's sound
#pragma once

#include "rt/nodes/player.hpp"
#include "rt/nodes/player_sound.hpp"

namespace continuo::rt {

/// What was to sound next fades out. Its frames stay in the ring: a stop goes on from there later.
void cut_off(PlayerNode::Audio& audio) noexcept RT_NONBLOCKING;

/// The edges of what sounded: it fades in where it began in the middle of its item, and gives way to silence where the
/// disk is late.
void soften(PlayerNode::Audio& audio, const Member& m, const Slice& slice, const Stretch& sounded,
            Source& source) noexcept RT_NONBLOCKING;

}  // namespace continuo::rt
