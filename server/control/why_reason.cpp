#include "server/control/why_reason.hpp"

namespace continuo::control {

const char* to_text(WhyReason reason) {
  switch (reason) {
    case WhyReason::sounds:
      return "SOUNDS";
    case WhyReason::stalled:
      return "STALLED";
    case WhyReason::clock_device:
      return "CLOCK_DEVICE";
    case WhyReason::no_channel:
      return "NO_CHANNEL";
    case WhyReason::unconnected:
      return "UNCONNECTED";
    case WhyReason::muted:
      return "MUTED";
    case WhyReason::other_solo:
      return "OTHER_SOLO";
    case WhyReason::gain:
      return "GAIN";
    case WhyReason::stopped:
      return "STOPPED";
    case WhyReason::waiting:
      return "WAITING";
    case WhyReason::ended:
      return "ENDED";
    case WhyReason::late:
      return "LATE";
    case WhyReason::missing_file:
      return "MISSING_FILE";
    case WhyReason::nothing_to_play:
      return "NOTHING_TO_PLAY";
    case WhyReason::fault:
      return "FAULT";
    case WhyReason::no_input:
      return "NO_INPUT";
    case WhyReason::silent_input:
      return "SILENT_INPUT";
    case WhyReason::silent_source:
      return "SILENT_SOURCE";
    case WhyReason::gate:
      return "GATE";
    case WhyReason::lost_within:
      return "LOST_WITHIN";
  }
  return "UNKNOWN";
}

}  // namespace continuo::control
