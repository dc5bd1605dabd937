#include "rt/node.hpp"

#include "rt/command.hpp"

namespace continuo::rt {

void NodeKind::begin_block(Step& step, const Slice&) const noexcept RT_NONBLOCKING { step.moving = false; }

bool NodeKind::act(Member&, Action&, const Slice&) const noexcept RT_NONBLOCKING { return false; }

}  // namespace continuo::rt
