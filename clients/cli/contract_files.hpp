// THREAD: any - the contract, as it was when this program was built
#pragma once

#include <span>
#include <string_view>

namespace continuo::cli {

struct ContractFile {
  std::string_view name;  // "continuo/v1/session.proto": as the files import one another
  std::string_view content;
};

/// The descriptor set of all files and of all that they import.
inline constexpr std::string_view kDescriptorSet = "continuo.protoset";

/// Every proto file, then the descriptor set. The build makes the source of this from the files themselves.
[[nodiscard]] std::span<const ContractFile> contract_files();

}  // namespace continuo::cli
