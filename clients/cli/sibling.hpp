// THREAD: any - the programs that are installed beside ours
#pragma once

#include <string>
#include <vector>

namespace continuo::cli {

/// The program `name` in the folder of this one, else on the PATH. Empty where there is none.
[[nodiscard]] std::string find_sibling(const std::string& name);

/// Becomes that program. Returns only by a Failure (EX_UNAVAILABLE with the remedy).
[[noreturn]] void run_sibling(const std::string& name, const std::vector<std::string>& arguments);

}  // namespace continuo::cli
