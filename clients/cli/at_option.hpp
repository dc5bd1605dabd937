// THREAD: any - --at WHEN, the same for every command that makes a transaction
#pragma once

#include <memory>
#include <string>

#include "clients/cli/context.hpp"
#include "continuo/v1/edit.pb.h"

namespace continuo::cli {

class AtOption {
 public:
  /// Adds --at to `command`.
  static AtOption of(CLI::App* command);
  [[nodiscard]] bool given() const noexcept { return !text_->empty(); }
  /// The request's `when`, where --at was given. Asks the daemon for the timeline's rate where the text needs it.
  /// EX_USAGE.
  void put_into(Context& context, v1::ApplyRequest& request) const;

 private:
  std::shared_ptr<std::string> text_ = std::make_shared<std::string>();
};

}  // namespace continuo::cli
