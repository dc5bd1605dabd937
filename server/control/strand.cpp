#include "server/control/strand.hpp"

#include <boost/asio/post.hpp>

namespace continuo::control {

Strand::Strand(boost::asio::io_context& io) : io_(io), core_(std::make_shared<Core>()) { core_->io = &io; }

Strand::~Strand() {
  const std::lock_guard lock(core_->mutex);
  core_->io = nullptr;
}

void Strand::Poster::operator()(std::function<void()> work) const {
  const std::lock_guard lock(core_->mutex);
  if (core_->io == nullptr) return;
  boost::asio::post(*core_->io, [core = core_, work = std::move(work)] {
    if (core->io != nullptr) work();  // the strand reads what only the strand writes
  });
}

}  // namespace continuo::control
