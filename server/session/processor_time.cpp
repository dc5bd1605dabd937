#include "server/session/processor_makers.hpp"

namespace continuo::session {

std::span<const ProcessorMaker> time_makers() { return {}; }

}  // namespace continuo::session
