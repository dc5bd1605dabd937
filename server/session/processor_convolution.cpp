#include "server/session/processor_makers.hpp"

namespace continuo::session {

std::span<const ProcessorMaker> convolution_makers() { return {}; }

}  // namespace continuo::session
