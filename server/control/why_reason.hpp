// THREAD: any - what can be the cause of silence
#pragma once

namespace continuo::control {

enum class WhyReason {
  sounds,           // there is no silence
  stalled,          // the device does not call
  clock_device,     // all is well, but the clock device has no loudspeaker
  no_channel,       // the device has no such output, or the node no such channel
  unconnected,      // nothing feeds it
  muted,            // its own mute
  other_solo,       // another's solo
  gain,             // a gain that lets nothing through
  stopped,          // the timeline stands, or the free player does
  waiting,          // it begins later
  ended,            // it is behind its last frame
  late,             // the disk is late
  missing_file,     // or one that cannot be read
  nothing_to_play,  // no file, an empty queue
  fault,            // muted, because it gave NaN or Inf
  no_input,         // the device has no inputs
  silent_input,     // nothing comes in at the device
  silent_source,    // it plays, and what it plays is silent here
  gate,             // a gate is shut, as far as one can tell
  lost_within,      // sound comes in, and does not come out
};

/// "MUTED": stable, what clients read.
[[nodiscard]] const char* to_text(WhyReason reason);

}  // namespace continuo::control
